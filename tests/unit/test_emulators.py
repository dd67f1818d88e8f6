"""What runs interpreters of other platforms, and how they are found and asked, with scripts as emulators."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from binaries import elf, pe
from support.rows import rows
from support.scripts import Script
from wheelkit import data
from wheelkit.config.model import Config, MatrixConfig
from wheelkit.doctor import emulators as doctor
from wheelkit.machine import emulators, foreign_interpreters
from wheelkit.machine.emulators import Executable, emulator_for, examine, python_hint, runtime, why_not
from wheelkit.machine.foreign_interpreters import VARIABLE, find_foreign_pythons
from wheelkit.machine.interpreters import own_place
from wheelkit.matrix import Interpreter, System, Target

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the emulators are for Linux")
CP313 = Interpreter.parse("cp313")
S390X = elf.Shape(machine=22, order="big", interpreter=True)
PLATFORMS = ["manylinux_2_41_s390x", "manylinux2014_s390x", "linux_s390x"]


def answers(tag: str = "cp313", place: str = "linux-s390x", platforms: list[str] = PLATFORMS) -> str:
    """Return a script that answers as an interpreter under an emulator does."""
    first = json.dumps([tag, "3.13.9", False, {}, [place, own_place()[1], True]])
    second = json.dumps([platforms, {"sys_platform": "linux", "platform_machine": "s390x"}])
    return f"echo '{first}'\necho '{second}'\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the root of an s390x system with a Python, which WHEELKIT_PYTHONS names."""
    folder = tmp_path / "root"
    (folder / "usr/bin").mkdir(parents=True)
    (folder / "lib").mkdir()
    binary = elf.tiny(S390X).data
    (folder / "usr/bin/python3.13").write_bytes(binary)
    loader = examine(folder / "usr/bin/python3.13")
    assert loader is not None
    (folder / loader.loader.lstrip("/")).write_bytes(binary)
    monkeypatch.setenv(VARIABLE, str(folder))
    monkeypatch.setattr(foreign_interpreters, "candidate_paths", lambda *_: ())
    return folder


def test_every_row_can_be_run_and_got() -> None:
    table = data.table("emulators.toml")
    known = {"program", "root", "loader", "python", "executable", "runner", "folder"}
    for row in (*table["emulator"], table["loader"]):
        emulator = emulators.convert(row, emulators.Emulator)
        words = " ".join(emulator.words)
        assert not {word.partition("}")[0] for word in words.split("{")[1:]} - known
        assert "{executable}" in words
        assert python_hint(emulator, ["3.13"])
        assert emulator.slowness >= 1
    assert set(table["without"]) == {System.MACOS, System.IOS, System.ANDROID}


