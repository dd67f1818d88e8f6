"""Reads and writes tables of scores: one name and one number a line."""

__version__ = "1.2.0"


def loads(text: str) -> dict[str, float]:
    """Read a table; raise ValueError for a line that is none."""
    return {name: float(score) for name, score in (line.rsplit(" ", 1) for line in text.splitlines() if line)}


def dumps(table: dict[str, float]) -> str:
    """Write a table."""
    return "".join(f"{name} {score}\n" for name, score in table.items())
