"""The tools of a build, as cache keys know them: a change is seen, and what does not matter is not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from wheelkit.builders.cache import tools
from wheelkit.builders.cache.store import Store
from wheelkit.machine.interpreters import Python
from wheelkit.matrix import Interpreter, System

Patch = pytest.MonkeyPatch
CP311 = Interpreter.parse("cp311")


def write(path: Path, text: str, mode: int = 0o644) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.fixture
def digest(tmp_path: Path, monkeypatch: Patch) -> Callable[[], str]:
    """Return the digest of a small package in place of wheelkit's own."""
    package = tmp_path / "wheelkit"
    for name in ("builders/cache/tools.py", "wheel/read.py", "publish/send.py", "data/findings.toml"):
        write(package / name, "1")
    monkeypatch.setattr(tools, "__file__", str(package / "builders/cache/tools.py"))
    monkeypatch.setattr(tools, "wheelkit_digest", tools.wheelkit_digest.__wrapped__)
    return tools.wheelkit_digest


@pytest.mark.parametrize(
    ("name", "decides"),
    [
        ("wheel/read.py", True),
        ("data/findings.toml", True),
        ("wheel/new.py", True),
        ("publish/send.py", False),
        ("smoke/new.py", False),
        ("release.py", False),
        ("wheel/__pycache__/read.pyc", False),
        ("wheel/read.pyi", False),
    ],
)
def test_parts_of_wheelkit_that_decide_about_wheels(
    digest: Callable[[], str], tmp_path: Path, name: str, *, decides: bool
) -> None:
    before = digest()
    assert digest() == before
    write(tmp_path / "wheelkit" / name, "2")
    assert (digest() != before) == decides


def test_a_renamed_module_decides(digest: Callable[[], str], tmp_path: Path) -> None:
    before = digest()
    (tmp_path / "wheelkit/wheel/read.py").rename(tmp_path / "wheelkit/wheel/other.py")
    assert digest() != before


def test_a_tool_is_known_by_its_version_or_else_by_its_bytes(tmp_path: Path, monkeypatch: Patch) -> None:
    for folder, name in (("first", "Some_Tool-1.2"), ("second", "some.tool-9.9"), ("second", "other-3")):
        (tmp_path / folder / f"{name}.dist-info").mkdir(parents=True)
    places = [str(tmp_path / name) for name in ("absent", "first", "second")]
    monkeypatch.setattr(tools.sys, "path", places)
    monkeypatch.setattr(tools, "installed_versions", tools.installed_versions.__wrapped__)
    program = write(tmp_path / "bin/program", "#!/bin/sh\n", 0o755)
    monkeypatch.setattr(tools, "find_program", {"program": str(program)}.get)
    found = tools.versions(["some-tool", "other", "program", "missing"])
    # The first on the path counts, as it does for Python.
    assert (found["tool some-tool"], found["tool other"]) == ("1.2", "3")
    assert found["tool missing"] == "not installed"
    write(program, "#!/bin/bash\n", 0o755)
    changed = tools.versions(["program"])
    assert changed["tool program"] not in {found["tool program"], "not installed"}


@pytest.mark.parametrize("size", [(1 << 26) - 1, (1 << 26) + 1])
def test_a_program_of_any_size_is_known(tmp_path: Path, monkeypatch: Patch, size: int) -> None:
    program = write(tmp_path / "program", "#!/bin/sh\n", 0o755)
    monkeypatch.setattr(tools, "find_program", {"program": str(program)}.get)
    monkeypatch.setattr(tools, "installed_versions", dict)
    seen = set()
    for length in (size, size, size + (1 if size > 1 << 26 else -1)):
        if program.stat().st_size != length:
            os.truncate(program, length)  # sparse
        seen.add(tools.versions(["program"])["tool program"])
    assert len(seen) == 2
    assert seen.isdisjoint({"", "not installed"})


def test_the_system_packages_and_versioned_folders_decide(tmp_path: Path, monkeypatch: Patch) -> None:
    record = write(tmp_path / "status", "a")
    monkeypatch.setattr(tools, "_PACKAGE_RECORDS", {System.LINUX: (str(record), str(tmp_path / "absent"))})
    monkeypatch.setattr(tools, "_VERSIONED_FOLDERS", {System.LINUX: (f"{tmp_path}/lib/*",)})
    seen = [tools._system_packages(System.LINUX)]
    assert tools._system_packages(System.LINUX) == seen[0]
    write(record, "b")
    seen.append(tools._system_packages(System.LINUX))
    write(tmp_path / "lib/libx-1.0/x.h", "x")
    seen.append(tools._system_packages(System.LINUX))
    (tmp_path / "lib/libx-1.0").rename(tmp_path / "lib/libx-1.1")
    seen.append(tools._system_packages(System.LINUX))
    assert len(set(seen)) == 4
    write(tmp_path / "lib/libx-1.1/x.h", "y")  # its bytes are not read
    assert tools._system_packages(System.LINUX) == seen[3]


