"""The picture of a family: its distributions in layers, each below what it requires."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wheelkit.verification.contents import WheelContents

# More boxes than this are no picture any more.
MOST_BOXES = 60
_BOX_HEIGHT, _GAP_X, _GAP_Y, _MARGIN, _CHARACTER = 34, 24, 46, 8, 8.0
_PADDING = 28


class Box(Struct, frozen=True, kw_only=True):
    """One distribution in the picture, in pixels."""

    name: str
    x: float
    y: float
    width: float
    height: float = _BOX_HEIGHT


class Arrow(Struct, frozen=True, kw_only=True):
    """A line from a distribution to one that it requires."""

    x1: float
    y1: float
    x2: float
    y2: float


class Picture(Struct, frozen=True, kw_only=True):
    """The boxes and arrows of a family, and the size of the picture."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    text: str


def picture(contents: Sequence[WheelContents]) -> Picture | None:
    """Return the picture of the distributions; None for one alone, without relations, and for too many."""
    requires: dict[str, set[str]] = {}
    for wheel in contents:
        requires.setdefault(wheel.distribution, set()).update(wheel.requires)
    inside = {name: sorted(needed & requires.keys() - {name}) for name, needed in requires.items()}
    if not any(inside.values()) or len(inside) > MOST_BOXES:
        return None
    boxes = _boxes(_layers(inside))
    by_name = {box.name: box for box in boxes}
    arrows = tuple(
        Arrow(
            x1=by_name[name].x + by_name[name].width / 2,
            y1=by_name[name].y,
            x2=by_name[other].x + by_name[other].width / 2,
            y2=by_name[other].y + _BOX_HEIGHT,
        )
        for name, needed in inside.items()
        for other in needed
    )
    words = (f"{name} requires {', '.join(needed)}" for name, needed in inside.items() if needed)
    return Picture(
        width=max(box.x + box.width for box in boxes) + _MARGIN,
        height=max(box.y for box in boxes) + _BOX_HEIGHT + _MARGIN,
        boxes=boxes,
        arrows=arrows,
        text="; ".join(words),
    )


def _layers(requires: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Return the names by depth: each below all that it requires; what is left of a circle comes last."""
    layers: list[list[str]] = []
    placed: set[str] = set()
    while len(placed) < len(requires):
        layer = sorted(name for name in requires if name not in placed and placed.issuperset(requires[name]))
        layer = layer or sorted(requires.keys() - placed)
        layers.append(layer)
        placed.update(layer)
    return layers


def _boxes(layers: Sequence[Sequence[str]]) -> tuple[Box, ...]:
    widths = [[len(name) * _CHARACTER + _PADDING for name in layer] for layer in layers]
    rows = [sum(row) + _GAP_X * (len(row) - 1) for row in widths]
    boxes = []
    for number, (layer, row) in enumerate(zip(layers, widths, strict=True)):
        x = _MARGIN + (max(rows) - rows[number]) / 2
        for name, width in zip(layer, row, strict=True):
            y = _MARGIN + number * (_BOX_HEIGHT + _GAP_Y)
            boxes.append(Box(name=name, x=round(x, 1), y=y, width=round(width, 1)))
            x += width + _GAP_X
    return tuple(boxes)
