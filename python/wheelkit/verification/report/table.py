"""The support matrix as aligned lines that fit the terminal."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.text import printable, size
from wheelkit.verification.model import Cover, Severity
from wheelkit.verification.report.columns import UNLIMITED, Column, Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from wheelkit.verification.model import Row


_CODES_SHOWN = 2
_COVER_STYLES = {
    Cover.WHEEL: "green",
    Cover.SDIST: "yellow",
    Cover.MISSING: "yellow",
    Cover.ELSEWHERE: "dim",
    Cover.UNPROMISED: "dim",
}


class _Layout(Struct, frozen=True, kw_only=True):
    """A form of the table: one column per interpreter or one for all, and the columns that are left out.

    With ``brief``, what is needed is named without the reasons.
    """

    wide: bool
    brief: bool = True
    without: tuple[str, ...] = ()


# From the widest terminal to the narrowest.
_LAYOUTS = (
    _Layout(wide=True, brief=False),
    _Layout(wide=True, brief=False, without=("size",)),
    _Layout(wide=True),
    _Layout(wide=True, without=("size",)),
    _Layout(wide=True, without=("size", "needs")),
    _Layout(wide=False, brief=False),
    _Layout(wide=False),
    _Layout(wide=False, without=("size",)),
    _Layout(wide=False, without=("size", "needs")),
    _Layout(wide=False, without=("size", "needs", "label")),
)


class Look(Struct, frozen=True, kw_only=True):
    """How the matrix is drawn: its width in characters, the mark of each cover, the severity of each code."""

    width: int
    marks: Mapping[Cover, str]
    severities: Mapping[str, Severity]


def tables(rows: Sequence[Row], look: Look) -> Iterator[Iterator[Line]]:
    """Yield the lines of each release's table, all in the widest layout that fits, one by one."""
    layout = next((layout for layout in _LAYOUTS if _fits(rows, look, layout)), _LAYOUTS[-1])
    yield from (_table(release, _columns(release, look, layout)) for release in _releases(rows))


def _releases(rows: Iterable[Row]) -> Iterator[list[Row]]:
    return (list(release) for _, release in groupby(rows, key=lambda row: (row.distribution, row.version)))


def _fits(rows: Sequence[Row], look: Look, layout: _Layout) -> bool:
    if look.width >= UNLIMITED:
        return True
    return all(_width(release, _columns(release, look, layout)) <= look.width for release in _releases(rows))


def _width(rows: Sequence[Row], columns: Sequence[Column]) -> int:
    return _lead_width(rows, columns[0]) + sum(len(column.gap) + column.width for column in columns[1:])


def _lead_width(rows: Sequence[Row], label: Column) -> int:
    """Return the width left of the cells: targets and labels, or the release's name above them."""
    target = 2 + max(len(row.target) for row in rows)
    return max(target + len(label.gap) + label.width if label.width else target, len(_name(rows)))


def _name(rows: Sequence[Row]) -> str:
    return printable(f"{rows[0].distribution} {rows[0].version}".rstrip())


def _columns(rows: Sequence[Row], look: Look, layout: _Layout) -> list[Column]:
    without = layout.without
    columns = [Column.of("", (("" if "label" in without else row.served, "dim") for row in rows))]
    columns += _wide_cells(rows, look) if layout.wide else [_narrow_cells(rows, look)]
    if "needs" not in without:
        needs = ((row.floor or row.needs if layout.brief else row.needs, "dim") for row in rows)
        columns.append(Column.of("needs", needs))
    if "size" not in without:
        sizes = ((size(row.size) if row.size else "", "dim") for row in rows)
        columns.append(Column.of("size", sizes, right=True))
    columns.append(Column.of("verdict", (_verdict(row, look) for row in rows)))
    return columns


def _wide_cells(rows: Sequence[Row], look: Look) -> Iterator[Column]:
    for index, first in enumerate(rows[0].cells):
        tag = first.interpreter
        covers = [row.cells[index].cover for row in rows]
        cells = ((look.marks[cover].center(len(tag)), _COVER_STYLES[cover]) for cover in covers)
        yield Column.of(tag, cells, gap="  ")


def _narrow_cells(rows: Sequence[Row], look: Look) -> Column:
    tags = [cell.interpreter for cell in rows[0].cells]
    heading = f"{tags[0]}-{tags[-1]}" if len(tags) > 1 else "".join(tags)
    cells = []
    for row in rows:
        full = all(cell.cover in {Cover.WHEEL, Cover.UNPROMISED} for cell in row.cells)
        marks = "".join(look.marks[cell.cover] for cell in row.cells)
        cells.append((marks, "green" if full else "yellow"))
    return Column.of(heading, cells)


def _verdict(row: Row, look: Look) -> tuple[str, str]:
    if not row.codes:
        return row.verdict, "green" if row.verdict == "fine" else "dim"
    more = len(row.codes) - _CODES_SHOWN
    shown = " ".join(row.codes[:_CODES_SHOWN]) + (f" +{more}" if more > 0 else "")
    error = any(look.severities.get(code) is Severity.ERROR for code in row.codes)
    return shown, "red" if error else "yellow"


def _table(rows: Sequence[Row], columns: Sequence[Column]) -> Iterator[Line]:
    label, *cells = columns
    lead = _lead_width(rows, label)
    yield Line.of(
        (_name(rows).ljust(lead), "bold"),
        *((column.gap + column.aligned(column.heading), "dim") for column in cells),
    )
    for index, row in enumerate(rows):
        text, style = label.cells[index]
        name = f"  {row.target}".ljust(lead - label.width)
        pieces = [(name, ""), (text.ljust(label.width), style)]
        for column in cells:
            text, style = column.cells[index]
            pieces += [(column.gap, ""), (column.aligned(text), style)]
        yield Line.of(*pieces)
