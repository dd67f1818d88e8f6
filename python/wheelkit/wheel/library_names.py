"""Names of libraries: undo the renaming of grafted ones, and match them with exclude lists."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from wheelkit.matrix import System

if TYPE_CHECKING:
    from collections.abc import Iterable


# Repair tools put a hash between a library's name and its ending: libz-1a2b3c4d.so.1 (auditwheel, 8 digits),
# zlib1-1a2b...dll (delvewheel, 32 digits). delocate keeps names.
_GRAFTED = re.compile(
    r"(?P<stem>.+)-(?:[0-9a-f]{8}|[0-9a-f]{32})(?=[-.])(?P<rest>[-.\w]*\.(?:so(?:\.\d+)*|dll))", re.IGNORECASE
)


def base_name(library: str) -> str:
    """Return the file name of a library, without its folders, written with either slash."""
    return library.replace("\\", "/").rpartition("/")[2]


def grafted(library: str) -> bool:
    """Return whether a name carries a repair tool's hash."""
    return _GRAFTED.fullmatch(base_name(library)) is not None


def in_graft_folder(member: str) -> bool:
    """Return whether a member is where repair tools put what they graft: ``demo.libs``, ``demo/.dylibs``."""
    return member.rpartition("/")[0].endswith((".libs", ".dylibs"))


def is_graft(member: str) -> bool:
    """Return whether a repair tool copied a library into the wheel, by its name or its folder."""
    return grafted(member) or in_graft_folder(member)


def plain_name(library: str) -> str:
    """Return the file name that a library had before it was grafted."""
    base = base_name(library)
    match = _GRAFTED.fullmatch(base)
    return match["stem"] + match["rest"] if match else base


def matches(library: str, patterns: Iterable[str], system: System) -> bool:
    """Return whether a pattern of an exclude list matches a library's plain name; Windows ignores case."""
    # Reading a configuration needs a TOML parser, which verification without one does not load.
    from wheelkit.config.exclude import with_versions

    name = plain_name(library)
    if system is System.WINDOWS:
        return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)
    return any(fnmatchcase(name, pattern) for pattern in with_versions(patterns))
