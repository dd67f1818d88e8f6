"""Mistakes in a configuration, each with its key; all are reported at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


_BARE_KEY = re.compile(r"[A-Za-z0-9_-]{1,80}")
_LONGEST = 60
_LARGEST = 10**18
# distribution.<name>.ignore.<code> is the deepest key; a list's item is one level deeper.
_DEEPEST = 5


class Problems:
    """Collects mistakes by dotted key; the first mistake of a key counts."""

    def __init__(self, prefix: str = "") -> None:
        """Create an empty collection; ``prefix`` precedes every key in messages, as ``tool.wheelkit``."""
        self._prefix = prefix
        self._found: dict[str, str] = {}

    def __len__(self) -> int:
        """Return the number of mistakes."""
        return len(self._found)

    def add(self, key: str, message: str) -> None:
        """Record a mistake at a key such as ``matrix.targets[2]``, without the prefix."""
        self._found.setdefault(key, message)

    def in_order(self, document: object) -> tuple[str, ...]:
        """Return all messages, each with its full key, in the order of the document."""
        positions = {key: position for position, key in enumerate(_keys(document))}

        def position(key: str) -> int:
            parents = [parent for parent in positions if key.startswith(parent)]
            return positions[max(parents, key=len)] if parents else -1

        return tuple(
            f"{self._full_key(key)}: {self._found[key]}" for key in sorted(self._found, key=position)
        )

    @staticmethod
    def did_you_mean(word: str, choices: Iterable[str]) -> str:
        """Return the end of a message about an unknown word: the most similar choice, or all choices."""
        choices = tuple(choices)
        return Problems.nearest(word, choices) or f"; known: {', '.join(choices)}"

    @staticmethod
    def nearest(word: str, choices: Iterable[str]) -> str:
        """Return the end of a message about an unknown word: the most similar choice, or nothing."""
        from difflib import get_close_matches

        known = {choice.lower(): choice for choice in choices}
        # The comparison takes quadratic time, and a long word is no typo of a short one.
        near = get_close_matches(word.lower(), known, n=1) if len(word) <= _LONGEST else []
        return f'; did you mean "{known[near[0]]}"?' if near else ""

    def _full_key(self, key: str) -> str:
        return ".".join(filter(None, (self._prefix, key)))


class KeyPath(Struct, frozen=True, kw_only=True):
    """The path of a value in the document; records what is wrong with it."""

    problems: Problems
    parts: tuple[str | int, ...] = ()

    @property
    def key(self) -> str:
        """The dotted key."""
        return dotted(*self.parts)

    def below(self, part: str | int) -> KeyPath:
        """Return the path of a key or of a list's item below this one."""
        return KeyPath(problems=self.problems, parts=(*self.parts, part))

    def wrong(self, message: str) -> None:
        """Record a mistake here."""
        self.problems.add(self.key, message)


def dotted(*parts: str | int) -> str:
    """Join keys and list indexes as in TOML: ``distribution."my.pkg".smoke[0]``."""
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _BARE_KEY.fullmatch(part) else _quoted(part))
    return text


def shown(value: object) -> str:
    """Return a value for a message: short ones as TOML, others by their type."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, int | float):
        # Python refuses to print integers of thousands of digits, which TOML allows in hexadecimal.
        return "a very large number" if abs(value) >= _LARGEST else str(value)
    return {dict: "a table", list: "a list", type(None): "nothing"}.get(type(value), "a date or time")


def _quoted(text: str) -> str:
    short = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    escaped = short.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{printable(escaped)}"'


def _keys(value: object, parts: tuple[str | int, ...] = ()) -> Iterator[str]:
    if parts:
        yield dotted(*parts)
    if len(parts) > _DEEPEST:
        return
    items = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
    for part, child in items:
        yield from _keys(child, (*parts, part))
