"""A program that was killed, that fails in silence or that hangs has not done its task, and is named."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from binaries import elf
from support.command import git_commit
from support.publishing import Notes, distribution, make_scene
from support.scripts import Script
from support.wheels import write_wheel
from wheelkit import publish
from wheelkit.builders import cibuildwheel, frontend, host_tests, sdist
from wheelkit.builders.cache.tools import toolchain_parts
from wheelkit.builders.cross.environment import make_environment
from wheelkit.builders.sdist import SourceDist
from wheelkit.doctor import machine as doctor_machine
from wheelkit.errors import IndexUnavailableError, ToolFailedError, WheelkitError
from wheelkit.machine import process
from wheelkit.machine.compilers import compiler_version
from wheelkit.machine.facts import find_engine
from wheelkit.machine.git import Repository
from wheelkit.machine.interpreters import Python
from wheelkit.machine.process import Command, Completed, LoggedRun
from wheelkit.machine.time_limits import CHECK, REWRITE, UPLOAD, TimeLimit
from wheelkit.machine.workspace import Workspace
from wheelkit.matrix import Interpreter, System, Target
from wheelkit.plan import Builder, NativeStep
from wheelkit.project.kinds import Kind
from wheelkit.project.read import Distribution
from wheelkit.publish import twine
from wheelkit.publish.credentials import Credentials
from wheelkit.repair.commands import RepairRecipe
from wheelkit.repair.run import repair
from wheelkit.smoke.install import Source
from wheelkit.smoke.install_errors import explain_install_error
from wheelkit.smoke.probe import parse_report
from wheelkit.versions import tags

KILLED, SILENT, HANGING = "kill -9 $$", "exit 1", "exec sleep 60"
ENDINGS = {
    KILLED: "was ended by SIGKILL",
    SILENT: "failed with exit status 1",
    HANGING: "did not end within",
}
ADVICE = {KILLED: "free some memory", SILENT: "it printed nothing", HANGING: "find out what it waits for"}
DEMO = Distribution(name="demo", version="1.0", kind=Kind.NATIVE, source=Path("demo"), backend="mesonpy")
ELF = bytes(elf.tiny(elf.Shape()).data)
HERE = Python(interpreter=Interpreter.parse("cp311"), path=Path(sys.executable), version="3", headers=True)
HOURS = 3600.0


class Dying:
    """Runs a script in place of each command, whose time limit it shortens."""

    def __init__(self, folder: Path, body: str) -> None:
        self._run = LoggedRun(log=folder / "log")
        self._body = body
        self.asked: list[Command] = []

    def __call__(self, command: Command, /) -> Completed:
        self.asked.append(command)
        limit = None if command.timeout is None else 0.2
        assert limit is not None or self._body != HANGING, "it has no time limit"
        return self._run(replace(command, argv=("/bin/sh", "-c", self._body), cwd=None, timeout=limit))


def workspace(folder: Path, run: process.Run) -> Workspace:
    return Workspace(folder=folder, log=folder / "log", run=run, progress=Notes())


def step(builder: Builder = Builder.CIBUILDWHEEL) -> NativeStep:
    return NativeStep(
        distribution=DEMO,
        target=Target.parse("manylinux_2_28_x86_64"),
        builder=builder,
        interpreters=(Interpreter.parse("cp311"),),
        identifiers=("cp311-manylinux_x86_64",),
        argv=("cibuildwheel",),
        repair="",
        patterns=(),
        tests=(),
    )


def source(folder: Path) -> SourceDist:
    (folder / "demo-1.0.tar.gz").write_bytes(b"x")
    return SourceDist(path=folder / "demo-1.0.tar.gz", distribution=DEMO, sha256="")


def repaired(tag: str) -> Callable[[Path, Dying], object]:
    platform = {"manylinux_2_28_x86_64": "linux_x86_64"}.get(tag, tag)

    def task(folder: Path, run: Dying) -> object:
        wheel = write_wheel(folder, f"demo-1.0-cp311-cp311-{platform}.whl", members={"demo/_core.so": ELF})
        recipe = RepairRecipe(target=Target.parse(tag))
        return repair(wheel, recipe, folder / "out", run)

    return task


Task = Callable[[Path, Dying], object]
# What runs each program; the words of the message.
LIMITED: dict[str, tuple[Task, str]] = {
    "twine check": (lambda folder, run: twine.check(run, distribution(folder, "demo").files), "twine check"),
    "auditwheel": (repaired("manylinux_2_28_x86_64"), "auditwheel repair of demo-1.0"),
    "delocate": (repaired("macosx_11_0_arm64"), "delocate repair of demo-1.0"),
    "delvewheel": (repaired("win_amd64"), "delvewheel repair of demo-1.0"),
    "uv venv": (
        lambda folder, run: host_tests._install(folder / "a.whl", HERE, None, workspace(folder, run)),
        "installing a.whl on cp311",
    ),
    "uv venv of a cross build": (
        lambda folder, run: make_environment(DEMO, Path(sys.executable), folder, run),
        "creating a build environment",
    ),
}
UNLIMITED: dict[str, tuple[Task, str]] = {
    "uv build": (
        lambda folder, run: frontend.uv_build("wheel", folder, DEMO, workspace(folder, run)),
        "building the wheel of demo",
    ),
    "cibuildwheel": (
        lambda folder, run: cibuildwheel.build(step(), source(folder), workspace(folder, run)),
        "cibuildwheel",
    ),
    "git of an sdist": (
        lambda folder, run: sdist._git(workspace(folder, run), "add", "."),
        "copying the project with git",
    ),
}
CASES = [
    *((name, body) for name in LIMITED for body in ENDINGS),
    *((name, body) for name in UNLIMITED for body in (KILLED, SILENT)),
]


def require_named(error: WheelkitError, words: str, body: str) -> None:
    assert error.exit_code == 4
    assert words in error.message
    assert ENDINGS[body] in error.message
    assert ADVICE[body] in error.hint


@pytest.mark.parametrize(("name", "body"), CASES)
def test_a_tool_that_is_cut_off_fails_its_task(name: str, body: str, tmp_path: Path) -> None:
    task, words = {**LIMITED, **UNLIMITED}[name]
    with pytest.raises(ToolFailedError) as caught:
        task(tmp_path, Dying(tmp_path, body))
    require_named(caught.value, words, body)


@pytest.mark.parametrize("limit", [CHECK, REWRITE, UPLOAD])
def test_time_limits_grow_with_the_files(limit: TimeLimit, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(1 << 20))
    (tmp_path / "small").write_bytes(b"x")
    small, large, gone = (limit.of_files([tmp_path / name]) for name in ("small", "large", "gone"))
    assert limit.seconds == gone < small < large == limit.seconds + (1 << 20) / limit.bytes_per_second
    assert limit.of(0, files=3) == 3 * limit.seconds
    # A wheel of two gigabytes may take hours to unpack and pack, but not days.
    assert limit.of(2 << 30) < 30 * HOURS


def test_uploads_and_repairs_use_them(tmp_path: Path) -> None:
    files = distribution(tmp_path, "demo").files
    grown = tuple(replace(file, size=1 << 30) for file in files)
    limits = []
    for case in (files, grown):
        run = Dying(tmp_path, KILLED)
        twine.upload(run, publish_index(), case, Credentials(source="x"))
        with pytest.raises(ToolFailedError):
            twine.check(run, case)
        limits.append([command.timeout for command in run.asked])
    assert all(grown > usual for usual, grown in zip(*limits, strict=True))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the time that questions may take."""
    wait = process.PendingCommand.wait_for_bytes
    monkeypatch.setattr(
        process.PendingCommand, "wait_for_bytes", lambda self, timeout=0.0: wait(self, min(timeout, 0.3))
    )


