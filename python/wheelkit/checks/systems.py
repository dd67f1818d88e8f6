"""Which libraries macOS and Windows bring along (data/systems.toml)."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from wheelkit import data
from wheelkit.matrix import System

# The parts of glibc and musl, and the loaders, by the beginnings of their names.
_C_LIBRARIES = ("libc.", "libm.", "libpthread.", "libdl.", "librt.", "libutil.", "ld-linux", "ld-musl", "libc.musl", "ld64.", "linux-vdso.")


@cache
def _data() -> dict[str, Any]:
    return data.table("systems.toml")


def everywhere(library: str, system: System) -> bool:
    """Tell whether every machine with the system and its C runtime has the library, so that no distribution provides it."""
    if system is System.MACOS:
        return of_macos(library)
    return of_windows(library) if system is System.WINDOWS else library.startswith(_C_LIBRARIES)


def of_macos(path: str) -> bool:
    """Tell whether an install name is one of the system's own libraries."""
    return path.startswith(tuple(_data()["macos"]["folders"]))


def of_windows(name: str) -> bool:
    """Tell whether a DLL belongs to Windows or to every installation of CPython."""
    windows = _data()["windows"]
    lowered = name.lower()
    return lowered in windows["names"] or any(fnmatchcase(lowered, pattern) for pattern in windows["patterns"])
