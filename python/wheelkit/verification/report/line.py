"""Lines of a terminal: pieces of text with a style each. A colour library would cost more time than a small wheel's whole proof."""

from __future__ import annotations

from msgspec import Struct

# Select Graphic Rendition (ECMA-48, 8.3.117).
_STYLES = {"": "", "bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}


class Line(Struct, kw_only=True):
    """One line in the making."""

    pieces: list[tuple[str, str]]

    @staticmethod
    def of(*pieces: tuple[str, str]) -> Line:
        """Make a line of pieces: text and style."""
        return Line(pieces=list(pieces))

    def append(self, text: str, style: str = "") -> None:
        """Add a piece."""
        self.pieces.append((text, style))

    @property
    def plain(self) -> str:
        """The text alone, without blanks at its end."""
        return "".join(text for text, _ in self.pieces).rstrip()

    def styled(self) -> str:
        """Give the text with the terminal's codes for its styles."""
        rest = len(self.plain)
        shown = []
        for text, style in self.pieces:
            kept = text[: max(rest, 0)]
            rest -= len(text)
            code = _STYLES[style]
            shown.append(f"\x1b[{code}m{kept}\x1b[0m" if code and kept.strip() else kept)
        return "".join(shown)
