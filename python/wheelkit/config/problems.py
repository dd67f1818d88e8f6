"""Mistakes in a configuration: where each stands, and all of them at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


_BARE_KEY = re.compile(r"[A-Za-z0-9_-]{1,80}")
_LONGEST = 60
_LARGEST = 10**18
# distribution.<name>.ignore.<code> is the deepest place that a key can stand, and one more for a list's item.
_DEEPEST = 5


class Problems:
    """Collects mistakes by dotted key; one key gets one message, the first, so that later checks need not ask."""

    def __init__(self, prefix: str = "") -> None:
        """Begin with none; ``prefix`` is what stands before every key in the file, such as ``tool.wheelkit``."""
        self._prefix = prefix
        self._found: dict[str, str] = {}

    def __len__(self) -> int:
        """Count the mistakes."""
        return len(self._found)

    def add(self, key: str, message: str) -> None:
        """Record a mistake at a key such as ``matrix.targets[2]``, without ``tool.wheelkit``."""
        self._found.setdefault(key, message)

    def in_order(self, document: object) -> tuple[str, ...]:
        """Give all messages, each with its whole key, in the order in which the keys stand in the document."""
        places = {key: rank for rank, key in enumerate(_keys(document))}

        def rank(key: str) -> int:
            known = [place for place in places if key.startswith(place)]
            return places[max(known, key=len)] if known else -1

        return tuple(f"{self._whole(key)}: {self._found[key]}" for key in sorted(self._found, key=rank))

    @staticmethod
    def did_you_mean(word: str, choices: Iterable[str]) -> str:
        """Give the end of a message about an unknown word: the nearest choice, or all of them."""
        choices = tuple(choices)
        return Problems.nearest(word, choices) or f"; known: {', '.join(choices)}"

    @staticmethod
    def nearest(word: str, choices: Iterable[str]) -> str:
        """Give the end of a message about an unknown word: the nearest choice, or nothing."""
        from difflib import get_close_matches

        known = {choice.lower(): choice for choice in choices}
        # The comparison takes time by the square of the length, and a long word is no slip of a short one.
        near = get_close_matches(word.lower(), known, n=1) if len(word) <= _LONGEST else []
        return f'; did you mean "{known[near[0]]}"?' if near else ""

    def _whole(self, key: str) -> str:
        separator = "." if self._prefix and key else ""
        return f"{self._prefix}{separator}{key}"


class KeyPath(Struct, frozen=True, kw_only=True):
    """A value's place in the document, and where to say what is wrong with it."""

    problems: Problems
    parts: tuple[str | int, ...] = ()

    @property
    def key(self) -> str:
        """The dotted key."""
        return dotted(*self.parts)

    def below(self, part: str | int) -> KeyPath:
        """Give the place of a key or of a list's item below this one."""
        return KeyPath(problems=self.problems, parts=(*self.parts, part))

    def wrong(self, message: str) -> None:
        """Record a mistake here."""
        self.problems.add(self.key, message)


def dotted(*parts: str | int) -> str:
    """Join keys and list positions as TOML writes them: ``distribution."my.pkg".smoke[0]``."""
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _BARE_KEY.fullmatch(part) else _quoted(part))
    return text


def shown(value: object) -> str:
    """Name a value in a message: short ones as TOML writes them, others by their kind."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, int | float):
        # An integer of thousands of digits, which TOML's hexadecimal form can hold, cannot be printed.
        return "a very large number" if abs(value) >= _LARGEST else str(value)
    return {dict: "a table", list: "a list", type(None): "nothing"}.get(type(value), "a date or time")


def _quoted(text: str) -> str:
    # What a terminal would obey instead of showing is escaped.
    short = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    escaped = short.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in escaped) + '"'


def _keys(value: object, parts: tuple[str | int, ...] = ()) -> Iterator[str]:
    if parts:
        yield dotted(*parts)
    if len(parts) > _DEEPEST:
        return
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for part, child in children:
        yield from _keys(child, (*parts, part))
