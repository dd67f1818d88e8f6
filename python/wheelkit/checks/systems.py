"""Which libraries macOS and Windows bring along (data/systems.toml)."""

from __future__ import annotations

import tomllib
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(files("wheelkit").joinpath("data/systems.toml").read_text(encoding="utf-8"))


def of_macos(path: str) -> bool:
    """Tell whether an install name is one of the system's own libraries."""
    return path.startswith(tuple(_data()["macos"]["folders"]))


def of_windows(name: str) -> bool:
    """Tell whether a DLL belongs to Windows or to every installation of CPython."""
    windows = _data()["windows"]
    lowered = name.lower()
    return lowered in windows["names"] or any(fnmatchcase(lowered, pattern) for pattern in windows["patterns"])
