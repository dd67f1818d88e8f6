"""Writes solutions as CSV; orrery finds it through the entry point group ``orrery.adapters``."""

import csv
import io
from collections.abc import Iterable

from orrery import solve


def write(orbits: Iterable[tuple[float, float]]) -> str:
    """Write a line for each mean anomaly and eccentricity; the third column is the eccentric anomaly."""
    out = io.StringIO()
    csv.writer(out).writerows((m, e, solve(m, e)) for m, e in orbits)
    return out.getvalue()
