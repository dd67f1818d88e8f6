"""SBOM: what a native wheel contains besides the project's own code, written into the wheel (PEP 770)."""
