"""What builds leave behind in a project's folder: no source, and no change of the project."""

from __future__ import annotations

from fnmatch import fnmatchcase

# At the top of a project's folder, and anywhere in it. Deeper down a folder named build may well be a source.
OUTPUTS = ("dist", "wheelhouse", "build")
LEFTOVERS = (".venv", "__pycache__", "*.egg-info")


def left_by_builds(path: str) -> bool:
    """Tell whether a file, by its path below a project's folder, is what a build left behind and no change of the project."""
    *folders, _ = path.split("/")
    return folders[:1] in ([name] for name in OUTPUTS) or any(fnmatchcase(folder, name) for folder in folders for name in LEFTOVERS)
