"""The types of values.

A reader takes a value and its path. It returns the typed value, or None after it has recorded a mistake.
Readers are data, so that a test can compare them with the schema for editors.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, cast

from msgspec import Struct

from wheelkit.config.problems import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wheelkit.config.problems import KeyPath

    Reader = Callable[[object, KeyPath], Any]


# No control characters, and not only spaces.
_ONE_LINE = r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$"
# A subset in which ECMA 262 and Python agree. The second alternative is always at least one byte.
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

    ``expected`` completes the message "expected ..."; ``advice`` holds better messages for common mistakes,
    as (pattern to search for, message). ``check`` returns what else is wrong, ``clean`` normalises the text,
    and ``show`` quotes it in messages.
    """

    expected: str = "one line of text"
    pattern: str = _ONE_LINE
    advice: tuple[tuple[str, str], ...] = ()
    check: Callable[[str], str | None] | None = None
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
        """Return what is wrong with the value, or None."""
        if not isinstance(value, str):
            return f"expected a string, got {shown(value)}"
        for search, message in self.advice:
            if re.search(search, value):
                return f"{self.show(value)}: {message}"
        if not re.fullmatch(self.pattern, value):
            return f"expected {self.expected}, got {self.show(value)}"
        problem = self.check(value) if self.check else None
        return f"{self.show(value)}: {problem}" if problem else None


class OrFalse(Struct, frozen=True, kw_only=True):
    """Reads a string, or false, which stands for none."""

    item: Text

    def __call__(self, value: object, place: KeyPath) -> str | Literal[False] | None:
        """Read the string or false."""
        return False if value is False else self.item(value, place)


class TextList(Struct, frozen=True, kw_only=True):
    """Reads a list of distinct strings; a wrong item becomes an empty string, which keeps the indexes."""

    item: Text
    at_least: int = 0

    def __call__(self, value: object, place: KeyPath) -> tuple[str, ...] | None:
        """Read one list."""
        if not isinstance(value, list):
            place.wrong(f"expected a list of strings, got {shown(value)}")
            return None
        if len(value) < self.at_least:
            place.wrong("an empty list; remove the key for the default, or give at least one item")
            return None
        first: dict[str, int] = {}
        for index, text in enumerate(value):
            if isinstance(text, str) and first.setdefault(text, index) != index:
                place.below(index).wrong(f"{self.item.show(text)} is already in the list, at [{first[text]}]")
        return tuple(self.item(text, place.below(index)) or "" for index, text in enumerate(value))


class Words(Struct, frozen=True, kw_only=True):
    """Reads one string, or a list of distinct strings, into a tuple."""

    item: Text
    at_least: int = 0

    def __call__(self, value: object, place: KeyPath) -> tuple[str, ...] | None:
        """Read the string or the list."""
        if isinstance(value, str):
            return (self.item(value, place) or "",)
        if not isinstance(value, list):
            place.wrong(f"expected a string or a list of strings, got {shown(value)}")
            return None
        return TextList(item=self.item, at_least=self.at_least)(value, place)


class Tables(Struct, frozen=True, kw_only=True):
    """Reads an array of tables into a tuple; None if one of them is wrong."""

    entry: Reader

    def __call__(self, value: object, place: KeyPath) -> tuple[Any, ...] | None:
        """Read the array."""
        if not isinstance(value, list):
            place.wrong(f"expected an array of tables, got {shown(value)}")
            return None
        entries = tuple(self.entry(child, place.below(index)) for index, child in enumerate(value))
        return None if None in entries else entries


class Choice(Struct, frozen=True, kw_only=True):
    """Reads one of a few words."""

    words: tuple[str, ...]

    def __call__(self, value: object, place: KeyPath) -> str | None:
        """Read one word."""
        if isinstance(value, str) and value in self.words:
            return value
        hint = place.problems.did_you_mean(value, self.words) if isinstance(value, str) else ""
        expected = ", ".join(f'"{word}"' for word in self.words)
        unexpected = f"expected one of {expected}, got {shown(value)}"
        place.wrong(f"{shown(value)} is not known{hint}" if hint else unexpected)
        return None


class Table(Struct, frozen=True, kw_only=True):
    """Reads a table with known keys; ``build`` gets a field for each, as ``max_size`` for ``max-size``."""

    keys: Mapping[str, Reader]
    build: Callable[..., Any]
    required: tuple[str, ...] = ()

    def __call__(self, value: object, place: KeyPath) -> Any:  # noqa: ANN401 - whatever `build` makes
        """Read one table; None if it is no table, or if a required key is missing or wrong."""
        if not isinstance(value, dict):
            place.wrong(f"expected a table, got {shown(value)}")
            return None
        entries: dict[str, object] = {}
        for key, child in value.items():
            if key not in self.keys:
                place.below(key).wrong(f"unknown key{place.problems.did_you_mean(key, self.keys)}")
            elif (entry := self.keys[key](child, place.below(key))) is not None:
                entries[key] = entry
        missing = [key for key in self.required if key not in value]
        if missing:
            place.wrong(f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing")
        if not entries.keys() >= set(self.required):
            return None
        return self.build(**{key.replace("-", "_"): entry for key, entry in entries.items()})


class Named(Struct, frozen=True, kw_only=True):
    """Reads a table whose keys are names that the user chooses into a mapping from name to entry."""

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
            child_place = place.below(name)
            clean_name = self.name(name, child_place)
            entry = self.entry(child, child_place)
            if clean_name is not None and spelled.setdefault(clean_name, name) != name:
                child_place.wrong(
                    f"the same name as {place.below(spelled[clean_name]).key}; keep one of them"
                )
            elif clean_name is not None and entry is not None:
                entries[clean_name] = entry
        return self.build(entries)


def boolean(value: object, place: KeyPath) -> bool | None:
    """Read a boolean."""
    if isinstance(value, bool):
        return value
    place.wrong(f"expected true or false, got {shown(value)}")
    return None


def size(value: object, place: KeyPath) -> int | None:
    """Read a size in bytes: a number, or text like "100 MB" (powers of 1000) or "96 MiB" (powers of 1024)."""
    if isinstance(value, str) and re.fullmatch(SIZE_PATTERN, value):
        return _parse_size(value)
    # TOML reads 1e8 as a float.
    if (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and 0 < value <= LARGEST_SIZE
        and value == int(value)
    ):
        return int(value)
    place.wrong(f'expected a size such as "100 MB", "96 MiB" or a number of bytes, got {shown(value)}')
    return None


def _parse_size(text: str) -> int:
    # Integers are exact; floats would round 0.001 kB down to 0.
    digits = text.rstrip("BiKkMG ")
    whole, _, decimals = digits.partition(".")
    unit = _UNITS[text[len(digits) :].strip()]
    scale: int = 10 ** len(decimals)
    return int(whole + decimals) * unit // scale