def in_repository(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    (tmp_path / "work/pyproject.toml").write_text("")
    git_commit(tmp_path / "work")
    return tmp_path / "work"


QUESTIONS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "git rev-parse": ("git", lambda folder: Repository(folder=folder).head),
    "git status": ("git", lambda folder: Repository(folder=folder).modified),
    "git status in the background": ("git", lambda folder: Repository(folder=folder).changes()),
    "git tag": ("git", lambda folder: Repository(folder=folder).tags()),
    "git ls-remote": ("git", lambda folder: Repository(folder=folder).remote_tags("origin")),
    "cc --version": ("cc", lambda _: compiler_version({"PATH": "unused"})),
    "clang --version": ("clang", lambda _: toolchain_parts(System.LINUX, None, {"CC": "clang"})),  # type: ignore[arg-type]  # ended before
}
ANSWERS_NO = {"git rev-parse", "git tag", "git ls-remote", "cc --version", "clang --version"}
"""Programs that fail where they have nothing to say, so that silence is an answer."""


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("name", "body"),
    [(name, body) for name in QUESTIONS for body in ENDINGS if body != SILENT or name not in ANSWERS_NO],
)
def test_a_question_that_is_cut_off_has_no_answer(
    name: str, body: str, tmp_path: Path, script: Script
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    program, ask = QUESTIONS[name]
    script(program, body.replace("sleep", "/bin/sleep"))
    with pytest.raises(ToolFailedError) as caught:
        ask(folder)
    require_named(caught.value, program, body)


@pytest.mark.usefixtures("quick")
def test_the_same_questions_have_answers(tmp_path: Path) -> None:
    repository = Repository(folder=in_repository(tmp_path))
    assert repository.head
    assert not repository.modified
    assert repository.changes() == repository.tags() == ()
    assert Repository(folder=tmp_path).changes() == ()
    (tmp_path / "work/pyproject.toml").write_text("changed")
    assert repository.modified
    assert repository.changes() == ("pyproject.toml",)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("body", ENDINGS)
@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_an_engine_that_is_cut_off_is_not_used(engine: str, body: str, script: Script) -> None:
    script(engine, body.replace("sleep", "/bin/sleep"))
    found, problem = find_engine({})
    assert found is None
    assert f"{engine} is installed but does not work: it {ENDINGS[body]}" in problem
    script(engine, f'[ "$1" = version ] && echo 5.0 || {body}'.replace("sleep", "/bin/sleep"))
    assert find_engine({})[0] is not None
    (line,) = doctor_machine.containers({})
    assert line.fix
    assert ENDINGS[body] in line.detail


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("body", ENDINGS)
def test_containers_that_may_be_left_are_told(body: str, script: Script) -> None:
    script("podman", body.replace("sleep", "/bin/sleep"))
    told = cibuildwheel._remove_containers("podman", "wheelkit.run=1")
    assert f"containers may be left: podman {ENDINGS[body]}" in told
    assert "podman ps --all --quiet --filter label=wheelkit.run=1" in told
    script("podman", f'[ "$1" = ps ] && echo c0ffee || {body}'.replace("sleep", "/bin/sleep"))
    assert "containers may be left" in cibuildwheel._remove_containers("podman", "wheelkit.run=1")
    script("podman", "exit 0")
    assert cibuildwheel._remove_containers("podman", "wheelkit.run=1") == ""


@pytest.mark.parametrize("body", ENDINGS)
def test_an_upload_that_is_cut_off(body: str, tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    session = replace(scene.session, run=Dying(tmp_path, body))
    with pytest.raises(IndexUnavailableError if body == HANGING else ToolFailedError) as caught:
        publish.publish(scene.release, publish_index(), session, lambda _plan: None)
    words = {
        KILLED: "twine failed to upload core-1.0-py3-none-any.whl: it was ended by SIGKILL",
        SILENT: "twine failed to upload core-1.0-py3-none-any.whl: it printed nothing",
        HANGING: "did not accept core-1.0-py3-none-any.whl in 6 attempts: no answer within",
    }
    assert words[body] in caught.value.message
    assert "run the same command again" in caught.value.hint
    assert "no file of this release is on here" in caught.value.detail


def publish_index() -> publish.Index:
    from support.publishing import HERE as INDEX

    return INDEX


def test_the_index_may_have_the_file_of_a_killed_upload(tmp_path: Path) -> None:
    """The index shows it after its lag: it is neither sent again nor forgotten."""
    scene = make_scene(tmp_path, lag=4.0)

    def killed(names: list[str]) -> Completed:
        scene.twine.take(names)
        return Completed(returncode=-9, output=f"Uploading {names[-1]}\n")

    scene.twine.replies = [killed]
    assert len(publish.publish(scene.release, publish_index(), scene.session, lambda _: None).uploaded) == 4
    assert len(scene.twine.calls) == 2


CHECKED = ("Checking demo-1.0-py3-none-any.whl: PASSED", "Checking demo-1.0.tar.gz: PASSED with warnings")


@pytest.mark.parametrize("count", range(3))
def test_twine_check_has_to_judge_every_file(count: int, tmp_path: Path) -> None:
    files = distribution(tmp_path, "demo").files
    done = Completed(returncode=0, output="\n".join(CHECKED[:count]))
    if count == len(files):
        assert twine.check(lambda _command: done, files) == ""
        return
    with pytest.raises(ToolFailedError, match=rf"twine check judged {count} of 2 files"):
        twine.check(lambda _command: done, files)


@pytest.mark.parametrize(
    ("completed", "what"),
    [
        (Completed(returncode=-9, output="Resolved 3 packages"), "installing demo was ended by SIGKILL"),
        (Completed(returncode=1, output=" "), "installing demo failed with exit status 1"),
        (Completed(returncode=124, output="", timed_out=True), "installing demo timed out"),
        (
            Completed(returncode=1, output="Because x was not found in the package registry"),
            "x is not on the",
        ),
    ],
)
def test_an_installer_that_is_cut_off(completed: Completed, what: str) -> None:
    failure = explain_install_error(completed, "demo", Source())
    assert failure.what.startswith(what)
    assert failure.fix


STARTED, ENDED = ("wheelkit-probe {'started': 'import a'}\n", "wheelkit-probe {'ended': 'import a'}\n")


@pytest.mark.parametrize(
    ("completed", "errors"),
    [
        (Completed(returncode=0, output=STARTED + ENDED), []),
        (Completed(returncode=0, output=STARTED), ["import a: ended Python with exit status 0"]),
        (Completed(returncode=0, output=""), ["the probe: ended Python with exit status 0"]),
        (Completed(returncode=-11, output=STARTED), ["import a: Python was ended by SIGSEGV"]),
        (Completed(returncode=124, output=STARTED, timed_out=True), ["import a: timed out"]),
    ],
)
def test_a_probe_that_does_not_get_to_its_end(completed: Completed, errors: list[str]) -> None:
    assert [f"{one.check}: {one.error}" for one in parse_report(completed)] == errors


@dataclass(frozen=True)
class Versions:
    """The versions of a family, of which only the folder is needed."""

    root: Path


@pytest.mark.parametrize("body", [KILLED, SILENT])
def test_tags_are_made_all_or_none(body: str, tmp_path: Path, script: Script) -> None:
    git = shutil.which("git", path="/usr/bin:/usr/local/bin:/bin:/opt/homebrew/bin")
    script("git", f'exec {git} "$@"')
    folder = in_repository(tmp_path)
    for name, value in (("user.name", "t"), ("user.email", "t@localhost")):
        assert Repository(folder=folder).run("config", name, value).returncode == 0
    release = [
        tags.ReleaseTag(name=name, version="1", distributions=("demo",), exists=False) for name in ("a", "b")
    ]
    state: Any = Versions(root=folder)
    script("git", f'case "$*" in *"demo 1 b") {body};; esac\nexec {git} "$@"')
    with pytest.raises(ToolFailedError, match=r"could not create the tag b; no tag was created") as caught:
        tags.make_tags(state, release)
    assert ENDINGS[body] in caught.value.detail
    assert Repository(folder=folder).lines("tag") == ()
    script("git", f'exec {git} "$@"')
    tags.make_tags(state, release)
    assert Repository(folder=folder).lines("tag") == ("a", "b")
