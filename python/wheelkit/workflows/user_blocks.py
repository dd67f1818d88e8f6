"""Marked blocks in generated files whose lines people write: they are read back and kept unchanged."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    UserLines = Mapping[str, tuple[str, ...]]
    """The user's lines by the name of their block."""


HEADER = (
    "# Written by `wheelkit ci` from the project's configuration: change that, then run it again.",
    "# Only the lines between the markers `yours` are kept.",
)
_BEGIN = re.compile(r"^\s*# >>> yours: (?P<name>[a-z -]+?)(?:, .*)?$")
_END = re.compile(r"^\s*# <<< yours$")
# Precedes the user's lines, whose indentation stays as it is, until the file is written.
_VERBATIM = "\0"


def block_lines(name: str, hint: str, user_lines: UserLines) -> tuple[str, ...]:
    """Return a marked block with the user's lines; ``hint`` says what belongs there."""
    lines = (f"{_VERBATIM}{line}" for line in user_lines.get(name, ()))
    return (f"# >>> yours: {name}, {hint}", *lines, "# <<< yours")


def jobs_block(user_lines: UserLines) -> tuple[str, ...]:
    """Return the marked block for the user's own jobs."""
    return block_lines("jobs", "whole jobs between these lines are kept", user_lines)


def indent(lines: Iterable[str], spaces: int) -> tuple[str, ...]:
    """Indent generated lines; the user's lines keep their indentation."""
    return tuple(line if line.startswith(_VERBATIM) or not line else " " * spaces + line for line in lines)


def join(lines: Iterable[str]) -> str:
    """Join lines to the text of a file."""
    return "".join(line.removeprefix(_VERBATIM) + "\n" for line in lines)


def read(document: str, source: Path) -> dict[str, tuple[str, ...]]:
    """Return the user's lines by the name of their block; raise UsageError if a marker is missing."""
    blocks: dict[str, tuple[str, ...]] = {}
    name, lines = "", list[str]()
    # Not splitlines: the user's lines may contain other signs that it takes for the end of a line.
    document_lines = document.removesuffix("\n").split("\n")
    for number, line in enumerate(document_lines, 1):
        begin, end = _BEGIN.match(line), _END.match(line)
        if begin and name:
            raise _broken(source, number, f'"{name}" has no end')
        if end and not name:
            raise _broken(source, number, "an end without a beginning")
        if begin:
            name, lines = begin["name"], []
            if name in blocks:
                raise _broken(source, number, f'"{name}" occurs twice')
        elif end:
            blocks[name] = tuple(lines)
            name = ""
        elif name:
            lines.append(line)
    if name:
        raise _broken(source, len(document_lines), f'"{name}" has no end')
    return blocks


def _broken(source: Path, line: int, problem: str) -> UsageError:
    return UsageError(
        f"{source}, line {line}: the markers around your own steps are broken: {problem}",
        hint='put "# >>> yours: NAME" and "# <<< yours" back, or move your steps away and run: wheelkit ci',
    )
