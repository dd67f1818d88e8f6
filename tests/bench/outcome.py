"""One line of a benchmark: two medians, the figure that a limit is set for, and whether it holds."""

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
"""Seconds of ``python -c pass`` on the machine that limits in seconds were set for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """A comparison: wheelkit's median and the other's in ``unit``, and ``figure``, which has a limit or only informs.

    ``most`` and ``least`` are the limits; None where there is none.
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
    fought: Duel,
    *,
    most: float | None = None,
    faster: float | None = None,
    extra: float | None = None,
) -> Outcome:
    """Turn a duel of wheelkit against another into an outcome, pair by pair.

    The figure is wheelkit's share of the other's time, or with ``faster`` how many times faster wheelkit is,
    or with ``extra`` the seconds that it adds.
    """
    ours, theirs = (statistics.median(pair[side] for pair in fought.pairs) for side in (0, 1))
    if faster is not None:
        figure, meaning = statistics.median(b / a for a, b in fought.pairs), "times faster"
    elif extra is not None:
        figure, meaning = statistics.median(a - b for a, b in fought.pairs), "s more"
    else:
        figure, meaning = statistics.median(a / b for a, b in fought.pairs), "of it"
    limit = extra if extra is not None else most
    return Outcome(
        name=name,
        other=fought.second,
        ours=ours,
        theirs=theirs,
        figure=figure,
        meaning=meaning,
        most=limit,
        least=faster,
    )


def scaled(name: str, fought: Duel, *, most: float) -> Outcome:
    """Hold seconds against a limit that was set where ``python -c pass``, the other of the duel, takes 9 ms."""
    ours, theirs = (statistics.median(pair[side] for pair in fought.pairs) for side in (0, 1))
    figure = statistics.median(a / b for a, b in fought.pairs) * REFERENCE_START
    return Outcome(
        name=name,
        other=fought.second,
        ours=ours,
        theirs=theirs,
        figure=figure,
        meaning="s at 9 ms",
        most=most,
    )


def report(outcomes: Sequence[Outcome], *, as_json: bool) -> int:
    """Print the outcomes and give the exit code: 1 where a limit does not hold."""
    if as_json:
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
        print(
            json.dumps(
                {
                    "python": sys.version.split()[0],
                    "cores": os.cpu_count(),
                    "load": load,
                    "outcomes": [one.plain() for one in outcomes],
                }
            )
        )
    else:
        print(table(outcomes))
    return 0 if all(one.holds for one in outcomes) else 1


def from_plain(values: dict[str, Any]) -> Outcome:
    """Read an outcome back from JSON."""
    return Outcome(**{name: value for name, value in values.items() if name != "holds"})


def table(outcomes: Sequence[Outcome]) -> str:
    """Align the outcomes: numbers to the right, words to the left."""
    head = ("", "wheelkit", "other", "", "figure", "limit", "")
    rows = [head, *(one.cells() for one in outcomes)]
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
