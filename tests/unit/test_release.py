"""The order of a release: what is uploaded, tested and tagged when, and where it stops."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from support.publishing import CountingClock, FakeTwine, MemoryClient, MemoryIndex, Notes, completed
from support.releases import CLI, Project, make_family
from wheelkit import config, matrix, release
from wheelkit.errors import CheckFailedError, UsageError
from wheelkit.machine.interpreters import Python
from wheelkit.machine.process import Command, Completed
from wheelkit.machine.redaction import Secrets
from wheelkit.machine.workspace import Workspace
from wheelkit.matrix import Interpreter
from wheelkit.project import family
from wheelkit.publish import Index, PublishPlan, PublishResult, PublishSession, PublishTerms, collect_release
from wheelkit.release import ReleaseRequest, run_release, select, stages
from wheelkit.smoke.install import Source
from wheelkit.smoke.model import Case, CaseResult, Failure, InstallMode, SmokeResult

PYTHON = Python(interpreter=Interpreter.parse("cp311"), path=Path("/p"), version="3.11", headers=True)
STAGING = Index(
    name="rehearsal", upload="http://s.invalid/legacy/", simple="http://s.invalid/simple/", staging=True
)
PRODUCTION = Index(
    name="production", upload="http://p.invalid/legacy/", simple="http://p.invalid/simple/", public=True
)
BOTH = (STAGING, PRODUCTION)


def result(name: str, *, ok: bool) -> CaseResult:
    case = Case(
        distribution=name,
        mode=InstallMode.ENVIRONMENT,
        python=PYTHON,
        requirements=(name,),
        packages={},
        needed={},
        checked=(name,),
    )
    return CaseResult(case=case, failures=() if ok else (Failure(check="import", what="no"),))


@dataclass
class Scene:
    """A project with its dist, two indexes in memory, and a log of what was done."""

    project: Project
    session: PublishSession
    indexes: dict[str, MemoryIndex]
    workspace: Workspace
    log: list[str] = field(default_factory=list)
    failing: dict[str, int] = field(default_factory=dict)
    """How many cases of the smoke test fail, by the name of the index."""

    def plan(self, plan: PublishPlan) -> None:
        self.log.append(f"plan {plan.index}: {len(plan.todo)}")

    def published(self, uploads: PublishResult) -> None:
        self.log.append(f"published {uploads.plan.index}: {len(uploads.uploaded)}")

    def smoked(self, index: Index, smoked: SmokeResult) -> None:
        self.log.append(f"smoked {index}: {'ok' if smoked.ok else 'failed'}")

    def smoke(self, request: Any, _workspace: Workspace) -> SmokeResult:
        """Stand in for the smoke test, whose folder has the index in its name."""
        name = next(index.name for index in BOTH if request.dist.name.startswith(f"from-{index.host}"))
        files = sorted(path.name for path in request.dist.glob("*.whl"))
        assert files == sorted(path.name for path in self.project.dist.glob("*.whl"))
        failing = self.failing.get(name, 0)
        return SmokeResult(results=tuple(result(f"a{n}", ok=n >= failing) for n in range(3)))

    def run(self, *stages: Index, staging: Index | None = STAGING) -> release.ReleaseResult:
        self.log.clear()
        read = config.load(self.project.root, validators=(matrix.validate,))
        terms = PublishTerms(config=read, family=family.discover(read), tag_later=True)
        request = ReleaseRequest(
            dist=self.project.dist,
            terms=terms,
            staging=staging,
            stages=stages or BOTH,
            source=Source(offline=True),
        )
        return run_release(request, self.session, self.workspace, self)

    def tags(self) -> list[str]:
        command = ["git", "-C", str(self.project.root), "tag"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()

    def sent(self, index: Index) -> int:
        return len(self.indexes[index.name].shown)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    project = make_family(tmp_path / "project", (CLI,))
    for name in ("GIT_COMMITTER", "GIT_AUTHOR"):
        monkeypatch.setenv(f"{name}_NAME", "test")
        monkeypatch.setenv(f"{name}_EMAIL", "test@localhost")
    monkeypatch.chdir(project.root)
    clock = CountingClock()
    indexes = {index.name: MemoryIndex(clock=clock) for index in BOTH}
    digests = {file.name: file.sha256 for file in collected(project).files}
    uploaders = {index.upload: FakeTwine(index=indexes[index.name], digests=digests) for index in BOTH}

    def twine(command: Command) -> Completed:
        if "check" in command.argv:
            names = command.argv[command.argv.index("check") + 1 :]
            return completed(*(f"Checking {name}: PASSED" for name in names), code=0)
        return next(uploaders[word] for word in command.argv if word in uploaders)(command)

    def get(url: str) -> Any:
        return indexes["rehearsal" if "//s.invalid" in url else "production"].get(url)

    notes = Notes()
    session = PublishSession(
        run=twine,
        client=Downloads(get, clock=clock),
        secrets=Secrets({}),
        progress=notes,
        environ={"TWINE_PASSWORD": "x", "HOME": str(tmp_path)},
        state=tmp_path / "state",
    )
    session.client.dist = project.dist  # type: ignore[attr-defined]
    (tmp_path / "scratch").mkdir()
    workspace = Workspace(folder=tmp_path / "scratch", log=tmp_path / "log", run=twine, progress=notes)
    made = Scene(project, session, indexes, workspace)
    monkeypatch.setattr(release, "smoke", made.smoke)
    return made


class Downloads(MemoryClient):
    """Serves the files of the dist folder."""

    dist: Path

    def download(self, url: str, path: Path) -> str:  # noqa: ARG002 - the client's signature
        path.write_bytes((self.dist / path.name).read_bytes())
        return next(file.sha256 for file in self.files if file.name == path.name)

    @property
    def files(self) -> Any:
        return collected_from(self.dist)


def collected_from(dist: Path) -> Any:
    read = config.load(dist.parent, validators=(matrix.validate,))
    return collect_release(dist, family.discover(read)).files


def collected(project: Project) -> Any:
    read = config.load(project.root, validators=(matrix.validate,))
    return collect_release(project.dist, family.discover(read))


def test_each_stage_is_uploaded_and_tested_before_the_next_and_tags_come_last(scene: Scene) -> None:
    done = scene.run()
    assert scene.log == [
        "plan rehearsal: 2",
        "published rehearsal: 2",
        "smoked rehearsal: ok",
        "plan production: 2",
        "published production: 2",
        "smoked production: ok",
    ]
    assert scene.tags() == ["v1.0"]
    assert [tag.name for tag in done.created_tags] == ["v1.0"]
    assert [stage.plan.index for stage in done.stages] == [*BOTH]
    # Again, everything is there, and no tag is new.
    again = scene.run()
    assert [line for line in scene.log if line.startswith("published")] == [
        "published rehearsal: 0",
        "published production: 0",
    ]
    assert again.created_tags == ()


@pytest.mark.parametrize(("failing", "more"), [(1, ""), (3, " and 2 more")])
def test_production_is_not_touched_after_a_failure_on_staging(scene: Scene, failing: int, more: str) -> None:
    scene.failing["rehearsal"] = failing
    with pytest.raises(CheckFailedError) as caught:
        scene.run()
    assert caught.value.message == f"the release on rehearsal failed its smoke test: a0 on cp311{more}"
    assert "did not go to any other index" in caught.value.hint
    assert (scene.sent(STAGING), scene.sent(PRODUCTION), scene.tags()) == (2, 0, [])
    assert scene.log[-1] == "smoked rehearsal: failed"
    # It has not passed, so production alone is refused too.
    with pytest.raises(CheckFailedError, match="have not passed on rehearsal"):
        scene.run(PRODUCTION)


def test_a_failure_on_production_is_public_and_leaves_no_tag(scene: Scene) -> None:
    scene.failing["production"] = 1
    with pytest.raises(CheckFailedError) as caught:
        scene.run()
    assert "yank the release there" in caught.value.hint
    assert (scene.sent(PRODUCTION), scene.tags()) == (2, [])


def test_production_alone_needs_that_staging_has_passed(scene: Scene) -> None:
    with pytest.raises(CheckFailedError) as caught:
        scene.run(PRODUCTION)
    assert f"wheelkit release {scene.project.dist} --until rehearsal" in caught.value.hint
    assert scene.log == []
    scene.run(STAGING)
    assert scene.tags() == []  # staging alone tags nothing
    scene.run(PRODUCTION)
    assert scene.log[0] == "plan production: 2"
    assert scene.tags() == ["v1.0"]


def test_without_staging_production_comes_first_and_the_tags_follow(scene: Scene) -> None:
    done = scene.run(PRODUCTION, staging=None)
    assert scene.log == ["plan production: 2", "published production: 2", "smoked production: ok"]
    assert scene.sent(STAGING) == 0
    assert [tag.name for tag in done.created_tags] == scene.tags() == ["v1.0"]
    assert stages(("b",), lambda _name: PRODUCTION) == (PRODUCTION,)


def test_what_may_not_be_published_goes_nowhere(scene: Scene) -> None:
    make = make_family(scene.project.root.parent / "dirty", (CLI,), dirty=True)
    scene.project = make
    with pytest.raises(CheckFailedError, match="uncommitted changes"):
        scene.run()
    assert scene.log == []


def test_tags_belong_on_the_commit_of_the_files(scene: Scene) -> None:
    command = [
        "git",
        "-C",
        str(scene.project.root),
        "-c",
        "commit.gpgsign=false",
        "commit",
        "-q",
        "--allow-empty",
    ]
    subprocess.run([*command, "-m", "more"], check=True)
    with pytest.raises(CheckFailedError, match="is checked out"):
        scene.run()
    assert scene.log == []
    scene.run(STAGING)
    # Tags that are there already may be on an earlier commit.
    subprocess.run(["git", "-C", str(scene.project.root), "tag", "v1.0", "HEAD~"], check=True)
    assert scene.run().created_tags == ()


def test_tags_need_a_name_and_an_address(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_COMMITTER_NAME", " ")
    with pytest.raises(CheckFailedError, match="git has no name and email"):
        scene.run()
    assert scene.log == []


@pytest.mark.parametrize(
    ("until", "only", "chosen"),
    [
        (None, None, BOTH),
        ("rehearsal", None, (STAGING,)),
        ("production", None, BOTH),
        (None, "rehearsal", (STAGING,)),
        (None, "production", (PRODUCTION,)),
    ],
)
def test_stages_are_chosen_by_name(until: str | None, only: str | None, chosen: tuple[Index, ...]) -> None:
    assert select(BOTH, until, only) == chosen


@pytest.mark.parametrize(("until", "only", "option"), [("x", None, "--until"), (None, "x", "--only")])
def test_an_unknown_stage_is_named(until: str | None, only: str | None, option: str) -> None:
    with pytest.raises(UsageError) as caught:
        select(BOTH, until, only)
    assert caught.value.message == f"{option} x: the stages of this release are rehearsal and production"
    assert caught.value.hint == f"{option} rehearsal"


def test_staging_is_another_index() -> None:
    same = replace(PRODUCTION, name="same", upload=PRODUCTION.upload.rstrip("/"))
    known: dict[str, Index] = {"a": STAGING, "b": PRODUCTION, "c": same}
    resolve: Callable[[str], Index] = known.__getitem__
    assert stages(("a", "b"), resolve) == BOTH
    with pytest.raises(UsageError, match="same and production are the same index"):
        stages(("c", "b"), resolve)
