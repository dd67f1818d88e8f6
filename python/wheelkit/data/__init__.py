"""The data files that are shipped with wheelkit: facts that change without code."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def text(name: str) -> str:
    """Read a shipped file."""
    return (FOLDER / name).read_text(encoding="utf-8")


@cache
def table(name: str) -> dict[str, Any]:
    """Read a shipped TOML file, once; the result is shared and must not be changed."""
    import tomllib

    return tomllib.loads(text(name))


@cache
def section(name: str, key: str) -> dict[str, Any]:
    """Read one of the top-level tables of a shipped TOML file that has nothing else.

    The table of findings as a whole takes 10 ms, a ninth of the time that verifying a small wheel takes.
    """
    import tomllib

    whole = text(name)
    begin = whole.index(f"[{key}]\n")
    end = whole.find("\n[", begin)
    table: dict[str, Any] = tomllib.loads(whole[begin : end if end >= 0 else None])[key]
    return table
