"""Squarified treemaps: sizes as tiles that are as square as they can be (Bruls, Huizing, van Wijk, 2000)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Tile(Struct, frozen=True):
    """The place of one size in the map, in percent of its width and height."""

    left: float
    top: float
    width: float
    height: float


def tiles(sizes: Sequence[float], aspect: float) -> Iterator[Tile]:
    """Yield a tile for each size, largest first; ``aspect`` is the width of the map by its height.

    The sizes are positive. The tiles fill the map, and their areas are in the proportion of the sizes.
    """
    total = sum(sizes)
    if not total:
        return
    rest = [size / total * aspect for size in sizes]  # areas in a map that is 1 high
    left, top, width, height = 0.0, 0.0, aspect, 1.0
    while rest:
        across = min(width, height)
        row = _row(rest, across)
        depth = sum(rest[:row]) / across if across else 0.0
        along = 0.0
        for area in rest[:row]:
            length = area / depth if depth else 0.0
            if width >= height:
                place = (left, top + along, depth, length)
            else:
                place = (left + along, top, length, depth)
            yield _percent(place, aspect)
            along += length
        if width >= height:
            left, width = left + depth, width - depth
        else:
            top, height = top + depth, height - depth
        rest = rest[row:]


def _row(areas: Sequence[float], across: float) -> int:
    """Return how many of the areas, in one row along the shorter side, keep the worst tile squarest."""
    best, total = float("inf"), 0.0
    for count, area in enumerate(areas):
        total += area
        worst = max(across**2 * areas[0] / total**2, total**2 / (across**2 * area)) if area else best
        if worst > best:
            return count
        best = worst
    return len(areas)


def _percent(place: tuple[float, float, float, float], aspect: float) -> Tile:
    left, top, width, height = place
    return Tile(100 * left / aspect, 100 * top, 100 * width / aspect, 100 * height)
