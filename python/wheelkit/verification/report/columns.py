"""Lines of styled text in columns, with which the tables of the report are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    _Cell = tuple[str, str]


# Select Graphic Rendition (ECMA-48, 8.3.117).
_STYLES = {"": "", "bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}
# The width of logs and pipes, where nothing is wrapped or left out.
UNLIMITED = 100_000


class Line(Struct, frozen=True, kw_only=True):
    """One line: pieces of text and style."""

    pieces: tuple[tuple[str, str], ...]

    @staticmethod
    def of(*pieces: tuple[str, str]) -> Line:
        """Return a line of these pieces, which may come from outside."""
        return Line(pieces=tuple((printable(text), style) for text, style in pieces))

    @property
    def plain(self) -> str:
        """The text without styles and trailing spaces."""
        return "".join(text for text, _ in self.pieces).rstrip()

    def styled(self) -> str:
        """Return the text with the terminal's codes for its styles."""
        left = len(self.plain)
        shown = []
        for text, style in self.pieces:
            kept = text[: max(left, 0)]
            left -= len(text)
            code = _STYLES[style]
            shown.append(f"\x1b[{code}m{kept}\x1b[0m" if code and kept.strip() else kept)
        return "".join(shown)


class Column(Struct, frozen=True, kw_only=True):
    """One column right of the name: its heading, and its cells with their styles."""

    heading: str
    cells: tuple[tuple[str, str], ...]
    width: int
    right: bool = False
    gap: str = "   "

    @staticmethod
    def of(heading: str, cells: Iterable[_Cell], *, right: bool = False, gap: str = "   ") -> Column:
        """Return a column as wide as its widest cell."""
        cells = tuple((printable(text), style) for text, style in cells)
        width = max(len(heading), *(len(text) for text, _ in cells))
        return Column(heading=heading, cells=cells, width=width, right=right, gap=gap)

    def aligned(self, text: str) -> str:
        """Return a text of the column, padded to its width."""
        return text.rjust(self.width) if self.right else text.ljust(self.width)
