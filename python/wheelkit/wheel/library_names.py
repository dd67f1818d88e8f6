"""Names of libraries: the one that a grafted library had before, and whether an exclude list's pattern means it."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from wheelkit.matrix import System

if TYPE_CHECKING:
    from collections.abc import Iterable


# Repair tools put a hash between a library's name and its ending: libz-1a2b3c4d.so.1 (auditwheel, 8 digits), zlib1-1a2b...dll
# (delvewheel, 32 digits). delocate keeps names.
_GRAFTED = re.compile(
    r"(?P<stem>.+)-(?:[0-9a-f]{8}|[0-9a-f]{32})(?=[-.])(?P<rest>[-.\w]*\.(?:so(?:\.\d+)*|dll))", re.IGNORECASE
)
_HASHES = (8, 32)


def base_name(library: str) -> str:
    """Give the file name of a library, without its folders, written with either slash."""
    return library.replace("\\", "/").rpartition("/")[2]


def grafted(library: str) -> bool:
    """Tell whether a name carries a repair tool's hash."""
    return _grafted(base_name(library)) is not None


def _grafted(name: str) -> re.Match[str] | None:
    # Nearly no name has a piece as long as a hash, which is found out faster.
    pieces = (piece.partition(".")[0] for piece in name.split("-")[1:])
    return _GRAFTED.fullmatch(name) if any(len(piece) in _HASHES for piece in pieces) else None


def plain_name(library: str) -> str:
    """Give the file name that a library had before it was grafted."""
    base = base_name(library)
    match = _grafted(base)
    return match["stem"] + match["rest"] if match else base


def matches(library: str, patterns: Iterable[str], system: System) -> bool:
    """Tell whether one of the exclude list's patterns means this library, by its plain file name, on Windows whatever the case."""
    from wheelkit.config.exclude import with_versions  # who has patterns has read a configuration

    name = plain_name(library)
    if system is System.WINDOWS:
        return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)
    return any(fnmatchcase(name, pattern) for pattern in with_versions(patterns))
