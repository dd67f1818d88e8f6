"""The build cache: what was built from the same bytes, by the same tools, for the same target, is not built again."""
