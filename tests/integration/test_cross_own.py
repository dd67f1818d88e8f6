"""wheelkit's own wheels, all cross-built; the wheel for aarch64 runs under user-mode emulation."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import click
import pytest

from support.emulation import emulation
from wheelkit import _core

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the emulator is for Linux"),
    pytest.mark.skipif(importlib.util.find_spec("ziglang") is None, reason="needs the extra cross"),
]
NO_APT = 3


@pytest.fixture(scope="module")
def aarch64() -> list[str]:
    """Return the command that starts an aarch64 Python; created by ci/qemu.py if it does not exist yet."""
    if platform.machine() == "aarch64":
        return [sys.executable]
    done = subprocess.run(
        [sys.executable, ROOT / "ci/qemu.py", "aarch64", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == NO_APT and not os.environ.get("CI"):
        pytest.skip(done.stderr.strip())
    if done.returncode != 0:
        pytest.fail(f"ci/qemu.py failed with exit status {done.returncode}:\n{done.stderr}")
    command: list[str] = json.loads(done.stdout)
    return command


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cross-build every target of wheelkit's own matrix."""
    folder = tmp_path_factory.mktemp("own") / "dist"
    words = ["build", "--cross", "--out", str(folder), str(ROOT)]
    env = {**os.environ, "WHEELKIT_CACHE_DIR": str(folder.parent / "cache")}
    done = subprocess.run(
        [sys.executable, "-m", "wheelkit", *words],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def site(dist: Path) -> Path:
    """Unpack the wheel for aarch64 as an installer would, with the dependency that every command needs."""
    (wheel,) = dist.glob("*manylinux_2_28_aarch64.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(dist.parent / "site")
    shutil.copytree(Path(click.__file__).parent, dist.parent / "site" / "click")
    return dist.parent / "site"


def test_wheelkits_own_matrix_is_covered_and_verified(dist: Path) -> None:
    promised = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["wheelkit"]["matrix"]["targets"]
    command = [sys.executable, "-m", "wheelkit", "verify-matrix", str(dist), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    report = json.loads(done.stdout)
    assert [row["target"] for row in report["matrix"]] == promised
    assert not [finding for finding in report["findings"] if finding["severity"] != "note"]
    assert {cell["cover"] for row in report["matrix"] for cell in row["cells"]} == {"wheel"}
    assert all(row["cross"] == row["files"] for row in report["matrix"])


@pytest.mark.emulated
@pytest.mark.wine
def test_every_wheel_but_those_for_macos_is_run(dist: Path, tmp_path: Path) -> None:
    if platform.machine() != "x86_64":
        pytest.skip("wine runs programs for x86_64 here")
    env = {**os.environ, **emulation("aarch64", "wine"), "WHEELKIT_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "wheelkit", "smoke", str(dist), "--emulate", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(done.stdout)
    run = {file: case["emulator"] for case in document["cases"] for file in case["files"]}
    not_run = {wheel["file"]: wheel["what"] for wheel in document["not_run"]}
    assert run.keys() | not_run.keys() == {path.name for path in dist.glob("*.whl")}
    assert set(run.values()) == {None, "qemu-aarch64", "wine"}
    assert all("macosx" in file and "a Mac" in what for file, what in not_run.items())
    # Both configured commands, the imports, the console script and the files, each under the emulator.
    assert {case["checks"] for case in document["cases"] if case["emulator"]} == {4}


def run(command: list[str], script: str, site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {"PYTHONPATH": str(site), "PATH": os.defpath}
    return subprocess.run(
        [*command, "-B", "-c", script, *arguments], env=env, capture_output=True, text=True, check=False
    )


@pytest.mark.emulated
def test_the_core_reads_a_binary_as_it_does_here(aarch64: list[str], site: Path) -> None:
    script = (
        "import platform, sys; from wheelkit import _core; "
        "scan = _core.scan(open(sys.argv[1], 'rb').read()); "
        "print(platform.machine()); print(_core.__file__); print(repr(scan))"
    )
    done = run(aarch64, script, site, _core.__file__)
    assert done.returncode == 0, done.stderr
    machine, file, facts = done.stdout.splitlines()
    assert machine == "aarch64"
    assert file == str(site / "wheelkit/_core.abi3.so")
    assert facts == repr(_core.scan(Path(_core.__file__).read_bytes()))


@pytest.mark.emulated
def test_the_core_refuses_damage_as_it_does_here(aarch64: list[str], site: Path, tmp_path: Path) -> None:
    damaged = Path(_core.__file__).read_bytes()[:700]
    (tmp_path / "damaged.so").write_bytes(damaged)
    with pytest.raises(_core.ScanError) as caught:
        _core.scan(damaged)
    done = run(
        aarch64,
        "import sys; from wheelkit import _core; _core.scan(open(sys.argv[1], 'rb').read())",
        site,
        str(tmp_path / "damaged.so"),
    )
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith(str(caught.value))


@pytest.mark.emulated
def test_the_wheel_of_another_processor_does_not_load_there(
    aarch64: list[str], site: Path, tmp_path: Path
) -> None:
    if platform.machine() == "aarch64":
        pytest.skip("this machine's own wheel is the right one")
    shutil.copytree(site, tmp_path / "site")
    shutil.copy(_core.__file__, tmp_path / "site/wheelkit/_core.abi3.so")
    done = run(aarch64, "import wheelkit._core", tmp_path / "site")
    assert "ImportError" in done.stderr


@pytest.mark.emulated
def test_the_command_itself_answers_there(aarch64: list[str], site: Path) -> None:
    done = run(
        aarch64, "import sys; sys.argv[1:] = ['--version']; from wheelkit.__main__ import run; run()", site
    )
    (wheel,) = (site.parent / "dist").glob("*aarch64.whl")
    assert done.stdout.split() == ["wheelkit", wheel.name.split("-")[1]], done.stderr
