"""The exclude list: which libraries other distributions provide, shipped as data or named by the user."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from wheelkit import data
from wheelkit.config.model import Provider
from wheelkit.config.problems import shown
from wheelkit.config.readers import Text, TextList
from wheelkit.fast_packaging import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheelkit.config.problems import KeyPath


_SYSTEMS = ("linux", "macos", "windows")


def system_library(pattern: str) -> str | None:
    """Say which part of the system the pattern would exclude, None for none.

    Without the C library or the loader in view, repair could not tell any more what a wheel needs of its system.
    """
    for name in _data()["system"]["libraries"]:
        # Windows and macOS file names have no case, and a pattern has to be right on all systems.
        if fnmatchcase(name.lower(), pattern.lower()):
            return f"would exclude {name}, which belongs to the system; name the provider's own libraries"
    return None


LIBRARIES = TextList(
    at_least=1,
    item=Text(
        expected="the pattern of a library's file name, of letters, digits, . _ + - @ ~ and the wildcards * ? [ ]",
        pattern=r"^[A-Za-z0-9_.+@~*?\[\]!][A-Za-z0-9_.+@~*?\[\]!-]*$",
        advice=((r"[/\\]", "patterns match the library's file name, not its path"),),
        trouble=system_library,
    ),
)


def provider(value: object, place: KeyPath) -> Provider | None:
    """Read one entry of the exclude table: ``true`` for the shipped list, or the libraries' patterns."""
    name = normalise(str(place.parts[-1]))
    if value is True:
        return _shipped(name, place)
    if not isinstance(value, list):
        place.wrong(f"expected true (the shipped list) or a list of file name patterns, got {shown(value)}")
        return None
    patterns = LIBRARIES(value, place)
    if patterns is None:
        return None
    known = shipped_providers().get(name, Provider(name=name, distributions=(name,)))
    linux, macos, windows = (
        tuple(text for text in patterns if may_match(text, system)) for system in _SYSTEMS
    )
    return replace(known, shipped=False, linux=linux, macos=macos, windows=windows)


@cache
def shipped_providers() -> Mapping[str, Provider]:
    """Give the providers of data/providers.toml by name."""
    return {name: _from_row(name, row) for name, row in _data()["provider"].items()}


def _shipped(name: str, place: KeyPath) -> Provider | None:
    found = shipped_providers().get(name)
    if found is None:
        hint = place.problems.did_you_mean(name, shipped_providers())
        place.wrong(f"no list of its libraries is shipped{hint}")
    return found


def with_versions(patterns: Iterable[str]) -> tuple[str, ...]:
    """Let a pattern for an unversioned library catch its versioned names too: ``libc10.so`` also means ``libc10.so.2``."""
    spread = ((pattern, f"{pattern}.*") if pattern.endswith(".so") else (pattern,) for pattern in patterns)
    return tuple(dict.fromkeys(name for names in spread for name in names))


def may_match(pattern: str, system: str) -> bool:
    """Tell whether a pattern can name a library of the system; only an ending says that it cannot."""
    endings = {"linux": r"\.so(\.|\*|$)", "macos": r"\.dylib$", "windows": r"\.dll$"}
    named = [name for name, ending in endings.items() if re.search(ending, pattern, re.IGNORECASE)]
    return not named or system in named


def _from_row(name: str, row: Mapping[str, Any]) -> Provider:
    libraries = {system: tuple(row.get(system, ())) for system in _SYSTEMS}
    return Provider(
        name=name,
        distributions=tuple(row["distributions"]),
        version_bound=row["version-bound"],
        shipped=True,
        **libraries,
    )


@cache
def _data() -> dict[str, Any]:
    return data.table("providers.toml")
