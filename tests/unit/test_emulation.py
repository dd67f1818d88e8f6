"""Which wheels are tried under emulators, how their environments are made, and what is said of the others."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from support.rows import rows
from support.smoke_wheels import make
from wheelkit.__main__ import main
from wheelkit.errors import OutputError
from wheelkit.machine.emulators import Runtime, emulator_for
from wheelkit.machine.foreign_interpreters import Absence, ForeignPythons
from wheelkit.machine.interpreters import Python
from wheelkit.matrix import Interpreter, Target
from wheelkit.smoke import foreign_environments, install, wheels
from wheelkit.smoke.emulation import foreign_packages, installable, plan_emulation
from wheelkit.smoke.environments import Environment
from wheelkit.smoke.model import Case, CaseResult, InstallMode, NotRun, SmokeResult
from wheelkit.smoke.plan import SmokeInputs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the emulators are for Linux")
CP313 = Interpreter.parse("cp313")
LINUX = Target.parse("manylinux_2_28_x86_64")
AARCH64 = "cp311-abi3-manylinux_2_28_aarch64"
HERE = "cp311-abi3-manylinux_2_28_x86_64"


def python(tag: str, emulator: str = "qemu", file_format: str = "elf", **more: Any) -> Python:
    words = more.pop("words", ("/bin/qemu", "-0", "{executable}", "/root/python"))
    runtime = Runtime(
        emulator=emulator, format=file_format, words=words, target=Target.parse(tag), slowness=10, **more
    )
    path = Path("/root/python")
    return Python(interpreter=CP313, path=path, version="3.13.9", headers=False, runtime=runtime)


def inputs(folder: Path) -> SmokeInputs:
    packages = tuple(map(wheels.read_package, wheels.list_wheels(folder)))
    names = frozenset(package.key for package in packages)
    return SmokeInputs(packages=packages, family=names, target=LINUX)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return what is installed: interpreters, and the reasons for which others are absent."""
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    here: dict[str, Any] = {"pythons": (), "absent": {}}
    monkeypatch.setattr(
        "wheelkit.smoke.emulation.find_foreign_pythons",
        lambda needed, wanted: (
            here.update(needed=list(needed), wanted=wanted)
            or ForeignPythons(pythons=here["pythons"], absent=here["absent"])
        ),
    )
    return here


def test_a_wheel_is_tried_by_the_interpreter_of_its_platform(tmp_path: Path, found: dict[str, Any]) -> None:
    for tag in (HERE, AARCH64, "cp313-cp313-win_amd64"):
        make(tmp_path, "core", tag=tag, entries="[console_scripts]\nrun = core:main\n")
    make(tmp_path, "cli", needs=("core", 'colorama; sys_platform == "win32"'))
    windows = {"sys_platform": "win32", "python_version": "3.13", "python_full_version": "3.13.9"}
    found["pythons"] = (
        python("manylinux_2_41_aarch64", "qemu-aarch64"),
        python("win_amd64", "wine", "pe", markers=windows),
    )
    emulation = plan_emulation(inputs(tmp_path), [CP313])
    assert emulation.not_run == ()
    assert [emulator.name for emulator in found["needed"]] == ["qemu-aarch64", "wine"]
    assert [(case.title, case.packages["core"].path.name.split("-")[-1]) for case in emulation.cases] == [
        ("core on cp313, manylinux_2_41_aarch64 under qemu-aarch64", "manylinux_2_28_aarch64.whl"),
        ("the family on cp313, manylinux_2_41_aarch64 under qemu-aarch64", "manylinux_2_28_aarch64.whl"),
        ("core on cp313, win_amd64 under wine", "win_amd64.whl"),
        ("the family on cp313, win_amd64 under wine", "win_amd64.whl"),
    ]
    assert {case.mode for case in emulation.cases} == {InstallMode.ENVIRONMENT}


