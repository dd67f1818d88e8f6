"""Wheels that are much larger than those that the same users got of an earlier release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.text import size
from wheelkit.verification.comparison.model import Growth, Served

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wheelkit.verification.comparison.facts import Contents, WheelFacts


# Growth counts above this share and this many bytes of the earlier wheel.
_SHARE, _BYTES = 0.1, 100_000
# How many members a message names.
_NAMED = 3


def largest_growth(pairs: Iterable[tuple[WheelFacts, WheelFacts]]) -> Growth | None:
    """Return the pair of wheels with the largest relative growth; None where no wheel grew much.

    A native wheel in place of a pure one is another thing, and no growth.
    """
    grown = [pair for pair in pairs if _much(*pair)]
    if not grown:
        return None
    before, after = max(grown, key=lambda pair: pair[1].size / pair[0].size)
    why = _largest(before.contents, after.contents) if before.contents and after.contents else ""
    return Growth(
        before=Served(file=before.filename, size=before.size),
        after=Served(file=after.filename, size=after.size),
        why=why,
        others=len({pair[1].filename for pair in grown}) - 1,
    )


def _much(before: WheelFacts, after: WheelFacts) -> bool:
    more = after.size - before.size
    same_kind = before.name.any_platform == after.name.any_platform
    return same_kind and before.size > 0 and more > _BYTES and more > before.size * _SHARE


def _largest(before: Contents, after: Contents) -> str:
    """Return the members that grew most: ``demo.libs/libz.so.1 (new, +300 kB)``."""
    more = {path: packed - before.members.get(path, 0) for path, packed in after.members.items()}
    grown = sorted((item for item in more.items() if item[1] > 0), key=lambda item: item[1], reverse=True)
    return ", ".join(
        f"{path} ({'' if path in before.members else 'new, '}+{size(count)})"
        for path, count in grown[:_NAMED]
    )