def test_the_programs_and_the_rust_toolchain_decide(tmp_path: Path, monkeypatch: Patch) -> None:
    program = write(tmp_path / "bin/cmake", "#!/bin/sh\n", 0o755)
    monkeypatch.setattr(tools.shutil, "which", {"cmake": str(program)}.get)
    monkeypatch.setattr(tools, "find_compiler", lambda _: None)
    monkeypatch.setattr(tools, "_system_packages", lambda _: "packages")
    store, environ = Store(folder=tmp_path / "cache", limit=10_000), {"RUSTUP_HOME": str(tmp_path / "rustup")}
    before = tools.toolchain_parts(System.LINUX, store, environ)
    assert before.keys() == {"tool cmake", "the system packages", "the Rust toolchains"}
    assert before["the system packages"] == "packages"
    write(program, "#!/bin/sh\necho\n", 0o755)
    write(tmp_path / "rustup/settings.toml", "stable")
    after = tools.toolchain_parts(System.LINUX, store, environ)
    assert {name for name in before if before[name] != after[name]} == {"tool cmake", "the Rust toolchains"}


# What builds run here: compilers, linkers, build tools, and what generates sources.
PROGRAMS = (
    "ar as c++ cargo cc clang clang++ cmake g++ gcc gfortran git ld meson nasm ninja patchelf "
    "pkg-config rustc swig"
)


def test_every_program_of_a_build_decides(tmp_path: Path, monkeypatch: Patch) -> None:
    program = write(tmp_path / "bin/any", "#!/bin/sh\n", 0o755)
    monkeypatch.setattr(tools.shutil, "which", lambda _name: str(program))
    monkeypatch.setattr(tools, "find_compiler", lambda _: None)
    monkeypatch.setattr(tools, "_system_packages", lambda _: "packages")
    store = Store(folder=tmp_path / "cache", limit=10_000)
    parts = tools.toolchain_parts(System.LINUX, store, {"RUSTUP_HOME": str(tmp_path)})
    found = sorted(name.removeprefix("tool ") for name in parts if name.startswith("tool "))
    assert found == PROGRAMS.split()


# Where package managers record what they have installed, and where versions are in the names of folders.
RECORDED = {
    System.LINUX: [
        "/lib/apk/db/installed",
        "/usr/lib/sysimage/rpm/rpmdb.sqlite",
        "/usr/local/lib/libx-1",
        "/var/lib/dpkg/status",
        "/var/lib/pacman/local/x-1",
        "/var/lib/rpm/rpmdb.sqlite",
    ],
    System.MACOS: [
        "/Library/Developer/CommandLineTools/SDKs/MacOSX15.sdk",
        "/Library/Receipts/InstallHistory.plist",
        "/opt/homebrew/Cellar/x/1",
        "/usr/local/Cellar/x/1",
    ],
    System.WINDOWS: [
        "/Program Files (x86)/Microsoft Visual Studio/2022/BuildTools/VC/Tools/MSVC/14.40",
        "/Program Files (x86)/Windows Kits/10/Include/10.0.1",
    ],
}


@pytest.mark.parametrize("system", RECORDED)
def test_where_package_managers_leave_their_marks(system: System) -> None:
    known = (*tools._PACKAGE_RECORDS[system], *tools._VERSIONED_FOLDERS[system])
    unmatched = [
        path for path in RECORDED[system] if not any(PurePosixPath(path).match(text) for text in known)
    ]
    assert unmatched == []
    assert [
        text for text in known if not any(PurePosixPath(path).match(text) for path in RECORDED[system])
    ] == []


def test_an_interpreter_is_asked_again_when_its_files_or_the_packages_change(
    tmp_path: Path, monkeypatch: Patch
) -> None:
    python = write(tmp_path / "python3.11", "1", 0o755)
    asked: list[bool] = []

    def find(_interpreters: object, _environ: object) -> dict[str, Python]:
        asked.append(True)
        if not python.exists():
            return {}
        return {"cp311": Python(interpreter=CP311, path=python, version="3.11.9", headers=len(asked) > 2)}

    monkeypatch.setattr(tools, "find_pythons", find)
    monkeypatch.setattr(tools, "candidate_paths", lambda *_: [python])
    store = Store(folder=tmp_path / "cache", limit=10_000)

    def parts(packages: str = "p") -> str:
        return tools.interpreter_parts([CP311], packages, store, {})["interpreter cp311"]

    assert [parts(), parts()] == [f"3.11.9 {python} without headers"] * 2
    assert len(asked) == 1
    parts("q")
    assert len(asked) == 2
    write(python, "22", 0o755)
    assert parts() == f"3.11.9 {python} with headers"
    python.unlink()
    assert parts() == "not installed"
