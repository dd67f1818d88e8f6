"""What a smoke test runs in each environment and says of it, without uv and without Python."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from support.smoke_wheels import make, unpacked
from wheelkit.cli import smoke as output
from wheelkit.config import Config
from wheelkit.errors import ToolFailedError
from wheelkit.machine.interpreters import Python
from wheelkit.machine.process import Command, Completed
from wheelkit.machine.progress import Progress
from wheelkit.machine.workspace import Workspace
from wheelkit.matrix import Interpreter, Target
from wheelkit.smoke import plan, wheels
from wheelkit.smoke.environments import Environments
from wheelkit.smoke.install import Source
from wheelkit.smoke.model import Case, CaseResult, Failure, InstallMode
from wheelkit.smoke.run import SmokeRequest, run_cases

CP311 = Interpreter.parse("cp311")
HERE = Python(interpreter=CP311, path=Path(sys.executable), version="3.11.9", headers=True)
LINUX = Target.parse("manylinux_2_28_x86_64")
INSTALL, PROBE = " install --", "wheelkit-probe"
DONE = f"{PROBE} {{'ended': 'x'}}\n"
Ended = Completed


@dataclass
class Programs:
    """Answers for every program: the first answer whose words are in the command, else success.

    An installation unpacks the wheels.
    """

    log: Path
    case: Case
    venv: Path
    answers: Mapping[str, Completed]
    asked: list[str]

    def __call__(self, command: Command, /) -> Completed:
        line = " ".join(command.argv)
        self.log.parent.mkdir(exist_ok=True)
        self.log.write_text(line)
        self.asked.append(line)
        answer = next((self.answers[words] for words in self.answers if words in line), None)
        if answer is None and INSTALL in line:
            for key in self.case.needed:
                package = self.case.packages[key]
                unpacked(self.venv, package, package.path.as_uri())
        return answer or Completed(returncode=0, output=DONE if PROBE in line else "")


@dataclass
class Scene(Progress):
    """Cases of wheels in a folder, their environments, and what the user saw."""

    folder: Path
    answers: dict[str, Completed] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    ended: list[tuple[str, bool]] = field(default_factory=list)
    pip: bool = False
    keep: bool = False

    def end(self, label: str, seconds: float, *, ok: bool = True) -> None:
        assert seconds >= 0
        self.ended.append((label, ok))

    def cases(self, **commands: list[str]) -> list[Case]:
        found = tuple(wheels.read_package(path) for path in wheels.list_wheels(self.folder / "dist"))
        names = frozenset(package.key for package in found)
        inputs = plan.SmokeInputs(packages=found, family=names, target=LINUX, commands=commands)
        return list(plan.plan_cases(inputs, [HERE]))

    def run(self, *cases: Case) -> tuple[CaseResult, ...]:
        source = Source(offline=True)
        request = SmokeRequest(
            dist=self.folder / "dist", source=source, config=Config(root=self.folder), pip=self.pip, jobs=1
        )
        workspace = Workspace(
            folder=self.folder,
            log=self.folder / "logs/smoke.log",
            run=self,
            progress=self,
        )
        environments = Recorded(folder=self.folder / "envs", workspace=workspace, keep=self.keep)
        return run_cases(cases, request, frozenset(cases[0].packages), environments)

    def __call__(self, command: Command) -> Completed:
        raise AssertionError(command)


class Recorded(Environments, frozen=True, kw_only=True):
    """Environments whose programs are those of a scene."""

    def logged_run(self, case: Case) -> Any:
        scene = self.workspace.progress
        assert isinstance(scene, Scene)
        log = super().logged_run(case).log
        return Programs(log, case, self.environment(case).venv, scene.answers, scene.asked)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    dist = tmp_path / "dist"
    make(dist, "core")
    make(dist, "cli", needs=("core",), entries="[console_scripts]\nrun = cli:main\nother = cli:main\n")
    return Scene(tmp_path)


def labelled(cases: list[Case], label: str, mode: InstallMode = InstallMode.ENVIRONMENT) -> Case:
    (case,) = (case for case in cases if (case.label, case.mode) == (label, mode))
    return case


def programs(asked: list[str]) -> list[str]:
    return [Path(line).name for line in asked if INSTALL not in line and "venv" not in line.split()]


def test_a_case_that_passes_leaves_neither_log_nor_failures(scene: Scene) -> None:
    (result,) = scene.run(labelled(scene.cases(), "core"))
    assert (result.ok, result.checks, result.log, result.kept) == (True, 2, None, None)
    assert list((scene.folder / "logs").iterdir()) == []
    assert scene.ended == [("core on cp311", True)]
    scene.keep = True
    (result,) = scene.run(labelled(scene.cases(), "core"))
    assert result.kept == scene.folder / "envs/core-cp311-environment-3-11-9"


def test_a_failed_installation_is_the_only_check(scene: Scene) -> None:
    scene.answers[INSTALL] = Completed(returncode=1, output="error: no solution")
    (result,) = scene.run(labelled(scene.cases(cli=["run x"]), "cli"))
    assert (len(result.failures), result.checks) == (1, 1)
    assert result.log is not None
    assert result.log.is_file()
    assert len(scene.asked) == 2
    assert scene.ended == [("cli on cp311", False)]


def test_a_wheel_that_was_not_installed_from_the_dist_is_reported(scene: Scene) -> None:
    case = labelled(scene.cases(), "core")
    other = scene.folder / "other"
    make(other, "core")
    squatter = wheels.read_package(next(other.iterdir()))
    unpacked(scene.folder / "envs/core-cp311-environment-3-11-9/env", squatter, None)
    scene.answers[INSTALL] = Completed(returncode=0, output="")
    (result,) = scene.run(case)
    assert [failure.check for failure in result.failures] == ["the installed files"]


def test_a_module_that_cannot_be_imported_is_reported(scene: Scene) -> None:
    report = {
        "check": "import core",
        "kind": "raised",
        "exception": "ValueError",
        "error": "x",
        "traceback": "y",
    }
    scene.answers[PROBE] = Completed(returncode=0, output=f"{PROBE} {report!r}\n{DONE}")
    (result,) = scene.run(labelled(scene.cases(), "core"))
    assert [(failure.check, failure.what) for failure in result.failures] == [
        ("import core", "ValueError: x")
    ]


@pytest.mark.parametrize(
    ("answer", "what", "fix"),
    [
        (Ended(returncode=3, output="a\nb"), "failed with exit status 3", ""),
        (Ended(returncode=-9, output="a\nb"), "was ended by SIGKILL", "free some memory"),
        (Ended(returncode=124, output="a\nb", timed_out=True), "timed out after 60 s", "--timeout SECONDS"),
        (
            Ended(returncode=1, output="a\nb\nModuleNotFoundError: No module named 'numpy'"),
            "failed with exit status 1: ",
            "add what provides it to dependencies",
        ),
    ],
)
def test_a_command_that_fails_is_shown_with_its_last_lines(
    scene: Scene, answer: Completed, what: str, fix: str
) -> None:
    case = labelled(scene.cases(cli=["run x", "run y"]), "cli")
    scene.answers["run x"] = answer
    (result,) = scene.run(case)
    (failure,) = result.failures
    assert (failure.check, failure.detail[:3], result.checks) == ("run x", "a\nb", 4)
    assert failure.what.startswith(what)
    assert fix in failure.fix
    assert bool(failure.fix) == bool(fix)
    assert result.log is not None
    assert result.log.is_file()


def test_a_failure_shows_fourteen_lines(scene: Scene) -> None:
    scene.answers["run x"] = Completed(returncode=1, output="\n".join(map(str, range(20))))
    (result,) = scene.run(labelled(scene.cases(cli=["run x"]), "cli"))
    assert result.failures[0].detail.split("\n") == [str(number) for number in range(6, 20)]


@pytest.mark.parametrize("words", [INSTALL, PROBE, "run x"])
def test_a_full_disk_says_nothing_about_wheels(scene: Scene, words: str) -> None:
    scene.answers[words] = Completed(returncode=1, output="OSError: [Errno 28] No space left on device")
    case = labelled(scene.cases(cli=["run x"]), "cli")
    with pytest.raises(ToolFailedError, match="cli on cp311: "):
        scene.run(case)
    # The words alone are no failure where the program succeeds.
    scene.answers[words] = replace(scene.answers[words], returncode=0)
    if words == "run x":
        assert scene.run(case)[0].ok


def test_each_script_runs_once_per_kind_of_environment(scene: Scene) -> None:
    planned = scene.cases(cli=["run x"])
    family, tool = labelled(planned, "the family"), labelled(planned, "cli", InstallMode.TOOL)
    alone = labelled(planned, "cli")
    expected = {
        "cli": ["run x"],  # its scripts run in the tool's environment
        "the family": ["run x", "other --help"],  # "run" is run already
        "cli as a tool": ["run --help", "other --help"] if not tool.commands else ["run x", "other --help"],
    }
    for title, case in zip(expected, (alone, family, tool), strict=True):
        scene.asked.clear()
        scene.run(case)
        assert [line for line in programs(scene.asked) if PROBE not in line] == expected[title]
    assert not any(PROBE in line for line in scene.asked)  # tools import nothing
    scene.pip = True
    scene.asked.clear()
    scene.run(alone)
    assert [line for line in programs(scene.asked) if PROBE not in line][-2:] == ["run x", "other --help"]


def test_a_case_with_a_problem_runs_nothing(scene: Scene) -> None:
    case = replace(labelled(scene.cases(), "core"), problem="no wheel fits")
    (result,) = scene.run(case)
    assert [(failure.check, failure.what, failure.fix) for failure in result.failures] == [
        ("the dist", "no wheel fits", "wheelkit build")
    ]
    assert scene.asked == []


def test_the_longest_case_begins_and_results_keep_their_order(scene: Scene) -> None:
    planned = scene.cases()
    results = scene.run(*planned)
    assert [result.case for result in results] == planned
    assert scene.ended[0][0] == "the family on cp311"
    assert {title for title, ok in scene.ended if ok} == {case.title for case in planned}


def test_one_cause_is_shown_once_whatever_it_stops(scene: Scene) -> None:
    made = [
        CaseResult(
            case=replace(case, python=replace(HERE, interpreter=Interpreter.parse(tag)), problem="x"),
            failures=(Failure(check="the dist", what=f"cli requires core, not for {tag}", fix="build it"),),
        )
        for tag in ("cp311", "cp312")
        for case in scene.cases()
    ]
    (group,) = output.group_failed(made)
    text = output.describe_failures(group)
    assert text.splitlines() == [
        "  core on cp311, cp312",
        "  cli on cp311, cp312",
        "  the family on cp311, cp312",
        "  cli as a tool on cp311, cp312",
        "    the dist: cli requires core, not for cp311",
        "      build it",
    ]