def test_markers_are_those_of_the_other_platform(tmp_path: Path, found: dict[str, Any]) -> None:
    make(tmp_path, "core", tag="cp313-cp313-win_amd64", needs=('helper; sys_platform == "win32"',))
    make(tmp_path, "helper", tag=HERE)
    found["pythons"] = (python("win_amd64", "wine", "pe", markers={"sys_platform": "win32"}),)
    (case,) = plan_emulation(inputs(tmp_path), [CP313]).cases
    assert "core requires helper, a member of the family" in case.problem
    found["pythons"] = (python("win_amd64", "wine", "pe", markers={"sys_platform": "cygwin"}),)
    (case,) = plan_emulation(inputs(tmp_path), [CP313]).cases
    assert case.problem == ""


def test_what_is_not_tried_has_a_reason(tmp_path: Path, found: dict[str, Any]) -> None:
    tags = (HERE, AARCH64, "cp311-cp311-win_amd64", "cp311-abi3-macosx_11_0_arm64", "cp311-abi3-plan9_1")
    for tag in tags:
        make(tmp_path, "core", tag=tag)
    qemu = emulator_for(Target.parse("manylinux_2_28_aarch64"))
    assert qemu is not None
    found["pythons"] = (python("win_amd64", "wine", "pe"),)
    found["absent"] = {qemu: Absence(what="qemu is not installed", fix="apt install qemu-user")}
    emulation = plan_emulation(inputs(tmp_path), [CP313])
    assert emulation.cases == ()
    reasons = {wheel.file.split("-")[-1]: wheel for wheel in emulation.not_run}
    assert reasons["manylinux_2_28_aarch64.whl"] == NotRun(
        file=f"core-1.0-{AARCH64}.whl",
        what="qemu is not installed",
        fix="apt install qemu-user",
        missing=True,
    )
    assert (
        "no interpreter that it fits is installed for windows amd64 (cp313)" in reasons["win_amd64.whl"].what
    )
    assert reasons["win_amd64.whl"].missing
    assert "a Mac" in reasons["macosx_11_0_arm64.whl"].what
    assert not reasons["macosx_11_0_arm64.whl"].missing
    assert "not known" in reasons["plan9_1.whl"].what


def test_what_needs_a_wheel_for_elsewhere_is_not_tried_here(tmp_path: Path) -> None:
    make(tmp_path, "core", tag=AARCH64)
    make(tmp_path, "cli", needs=("core",))
    make(tmp_path, "extra", needs=("cli",))
    make(tmp_path, "other")
    packages = inputs(tmp_path).packages
    assert [package.key for package in installable(packages, LINUX)] == ["other"]
    assert [package.key for package in foreign_packages(packages, LINUX)] == ["core"]


# Environments.


