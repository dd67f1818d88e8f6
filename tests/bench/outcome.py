"""Results of benchmarks: two medians, a figure, its limit, and whether the limit holds."""

from __future__ import annotations

import json
import os
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pairs import Duel

REFERENCE_START = 0.009
"""Seconds that ``python -c pass`` takes on the machine for which the limits in seconds were chosen."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """A comparison: the medians of wheelkit and the other command in ``unit``, and a ``figure``.

    ``most`` and ``least`` limit the figure; without them it only informs.
    """

    name: str
    other: str
    ours: float
    theirs: float
    figure: float
    meaning: str
    unit: str = "s"
    most: float | None = None
    least: float | None = None

    @property
    def holds(self) -> bool:
        return (self.most is None or self.figure <= self.most) and (
            self.least is None or self.figure >= self.least
        )

    def limit(self) -> str:
        if self.most is not None:
            return f"at most {self.most:g}"
        return "" if self.least is None else f"at least {self.least:g}"

    def plain(self) -> dict[str, object]:
        return {**asdict(self), "holds": self.holds}

    def cells(self) -> tuple[str, ...]:
        state = "holds" if self.holds else "MISSED"
        shown = f"{self.figure:.2f} {self.meaning}"
        return (
            self.name,
            f"{self.ours:.3f} {self.unit}",
            f"{self.theirs:.3f} {self.unit}",
            self.other,
            shown,
            self.limit(),
            state if self.limit() else "",
        )


def compared(
    name: str,
    timings: Duel,
    *,
    most: float | None = None,
    faster: float | None = None,
    extra: float | None = None,
) -> Outcome:
    """Return the outcome of a duel between wheelkit and another command.

    The figure is the median over pairs of: wheelkit's time divided by the other's; with ``faster`` the
    reciprocal; with ``extra`` the difference in seconds. The argument given is its limit.
    """
    ours, theirs = (statistics.median(pair[side] for pair in timings.pairs) for side in (0, 1))
    if faster is not None:
        figure, meaning = statistics.median(b / a for a, b in timings.pairs), "times faster"
    elif extra is not None:
        figure, meaning = statistics.median(a - b for a, b in timings.pairs), "s more"
    else:
        figure, meaning = statistics.median(a / b for a, b in timings.pairs), "of it"
    limit = extra if extra is not None else most
    return Outcome(
        name=name,
        other=timings.second,
        ours=ours,
        theirs=theirs,
        figure=figure,
        meaning=meaning,
        most=limit,
        least=faster,
    )


def scaled(name: str, timings: Duel, *, most: float) -> Outcome:
    """Return the outcome of a duel with ``python -c pass``: seconds where that takes REFERENCE_START."""
    ours, theirs = (statistics.median(pair[side] for pair in timings.pairs) for side in (0, 1))
    figure = statistics.median(a / b for a, b in timings.pairs) * REFERENCE_START
    return Outcome(
        name=name,
        other=timings.second,
        ours=ours,
        theirs=theirs,
        figure=figure,
        meaning="s at 9 ms",
        most=most,
    )


def report(outcomes: Sequence[Outcome], *, as_json: bool) -> int:
    """Print the outcomes; returns 1 if a limit does not hold."""
    if as_json:
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
        print(
            json.dumps(
                {
                    "python": sys.version.split()[0],
                    "cores": os.cpu_count(),
                    "load": load,
                    "outcomes": [outcome.plain() for outcome in outcomes],
                }
            )
        )
    else:
        print(table(outcomes))
    return 0 if all(outcome.holds for outcome in outcomes) else 1


def from_plain(values: dict[str, Any]) -> Outcome:
    """Return the outcome that ``plain`` wrote."""
    return Outcome(**{name: value for name, value in values.items() if name != "holds"})


def table(outcomes: Sequence[Outcome]) -> str:
    """Return a table of outcomes, numbers aligned to the right."""
    head = ("", "wheelkit", "other", "", "figure", "limit", "")
    rows = [head, *(outcome.cells() for outcome in outcomes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    right = {1, 2, 4}
    lines = (
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)
