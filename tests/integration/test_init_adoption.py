"""Real projects, adopted without an edit, promise what cibuildwheel itself builds of them.

pytest tests/integration/test_init_adoption.py -m network       all projects
"""

from __future__ import annotations

import json
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest

from support import cibuildwheel, repositories
from support.command import Wheelkit
from support.corpus import names
from support.corpus import wheel as pinned
from wheelkit.project.ci import Repository, read_github

SYSTEMS = ("linux", "macos", "windows", "pyodide", "android", "ios")
SUMMARY = re.compile(r"^ *(\d+) wheels today \(.*\), (\d+) promised$", re.MULTILINE)
LATER = re.compile(r"so these are promised, too: (.*)")
# Written from the workflows by hand, each run with the machine and the variables that select builds:
# what wheelkit reads of these files is not its own witness here.
UBUNTU, ARM = ("linux", "x86_64"), ("linux", "aarch64")
INTEL, MAC = ("macos", "x86_64"), ("macos", "arm64")
WINDOWS, WINDOWS_ARM = ("windows", "AMD64"), ("windows", "ARM64")
MARKUPSAFE = {
    "CIBW_SKIP": "pp*",
    "CIBW_ARCHS_LINUX": "auto aarch64",
    "CIBW_ARCHS_MACOS": "auto universal2",
    "CIBW_ARCHS_WINDOWS": "auto ARM64",
}
HIREDIS = {"CIBW_ARCHS_MACOS": "x86_64 universal2 arm64"}
QEMU = {**HIREDIS, "CIBW_ARCHS_LINUX": "auto aarch64 ppc64le s390x"}
BY_HAND: dict[str, list[tuple[tuple[str, str], dict[str, str]]]] = {
    "pallets/markupsafe": [(machine, MARKUPSAFE) for machine in (UBUNTU, WINDOWS, MAC)],
    "python-websockets/websockets": [(machine, {}) for machine in (UBUNTU, WINDOWS, MAC)],
    "redis/hiredis-py": [
        *((machine, QEMU) for machine in (UBUNTU, WINDOWS, MAC)),
        (WINDOWS_ARM, {**HIREDIS, "CIBW_ARCHS_WINDOWS": "ARM64"}),
    ],
    "ilanschnell/bitarray": [
        (machine, {"CIBW_ARCHS_LINUX": "auto ppc64le s390x" if machine[1] in {"x86_64", "AMD64"} else "auto"})
        for machine in (UBUNTU, ARM, WINDOWS, WINDOWS_ARM, INTEL, MAC)
    ],
    "aio-libs/multidict": [
        *(
            (machine, {"CIBW_ARCHS_MACOS": "x86_64 arm64 universal2", "CIBW_SKIP": "*-musllinux_* pp*"})
            for machine in (UBUNTU, WINDOWS, WINDOWS_ARM, MAC)
        ),
        (UBUNTU, {"CIBW_SKIP": "*-manylinux_* pp*"}),
        *(
            (UBUNTU, {"CIBW_ARCHS_LINUX": arch, "CIBW_SKIP": f"{skip} pp*"})
            for arch in ("aarch64", "ppc64le", "s390x", "armv7l", "riscv64")
            for skip in ("*-manylinux_*", "*-musllinux_*")
        ),
    ],
}


def few(every: list[str], count: int) -> list[Any]:
    """Mark all but the first few projects as slow."""
    marks: list[Any] = [()] * count + [pytest.mark.slow] * len(every)
    return [pytest.param(name, marks=mark) for name, mark in zip(every, marks, strict=False)]


def systems(wheelkit: Wheelkit, root: Path) -> dict[str, set[str]]:
    """What ``wheelkit plan --identifiers`` prints for each system, after an adoption without edits."""
    shown = wheelkit("plan", "--identifiers", "--json", cwd=root)
    assert shown.returncode == 0, shown.stderr
    return {system: set(builds) for system, builds in json.loads(shown.stdout)["identifiers"].items()}


def builds(root: Path, system: str, machine: tuple[str, str], env: Any, options: Any = None) -> set[str]:
    """What cibuildwheel builds for a system in one run."""
    return set(cibuildwheel.identifiers(root, system, host=machine, env=env, options=options))  # type: ignore[arg-type]


def expected(name: str, root: Path) -> dict[str, set[str]]:
    """What cibuildwheel builds in all runs of a release, by system."""
    theirs: dict[str, set[str]] = {system: set() for system in SYSTEMS}
    if name in BY_HAND:
        for machine, env in BY_HAND[name]:
            theirs[machine[0]] |= builds(root, machine[0], machine, env)
        return theirs
    for run in read_github(Repository(root=root, project=root)).runs:
        machine = run.machine.system.value, run.machine.arch
        options = {"only": run.only, "archs": run.archs, "enable": run.enable, "config_file": run.config_file}
        theirs[run.system.value] |= builds(root, run.system.value, machine, run.environ, options)
    return theirs


def compare(adopted: str, ours: dict[str, set[str]], theirs: dict[str, set[str]]) -> None:
    """Assert that the builds are the same, or that the command said which Pythons are promised besides."""
    told = LATER.search(adopted)
    later = set(told[1].split(", ")) if told else set()
    for system in SYSTEMS:
        assert theirs[system] <= ours[system], system
        more = {build.partition("-")[0] for build in ours[system] - theirs[system]}
        assert more <= later, system
    summary = SUMMARY.search(adopted)
    assert summary is not None
    assert int(summary[1]) == int(summary[2]) == sum(map(len, theirs.values()))


@pytest.mark.network
@pytest.mark.parametrize("name", few(list(repositories.pins("repositories")), 4))
def test_a_repository_promises_what_its_runs_build(name: str, tmp_path: Path, wheelkit: Wheelkit) -> None:
    root = repositories.checkout(name, tmp_path)
    theirs = expected(name, root)
    adopted = wheelkit("init", "--offline", "--yes", cwd=root)
    assert adopted.returncode == 0, adopted.stderr
    assert sum(map(len, theirs.values())) > 10
    compare(adopted.stderr, systems(wheelkit, root), theirs)


@pytest.mark.network
@pytest.mark.parametrize("sdist", few(names("adopted"), 3))
def test_an_sdist_promises_what_its_settings_build(sdist: str, tmp_path: Path, wheelkit: Wheelkit) -> None:
    with tarfile.open(pinned(sdist)) as archive:
        archive.extractall(tmp_path, filter="data")
    root = tmp_path / sdist.removesuffix(".tar.gz")
    theirs = {system: set[str]() for system in SYSTEMS}
    for system, arch in cibuildwheel.USUAL:
        theirs[system] |= builds(root, system, (system, arch), {})
    if read_github(Repository(root=root, project=root)).runs:
        theirs = expected(sdist, root)
    adopted = wheelkit("init", "--offline", "--yes", cwd=root)
    assert adopted.returncode == 0, adopted.stderr
    compare(adopted.stderr, systems(wheelkit, root), theirs)
