"""The tables that wheelkit is shipped with, by the names of their files: facts that change without any code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def text(name: str) -> str:
    """Read a shipped file."""
    return (FOLDER / name).read_text(encoding="utf-8")


def table(name: str) -> dict[str, Any]:
    """Read a shipped TOML file."""
    import tomllib

    return tomllib.loads(text(name))
