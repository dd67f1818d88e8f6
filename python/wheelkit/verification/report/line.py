"""Lines of a terminal, made of pieces of text with a style each."""

from __future__ import annotations

from msgspec import Struct

# Select Graphic Rendition (ECMA-48, 8.3.117).
_STYLES = {"": "", "bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}


class Line(Struct, frozen=True, kw_only=True):
    """One line: pieces of text and style."""

    pieces: tuple[tuple[str, str], ...]

    @staticmethod
    def of(*pieces: tuple[str, str]) -> Line:
        """Return a line of these pieces."""
        return Line(pieces=pieces)

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
