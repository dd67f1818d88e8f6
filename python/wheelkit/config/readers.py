"""The types of values: each reader takes a value and its place, and gives it typed, or None with the mistake recorded.

Readers are data, so that the schema for editors can be held against them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct

from wheelkit.config.problems import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wheelkit.config.problems import KeyPath

    Reader = Callable[[object, KeyPath], Any]


# What is no control character, and not only blanks.
_ONE_LINE = r"^(?=.*\S)[^\x00-\x1f\x7f]+$"
# ECMA 262 and Python agree on this subset; the second alternative always holds at least one byte.
SIZE_PATTERN = r"^(?=.*[1-9])([0-9]{1,12} ?B|[0-9]{1,9}(\.[0-9]{1,3})? ?([kK]B|MB|GB|KiB|MiB|GiB))$"
LARGEST_SIZE = 10**15
_UNITS: Mapping[str, int] = {
    "B": 1,
    "kB": 10**3,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
}


class Text(Struct, frozen=True, kw_only=True):
    """Reads a string that matches ``pattern``.

    ``expected`` ends "expected ..."; ``advice`` has better words for common slips, as (what to search for, message); ``trouble``
    finds what a pattern cannot say; ``clean`` brings it into one form; ``show`` names it in messages, less what is secret.
    """

    expected: str = "one line of text"
    pattern: str = _ONE_LINE
    advice: tuple[tuple[str, str], ...] = ()
    trouble: Callable[[str], str | None] | None = None
    clean: Callable[[str], str] = str
    show: Callable[[str], str] = shown

    def __call__(self, value: object, place: KeyPath) -> str | None:
        """Read one string."""
        problem = self.problem(value)
        if problem is not None:
            place.wrong(problem)
            return None
        return self.clean(cast("str", value))

    def problem(self, value: object) -> str | None:
        """Say what is wrong with the value, None where nothing is."""
        if not isinstance(value, str):
            return f"expected a string, got {shown(value)}"
        for search, message in self.advice:
            if re.search(search, value):
                return f"{self.show(value)}: {message}"
        if not re.fullmatch(self.pattern, value):
            return f"expected {self.expected}, got {self.show(value)}"
        found = self.trouble(value) if self.trouble else None
        return f"{self.show(value)}: {found}" if found else None


class TextList(Struct, frozen=True, kw_only=True):
    """Reads a list of different strings; an item that is wrong becomes an empty string, so that positions stay."""

    item: Text
    at_least: int = 0

    def __call__(self, value: object, place: KeyPath) -> tuple[str, ...] | None:
        """Read one list."""
        if not isinstance(value, list):
            place.wrong(f"expected a list of strings, got {shown(value)}")
            return None
        if len(value) < self.at_least:
            place.wrong("an empty list; leave the key out for the default, or name at least one")
            return None
        first: dict[str, int] = {}
        for index, text in enumerate(value):
            if isinstance(text, str) and first.setdefault(text, index) != index:
                place.below(index).wrong(f"{self.item.show(text)} is in the list already, at [{first[text]}]")
        return tuple(self.item(text, place.below(index)) or "" for index, text in enumerate(value))


class Choice(Struct, frozen=True, kw_only=True):
    """Reads one of a few words."""

    words: tuple[str, ...]

    def __call__(self, value: object, place: KeyPath) -> str | None:
        """Read one word."""
        if isinstance(value, str) and value in self.words:
            return value
        hint = place.problems.did_you_mean(value, self.words) if isinstance(value, str) else ""
        expected = ", ".join(f'"{word}"' for word in self.words)
        place.wrong(
            f"{shown(value)} is not known{hint}"
            if hint
            else f"expected one of {expected}, got {shown(value)}"
        )
        return None


class Key(Struct, frozen=True, kw_only=True):
    """One row of a table: the field that it fills, its reader, and whether it may be left out."""

    field: str
    read: Reader
    required: bool = False


class Table(Struct, frozen=True, kw_only=True):
    """Reads a table with known keys into what ``build`` makes of its fields."""

    keys: Mapping[str, Key]
    build: Callable[..., Any]

    def __call__(self, value: object, place: KeyPath) -> Any:  # noqa: ANN401 - whatever `build` makes
        """Read one table; None where it is none, or where a required key is missing or wrong."""
        if not isinstance(value, dict):
            place.wrong(f"expected a table, got {shown(value)}")
            return None
        fields: dict[str, object] = {}
        for name, child in value.items():
            if name not in self.keys:
                place.below(name).wrong(f"unknown key{place.problems.did_you_mean(name, self.keys)}")
            elif (found := self.keys[name].read(child, place.below(name))) is not None:
                fields[self.keys[name].field] = found
        missing = [name for name, key in self.keys.items() if key.required and name not in value]
        if missing:
            place.wrong(f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing")
        needed = {key.field for key in self.keys.values() if key.required}
        return self.build(**fields) if needed <= fields.keys() else None


class Named(Struct, frozen=True, kw_only=True):
    """Reads a table whose keys are names of the user's choice into a mapping from name to entry."""

    name: Text
    entry: Reader
    build: Callable[[Mapping[str, Any]], Any] = dict

    def __call__(self, value: object, place: KeyPath) -> Any:  # noqa: ANN401 - whatever `build` makes
        """Read one table; two spellings of one name are a mistake."""
        if not isinstance(value, dict):
            place.wrong(f"expected a table, got {shown(value)}")
            return None
        entries: dict[str, Any] = {}
        spelled: dict[str, str] = {}
        for name, child in value.items():
            here = place.below(name)
            clean = self.name(name, here)
            entry = self.entry(child, here)
            if clean is not None and spelled.setdefault(clean, name) != name:
                here.wrong(f"the same name as {place.below(spelled[clean]).key}; keep one of them")
            elif clean is not None and entry is not None:
                entries[clean] = entry
        return self.build(entries)


def boolean(value: object, place: KeyPath) -> bool | None:
    """Read true or false."""
    if isinstance(value, bool):
        return value
    place.wrong(f"expected true or false, got {shown(value)}")
    return None


def size(value: object, place: KeyPath) -> int | None:
    """Read a size into bytes: a number of them, or "100 MB" (powers of 1000) or "96 MiB" (powers of 1024)."""
    found: int | None = None
    if isinstance(value, str) and re.fullmatch(SIZE_PATTERN, value):
        found = _parsed_size(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        # 1e8 is a float to TOML, and whole all the same.
        whole = isinstance(value, int) or value.is_integer()
        found = int(value) if whole and 0 < value <= LARGEST_SIZE else None
    if found is None:
        place.wrong(f'expected a size such as "100 MB", "96 MiB" or a number of bytes, got {shown(value)}')
    return found


def _parsed_size(text: str) -> int:
    # Fractions are exact where floats would round 0.001 kB down to nothing.
    digits = text.rstrip("BiKkMG ")
    whole, _, decimals = digits.partition(".")
    unit = _UNITS[text[len(digits) :].strip()]
    scale: int = 10 ** len(decimals)
    return int(whole + decimals) * unit // scale
