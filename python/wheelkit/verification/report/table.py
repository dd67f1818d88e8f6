"""The matrix as aligned lines, for the width that there is."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.text import printable, size
from wheelkit.verification.model import Cover, Severity
from wheelkit.verification.report.line import Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from wheelkit.verification.model import Row

    _Form = tuple[bool, tuple[str, ...]]


_GAP = "   "
_CODES_SHOWN = 2
# Logs and pipes have no width: nothing is wrapped or left out there.
UNLIMITED = 100_000
# What is left out, from the widest terminal to the narrowest; then the cells move together.
_STEPS: tuple[_Form, ...] = (
    (True, ()),
    (True, ("size",)),
    (True, ("size", "needs")),
    (False, ()),
    (False, ("size",)),
    (False, ("size", "needs")),
    (False, ("size", "needs", "label")),
)


class Look(Struct, frozen=True, kw_only=True):
    """How the matrix is drawn: the width in characters, the mark of each kind of cover, and each code's severity for its colour."""

    width: int
    marks: Mapping[Cover, str]
    severities: Mapping[str, Severity]


class _Column(Struct, frozen=True, kw_only=True):
    """One column below the name: its heading, its cells with their styles, how wide it is, and where it is aligned."""

    heading: str
    cells: tuple[tuple[str, str], ...]
    width: int
    right: bool = False
    gap: str = _GAP

    @staticmethod
    def of(
        heading: str, cells: Iterable[tuple[str, str]], *, right: bool = False, gap: str = _GAP
    ) -> _Column:
        """Make a column as wide as its widest cell."""
        cells = tuple(cells)
        width = max(len(heading), *(len(text) for text, _ in cells))
        return _Column(heading=heading, cells=cells, width=width, right=right, gap=gap)

    def cell(self, text: str) -> str:
        return text.rjust(self.width) if self.right else text.ljust(self.width)


def tables(rows: Sequence[Row], look: Look) -> Iterator[Iterator[Line]]:
    """Draw the rows of each release, all in the widest form in which every one of them fits.

    Each is drawn when it is asked for: thousands of them at once take more memory than the facts of their wheels.
    """
    form = next((one for one in _STEPS if _fits(rows, look, one)), _STEPS[-1])
    yield from (_table(release, _columns(release, look, form)) for release in _releases(rows))


def _releases(rows: Iterable[Row]) -> Iterator[list[Row]]:
    return (list(release) for _, release in groupby(rows, key=lambda row: (row.distribution, row.version)))


def _fits(rows: Sequence[Row], look: Look, form: _Form) -> bool:
    if look.width >= UNLIMITED:
        return True
    return all(_width(release, _columns(release, look, form)) <= look.width for release in _releases(rows))


def _table(rows: Sequence[Row], columns: Sequence[_Column]) -> Iterator[Line]:
    lead = _lead(rows, columns)
    yield _line(_name(rows), [(column, (column.heading, "dim")) for column in columns], lead, heading=True)
    for index, row in enumerate(rows):
        yield _line(f"  {row.target}", [(column, column.cells[index]) for column in columns], lead)


def _name(rows: Sequence[Row]) -> str:
    return printable(f"{rows[0].distribution} {rows[0].version}")


def _width(rows: Sequence[Row], columns: Sequence[_Column]) -> int:
    return _lead(rows, columns) + sum(len(column.gap) + column.width for column in columns[1:])


def _lead(rows: Sequence[Row], columns: Sequence[_Column]) -> int:
    """Measure the part left of the cells: target and label, or the release's name above them where that is longer."""
    target = 2 + max(len(row.target) for row in rows)
    return max(
        target + len(columns[0].gap) + columns[0].width if columns[0].width else target, len(_name(rows))
    )


def _columns(rows: Sequence[Row], look: Look, form: _Form) -> list[_Column]:
    wide, dropped = form
    label = _Column.of("", (("" if "label" in dropped else row.served, "dim") for row in rows))
    columns = [label, *(_wide_cells(rows, look) if wide else _narrow_cells(rows, look))]
    if "needs" not in dropped:
        columns.append(_Column.of("needs", ((row.needs, "dim") for row in rows)))
    if "size" not in dropped:
        columns.append(
            _Column.of("size", ((size(row.size) if row.size else "", "dim") for row in rows), right=True)
        )
    columns.append(_Column.of("verdict", (_verdict(row, look) for row in rows)))
    return columns


def _wide_cells(rows: Sequence[Row], look: Look) -> Iterator[_Column]:
    for index, first in enumerate(rows[0].cells):
        tag = first.interpreter
        covers = [row.cells[index].cover for row in rows]
        yield _Column.of(
            tag, ((look.marks[cover].center(len(tag)), _COVERED[cover]) for cover in covers), gap="  "
        )


def _narrow_cells(rows: Sequence[Row], look: Look) -> Iterator[_Column]:
    tags = [cell.interpreter for cell in rows[0].cells]
    heading = tags[0] if len(tags) == 1 else f"{tags[0]}-{tags[-1]}" if tags else ""
    style = {True: "green", False: "yellow"}
    marks = ("".join(look.marks[cell.cover] for cell in row.cells) for row in rows)
    served = (all(cell.cover is Cover.WHEEL for cell in row.cells) for row in rows)
    yield _Column.of(heading, ((text, style[full]) for text, full in zip(marks, served, strict=True)))


_COVERED = {Cover.WHEEL: "green", Cover.SDIST: "yellow", Cover.MISSING: "yellow", Cover.ELSEWHERE: "dim"}


def _verdict(row: Row, look: Look) -> tuple[str, str]:
    if row.codes:
        more = len(row.codes) - _CODES_SHOWN
        shown = " ".join(row.codes[:_CODES_SHOWN]) + (f" +{more}" if more > 0 else "")
        wrong = any(look.severities.get(code) is Severity.ERROR for code in row.codes)
        return shown, "red" if wrong else "yellow"
    return ("fine", "green") if row.files else ("", "")


def _line(
    name: str, columns: Sequence[tuple[_Column, tuple[str, str]]], lead: int, *, heading: bool = False
) -> Line:
    label, (label_text, label_style) = columns[0]
    line = Line.of((name, "bold" if heading else ""))
    if label.width and not heading:
        line.append(" " * (lead - label.width - len(name)))
        line.append(label.cell(label_text), label_style)
    line.append(" " * (lead - sum(len(text) for text, _ in line.pieces)))
    for column, (text, style) in columns[1:]:
        line.append(column.gap)
        line.append(column.cell(text), style)
    return line
