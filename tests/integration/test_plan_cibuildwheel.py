"""What a plan asks of cibuildwheel, by cibuildwheel's own reading of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.setuptools_projects import pyproject
from wheelkit import config, matrix, plan
from wheelkit.machine import facts
from wheelkit.matrix import System
from wheelkit.project import family

LINUX = facts.Machine(
    system=System.LINUX, arch="x86_64", engine=facts.Engine(name="podman", version="4.3.1", setting="podman")
)
MACOS = facts.Machine(system=System.MACOS, arch="arm64")
WINDOWS = facts.Machine(system=System.WINDOWS, arch="amd64")
PROJECT = pyproject()


@pytest.mark.parametrize(
    ("here", "tag"), [(MACOS, "macosx_11_0_arm64"), (WINDOWS, "win_amd64"), (LINUX, "manylinux_2_28_x86_64")]
)
def test_cibuildwheel_itself_selects_exactly_the_planned_builds(
    here: facts.Machine, tag: str, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "setup.py").write_text(
        "import setuptools\nsetuptools.setup(ext_modules=[setuptools.Extension('momentum', ['m.c'])])\n"
    )
    # cibuildwheel drops PyPy for macOS on arm64 where the machine that asks is x86_64, as this one may be.
    pypy = [] if here is MACOS else ["pp311"]
    document = {"matrix": {"targets": [tag], "interpreters": ["cp311", "cp313", "cp314", "cp314t", *pypy]}}
    loaded = config.parse(document, source=None, root=tmp_path, validators=(matrix.validate,))
    request = plan.PlanRequest(machine=here, out=tmp_path / "dist", environ={})
    steps = plan.make_plan(loaded, family.discover(loaded), request).steps
    shown: list[str] = []
    for step in steps:
        command = [
            sys.executable,
            "-m",
            "cibuildwheel",
            "--platform",
            here.system.value,
            "--print-build-identifiers",
            str(tmp_path),
        ]
        done = subprocess.run(command, env=_clean(dict(step.env)), capture_output=True, text=True, check=True)
        shown += done.stdout.split()
    assert sorted(shown) == sorted(name for step in steps for name in step.identifiers)
    assert len(shown) == 4 + len(pypy)


def _clean(env: dict[str, str]) -> dict[str, str]:
    return {**{name: value for name, value in os.environ.items() if not name.startswith("CIBW_")}, **env}
