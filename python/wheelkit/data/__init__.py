"""The data files that are shipped with wheelkit: facts that change without code."""

from __future__ import annotations

import tomllib
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
    return tomllib.loads(text(name))