@rows(
    ("tag", "expected"),
    [
        ("manylinux_2_28_x86_64", "loader"),
        ("musllinux_1_2_x86_64", "loader"),
        ("manylinux_2_28_i686", "loader"),
        ("manylinux_2_28_aarch64", "qemu-aarch64"),
        ("musllinux_1_2_aarch64", "qemu-aarch64"),
        ("manylinux_2_31_armv7l", "qemu-arm"),
        ("manylinux_2_28_ppc64le", "qemu-ppc64le"),
        ("manylinux_2_28_s390x", "qemu-s390x"),
        ("manylinux_2_39_riscv64", "qemu-riscv64"),
        ("win_amd64", "wine"),
        ("win32", "wine"),
        ("pyemscripten_2026_0_wasm32", "node"),
        ("win_arm64", "no emulator for windows arm64"),
        ("macosx_11_0_arm64", "a Mac"),
        ("android_24_x86_64", "Google's emulator"),
        ("ios_13_0_arm64_iphoneos", "Xcode"),
    ],
)
def test_each_platform_has_an_emulator_or_a_reason(
    tag: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    target = Target.parse(tag)
    emulator = emulator_for(target)
    assert expected in (emulator.name if emulator else why_not(target))


@rows(
    ("tag", "expected"),
    [("manylinux_2_28_x86_64", "qemu-x86_64"), ("manylinux_2_28_aarch64", "loader")],
)
def test_another_host_emulates_other_processors(
    tag: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    emulator = emulator_for(Target.parse(tag))
    assert emulator is not None
    assert emulator.name == expected


def test_a_file_shows_what_may_run_it(tmp_path: Path) -> None:
    for name, contents, expected in (
        ("python3.13", elf.tiny(S390X).data, ("elf", "s390x")),
        ("python.exe", pe.tiny(pe.Shape()).data, ("pe", "x86_64")),
        ("pyodide.mjs", b"", ("pyodide", "wasm32")),
        ("python3", b"#!/bin/sh\n", None),
        ("python3.12", b"\x7fELF", None),
    ):
        (tmp_path / name).write_bytes(contents)
        executable = examine(tmp_path / name)
        assert (executable and (executable.format, executable.arch)) == expected
    assert examine(tmp_path / "absent") is None


def test_an_interpreter_is_asked_what_it_is(root: Path, script: Script) -> None:
    script("qemu-s390x", f'printf "%s\\n" "$@" > "{root}/words"\n{answers()}')
    emulator = emulator_for(Target.parse("manylinux_2_28_s390x"))
    assert emulator is not None
    found = find_foreign_pythons([emulator], [CP313])
    assert found.absent == {}
    (python,) = found.pythons
    assert python.runtime is not None
    assert (python.interpreter, python.version, str(python.runtime)) == (
        CP313,
        "3.13.9",
        "manylinux_2_41_s390x under qemu-s390x",
    )
    assert python.runtime.markers["platform_machine"] == "s390x"
    path = str(root / "usr/bin/python3.13")
    assert (root / "words").read_text().splitlines()[:5] == ["-L", str(root), "-0", path, path]


@rows(
    ("body", "what", "fix"),
    [
        ("", "qemu-s390x is not installed", "apt install qemu-user"),
        ("exit 1", "failed with exit status 1 under qemu-s390x", "run it by hand"),
        ("echo hello", "does not say what it is", "run it by hand"),
        ("kill -9 $$", "was ended by SIGKILL", "run it by hand"),
        (answers("cp312"), "no interpreter for linux s390x is installed (cp313)", "uv python install"),
        (
            answers(place=own_place()[0]).splitlines()[0] + "\nexit 1",
            "no interpreter for linux s390x",
            VARIABLE,
        ),
        (answers(place=own_place()[0]), "no interpreter for linux s390x is installed (cp313)", VARIABLE),
        (answers(platforms=["unknown"]), "does not say what it is", "run it by hand"),
    ],
)
def test_the_reason_is_said_without_one(body: str, what: str, fix: str, root: Path, script: Script) -> None:
    assert root.is_dir()
    if body:
        script("qemu-s390x", body)
    else:
        script("other", "")
        (script("qemu-s390x", "")).unlink()
    emulator = emulator_for(Target.parse("manylinux_2_28_s390x"))
    assert emulator is not None
    found = find_foreign_pythons([emulator], [CP313])
    assert found.pythons == ()
    assert what in found.absent[emulator].what
    assert fix in found.absent[emulator].fix


def test_another_c_library_is_run_by_its_loader(tmp_path: Path) -> None:
    emulator = emulator_for(Target.parse(f"musllinux_1_2_{own_place()[0].partition('-')[2]}"))
    assert emulator is not None
    python = tmp_path / "usr/bin/python3.13"
    loader = tmp_path / "lib/ld-musl-x.so.1"
    loader.parent.mkdir()
    loader.touch()
    executable = Executable(path=python, format="elf", arch="x86_64", loader="/lib/ld-musl-x.so.1")
    found = runtime(emulator, executable, "")
    assert (found.emulator, found.is_direct) == ("ld-musl-x.so.1", False)
    words = found.command(Path("/env/bin/python"))
    assert words[:3] == (str(loader), "--argv0", "/env/bin/python")
    assert words[-1] == str(python)
    direct = runtime(emulator, Executable(path=python, format="elf", arch="x86_64", loader=str(loader)), "")
    assert direct.is_direct
    assert direct.command(Path("/env/bin/python")) == (str(python),)


def test_hints_name_the_version() -> None:
    node = emulator_for(Target.parse("pyemscripten_2026_0_wasm32"))
    wine = emulator_for(Target.parse("win_amd64"))
    assert node is not None
    assert wine is not None
    assert python_hint(node, ["3.11", "3.13"]) == "npm install pyodide@0.29"
    assert python_hint(node, ["3.9"]) == "npm install pyodide@314"
    assert python_hint(wine, ["3.12", "3.13"]) == "uv python install cpython-3.13-windows-x86_64-none"


def test_doctor_starts_nothing(root: Path, script: Script) -> None:
    qemu = script("qemu-s390x", "exit 1")
    targets = ("manylinux_2_28_s390x", "win_amd64", "macosx_11_0_arm64")
    config = Config(root=root, matrix=MatrixConfig(targets=targets, interpreters=("cp313",)))
    lines = {line.name: line for line in doctor.emulators(config, {VARIABLE: str(root)})}
    assert {line.state.value for line in lines.values()} == {"fine"}
    assert lines["manylinux_2_28_s390x"].detail == f"{qemu}, with {root}/usr/bin/python3.13"
    assert "apt install wine64 && uv python install cpython-3.13-windows" in lines["win_amd64"].detail
    assert "not tried here" in lines["macosx_11_0_arm64"].detail
    assert list(doctor.emulators(None, {})) == []
