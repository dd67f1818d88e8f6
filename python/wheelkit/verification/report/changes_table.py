"""A comparison with an earlier release as aligned lines that fit the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.text import wrap
from wheelkit.verification.comparison.model import Change
from wheelkit.verification.report.changes import (
    cell_word,
    facts,
    oldest,
    row_size,
    title,
)
from wheelkit.verification.report.columns import UNLIMITED, Column, Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.verification.comparison.model import CellChange, Comparison


# One character for each cell, where a column for each interpreter is too wide.
_MARKS = {
    Change.KEPT: ("=", "kept"),
    Change.NEW: ("+", "new"),
    Change.GONE: ("-", "gone"),
    Change.RAISED: ("^", "newer systems only"),
    Change.EXCLUDED: ("s", "stay on the old one"),
    Change.PURE: ("p", "pure instead of native"),
    Change.NATIVE: ("n", "native instead of pure"),
    Change.NONE: (".", "none"),
}
_STYLES = {
    Change.NEW: "green",
    Change.NATIVE: "green",
    Change.GONE: "yellow",
    Change.RAISED: "yellow",
    Change.PURE: "yellow",
    Change.KEPT: "dim",
    Change.EXCLUDED: "dim",
    Change.NONE: "dim",
}
# From here on, growth is shown as a warning is.
_MUCH = 0.1
_INDENT = "  "


class _Layout(Struct, frozen=True, kw_only=True):
    """A form of the table: one column per interpreter or one for all, and the columns that are left out."""

    wide: bool
    without: tuple[str, ...] = ()


# From the widest terminal to the narrowest.
_LAYOUTS = (
    _Layout(wide=True),
    _Layout(wide=True, without=("size",)),
    _Layout(wide=False),
    _Layout(wide=False, without=("size",)),
    _Layout(wide=False, without=("size", "oldest")),
)


def comparison_lines(comparison: Comparison, width: int) -> Iterator[Line]:
    """Yield the table and the further facts of a comparison."""
    yield Line.of((title(comparison), "bold"))
    if comparison.rows:
        layout = next((layout for layout in _LAYOUTS if _width(comparison, layout) <= width), _LAYOUTS[-1])
        yield from _table(comparison, layout)
        if not layout.wide:
            yield from _paragraph("", _legend(comparison), width)
    named = list(facts(comparison))
    for name, text in named:
        yield from _paragraph(name, text, width)


def _columns(comparison: Comparison, layout: _Layout) -> list[Column]:
    rows = comparison.rows
    columns = [Column.of("", ((_INDENT + comparison.name(row.platform), "") for row in rows), gap="")]
    columns += _wide_cells(comparison) if layout.wide else [_narrow_cells(comparison)]
    systems = [oldest(row) for row in rows]
    if "oldest" not in layout.without and any(systems):
        texts = ((text, "yellow" if ", was" in text else "dim") for text in systems)
        columns.append(Column.of("oldest system", texts))
    sizes = [row_size(row) for row in rows]
    if "size" not in layout.without and any(sizes):
        columns.append(Column.of("size", ((text, "dim") for text in sizes)))
    return columns


def _width(comparison: Comparison, layout: _Layout) -> int:
    return sum(len(column.gap) + column.width for column in _columns(comparison, layout))


def _wide_cells(comparison: Comparison) -> Iterator[Column]:
    for index, first in enumerate(comparison.rows[0].cells):
        cells = [row.cells[index] for row in comparison.rows]
        yield Column.of(
            first.interpreter, ((cell_word(cell), _style(cell)) for cell in cells), right=True, gap="  "
        )


def _style(cell: CellChange) -> str:
    if cell.change is Change.KEPT and (cell.growth or 0) > _MUCH:
        return "yellow"
    return _STYLES[cell.change]


def _narrow_cells(comparison: Comparison) -> Column:
    tags = [cell.interpreter for cell in comparison.rows[0].cells]
    heading = f"{tags[0]}-{tags[-1]}" if len(tags) > 1 else tags[0]
    texts = []
    for row in comparison.rows:
        marks = "".join(_MARKS[cell.change][0] for cell in row.cells)
        styles = {_STYLES[cell.change] for cell in row.cells}
        texts.append((marks, next((style for style in ("yellow", "green") if style in styles), "dim")))
    return Column.of(heading, texts)


def _legend(comparison: Comparison) -> str:
    used = {cell.change for _, cell in comparison.cells()}
    return "  ".join(f"{mark} {word}" for change, (mark, word) in _MARKS.items() if change in used)


def _table(comparison: Comparison, layout: _Layout) -> Iterator[Line]:
    columns = _columns(comparison, layout)
    yield Line.of(*((column.gap + column.aligned(column.heading), "dim") for column in columns))
    for index in range(len(comparison.rows)):
        pieces = []
        for column in columns:
            text, style = column.cells[index]
            pieces += [(column.gap, ""), (column.aligned(text), style)]
        yield Line.of(*pieces)


def _paragraph(name: str, text: str, width: int) -> Iterator[Line]:
    lead = _INDENT + name.ljust(15) + _INDENT if name else _INDENT
    lines = wrap(text, width - len(lead)) if width < UNLIMITED else [text]
    for index, line in enumerate(lines):
        yield Line.of((lead if index == 0 else " " * len(lead), "dim"), (line, "" if name else "dim"))
