"""The kinds that wheelkit reads from projects, compared with the wheels that their own backends build.

Where the files do not show the kind, the first wheel decides, and is not built again.
"""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from support.command import Wheelkit
from support.kind_shapes import BUILDABLE, EXTENSION, C, setuptools, write
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


TAG = f"cp{sys.version_info[0]}{sys.version_info[1]}"
MATRIX = f'[matrix]\ntargets = ["manylinux_2_28_{platform.machine()}"]\ninterpreters = ["{TAG}"]\n'
EXECUTED = "from setuptools import setup\nexec(open('modules.txt').read())\nsetup(packages=['x'], **words)\n"
MODULES = "from setuptools import Extension\nwords = {'ext_modules': [Extension('x._x', ['x/x.c'])]}\n"
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="the host builder is for Linux")


def builds(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return what uv was asked to build, in order."""
    lines = [line for line in done.stderr.splitlines() if "uv build" in line]
    return ["sdist" if "--sdist" in line else "wheel" for line in lines]


@on_linux
def test_the_first_wheel_of_an_unknown_kind_decides_and_is_kept(wheelkit: Wheelkit, tmp_path: Path) -> None:
    more = {
        "modules.txt": MODULES,
        "MANIFEST.in": "include modules.txt\n",
        "x/x.c": C,
        "wheelkit.toml": MATRIX,
    }
    root = write(tmp_path / "x", setuptools(EXECUTED, files=more))
    done = wheelkit("build", "--verbose", "--builder", "host", cwd=root)
    assert done.returncode == 0
    assert builds(done) == ["sdist", "wheel"]
    assert (
        "the wheel of x is for one platform, so it is built as native; to say so elsewhere too:"
        in done.stderr
    )
    assert [path.name.rpartition("manylinux_2_28")[1] for path in (root / "dist").glob("*.whl")] == [
        "manylinux_2_28"
    ]
    again = wheelkit("build", "--verbose", "--builder", "host", cwd=root)
    assert (again.returncode, "so it is built as" in again.stderr) == (0, False)
    assert "native" in wheelkit("plan", cwd=root).stdout
    plain = {**setuptools(EXTENSION, files={"x/x.c": C, "wheelkit.toml": MATRIX})}
    known = wheelkit("build", "--verbose", "--builder", "host", cwd=write(tmp_path / "known", plain))
    assert (builds(known), "so it is built as" in known.stderr) == (["sdist", "wheel"], False)


@on_linux
@pytest.mark.parametrize("configured", ["", MATRIX, '[distribution.x]\nkind = "native"\n'])
def test_a_wheel_without_its_optional_modules_is_pure_unless_native_ones_are_promised(
    wheelkit: Wheelkit, tmp_path: Path, configured: str
) -> None:
    setup = EXTENSION.replace("ext_modules=", "ext_modules=[] if True else ")
    root = write(tmp_path / "x", setuptools(setup, files={"x/x.c": C, "wheelkit.toml": configured}))
    done = wheelkit("build", "--verbose", "--builder", "host", cwd=root)
    assert (done.returncode == 2) is bool(configured)
    assert ("treated as native, but its wheel contains no binary" in done.stderr) is bool(configured)
    assert builds(done) == ["sdist", "wheel"]
    assert [path.name for path in (root / "dist").glob("*.whl")] == (
        [] if configured else ["x-1-py3-none-any.whl"]
    )
