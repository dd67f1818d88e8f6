"""The combinations of a job's matrix, as GitHub expands ``strategy.matrix``."""

from __future__ import annotations

from itertools import product
from typing import Any

from wheelkit.project.ci.expressions import UNKNOWN

# GitHub's own limit for a job.
_MOST = 256


def combinations(matrix: Any) -> list[dict[str, Any]] | None:  # noqa: ANN401 - any value of YAML
    """Return the combinations of a matrix whose expressions are evaluated; None if only a run can tell.

    They are the product of all lists without those that ``exclude`` matches. An entry of ``include`` is
    added to each combination whose original values it leaves alone, and is a combination of its own where
    there is none ("Running variations of jobs in a workflow" in GitHub's documentation).
    """
    if matrix is None:
        return [{}]
    if not isinstance(matrix, dict) or any(matrix[key] is UNKNOWN for key in matrix):
        return None
    axes = {str(key): values for key, values in matrix.items() if key not in {"include", "exclude"}}
    if not all(isinstance(values, list) for values in axes.values()):
        return None
    size = 1
    for values in axes.values():
        size *= len(values)
    if size > _MOST * _MOST:
        return None
    excluded, included = _entries(matrix, "exclude"), _entries(matrix, "include")
    if excluded is None or included is None:
        return None
    rows = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())] if axes else []
    kept = [row for row in rows if not any(_matches(entry, row) for entry in excluded)]
    return _with_included(kept, included)[:_MOST]


def _entries(matrix: dict[str, Any], key: str) -> list[dict[str, Any]] | None:
    listed = matrix.get(key) or []
    known = isinstance(listed, list) and all(isinstance(entry, dict) for entry in listed)
    return listed if known else None


def _matches(entry: dict[str, Any], row: dict[str, Any]) -> bool:
    return all(key in row and row[key] == value for key, value in entry.items())


def _with_included(rows: list[dict[str, Any]], included: list[dict[str, Any]]) -> list[dict[str, Any]]:
    extended = [dict(row) for row in rows]
    alone = []
    for entry in included:
        fitting = [
            number
            for number, row in enumerate(rows)
            if all(row[key] == value for key, value in entry.items() if key in row)
        ]
        for number in fitting:
            extended[number] |= entry
        if not fitting:
            alone.append(dict(entry))
    return extended + alone
