"""``wheelkit plan --identifiers`` prints what cibuildwheel itself prints for the runs of the plan."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.setuptools_projects import NATIVE, pyproject
from wheelkit import config, matrix, plan
from wheelkit.command_line import main
from wheelkit.machine import facts
from wheelkit.matrix import System
from wheelkit.project import family

if TYPE_CHECKING:
    from pathlib import Path

    from wheelkit.matrix import Target
    from wheelkit.plan import NativeStep

PROJECT = pyproject(python=">=3.10")
EVERYTHING = """
targets = [
  "manylinux_2_17_x86_64", "manylinux_2_28_x86_64", "manylinux_2_28_i686", "manylinux_2_28_aarch64",
  "manylinux_2_31_armv7l", "manylinux_2_28_ppc64le", "manylinux_2_28_s390x", "manylinux_2_39_riscv64",
  "musllinux_1_2_x86_64", "musllinux_1_2_i686", "musllinux_1_2_aarch64", "musllinux_1_2_armv7l",
  "musllinux_1_2_ppc64le", "musllinux_1_2_s390x", "musllinux_1_2_riscv64",
  "macosx_10_13_x86_64", "macosx_11_0_arm64", "macosx_11_0_universal2", "win32", "win_amd64", "win_arm64",
  "android_24_arm64_v8a", "android_24_x86_64", "ios_13_0_arm64_iphoneos", "ios_13_0_arm64_iphonesimulator",
  "ios_13_0_x86_64_iphonesimulator", "pyemscripten_2024_0_wasm32", "pyemscripten_2025_0_wasm32",
  "pyemscripten_2026_0_wasm32", "pyemscripten_2027_0_wasm32",
]
interpreters = [
  "cp310", "cp311", "cp312", "cp313", "cp314", "cp314t", "cp315", "cp315t",
  "pp310", "pp311", "pp312", "gp312_250", "gp313_253",
]
"""
MATRICES = {
    "default": "",
    "everything": EVERYTHING,
    "skip": EVERYTHING + 'skip = ["pp*-macosx*", "cp31{0,1}-*", "*t-win32 *-musllinux_{i686,s390x}"]\n',
    "override": """
targets = ["manylinux_2_28_x86_64", "macosx_11_0_arm64", "win_amd64", "win_arm64"]
interpreters = ["cp311", "cp312", "pp311"]
skip = "pp*-win*"
[[tool.wheelkit.matrix.override]]
select = "*-win_arm64"
interpreters = ["cp313", "cp314t"]
[[tool.wheelkit.matrix.override]]
select = "pp*-macosx*"
interpreters = ["gp312_250"]
""",
}
OWN = """
[tool.cibuildwheel]
build = "cp312-*"
skip = ["pp*", "*-musllinux*"]
enable = ["pypy-eol"]
archs = ["auto"]
"""
# cibuildwheel leaves out PyPy and GraalPy for macOS on arm64 where the machine that asks is another.
ASK = (
    "import platform; platform.machine = lambda: {machine!r}; from cibuildwheel.__main__ import main; main()"
)
MACHINES = {System.LINUX: "x86_64", System.MACOS: "arm64", System.WINDOWS: "x86_64"}


@pytest.mark.parametrize("own", ["", OWN], ids=["plain", "own"])
@pytest.mark.parametrize("name", MATRICES)
def test_the_identifiers_are_those_that_cibuildwheel_prints(
    name: str, own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = f"[tool.wheelkit.matrix]\n{MATRICES[name]}" if MATRICES[name] else ""
    (tmp_path / "pyproject.toml").write_text(f"{PROJECT}{own}{table}")
    (tmp_path / "setup.py").write_text(NATIVE)
    monkeypatch.chdir(tmp_path)
    steps = [step for target in _targets(tmp_path) for step in _steps(tmp_path, target)]
    assert steps
    everything = []
    for system in System:
        theirs = [line for step in steps if step.target.system is system for line in _ask(step, tmp_path)]
        assert main(["plan", "--identifiers", system.value]) == 0
        ours = capsys.readouterr().out.split()
        assert sorted(ours) == sorted(set(theirs)), system
        everything += ours
    assert main(["plan", "--identifiers"]) == 0
    assert capsys.readouterr().out.split() == everything
    assert len(everything) == len(set(everything)) > 3


def _targets(root: Path) -> tuple[Target, ...]:
    loaded = config.load(root, validators=(matrix.validate,))
    return matrix.matrix_of(loaded, ">=3.10").targets


def _steps(root: Path, target: Target) -> tuple[NativeStep, ...]:
    """Plan the build of one target on the machine that builds it."""
    system, arch = facts.building_machine(target)
    engine = (
        facts.Engine(name="podman", version="4.3.1", setting="podman") if system is System.LINUX else None
    )
    machine = facts.Machine(system=system, arch=arch, libc="manylinux", engine=engine, aarch32=True)
    loaded = config.load(root, validators=(matrix.validate,))
    request = plan.PlanRequest(machine=machine, out=root / "dist", environ={}, targets=(target.tag,))
    return plan.make_plan(loaded, family.discover(loaded), request).steps


def _ask(step: NativeStep, root: Path) -> list[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CIBW_")}
    machine = MACHINES.get(step.target.system, "x86_64")
    platform = ("--platform", step.target.system.value)
    command = [
        sys.executable,
        "-c",
        ASK.format(machine=machine),
        *platform,
        "--print-build-identifiers",
        str(root),
    ]
    done = subprocess.run(command, env={**clean, **step.env}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()
