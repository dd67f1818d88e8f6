"""Sources outside of a project's folder are found, and a dist script is written that copies them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.rows import rows
from wheelkit.__main__ import main
from wheelkit.project.outside import outside_files

Capture = pytest.CaptureFixture[str]
MESON = """[build-system]
requires = ["meson-python"]
build-backend = "mesonpy"
[project]
name = "x"
version = "1"
"""
SETUPTOOLS = MESON.replace("meson-python", "setuptools").replace("mesonpy", "setuptools.build_meta")


def repository(top: Path, files: dict[str, str]) -> Path:
    (top / ".git").mkdir()
    for name in ("src/x.c", "src/x.h", "include/y.h", "include/sub/z.h", "README.md"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(name)
    for name, text in files.items():
        (top / "python" / name).parent.mkdir(parents=True, exist_ok=True)
        (top / "python" / name).write_text(text)
    return top / "python"


@rows(
    ("files", "found"),
    [
        ({"meson.build": "files('../src/x.c')"}, ["../src/x.c", "../src/x.h"]),
        ({"core/meson.build": "'../../src/x.h'"}, ["../src/x.h"]),
        ({"meson.build": "include_directories('../include')"}, ["../include/y.h"]),
        ({"setup.py": "Extension('x', ['../src/x.c', '../src/gone.c'])"}, ["../src/x.c", "../src/x.h"]),
        ({"CMakeLists.txt": "add_library(x ../src/x.c)"}, ["../src/x.c", "../src/x.h"]),
        ({"meson.build": "files('x.c')", "x.c": ""}, []),
        ({"core/meson.build": "files('../x.c')", "x.c": ""}, []),
        ({"meson.build": "'../README.md ../../../etc/passwd ../src'"}, ["../src/x.h"]),
        ({"tests/meson.build": "files('../../src/x.c')"}, []),
    ],
)
def test_what_build_files_name_outside_is_found(
    tmp_path: Path, files: dict[str, str], found: list[str]
) -> None:
    assert list(outside_files(repository(tmp_path, files), tmp_path)) == found


def test_a_meson_project_gets_a_dist_script_that_copies_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    root = repository(
        tmp_path, {"pyproject.toml": MESON, "meson.build": "extension_module('x', '../src/x.c')"}
    )
    monkeypatch.chdir(root)
    assert main(["init", "--offline", "--yes"]) == 0
    shown = capsys.readouterr()
    assert "copy_outside.py copies 2 files outside of the project's folder, ../src/x.c, ../src/x.h" in (
        " ".join(shown.err.split())
    )
    assert f"or move pyproject.toml up to {tmp_path}" in " ".join(shown.err.split())
    assert "meson.add_dist_script(" in shown.err
    env = {"MESON_SOURCE_ROOT": str(root), "MESON_DIST_ROOT": str(tmp_path / "dist")}
    subprocess.run([sys.executable, root / "copy_outside.py"], env=env, check=True)
    copied = [path.relative_to(tmp_path).as_posix() for path in sorted((tmp_path / "dist").rglob("*.*"))]
    assert copied == ["dist/outside/src/x.c", "dist/outside/src/x.h"]


def test_another_backend_is_told_the_ways_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    setup = "from setuptools import Extension, setup\nsetup(ext_modules=[Extension('x', ['../src/x.c'])])\n"
    root = repository(tmp_path, {"pyproject.toml": SETUPTOOLS, "setup.py": setup})
    monkeypatch.chdir(root)
    assert main(["init", "--offline", "--yes"]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "the build names 2 files outside of the project's folder, ../src/x.c, ../src/x.h" in said
    assert f"or move pyproject.toml up to {tmp_path}" in said
    assert not (root / "copy_outside.py").exists()


def test_a_script_that_is_there_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"pyproject.toml": MESON, "meson.build": "extension_module('x', '../src/x.c')"}
    root = repository(tmp_path, {**files, "copy_outside.py": "mine"})
    monkeypatch.chdir(root)
    assert main(["init", "--offline", "--yes"]) == 0
    assert (root / "copy_outside.py").read_text() == "mine"
