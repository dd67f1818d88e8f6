"""How findings put facts into words: lists that stay short, sizes, versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


_SHOWN = 3
_UNIT = 1000
_TWO_DIGITS = 10


def some(items: Iterable[str], shown: int = _SHOWN) -> str:
    """List the first few, and count the rest: ``a, b, c and 4 more``."""
    names = list(items)
    rest = len(names) - shown
    # "and 1 more" takes as much room as the name itself.
    if rest <= 1:
        return ", ".join(names)
    return f"{', '.join(names[:shown])} and {rest} more"


def counted(number: int, one: str, many: str = "") -> str:
    """Say ``1 wheel`` or ``3 wheels``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def size(count: int) -> str:
    """Write bytes as people do: ``84 kB``, ``1.2 MB``, with powers of 1000."""
    if count < _UNIT:
        return f"{count} B"
    value, unit = float(count), ""
    for unit in ("kB", "MB", "GB"):  # noqa: B007 (the unit that ends the loop is the one to show)
        value /= _UNIT
        if value < _UNIT - 0.5:
            break
    return f"{value:.0f} {unit}" if unit == "kB" or value >= _TWO_DIGITS else f"{value:.1f} {unit}"


def dotted(version: Iterable[int]) -> str:
    """Write ``(3, 11)`` as ``3.11``."""
    return ".".join(map(str, version))


def printable(text: str) -> str:
    r"""Write what would move the cursor, change colours or cannot be encoded as ``\x1b`` and the like."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text
    )


def encodable(text: str, encoding: str) -> str:
    r"""Write what the output's encoding lacks in ASCII: ``·`` as ``-``, the rest as ``\u1234``."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.replace("·", "-").encode(encoding, "backslashreplace").decode(encoding)
    return text
