"""The data files that are shipped with wheelkit: facts that change without code."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def text(name: str) -> str:
    """Read a shipped file."""
    return (FOLDER / name).read_text(encoding="utf-8")


def table(name: str) -> dict[str, Any]:
    """Read a shipped TOML file."""
    return tomllib.loads(text(name))