def test_the_launcher_serves_uv_shebang_lines_and_children(tmp_path: Path) -> None:
    qemu = tmp_path / "qemu"
    qemu.write_text(f'#!/bin/sh\nshift 3\nexec {sys.executable} "$@"\n')
    qemu.chmod(0o755)
    foreign = python(
        "manylinux_2_41_aarch64", words=(str(qemu), "-0", "{executable}", "x"), env={"A_B": "it's"}
    )
    environment = Environment(folder=tmp_path / "with space")
    assert foreign.runtime is not None
    foreign_environments.create(environment, foreign, foreign.runtime)
    script = environment.venv / "bin/run"
    script.write_text(f"#!{environment.python}\nimport os, sys; print(os.environ['A_B'], sys.argv[1:])\n")
    script.chmod(0o755)
    done = subprocess.run(
        [environment.python, str(script), "a b", "$c"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "it's ['a b', '$c']\n"
    assert "home = /root\n" in (environment.venv / "pyvenv.cfg").read_text()
    with pytest.raises(OutputError):
        foreign_environments.create(environment, foreign, foreign.runtime)


def test_scripts_for_windows_are_started_by_the_launcher(tmp_path: Path) -> None:
    (tmp_path / "python.exe").write_bytes(b"MZ")
    foreign = replace(python("win_amd64", "wine", "pe"), path=tmp_path / "python.exe")
    environment = Environment(folder=tmp_path / "case")
    assert foreign.runtime is not None
    foreign_environments.create(environment, foreign, foreign.runtime)
    assert (environment.venv / "Scripts/python.exe").read_bytes() == b"MZ"
    assert str(environment.venv / "Scripts/python.exe") in Path(environment.python).read_text()
    settings = (environment.venv / "pyvenv.cfg").read_text()
    assert "home = Z:" + str(tmp_path).replace("/", "\\") in settings
    written = foreign_environments.site_packages(environment) / "bin"
    written.mkdir()
    (written / "run").write_bytes(b"#!Z:\\x\\python.exe\nprint(1)\n")
    (written / "run.exe").write_bytes(b"MZ")
    foreign_environments.adopt_scripts(environment)
    assert (environment.venv / "bin/run").read_text() == f"#!{environment.python}\nprint(1)\n"
    assert not (environment.venv / "bin/run.exe").exists()


@rows(("tag", "file_format", "target"), [("win_amd64", "pe", 1), ("manylinux_2_41_s390x", "elf", 0)])
def test_uv_asks_the_launcher(tag: str, file_format: str, target: int, tmp_path: Path) -> None:
    make(tmp_path, "core", tag=f"cp311-abi3-{tag}")
    (package,) = inputs(tmp_path).packages
    case = Case(
        distribution="core", mode=InstallMode.ENVIRONMENT, python=python(tag, file_format=file_format),
        requirements=("core",), packages={"core": package}, needed={"core": ()}, checked=("core",),
    )  # fmt: skip
    environment = Environment(folder=tmp_path / "case")
    (command,) = install.foreign_commands("uv", case, environment, install.Source(offline=True))
    words = " ".join(command.argv)
    assert f"--python {environment.venv}/bin/python" in words
    assert words.count("--target") == target


# What the command says.


def results(*cases: CaseResult, missing: bool = False) -> SmokeResult:
    wheel = NotRun(
        file="core-1.0-x.whl", what="wine is not installed", fix="apt install wine64", missing=missing
    )
    return SmokeResult(results=cases, not_run=(wheel,), order=("core",))


@rows(
    ("words", "code"),
    [("--emulate", 3), ("--emulate --keep", 0), ("--keep", 0), ("--emulate --pip", 2)],
)
def test_only_emulate_requires_emulators(
    words: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    missing = words != "--emulate --keep"
    monkeypatch.setattr("wheelkit.cli.smoke.smoke", lambda *_: results(missing=missing))
    assert main(["smoke", ".", *words.split()]) == code
    output = capsys.readouterr().err
    if code == 3:
        assert "1 wheel for other platforms could not be tried here" in output
        assert "apt install wine64" in output
    if code == 0:
        assert "not run: core-1.0-x.whl: wine is not installed\n" in output


def test_without_the_option_other_platforms_are_one_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path, "core", tag=AARCH64)
    make(tmp_path, "core", tag=HERE)
    monkeypatch.chdir(tmp_path)
    own = Python(interpreter=CP313, path=Path("/p"), version="3.13.9", headers=True)
    monkeypatch.setattr("wheelkit.smoke.smoke.find_pythons", lambda *_: {"cp313": own})
    monkeypatch.setattr("wheelkit.smoke.smoke.facts.own_target", lambda *_: LINUX)
    monkeypatch.setattr("wheelkit.smoke.smoke.run_cases", lambda *_: ())
    assert main(["smoke", ".", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    (wheel,) = document["not_run"]
    assert wheel["file"] == f"core-1.0-{AARCH64}.whl"
    assert "--emulate" in wheel["fix"]


def test_results_are_shown_by_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path, "core", tag=AARCH64)
    (package,) = inputs(tmp_path).packages
    case = Case(
        distribution="core", mode=InstallMode.ENVIRONMENT,
        python=python("manylinux_2_41_aarch64", "qemu-aarch64"), requirements=("core",),
        packages={"core": package}, needed={"core": ()}, checked=("core",),
    )  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("wheelkit.cli.smoke.smoke", lambda *_: results(CaseResult(case=case, checks=2)))
    assert main(["smoke", "."]) == 0
    text = capsys.readouterr().out
    assert "manylinux_2_41_aarch64 under qemu-aarch64\n  distribution" in text
    assert main(["smoke", ".", "--json"]) == 0
    (shown,) = json.loads(capsys.readouterr().out)["cases"]
    assert (shown["platform"], shown["emulator"]) == ("manylinux_2_41_aarch64", "qemu-aarch64")
