"""Placeholders of Git, leftovers, first lines and modes of scripts, .pth files, and hidden modules."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from support import wheels
from support.rows import rows
from wheelkit.analysis.leftovers import leftover_files, private_files
from wheelkit.verification.checks import contents, hidden, startup
from wheelkit.verification.contract import Contract
from wheelkit.wheel import Sdist, read

POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n"
DATA = "demo-1.0.data"
SCRIPT = f"{DATA}/scripts/run"
CHECKS = (
    contents.placeholder, contents.leftovers, contents.first_line, startup.editable, startup.executed,
    hidden.modules,
)  # fmt: skip


def codes(folder: Path, members: Mapping[str, str | bytes], filename: str = wheels.PURE) -> list[str]:
    wheel = read(wheels.write_wheel(folder, filename, members=members))
    return [finding.code for check in CHECKS for finding in check(wheel, Contract())]


@rows(
    ("members", "expected"),
    [
        ({"demo/model.bin": POINTER}, ["WK123"]),
        ({"demo/model.bin": f"# {POINTER}"}, []),
        ({"demo/_core.cpython-311-x86_64-linux-gnu.so": POINTER}, ["WK122"]),
        ({"demo/a.py": POINTER}, ["WK122"]),
        ({"demo/libx.so.1": "libx.so.1.2", "demo/libx.so.1.2": "binary\n"}, ["WK122"]),
        ({"demo/libx.so.1": "libx.so.1.2"}, []),
        ({"demo/a.py": "../other/a.py"}, ["WK122"]),
        ({"demo/LICENSE": "../../LICENSE"}, ["WK123"]),
        ({"demo/LICENSE": "../../LICENSE\n"}, []),
        ({"demo/a.json": "b.json", "demo/b.json": "{}"}, ["WK123"]),
        ({"demo/current": "b.json", "demo/b.json": "{}"}, []),
        ({"demo/a.json": "a.json"}, []),
        ({"demo/VERSION": "1.2.3"}, []),
        ({"demo/a.py": "/home/me/a.py"}, ["WK122"]),
        ({"demo/prefix": "/usr"}, []),
    ],
)
def test_placeholders(tmp_path: Path, members: Mapping[str, str], expected: list[str]) -> None:
    assert codes(tmp_path, members) == expected


LEFTOVERS = [
    "a/.DS_Store", "a/._core.py", "__MACOSX/a", "a/core.py~", "a/Thumbs.db", "a/x.orig", "a/x.rej", ".idea/x",
    "a/.vscode/x", ".pytest_cache/x", "a/.mypy_cache/3.11/x", ".coverage", "a/.x.py.swp", "a/.git",
]  # fmt: skip
PRIVATE = [".git/config", "a/.svn/entries", "a/.hg/x", "a/CVS/Root", "a/.pypirc", ".netrc", "a/id_rsa"]
WANTED = [
    "a/.gitignore", "a/.github/x", "a/core.py", "a/_core.py", "a/store", "a/orig.py", "a/.gitkeep",
    "a/package.json.orig", "a/coverage.py", "a/.hidden", "a/id_rsa.py", "a/CVSS/x", "a.git/x",
]  # fmt: skip


@rows("name", [*LEFTOVERS, *PRIVATE, *WANTED])
def test_leftovers(name: str) -> None:
    assert bool(leftover_files([name])) == (name in LEFTOVERS)
    assert bool(private_files([name])) == (name in PRIVATE)


def test_leftovers_of_wheels_and_sdists(tmp_path: Path) -> None:
    assert codes(tmp_path, {"demo/.DS_Store": "x", "demo/b~": "y"}) == ["WK120"]
    assert codes(tmp_path, {"demo/.git/config": "x"}) == ["WK121"]
    facts = {"path": tmp_path, "size": 1, "distribution": "demo", "version": "1", "requires_python": None}
    sdist = Sdist(**facts, names=frozenset({"demo-1/.DS_Store", "demo-1/.svn/x"}))
    found = [finding.code for finding in contents.sdist_leftovers(sdist, Contract())]
    assert found == ["WK120", "WK121"]


@rows(
    ("line", "expected"),
    [
        ("#!python", []),
        ("#!pythonw", []),
        ("#!/usr/bin/env python3", []),
        ("#!/bin/sh", []),
        ("#! /bin/bash -e", []),
        ("#!/usr/bin/python3", ["WK124"]),
        ("#!/home/me/venv/bin/python", ["WK124"]),
        ("#!/opt/python/cp311-cp311/bin/python3.11", ["WK124"]),
        ("#! python", ["WK124"]),
        ("#!/bin/sh\r", ["WK124"]),
        ("#!python\r", []),
        ("no line", []),
    ],
)
def test_first_lines(tmp_path: Path, line: str, expected: list[str]) -> None:
    assert codes(tmp_path, {SCRIPT: f"{line}\npass\n"}) == expected
    assert codes(tmp_path, {"demo/bin/run": f"{line}\npass\n"}) == []
    in_bin = ["WK124"] if line.startswith("#!python") else expected
    assert codes(tmp_path, {f"{DATA}/data/bin/run": f"{line}\npass\n"}) == in_bin
    assert codes(tmp_path, {SCRIPT: f"{line}\npass\n"}, wheels.WINDOWS) == []


RELATIVE = '\'\'\'exec\' "$(dirname -- "$0")"/\'python\' "$0" "$@"'


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ("'''exec' /home/me/venv/bin/python \"$0\" \"$@\"", ["WK124"]),
        (RELATIVE, []),
        ("exec /usr/bin/env true", []),
    ],
)
def test_long_paths_of_the_build_machine(tmp_path: Path, second: str, expected: list[str]) -> None:
    assert codes(tmp_path, {SCRIPT: f"#!/bin/sh\n{second}\n' '''\n"}) == expected


@pytest.mark.parametrize(
    ("mode", "filename", "text", "expected"),
    [
        (0o100755, wheels.PURE, "#!python\n", []),
        (0o100744, wheels.PURE, "#!python\n", []),
        (0o100644, wheels.PURE, "#!python\n", ["WK125"]),
        (0o755, wheels.PURE, "#!python\n", ["WK125"]),
        (0, wheels.LINUX, "#!python\n", ["WK125"]),
        (0, wheels.WINDOWS, "#!python\n", []),
        (0, "demo-1.0-py3-none-any.win_amd64.whl", "#!python\n", ["WK125"]),
        (0o100644, wheels.PURE, "to be sourced\n", []),
    ],
)
def test_modes_of_scripts(tmp_path: Path, mode: int, filename: str, text: str, expected: list[str]) -> None:
    path = wheels.write_wheel(tmp_path, filename)
    with zipfile.ZipFile(path, "a") as archive:
        info = zipfile.ZipInfo(SCRIPT)
        info.external_attr = mode << 16
        archive.writestr(info, text)
    assert [finding.code for finding in contents.mode(read(path), Contract())] == expected


@pytest.mark.parametrize(
    ("name", "facts", "expected"),
    [
        ("demo/bin/tool", {"kind": "executable"}, ["WK126"]),
        ("demo/bin/tool", {"kind": "shared", "interpreter": "/lib64/ld-linux-x86-64.so.2"}, ["WK126"]),
        ("demo/libtool.so.1", {"kind": "shared", "interpreter": "/lib64/ld-linux-x86-64.so.2"}, []),
        ("demo/libtool.so", {"kind": "shared"}, []),
        (SCRIPT, {"kind": "executable"}, ["WK125"]),
        (f"{DATA}/data/bin/run", {"kind": "executable"}, ["WK125"]),
    ],
)
def test_modes_of_programs(tmp_path: Path, name: str, facts: Mapping[str, str], expected: list[str]) -> None:
    wheel = wheels.facts(tmp_path, wheels.LINUX, wheels.elf(name, exports=(), **facts), members={name: "x"})
    assert [finding.code for finding in contents.mode(wheel, Contract())] == expected


@rows(
    ("name", "text", "expected"),
    [
        ("__editable__.demo-1.0.pth", "/home/me/demo/src\n", ["WK128"]),
        ("__editable___demo_1_0_finder.py", "MAPPING = {}\n", ["WK128"]),
        ("_demo.pth", "C:\\Users\\me\\demo\n", ["WK128"]),
        ("_demo_editable.py", "", ["WK128"]),
        ("demo.egg-link", "/home/me/demo", ["WK128"]),
        ("easy-install.pth", "./demo.egg\n", ["WK128"]),
        ("demo.pth", "../../../../demo/src\n", ["WK128"]),
        ("demo-editable.txt", "/home/me", []),
        ("demo.pth", "demo/lib\n", []),
        ("demo.pth", "# /home/me\n", []),
        ("demo.pth", "import demo; demo.start()\n", ["WK127"]),
        ("demo.pth", "important\n", []),
        (f"{DATA}/purelib/demo.pth", "import demo\n", ["WK127"]),
        ("demo/weights.pth", b"\x80\x02\xff", []),
        ("weights.pth", b"\x80\x02\xff", ["WK129"]),
        ("zero.pth", b"\0\n", []),
        ("long.pth", b"#" + "\u00e9".encode() * (1 << 15), []),
        ("long.pth", b"#" + "\u00e9".encode() * 9 + b"\xff", ["WK129"]),
        ("demo.pth", "", []),
    ],
)
def test_pth_files(tmp_path: Path, name: str, text: str | bytes, expected: list[str]) -> None:
    assert codes(tmp_path, {name: text}) == expected


@rows(
    ("names", "expected"),
    [
        (["demo/shape.py", "demo/shape/__init__.py"], "demo/shape.py is hidden by demo/shape/__init__.py"),
        (["demo/shape.py", "demo/shape/part.py"], "demo/shape/part.py is hidden by demo/shape.py"),
        (["demo/shape.py", "demo/shape/data.json"], ""),
        (
            ["demo/shape.abi3.so", "demo/shape/__init__.py"],
            "demo/shape.abi3.so is hidden by demo/shape/__init__.py",
        ),
        (["demo/shape.abi3.so", "demo/shape.py"], ""),
        (["demo/shape.pyi", "demo/shape/__init__.py"], ""),
        (
            ["shape.py", f"{DATA}/purelib/shape/__init__.py"],
            f"shape.py is hidden by {DATA}/purelib/shape/__init__.py",
        ),
        (["demo/shape.py", "demo/shapes/__init__.py"], ""),
        (["demo/my-shape.py", "demo/my-shape/__init__.py"], ""),
    ],
)
def test_hidden_modules(tmp_path: Path, names: list[str], expected: str) -> None:
    wheel = read(wheels.write_wheel(tmp_path, wheels.PURE, members=dict.fromkeys(names, "x")))
    assert [finding.what for finding in hidden.modules(wheel, Contract())] == ([expected] if expected else [])
