"""The exclude list: libraries that other distributions provide, from shipped data or named by the user."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

from msgspec import convert
from msgspec.structs import replace

from wheelkit import data
from wheelkit.config.model import Provider
from wheelkit.config.problems import shown
from wheelkit.config.readers import Text, TextList
from wheelkit.fast_packaging import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheelkit.config.problems import KeyPath


_SUFFIXES: Mapping[str, str] = {"linux": r"\.so(\.|\*|$)", "macos": r"\.dylib$", "windows": r"\.dll$"}


def system_library(pattern: str) -> str | None:
    """Return the problem with a pattern that matches a library of the system, such as the C library, or None.

    Repair could no longer tell what a wheel needs of its system.
    """
    for name in data.table("providers.toml")["system"]["libraries"]:
        # File names on Windows and macOS ignore case, and a pattern applies to all systems.
        if fnmatchcase(name.lower(), pattern.lower()):
            return f"would exclude {name}, which belongs to the system; name only the provider's libraries"
    return None


LIBRARIES = TextList(
    at_least=1,
    item=Text(
        expected="a pattern for file names of libraries: letters, digits, . _ + - @ ~ and wildcards * ? [ ]",
        pattern=r"^[A-Za-z0-9_.+@~*?\[\]!][A-Za-z0-9_.+@~*?\[\]!-]*$",
        advice=((r"[/\\]", "patterns match the file name of a library, not its path"),),
        check=system_library,
    ),
)


def provider(value: object, place: KeyPath) -> Provider | None:
    """Read an entry of the exclude table: ``true`` for the shipped list, or patterns of libraries."""
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
    by_system = {system: tuple(text for text in patterns if may_match(text, system)) for system in _SUFFIXES}
    return replace(known, shipped=False, **by_system)


@cache
def shipped_providers() -> Mapping[str, Provider]:
    """Return the providers of data/providers.toml by name."""
    rows = data.table("providers.toml")["provider"].items()
    return {name: convert({**row, "name": name, "shipped": True}, Provider) for name, row in rows}


def _shipped(name: str, place: KeyPath) -> Provider | None:
    shipped = shipped_providers().get(name)
    if shipped is None:
        hint = place.problems.did_you_mean(name, shipped_providers())
        place.wrong(f"wheelkit has no list of its libraries{hint}")
    return shipped


def with_versions(patterns: Iterable[str]) -> tuple[str, ...]:
    """Add patterns for versioned names of libraries: ``libc10.so`` also means ``libc10.so.2``."""
    pairs = ((text, f"{text}.*") if text.endswith(".so") else (text,) for text in patterns)
    return tuple(dict.fromkeys(chain.from_iterable(pairs)))


def may_match(pattern: str, system: str) -> bool:
    """Return whether a pattern can match a library on a system, judged by its suffix."""
    systems = [name for name, suffix in _SUFFIXES.items() if re.search(suffix, pattern, re.IGNORECASE)]
    return not systems or system in systems
