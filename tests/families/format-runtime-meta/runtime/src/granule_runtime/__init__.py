"""Works with tables of scores."""

from granule_format import loads


def total(text: str) -> float:
    """Add up the scores of a table."""
    return sum(loads(text).values())
