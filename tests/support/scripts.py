"""Shell scripts in place of programs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Script = Callable[..., Path]


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Give a PATH that holds only the scripts that a test writes."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    def write(name: str, body: str, place: str = "bin") -> Path:
        path = tmp_path / place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return path

    return write
