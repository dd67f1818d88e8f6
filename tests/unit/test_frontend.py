"""How an sdist or a wheel is built with uv, and how failures of it are explained."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.rows import rows
from wheelkit.builders import frontend
from wheelkit.errors import MissingToolError, ProjectError, ToolFailedError
from wheelkit.machine import interpreters
from wheelkit.machine.interpreters import Python, python_for
from wheelkit.machine.process import Command, Completed, find_tool
from wheelkit.machine.progress import Progress
from wheelkit.machine.workspace import Workspace
from wheelkit.matrix import Interpreter
from wheelkit.plan.make import import_test
from wheelkit.project.kinds import Kind
from wheelkit.project.read import Distribution

RUNNING = f"{sys.version_info[0]}.{sys.version_info[1]}"


def python(tag: str, version: str) -> dict[str, Python]:
    return {
        tag: Python(
            interpreter=Interpreter.parse(tag), path=Path(f"/opt/{tag}"), version=version, headers=False
        )
    }


@rows(
    ("required", "wanted"),
    [
        (None, sys.executable),
        (f">={RUNNING}", sys.executable),
        (">=3.9,<3.10", "/opt/cp39"),
        (">=3.9.7,<3.10", ">=3.9.7,<3.10"),
        ("==3.7.*", "==3.7.*"),
        ("not a version", sys.executable),
    ],
)
def test_an_interpreter_builds_that_requires_python_admits(
    monkeypatch: pytest.MonkeyPatch, required: str | None, wanted: str
) -> None:
    here = python("cp39", "3.9.2")
    monkeypatch.setattr(
        interpreters,
        "find_pythons",
        lambda asked: {tag: one for tag, one in here.items() if one.interpreter in asked},
    )
    assert python_for(required) == wanted


def workspace(tmp_path: Path, output: str, returncode: int = 2) -> tuple[Workspace, list[Command]]:
    asked: list[Command] = []

    def run(command: Command, /) -> Completed:
        asked.append(command)
        return Completed(returncode=returncode, output=output, log=tmp_path / "log")

    return Workspace(folder=tmp_path, log=tmp_path / "log", run=run, progress=Progress()), asked


def demo(tmp_path: Path, required: str | None = None) -> Distribution:
    return Distribution(
        name="demo", version="1", kind=Kind.PURE, source=tmp_path / "demo", requires_python=required
    )


def test_a_missing_python_is_named_with_the_requirement(tmp_path: Path) -> None:
    output = "error: No interpreter found for Python >=3.99 in managed installations or search path\n"
    space, asked = workspace(tmp_path, output)
    with pytest.raises(
        MissingToolError, match=r'demo says requires-python = ">=3\.99", and no such'
    ) as caught:
        frontend.uv_build("sdist", tmp_path, demo(tmp_path, ">=3.99"), space)
    assert asked[0].argv[asked[0].argv.index("--python") + 1] == ">=3.99"
    assert caught.value.hint == 'uv python install ">=3.99"   or run wheelkit with such a Python'
    with pytest.raises(MissingToolError, match=r"No interpreter found for Python >=3\.99") as caught:
        frontend.uv_build("sdist", tmp_path, demo(tmp_path), space)
    assert "uv python list" in caught.value.hint


@rows(
    ("output", "error"),
    [
        ("x.c:1:10: fatal error: Python.h: No such file or directory", MissingToolError),
        ("x.c:1:10: fatal error: Other.h: No such file or directory", ToolFailedError),
    ],
)
def test_missing_headers_of_python_are_a_missing_tool(
    tmp_path: Path, output: str, error: type[Exception]
) -> None:
    space, _ = workspace(tmp_path, f"{output}\n")
    with pytest.raises(error) as caught:
        frontend.uv_build("wheel", tmp_path, demo(tmp_path), space)
    assert ("(Python.h) are not installed" in str(caught.value)) == (error is MissingToolError)


def test_uv_says_that_no_python_is_found_in_the_words_that_are_read(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "demo"\nversion = "1"\n')
    command = [
        find_tool("uv"),
        "build",
        "--no-python-downloads",
        "--python",
        ">=3.99",
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    space, _ = workspace(tmp_path, done.stderr)
    with pytest.raises(MissingToolError, match="no such Python"):
        frontend.uv_build("sdist", tmp_path, demo(tmp_path, ">=3.99"), space)


@rows(
    ("output", "file"),
    [
        ("cc1: fatal error: ../src/x.c: No such file or directory", "../src/x.c"),
        ("meson.build:3:0: ERROR: File ../src/x.c does not exist.", "../src/x.c"),
        ("CMake Error: Cannot find source file:\n  ../src/x.c", None),
        ("  Cannot find source file: ../src/x.c", "../src/x.c"),
        ("error: package directory '../src/x.c' does not exist", "../src/x.c"),
        ("FileNotFoundError: [Errno 2] No such file or directory: '../src/x.c'", "../src/x.c"),
        ("gcc -c ../src/x.c", None),
        ("x.c:1: fatal error: ../src/other.h: No such file or directory", None),
        ("x.c:1: fatal error: ../demo/inside.h: No such file or directory", None),
        ("/usr/../src/x.c: No such file or directory", None),
    ],
)
def test_a_file_outside_of_the_project_is_explained_with_the_ways_out(
    tmp_path: Path, output: str, file: str | None
) -> None:
    for path in (tmp_path / "src/x.c", tmp_path / "demo/inside.h"):
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    space, _ = workspace(tmp_path, f"{output}\n")
    with pytest.raises(ProjectError if file else ToolFailedError) as caught:
        frontend.uv_build("wheel", tmp_path, demo(tmp_path), space)
    if file:
        assert caught.value.message.startswith(f"the build of demo needs {file}, which is outside")
        assert caught.value.hint is not None
        assert "add_dist_script" in caught.value.hint
        assert f"move pyproject.toml up to {tmp_path}\n" in caught.value.hint


@pytest.mark.parametrize("data", [b"PyInit__x", b"PyInitU__x", b"PyModExport__x", b"no module"])
def test_the_default_test_imports_modules_and_leaves_other_libraries_alone(
    tmp_path: Path, data: bytes
) -> None:
    info = tmp_path / "demo-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: demo\nVersion: 1\n")
    (info / "RECORD").write_text("demo/_x.abi3.so,,\n")
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo/_x.abi3.so").write_bytes(data)
    code = import_test("demo").removeprefix('python -c "').removesuffix('"')
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode == 0) is (data == b"no module")
    assert ("_x.abi3.so" in done.stderr) is (data != b"no module")
