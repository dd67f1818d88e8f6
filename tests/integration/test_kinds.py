"""The kinds that wheelkit reads from projects, compared with the wheels that their own backends build."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.kind_shapes import BUILDABLE, write
from wheelkit.machine.process import find_tool
from wheelkit.project.kinds import Kind
from wheelkit.project.read import read
from wheelkit.wheel.names import parse_file_name


@pytest.mark.parametrize("shape", BUILDABLE)
def test_the_backend_builds_the_kind_that_the_files_show(tmp_path: Path, shape: str) -> None:
    files, native = BUILDABLE[shape]
    root = write(tmp_path / "x", files)
    kind = read(root).kind
    options = ("--wheel", "--python", sys.executable, "--out-dir", str(tmp_path / "out"))
    command = [find_tool("uv"), "build", "--quiet", *options, str(root)]
    built = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert built.returncode == 0, built.stderr[-3000:]
    (wheel,) = (tmp_path / "out").glob("*.whl")
    assert parse_file_name(wheel.name).any_platform is not native
    assert kind is (Kind.NATIVE if native else Kind.PURE)
