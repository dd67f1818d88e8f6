"""What pip, an old pip and uv install is what the map of installed paths says, and so is what they refuse."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from support import wheels
from wheelkit.analysis.installed import (
    Installer,
    Origin,
    final_files,
    installed_files,
    posix_environment,
)
from wheelkit.analysis.refusals import refusals
from wheelkit.verification.checks import contents, hidden, installed, startup
from wheelkit.verification.contract import Contract
from wheelkit.wheel import Wheel, read

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="looks at the paths of Linux and macOS")
OLD_PIP = "23.2.1"
ENVIRONMENT = posix_environment(f"3.{sys.version_info[1]}")
SITE = f"lib/python{ENVIRONMENT.python}/site-packages"
DATA = "demo-1.0.data"
SCRIPT = f"{DATA}/scripts/run"
ENTRY = {"{info}/entry_points.txt": "[console_scripts]\ntool = demo:main\n"}
# What uv writes beside the wheel's files; the lock is that of the environment.
OF_UV = {".lock", *(f"{SITE}/demo-1.0.dist-info/uv_{name}.json" for name in ("cache", "build"))}


@dataclass(frozen=True, kw_only=True)
class Target:
    """An installer, and a fresh environment that it installs wheels into."""

    installer: Installer
    command: tuple[str, ...]
    env: Path
    path: str = ""

    def install(self, wheel: Path) -> subprocess.CompletedProcess[str]:
        return _run([*self.command, str(wheel)], PYTHONPATH=self.path)


@pytest.fixture(scope="module")
def old_pip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("old-pip")
    command = ["uv", "pip", "install", "-q", "--target", str(folder), f"pip=={OLD_PIP}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no index with pip {OLD_PIP}: {done.stderr[-200:]}")
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base") / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    return folder


@pytest.fixture(params=["pip", "old pip", "uv"])
def target(request: pytest.FixtureRequest, base: Path, tmp_path: Path) -> Target:
    env = shutil.copytree(base, tmp_path / "env", symlinks=True)
    where = ("--python", str(env / "bin/python"))
    options = ("--no-deps", "--no-index")
    if request.param == "uv":
        uv = ("uv", "pip", "install", "-q", *options, *where, "--cache-dir", str(tmp_path / "cache"))
        return Target(installer=Installer.UV, command=uv, env=env)
    path = str(request.getfixturevalue("old_pip")) if request.param == "old pip" else ""
    pip = (sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", *where, "install", *options)
    return Target(installer=Installer.PIP, command=(*pip, "--no-compile"), env=env, path=path)


def _run(command: list[str], **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env={**os.environ, **env}, capture_output=True, text=True, check=False, timeout=120
    )


def write(folder: Path, members: Mapping[str, str], modes: Mapping[str, int] | None = None) -> Path:
    """Write a wheel with the modes of members; names that end in a slash are folder entries."""
    plain = wheels.write_wheel(folder, wheels.PURE, members=members)
    path = folder / "modes" / plain.name
    path.parent.mkdir()
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w") as target:
        for info in source.infolist():
            info.external_attr = (modes or {}).get(info.filename, 0o100644) << 16
            target.writestr(info, source.read(info))
    return path


def files_of(env: Path) -> dict[str, bytes]:
    paths = (path for path in env.rglob("*") if path.is_file())
    return {path.relative_to(env).as_posix(): path.read_bytes() for path in paths}


LAYOUTS: dict[str, Mapping[str, str]] = {
    "plain": {"demo/a.py": "1", "demo/sub/b.py": "2"},
    "every part": {
        f"{DATA}/purelib/demo/p.py": "1",
        f"{DATA}/platlib/demo/q.py": "2",
        f"{DATA}/scripts/run": "#!/bin/sh\n",
        f"{DATA}/headers/demo.h": "4",
        f"{DATA}/data/share/demo.txt": "5",
        **ENTRY,
    },
    "root and purelib": {"demo/x.py": "root", f"{DATA}/purelib/demo/x.py": "pure"},
    "purelib and platlib": {f"{DATA}/platlib/demo/x.py": "plat", f"{DATA}/purelib/demo/x.py": "pure"},
    "scripts and data": {f"{DATA}/scripts/run": "script", f"{DATA}/data/bin/run": "data"},
    "entry point and data": {**ENTRY, f"{DATA}/data/bin/tool": "data"},
    "entry point and script": {**ENTRY, f"{DATA}/scripts/tool": "script", f"{DATA}/scripts/TOOL.exe": "x"},
    "site-packages of data": {"demo/x.py": "root", f"{DATA}/data/{SITE}/demo/x.py": "data"},
    "lib64": {"demo/x.py": "root", f"{DATA}/data/lib64/{SITE[4:]}/demo/x.py": "data"},
    "metadata replaced": {f"{DATA}/purelib/demo-1.0.dist-info/METADATA": wheels.metadata("evil", "9")},
    "another dist-info": {f"{DATA}/platlib/other-2.0.dist-info/METADATA": "x"},
    "another .data": {"other-1.0.data/purelib/demo/x.py": "x"},
    "unknown part": {f"{DATA}/etc/x": "x"},
    "unknown folder": {f"{DATA}/etc/": ""},
    "file in .data": {f"{DATA}/README": "x"},
    "file like .data": {"demo.data": "x"},
    "file like a part": {f"{DATA}/scripts": "x"},
    "folder in scripts": {f"{DATA}/scripts/sub/run": "x"},
    "folder like an entry point": {**ENTRY, f"{DATA}/scripts/tool/run": "x"},
    "file like an entry point": {**ENTRY, f"{DATA}/scripts/sub/tool": "x"},
    "file and folder": {"demo/x": "1", f"{DATA}/purelib/demo/x/y.py": "2"},
    "folder and file": {"demo/x/y.py": "1", f"{DATA}/purelib/demo/x": "2"},
    "folder entry and file": {"demo/x/": "", f"{DATA}/purelib/demo/x": "2"},
    "file like a dist-info folder": {"other-1.0.dist-info": "x"},
    "empty second dist-info": {"other-1.0.dist-info/": ""},
    "interpreter": {f"{DATA}/scripts/python3": "x"},
    "interpreter of data": {f"{DATA}/data/bin/PyPy3": "x"},
    "no interpreter": {f"{DATA}/scripts/python3-config": "x"},
    "configuration": {f"{DATA}/data/pyvenv.cfg": "x", f"{DATA}/scripts/activate": "x"},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_installed_files(layout: str, target: Target, base: Path, tmp_path: Path) -> None:
    path = write(tmp_path, LAYOUTS[layout])
    wheel = read(path)
    done = target.install(path)
    reasons = [refusal.reason for refusal in refusals(wheel, ENVIRONMENT, target.installer)]
    assert (done.returncode != 0) == bool(reasons), (reasons, done.stderr)
    if done.returncode == 0:
        compare(wheel, target.installer, path, files_of(target.env), files_of(base))


def compare(
    wheel: Wheel, installer: Installer, path: Path, after: Mapping[str, bytes], before: Mapping[str, bytes]
) -> None:
    final = final_files(installed_files(wheel, ENVIRONMENT, installer))
    direct_url = f"{SITE}/{wheel.dist_info}/direct_url.json"  # written, since a path is installed
    assert after.keys() - before.keys() - OF_UV - {direct_url} == final.keys() - before.keys()
    with zipfile.ZipFile(path) as archive:
        for place, candidates in final.items():
            if candidates[0].origin is Origin.ENTRY_POINT:
                assert b"from demo import main" in after[place]
            elif candidates[0].origin is not Origin.INSTALLER:
                assert after[place] in {archive.read(file.member) for file in candidates}


@pytest.mark.parametrize(
    ("text", "mode", "expected"),
    [
        ("#!/bin/sh\n", 0o100755, []),
        ("#!/bin/sh\n", 0o100644, ["WK125"]),
        ("#!python\n", 0o100644, ["WK125"]),
        ("#!python\n", 0o755, ["WK125"]),
    ],
)
def test_pip_keeps_the_mode_of_scripts_and_uv_makes_them_executable(
    text: str, mode: int, expected: list[str], target: Target, tmp_path: Path
) -> None:
    path = write(tmp_path, {SCRIPT: text}, {SCRIPT: mode})
    assert target.install(path).returncode == 0
    executable = (target.env / "bin/run").stat().st_mode & 0o111 != 0
    assert executable == (not expected or target.installer is Installer.UV)
    assert [finding.code for finding in contents.mode(read(path), Contract())] == expected


def test_a_first_line_of_other_folders_stays_as_it_is(target: Target, tmp_path: Path) -> None:
    member = f"{DATA}/data/bin/run"
    path = write(tmp_path, {member: "#!python\npass\n"}, {member: 0o100755})
    assert target.install(path).returncode == 0
    assert (target.env / "bin/run").read_text() == "#!python\npass\n"
    assert [finding.code for finding in contents.first_line(read(path), Contract())] == ["WK124"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("#!python", []),
        ("#!pythonw", []),
        ("#!python3 -s", []),
        ("#! python", ["WK124"]),
        ("#!/home/me/python", ["WK124"]),
    ],
)
def test_first_lines_that_installers_replace(
    line: str, expected: list[str], target: Target, tmp_path: Path
) -> None:
    path = write(tmp_path, {SCRIPT: f"{line}\npass\n"}, {SCRIPT: 0o100755})
    assert target.install(path).returncode == 0
    first = (target.env / "bin/run").read_text().partition("\n")[0]
    assert (first == line) == bool(expected)
    assert [finding.code for finding in contents.first_line(read(path), Contract())] == expected


def test_the_metadata_that_counts_is_the_replaced_one(target: Target, tmp_path: Path) -> None:
    path = write(tmp_path, LAYOUTS["metadata replaced"])
    assert target.install(path).returncode == 0
    show = "from importlib.metadata import distributions; print(*(one.name for one in distributions()))"
    assert _run([str(target.env / "bin/python"), "-c", show]).stdout.split() == ["evil"]
    assert [finding.code for finding in installed.own_metadata(read(path), Contract())] == ["WK222"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [(b"\x80\x02\xff\xfe", ["WK129"]), (b"somewhere\n", []), (b"import sys\n", ["WK127"])],
)
def test_python_does_not_start_with_an_unreadable_pth_file(
    text: bytes, expected: list[str], base: Path, tmp_path: Path
) -> None:
    env = shutil.copytree(base, tmp_path / "env", symlinks=True)
    (env / SITE / "weights.pth").write_bytes(text)
    done = _run([str(env / "bin/python"), "-c", "pass"])
    path = wheels.write_wheel(tmp_path, wheels.PURE, members={"weights.pth": text})
    assert [finding.code for finding in startup.executed(read(path), Contract())] == expected
    assert (done.returncode != 0 or done.stderr != "") == (expected == ["WK129"]), done.stderr


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["demo/shape.py", "demo/shape/__init__.py"], "demo/shape/__init__.py"),
        (["demo/shape.py", "demo/shape/part.py"], "demo/shape.py"),
        (["demo/shape.pyc", "demo/shape/__init__.py"], "demo/shape/__init__.py"),
        ([f"demo/shape{EXTENSION_SUFFIXES[0]}", "demo/shape/__init__.py"], "demo/shape/__init__.py"),
    ],
)
def test_the_module_that_python_finds(names: list[str], expected: str, tmp_path: Path) -> None:
    path = wheels.write_wheel(tmp_path, wheels.PURE, members=dict.fromkeys(names, ""))
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "site")
    find = "from importlib.util import find_spec; print(find_spec('demo.shape').origin)"
    done = _run([sys.executable, "-c", find], PYTHONPATH=str(tmp_path / "site"))
    assert done.stdout.strip() == str(tmp_path / "site" / expected)
    (finding,) = hidden.modules(read(path), Contract())
    assert finding.what.endswith(f"is hidden by {expected}")
