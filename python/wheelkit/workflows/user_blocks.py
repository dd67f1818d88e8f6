"""Marked places in generated files: what people write there is read back and kept, word for word."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


_BEGIN = re.compile(r"^\s*# >>> yours: (?P<name>[a-z -]+?)(?:, .*)?$")
_END = re.compile(r"^\s*# <<< yours$")


def user_block_marker(name: str, hint: str, kept: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Write a marked place, with what stood in it before; ``hint`` says what belongs there."""
    return (f"# >>> yours: {name}, {hint}", *(f"\0{line}" for line in kept.get(name, ())), "# <<< yours")


def indent(lines: tuple[str, ...], spaces: int) -> tuple[str, ...]:
    """Indent generated lines; what people wrote keeps the indentation that they gave it."""
    return tuple(line if line.startswith("\0") or not line else " " * spaces + line for line in lines)


def user_block_text(lines: tuple[str, ...]) -> str:
    """Join lines to the text of a file."""
    return "".join(line.removeprefix("\0") + "\n" for line in lines)


def read_user_blocks(document: str, source: Path) -> dict[str, tuple[str, ...]]:
    """Give the lines of every marked place by its name; raise UsageError where a mark was lost."""
    found: dict[str, tuple[str, ...]] = {}
    name, lines = "", list[str]()
    for number, line in enumerate(document.splitlines(), 1):
        begin = _BEGIN.match(line)
        if (begin is not None) == bool(name) and (begin or _END.match(line)):
            problem = f'"{name}" has no end' if begin else "an end without a beginning"
            raise _lost(source, number, problem)
        if begin:
            name, lines = begin["name"], []
            if name in found:
                raise _lost(source, number, f'"{name}" stands there twice')
        elif _END.match(line):
            found[name] = tuple(lines)
            name = ""
        elif name:
            lines.append(line)
    if name:
        raise _lost(source, len(document.splitlines()), f'"{name}" has no end')
    return found


def _lost(source: Path, line: int, problem: str) -> UsageError:
    return UsageError(
        f"{source}, line {line}: the marks around hand-written steps are broken: {problem}",
        hint='put "# >>> yours: NAME" and "# <<< yours" back around your steps, or move them away and run: wheelkit ci',
    )
