"""Builds that fail in real tools: the first line of the error names the cause, and the hint helps."""

from __future__ import annotations

import platform
import shutil
import sys
from pathlib import Path

import pytest

from support.broken_builds import BROKEN, working
from support.command import Wheelkit

TAG = f"cp{sys.version_info[0]}{sys.version_info[1]}"
MATRIX = f'[matrix]\ntargets = ["manylinux_2_28_{platform.machine()}"]\ninterpreters = ["{TAG}"]\n'
BUILD = ("build", "--builder", "host", "--no-cache")
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the messages of GNU tools, in the host builder"),
]
# gcc runs the compiler proper, cc1, from the folder of -B.
KILLED = "#!/bin/sh\nkill -KILL $$\n"


def error_lines(stderr: str) -> tuple[str, str]:
    """Return the first line of the error, and those below."""
    first, _, rest = stderr[stderr.index("wheelkit: ") :].partition("\n")
    return first, rest


@pytest.mark.parametrize("name", BROKEN)
def test_the_first_line_names_the_cause(wheelkit: Wheelkit, tmp_path: Path, name: str) -> None:
    if name.startswith("cargo") and not shutil.which("cargo"):
        pytest.skip("needs cargo")
    broken = BROKEN[name]
    folder = broken.write(tmp_path / "project")
    (folder / "wheelkit.toml").write_text(MATRIX)
    done = wheelkit(*BUILD, cwd=folder)
    first, rest = error_lines(done.stderr)
    assert [part for part in broken.cause if part not in first] == []
    assert broken.hint in rest
    assert done.returncode == broken.exit_code
    assert "full log: " in rest


def test_a_compiler_that_is_killed(wheelkit: Wheelkit, tmp_path: Path) -> None:
    folder = working(tmp_path / "project")
    (folder / "wheelkit.toml").write_text(MATRIX)
    cc1 = tmp_path / "tools/cc1"
    cc1.parent.mkdir()
    cc1.write_text(KILLED)
    cc1.chmod(0o755)
    done = wheelkit(*BUILD, cwd=folder, env={"CC": f"gcc -B{cc1.parent}"})
    first, rest = error_lines(done.stderr)
    assert "the compiler was killed or had no memory left" in first
    assert "MAX_JOBS=1" in rest
    assert done.returncode == 4


def test_no_network(wheelkit: Wheelkit, tmp_path: Path) -> None:
    folder = working(tmp_path / "project")
    (folder / "wheelkit.toml").write_text(MATRIX)
    # Nobody listens on the discard port; without a cache, uv has to ask the index.
    away = {
        "UV_INDEX_URL": "http://127.0.0.1:9/simple/",
        "UV_CACHE_DIR": str(tmp_path / "cache"),
        "UV_FIND_LINKS": "",
        "UV_HTTP_RETRIES": "0",
    }
    done = wheelkit(*BUILD, cwd=folder, env=away)
    first, rest = error_lines(done.stderr)
    assert "the network does not answer: Connection refused" in first
    assert "check the network" in rest
    assert done.returncode == 3


def test_a_build_that_works_is_not_explained(wheelkit: Wheelkit, tmp_path: Path) -> None:
    folder = working(tmp_path / "project")
    (folder / "wheelkit.toml").write_text(MATRIX)
    assert wheelkit(*BUILD, cwd=folder).returncode == 0
