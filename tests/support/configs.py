"""Configurations from a text, and the mistakes in it."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from wheelkit.config import Config, parse
from wheelkit.errors import ConfigError

ROOT = Path("project")


def read(text: str, prefix: str = "") -> Config:
    """Parse the text of a wheelkit.toml; errors name keys with the prefix."""
    return parse(tomllib.loads(text), source=None, root=ROOT, prefix=prefix)


def mistakes(text: str, prefix: str = "") -> Sequence[str]:
    """Return the mistakes of a text that has some."""
    with pytest.raises(ConfigError) as caught:
        read(text, prefix)
    return caught.value.problems


def mistake(text: str) -> str:
    """Return the only mistake of a text."""
    (only,) = mistakes(text)
    return only
