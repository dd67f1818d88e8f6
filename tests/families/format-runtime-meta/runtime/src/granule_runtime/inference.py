"""Finds the best; needs the extra ``inference``."""

from sortedcontainers import SortedKeyList


def best(table: dict[str, float]) -> str:
    """Name the highest score."""
    name: str = SortedKeyList(table, key=table.__getitem__)[-1]
    return name
