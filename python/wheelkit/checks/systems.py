"""Which libraries macOS and Windows bring along (data/systems.toml)."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any


@cache
def _data() -> dict[str, Any]:
    import tomllib

    return tomllib.loads((Path(__file__).parents[1] / "data" / "systems.toml").read_text(encoding="utf-8"))


def of_macos(path: str) -> bool:
    """Tell whether an install name is one of the system's own libraries."""
    return path.startswith(tuple(_data()["macos"]["folders"]))


def of_windows(name: str) -> bool:
    """Tell whether a DLL belongs to Windows or to every installation of CPython."""
    windows = _data()["windows"]
    lowered = name.lower()
    return lowered in windows["names"] or any(fnmatchcase(lowered, pattern) for pattern in windows["patterns"])
