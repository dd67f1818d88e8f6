"""Two files on one installed path, files in dist-info folders, and files of the environment."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from support import wheels
from support.rows import rows
from wheelkit.verification.checks import installed
from wheelkit.verification.contract import Contract
from wheelkit.verification.model import Finding
from wheelkit.wheel import read

DATA = "demo-1.0.data"
CHECKS = (installed.one_path, installed.own_metadata, installed.lost_scripts, installed.others_files)
SCRIPT = {"{info}/entry_points.txt": "[console_scripts]\ntool = demo:main\n"}


def found(folder: Path, members: Mapping[str, str], filename: str = wheels.PURE) -> list[Finding]:
    wheel = read(wheels.write_wheel(folder, filename, members=members))
    return [finding for check in CHECKS for finding in check(wheel, Contract())]


def codes(folder: Path, members: Mapping[str, str], filename: str = wheels.PURE) -> list[str]:
    return [finding.code for finding in found(folder, members, filename)]


@rows(
    ("members", "expected"),
    [
        ({"demo/x.py": "1", f"{DATA}/purelib/demo/x.py": "2"}, ["WK221"]),
        ({"demo/x.py": "1", f"{DATA}/purelib/demo/y.py": "2"}, []),
        ({"demo/x.py": "1", f"{DATA}/purelib/demo/x.py": "1"}, ["WK229"]),
        ({f"{DATA}/platlib/demo/x.py": "1", f"{DATA}/purelib/demo/x.py": "2"}, ["WK221"]),
        ({"demo/x.py": "1", f"{DATA}/data/demo/x.py": "2"}, []),
        ({"demo/x.py": "1", f"{DATA}/data/lib/python3.12/site-packages/demo/x.py": "2"}, ["WK221"]),
        ({"demo/x.py": "1", f"{DATA}/data/lib64/python3.12/site-packages/demo/x.py": "2"}, ["WK221"]),
        ({"demo/x.py": "1", f"{DATA}/data/Lib/site-packages/demo/x.py": "2"}, ["WK221"]),
        ({f"{DATA}/scripts/run": "1", f"{DATA}/data/bin/run": "2"}, ["WK221"]),
        ({f"{DATA}/scripts/run": "1", f"{DATA}/data/bin/run2": "2"}, []),
        ({f"{DATA}/scripts/run.exe": "1", f"{DATA}/data/Scripts/run.exe": "2"}, ["WK221"]),
        ({**SCRIPT, f"{DATA}/data/bin/tool": "2"}, ["WK221"]),
        ({**SCRIPT, f"{DATA}/data/bin/tool.txt": "2"}, []),
        ({"{info}/entry_points.txt": "[console_scripts]\na = d:x\n[gui_scripts]\na = d:y\n"}, ["WK221"]),
        ({"{info}/entry_points.txt": "[console_scripts]\na = d:x\n[gui_scripts]\nb = d:y\n"}, []),
        ({**SCRIPT, f"{DATA}/scripts/tool": "2"}, ["WK224"]),
        ({**SCRIPT, f"{DATA}/scripts/TOOL.exe": "2"}, ["WK105"]),  # on Windows
        ({**SCRIPT, f"{DATA}/scripts/tool-script.py": "2"}, ["WK224"]),
        ({**SCRIPT, f"{DATA}/scripts/tools": "2"}, []),
    ],
)
def test_two_files_on_one_path(tmp_path: Path, members: Mapping[str, str], expected: list[str]) -> None:
    assert codes(tmp_path, members) == expected


def test_what_the_installers_keep(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, {f"{DATA}/scripts/run": "1", f"{DATA}/data/bin/run": "2"}, wheels.LINUX)
    script, data = f"{DATA}/scripts/run", f"{DATA}/data/bin/run"
    assert finding.what.endswith(f"are installed to bin/run: pip keeps {script}, uv {data} or {script}")
    (finding,) = found(tmp_path, {"demo/x.py": "1", f"{DATA}/purelib/demo/x.py": "2"})
    assert finding.what.endswith(f", and {DATA}/purelib/demo/x.py is kept")


@rows(
    ("members", "filename", "expected"),
    [
        (["demo/Readme", "demo/README"], wheels.PURE, "Windows and macOS"),
        (["demo/Readme", "demo/README"], wheels.MACOS, "macOS"),
        (["demo/Readme", "demo/README"], wheels.WINDOWS, "Windows"),
        (["demo/Readme", "demo/README"], wheels.LINUX, ""),
        (["demo/Readme", "demo/Readme2"], wheels.PURE, ""),
        (["demo/\u00e9", "demo/e\u0301"], wheels.PURE, "macOS"),
        (["demo/\u00e9", "demo/e\u0301"], wheels.LINUX, ""),
        (["demo/\u00e9", "demo/e\u0301"], wheels.WINDOWS, ""),
        (["demo/\u00e9", "demo/\u00c9"], wheels.WINDOWS, "Windows"),
        (["demo/\u00e9", "demo/\u00e8"], wheels.PURE, ""),
        (["demo/stra\u00dfe", "demo/STRASSE"], wheels.PURE, "macOS"),
        (["demo/X.py", f"{DATA}/purelib/demo/x.py"], wheels.PURE, "Windows and macOS"),
        (["demo/X.py", f"{DATA}/purelib/demo/x.py"], wheels.LINUX, ""),
        ([f"{DATA}/scripts/Run", f"{DATA}/scripts/run"], wheels.MACOS, "macOS"),
    ],
)
def test_names_that_differ_in_case(tmp_path: Path, members: list[str], filename: str, expected: str) -> None:
    results = found(tmp_path, dict(zip(members, "12", strict=True)), filename)
    assert {finding.code for finding in results} == ({"WK105"} if expected else set())
    assert {finding.what.partition("are one file on ")[2] for finding in results} == (
        {expected} if expected else set()
    )


@rows(
    ("names", "expected"),
    [
        (["demo/a", "demo/a/b"], ["WK118"]),
        (["demo/a", "demo/a/b/c"], ["WK118"]),
        (["demo/a", "demo/ab/c"], []),
        (["demo/a.py", "demo/a/b.py"], []),
        (["demo/a", f"{DATA}/purelib/demo/a/b"], ["WK118"]),
        (["demo/a/b", f"{DATA}/purelib/demo/a"], ["WK118"]),
        (["demo/a/b", f"{DATA}/purelib/demo/b"], []),
        ([f"{DATA}/scripts/a", f"{DATA}/data/bin/a/b"], ["WK118"]),
    ],
)
def test_files_and_folders(tmp_path: Path, names: list[str], expected: list[str]) -> None:
    assert codes(tmp_path, dict.fromkeys(names, "x"), wheels.LINUX) == expected


@rows(
    ("name", "expected"),
    [
        (f"{DATA}/purelib/demo-1.0.dist-info/METADATA", ["WK222"]),
        (f"{DATA}/purelib/demo-1.0.dist-info/entry_points.txt", ["WK222"]),
        (f"{DATA}/platlib/other-2.0.dist-info/METADATA", ["WK222"]),
        (f"{DATA}/purelib/demo.egg-info/PKG-INFO", ["WK222"]),
        (f"{DATA}/data/lib/python3.11/site-packages/other-2.0.dist-info/RECORD", ["WK222"]),
        (f"{DATA}/data/demo-1.0.dist-info/METADATA", []),
        (f"{DATA}/purelib/demo/x.dist-info/METADATA", []),
        ("{info}/direct_url.json", ["WK223"]),
        ("{info}/INSTALLER", ["WK223"]),
        ("{info}/licenses/INSTALLER", []),
        (f"{DATA}/data/pyvenv.cfg", ["WK225"]),
        (f"{DATA}/data/etc/pyvenv.cfg", []),
        (f"{DATA}/data/bin", ["WK225"]),
        (f"{DATA}/data/lib64", ["WK225"]),
        (f"{DATA}/data/share", []),
        (f"{DATA}/scripts/python", ["WK225"]),
        (f"{DATA}/scripts/python3.13t", ["WK225"]),
        (f"{DATA}/scripts/Python.exe", ["WK225"]),
        (f"{DATA}/scripts/python3-config", []),
        (f"{DATA}/data/bin/pypy3", ["WK225"]),
        (f"{DATA}/data/share/python3", []),
        (f"{DATA}/scripts/activate", ["WK225"]),
        (f"{DATA}/scripts/Activate.ps1", ["WK225"]),
        (f"{DATA}/scripts/activate-demo", []),
        (f"{DATA}/scripts/pip3.12", ["WK226"]),
        (f"{DATA}/scripts/pipx", []),
        (f"{DATA}/purelib/pip/x.py", ["WK226"]),
        ("setuptools/x.py", ["WK226"]),
        ("setuptools_demo/x.py", []),
        ("distutils-precedence.pth", ["WK226"]),
        ("sitecustomize.py", ["WK226"]),
        ("demo/sitecustomize.py", []),
        (f"{DATA}/data/lib/python3.11/os.py", ["WK226"]),
        (f"{DATA}/data/lib/demo/os.py", []),
    ],
)
def test_files_of_others(tmp_path: Path, name: str, expected: list[str]) -> None:
    assert codes(tmp_path, {name: "x"}) == expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [("python3", ["WK225"]), ("activate", ["WK225"]), ("pip", ["WK226"]), ("pypy-demo", [])],
)
def test_entry_points_of_others(tmp_path: Path, script: str, expected: list[str]) -> None:
    text = f"[console_scripts]\n{script} = demo:main\n"
    assert codes(tmp_path, {"{info}/entry_points.txt": text}) == expected


def test_the_installers_own_files_are_their_own(tmp_path: Path) -> None:
    text = "[console_scripts]\npip = pip:main\npip3 = pip:main\n"
    members = {"pip/x.py": "", "{info}/entry_points.txt": text}
    assert codes(tmp_path, members, "pip-30.0-py3-none-any.whl") == []
    assert codes(tmp_path, members, "pipe-30.0-py3-none-any.whl") == ["WK226"]


@pytest.mark.parametrize(
    ("folder", "filename", "expected"),
    [
        ("lib/python3.11/site-packages", wheels.PURE, ["WK130"]),
        ("lib64/python3.12/dist-packages", wheels.PURE, ["WK130"]),
        ("lib/python3.11/site-packages", wheels.ABI3, ["WK130"]),
        ("lib/python3.11/site-packages", wheels.LINUX, []),
        ("lib/python3.12/site-packages", wheels.LINUX, ["WK130"]),
        ("lib/site-packages", wheels.PURE, []),
    ],
)
def test_files_for_one_python(tmp_path: Path, folder: str, filename: str, expected: list[str]) -> None:
    members = {f"{DATA}/data/{folder}/demo/x.py": "x"}
    wheel = read(wheels.write_wheel(tmp_path, filename, members=members))
    assert [finding.code for finding in installed.one_python(wheel, Contract())] == expected
