"""The actions that workflows use, pinned by commit: data/actions.toml."""

from __future__ import annotations

from functools import cache

from wheelkit import data


def uses(name: str) -> str:
    """Give the value of ``uses:`` for an action of the table, its version in a comment behind it."""
    row = _table()[name]
    return f"{row['action']}@{row['commit']} # {row['version']}"


@cache
def _table() -> dict[str, dict[str, str]]:
    table: dict[str, dict[str, str]] = data.table("actions.toml")
    return table
