"""Writes solutions as CSV; orrery finds it through the entry point group ``orrery.adapters``."""

import csv
import io
from collections.abc import Iterable

from orrery import solve


def write(orbits: Iterable[tuple[float, float]]) -> str:
    """Write one line for each mean anomaly and eccentricity, with the eccentric anomaly as the third column."""
    out = io.StringIO()
    csv.writer(out).writerows((m, e, solve(m, e)) for m, e in orbits)
    return out.getvalue()
