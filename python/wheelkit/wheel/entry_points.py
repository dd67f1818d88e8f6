"""Read entry_points.txt as pip and importlib.metadata do, and find where uv reads something else.

pip takes each line for itself, and all brackets off a section's name. uv and the indexes read the file as an
INI file: a section and a name may occur once, ``;`` begins a comment, an indented line continues the one
before it, and ``[DEFAULT]`` is part of each section. Both agree on files as build backends write them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterator


SCRIPTS = frozenset({"console_scripts", "gui_scripts"})
_BOM = "\ufeff"
# Where str.splitlines, and with it pip, sees the end of a line, and uv does not.
_OTHER_LINE_END = r"[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]"
_LINE = r"[^\r\n]+"
_DEFAULT = "DEFAULT"


class EntryPoint(Struct, frozen=True, kw_only=True):
    """One line of entry_points.txt, counted from 1 (0: the whole file); ``problem`` says if it is invalid."""

    line: int
    group: str = ""
    name: str = ""
    reference: str = ""
    problem: str = ""


def parse_entry_points(text: bytes) -> tuple[EntryPoint, ...]:
    """Read entry_points.txt line by line, as importlib.metadata (and with it pip) does.

    Names are case-sensitive; everything behind the first ``=`` is the reference (entry points specification,
    "File format").
    """
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        return (EntryPoint(line=0, problem=f"byte {error.start}: not UTF-8"),)
    if decoded.startswith(_BOM):
        # pip then takes the first section for a line before any section, and creates no scripts.
        return (EntryPoint(line=1, problem="a byte order mark hides the first line, and uv refuses it"),)
    reader = _Reader()
    entries = tuple(reader.read(decoded))
    return entries if reader.sections.isdisjoint(SCRIPTS) else tuple(map(_by_default, entries))


def _by_default(entry: EntryPoint) -> EntryPoint:
    problem = f"uv reads {entry.name} as part of each section, and pip does not"
    return replace(entry, problem=entry.problem or problem) if entry.group == _DEFAULT else entry


class _Reader:
    """What the lines before the present one say: the section, and the indentation of its last name."""

    def __init__(self) -> None:
        self._group: str | None = None
        self._indentation: int | None = None
        self.sections: set[str] = set()

    def read(self, text: str) -> Iterator[EntryPoint]:
        if not text.isascii() or not text.isprintable():
            yield from _other_line_ends(text)
        for number, raw in enumerate(text.splitlines(), 1):
            line = raw.strip()
            if not line or line[0] == "#":
                continue
            if line[0] == "[" and line[-1] == "]":
                problem = self._enter(line)
                if problem:
                    yield EntryPoint(line=number, problem=problem)
            elif line[0] != ";" or self._group is not None:
                yield self._option(number, line, len(raw) - len(raw.lstrip()))

    def _enter(self, line: str) -> str:
        """Enter a section; return what is wrong with its line."""
        self._group, self._indentation = line.strip("[]"), None
        section = line[1:-1].strip()
        again = section in self.sections
        self.sections.add(section)
        if again:
            return f"the section {line} is there twice, and uv refuses that"
        if section != self._group and self._group in SCRIPTS:
            return f"pip reads {line} as [{self._group}], and uv does not"
        return "" if section else f"{line} has no name, and uv refuses it"

    def _option(self, number: int, line: str, indentation: int) -> EntryPoint:
        name, equals, reference = (part.strip() for part in line.partition("="))
        problem = self._line_problem(line, name, equals) or self._script_problem(line, name, indentation)
        if line[0] != ";":
            self._indentation = min(
                indentation, indentation if self._indentation is None else self._indentation
            )
        return EntryPoint(
            line=number, group=self._group or "", name=name, reference=reference, problem=problem
        )

    def _line_problem(self, line: str, name: str, equals: str) -> str:
        if not equals:
            comment = ", and pip does not take it for a comment" if line[0] == ";" else ""
            return f'"{line}" is not name = module:function{comment}'
        if not self._group:
            return f"{name} is not in a [group]"
        return "" if name else f'"{line}" has no name'

    def _script_problem(self, line: str, name: str, indentation: int) -> str:
        if self._group not in SCRIPTS:
            return ""
        if line[0] == ";":
            return f'"{line}" is a script named "{name}" to pip, and a comment to uv'
        if self._indentation is not None and indentation > self._indentation:
            return f"uv takes the indented {name} for a part of the line before it"
        return ""


def _other_line_ends(text: str) -> Iterator[EntryPoint]:
    for line in re.finditer(_LINE, text) if re.search(_OTHER_LINE_END, text) else ():
        # All of them are white space, so that those at the ends of a line end nothing.
        match = re.search(_OTHER_LINE_END, line[0].strip())
        if match is not None:
            start = line.start() + len(line[0]) - len(line[0].lstrip()) + match.start()
            number = len(text[:start].splitlines())
            sign = f"U+{ord(match[0]):04X}"
            yield EntryPoint(line=number, problem=f"pip reads the end of a line at {sign}, and uv does not")
            return
