"""Checkouts of real projects for tests: pinned by commit, cloned from GitHub or from copies on this machine.

``WHEELKIT_TEST_REPOSITORIES`` may name a folder with copies, each in OWNER+NAME/ (or OWNER+NAME/repo).
"""

from __future__ import annotations

import os
import subprocess
import tomllib
from pathlib import Path

import pytest

PINS = Path(__file__).parents[1] / "integration" / "adopted.toml"


def pins(table: str) -> dict[str, str]:
    """Return a table of pins: "repositories" by commit."""
    found: dict[str, str] = tomllib.loads(PINS.read_text("utf-8"))[table]
    return found


def checkout(name: str, folder: Path) -> Path:
    """Check out a pinned repository with its tags; skip the test where it cannot be had."""
    commit = pins("repositories")[name]
    root = folder / name.rpartition("/")[2]
    source = _copy(name) or f"https://github.com/{name}"
    filtered = () if Path(source).exists() else ("--filter=blob:none",)
    cloned = _git("clone", "--quiet", "--no-checkout", *filtered, source, str(root))
    if cloned.returncode != 0:
        pytest.skip(f"{name} cannot be cloned: {cloned.stderr.strip()[-200:]}")
    found = _git("-C", str(root), "-c", "advice.detachedHead=false", "checkout", "--quiet", commit)
    if found.returncode != 0:
        pytest.skip(f"{name} has no whole commit {commit} here: {found.stderr.strip()[-200:]}")
    return root


def _copy(name: str) -> str:
    copies = os.environ.get("WHEELKIT_TEST_REPOSITORIES", "")
    folder = Path(copies) / name.replace("/", "+")
    paths = (path for path in (folder / "repo", folder) if copies and path.is_dir())
    return str(next(paths, ""))


def _git(*words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1"}
    return subprocess.run(["git", *words], env=env, capture_output=True, text=True, check=False)
