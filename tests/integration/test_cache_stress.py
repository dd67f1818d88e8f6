"""Parallel and killed builds against one cache never leave a wrong or half wheel."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.cache_stress import make_project, run_builds
from support.command import Wheelkit

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or shutil.which("git") is None, reason="kills as POSIX does"
)


@pytest.mark.parametrize(
    "runs", [pytest.param(12, id="short"), pytest.param(100, id="long", marks=pytest.mark.slow)]
)
def test_parallel_and_killed_builds_leave_no_wrong_wheel(
    tmp_path: Path, wheelkit: Wheelkit, runs: int
) -> None:
    tally = run_builds(tmp_path, runs=runs, at_once=4, env=dict(wheelkit.env))
    assert tally.finished + tally.killed + tally.stopped == runs
    assert tally.finished >= runs // 2
    assert runs < 100 or (tally.cached > 0 and tally.killed > 0 and tally.stopped > 0)


# What a build from the cache does not need; each takes milliseconds, up to a tenth of a second.
HEAVY = {
    "concurrent.futures", "email", "importlib.metadata", "packaging.metadata", "packaging.specifiers", "rich",
    "tomlkit", "wheelkit._core", "wheelkit.builders.cibuildwheel", "wheelkit.builders.host",
    "wheelkit.builders.dispatch", "wheelkit.builders.pure", "wheelkit.builders.sdist",
    "wheelkit.verification.checks", "wheelkit.verification.report", "wheelkit.verification.run",
    "wheelkit.wheel", "zipfile",
}  # fmt: skip


def test_a_build_from_the_cache_imports_nothing_heavy(tmp_path: Path, wheelkit: Wheelkit) -> None:
    project = make_project(tmp_path / "project", 1)
    assert wheelkit("build", cwd=project).returncode == 0
    argv = [sys.executable, "-X", "importtime", "-m", "wheelkit", "build"]
    done = subprocess.run(argv, cwd=project, env=wheelkit.env, capture_output=True, text=True, check=True)
    assert done.stderr.count("cached, built ") == 2
    loaded = {
        line.rsplit("|", 1)[1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")
    }
    assert "wheelkit.builders.execute" in loaded
    assert loaded & HEAVY == set()
