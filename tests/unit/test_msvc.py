"""Microsoft's compiler: on PATH, or where vswhere says; a shell script plays vswhere's part."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from wheelkit.doctor import tools
from wheelkit.doctor.model import LineState
from wheelkit.machine.msvc import Msvc, find_msvc

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="replaces programs by shell scripts")
TOOLS = "VC/Auxiliary/Build/Microsoft.VCToolsVersion.default.txt"


def write_program(path: Path, body: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "bin").mkdir()
    return {"PATH": str(tmp_path / "bin"), "ProgramFiles(x86)": str(tmp_path / "x86")}


@pytest.fixture
def vswhere(tmp_path: Path) -> Path:
    return tmp_path / "x86/Microsoft Visual Studio/Installer/vswhere.exe"


def test_vswhere_names_the_newest_installation_with_the_cpp_tools(
    tmp_path: Path, environ: dict[str, str], vswhere: Path
) -> None:
    assert find_msvc(environ) is None
    installation = tmp_path / "VS"
    write_program(vswhere, f'echo "$*" > {tmp_path}/asked; echo {installation}')
    assert find_msvc(environ) == Msvc(version="", place=str(installation))
    asked = (tmp_path / "asked").read_text()
    assert "-latest" in asked
    assert "-products * -requires Microsoft.VisualStudio.Component.VC.Tools." in asked
    (installation / TOOLS).parent.mkdir(parents=True)
    (installation / TOOLS).write_text("14.44.35207\n")
    assert str(find_msvc(environ)) == f"MSVC 14.44.35207, {installation}"


@pytest.mark.parametrize("body", ["exit 0", "echo broken; exit 1"])
def test_an_installation_without_the_cpp_tools_is_none(
    environ: dict[str, str], vswhere: Path, body: str
) -> None:
    write_program(vswhere, body)
    assert find_msvc(environ) is None


def test_the_compiler_of_a_developers_prompt_comes_first(
    tmp_path: Path, environ: dict[str, str], vswhere: Path
) -> None:
    write_program(vswhere, "echo elsewhere")
    write_program(tmp_path / "bin/cl", "")
    prompt = {**environ, "VCToolsVersion": "14.40.33807"}
    assert find_msvc(prompt) == Msvc(version="14.40.33807", place=str(tmp_path / "bin/cl"))


def test_doctor_names_the_compiler_of_windows(
    tmp_path: Path, environ: dict[str, str], vswhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", environ["PATH"])
    monkeypatch.setattr("platform.system", lambda: "Windows")
    line = tools.compiler(environ)
    assert (line.state, line.name) == (LineState.MISSING, "C compiler")
    assert line.detail == "no C compiler was found (looked for $CC, cl on PATH, and MSVC by vswhere)"
    assert line.fix.startswith("winget install Microsoft.VisualStudio.2022.BuildTools")
    write_program(tmp_path / "bin/gcc", "echo gcc 14")
    line = tools.compiler(environ)
    assert (line.state, line.detail) == (
        LineState.WARNING,
        "gcc, but no MSVC, with which Python for Windows is built and which most backends need",
    )
    write_program(vswhere, f"echo {tmp_path}")
    line = tools.compiler(environ)
    assert (line.state, line.detail) == (LineState.FINE, f"MSVC, {tmp_path}")
    own = tools.compiler({**environ, "CC": "gcc"})
    assert (own.state, own.detail) == (LineState.FINE, "gcc: gcc 14")


def test_doctor_says_where_the_headers_of_windows_come_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.system", lambda: "Windows")
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(tmp_path))
    assert tools.headers().fix == "install Python from python.org or with uv; both bring its headers"
