"""What is verified is what is uploaded: files are replaced in the dist folder at each step of publishing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from servers.warehouse import Address, Warehouse, serving
from support.command import Wheelkit
from support.publishing import Notes
from support.releases import CLI, Member, Project, make_family
from support.swaps import WAYS, Way, swap, swapping
from wheelkit import config, matrix, publish
from wheelkit.errors import CheckFailedError, UsageError
from wheelkit.machine.process import Command, Completed, LoggedRun
from wheelkit.machine.redaction import Secrets
from wheelkit.project import family
from wheelkit.publish import Index, PublishSession, PublishTerms, copies, preconditions
from wheelkit.publish.client import Client

TOKEN = "pypi-valid-token-0123456789"  # noqa: S105 - only valid for the fake index
PAIR = (Member(name="gyro-core"), CLI)
EVIL = 'raise SystemExit("this was not verified")\n'
# At these, nothing is verified yet, so another file is refused; at all others it has no effect.
EARLY = ("before the run", "within the copy")
MOMENTS = (
    *EARLY,
    "before verification",
    "after verification",
    "before twine check",
    "after twine check",
    "before the plan is executed",
    "before twine upload",
    "during an upload",
    "between two files",
)


class Scene:
    """A project to publish, an index, and what replaces the project's files at one moment."""

    def __init__(self, tmp_path: Path, moment: str, way: Way) -> None:
        self.project = make_family(tmp_path / "gyro", PAIR)
        self.good = contents(self.project)
        self.others = contents(make_family(tmp_path / "evil", tuple(replace_code(one) for one in PAIR)))
        self.moment, self.way = moment, way
        self.copies = tmp_path / "copies"
        self.copies.mkdir()
        self.reached: list[str] = []

    def at(self, moment: str) -> None:
        if moment == self.moment and moment not in self.reached:
            swap(self.project.dist, self.others, self.way)
        self.reached.append(moment)

    def run(self, command: Command) -> Completed:
        self.at(f"before twine {command.argv[4]}")
        done = LoggedRun(log=self.copies.parent / "log")(command)
        self.at(f"after twine {command.argv[4]}")
        return done

    def publish(self, address: Address) -> None:
        self.at("before the run")
        settings = config.load(self.project.root, validators=(matrix.validate,))
        members = family.discover(settings)
        index = Index(name="here", upload=address.upload, simple=address.simple, staging=True, lag=1.0)
        release = publish.collect_release(self.project.dist, members, self.copies)
        session = PublishSession(
            run=self.run,
            client=Client(),
            secrets=Secrets({}),
            progress=Notes(),
            environ={"TWINE_PASSWORD": TOKEN},
            state=self.copies.parent / "state",
        )
        terms = PublishTerms(config=settings, family=members)
        publish.require_publishable(release, [index], terms, session)
        publish.publish(release, index, session, lambda _plan: self.at("before the plan is executed"))


def replace_code(member: Member) -> Member:
    return Member(name=member.name, needs=member.needs, code=EVIL)


def contents(project: Project) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in project.files()}


def around(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, before: Callable[[], None]) -> None:
    """Call ``before`` ahead of each call of a function."""
    function = getattr(module, name)

    def wrapped(*arguments: Any, **options: Any) -> Any:
        before()
        return function(*arguments, **options)

    monkeypatch.setattr(module, name, wrapped)


@pytest.fixture
def index() -> Warehouse:
    return Warehouse()


@pytest.fixture
def address(index: Warehouse) -> Iterator[Address]:
    with serving(index) as address:
        yield address


@pytest.mark.parametrize("number", range(len(MOMENTS) * 2))
def test_a_file_that_is_replaced_is_refused_or_not_looked_at(
    number: int, tmp_path: Path, index: Warehouse, address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment, way = MOMENTS[number // 2], WAYS[(number // 2 + 2 * (number % 2)) % len(WAYS)]
    scene = Scene(tmp_path, moment, way)
    around(monkeypatch, copies, "_share_blocks", lambda: scene.at("within the copy"))
    around(monkeypatch, preconditions, "verify", lambda: scene.at("before verification"))
    around(monkeypatch, preconditions, "_require_verified", lambda: scene.at("after verification"))
    take = index.take

    def taken(form: Any, token: str | None) -> bool:
        scene.at("during an upload")
        kept = take(form, token)
        scene.at("between two files")
        return kept

    monkeypatch.setattr(index, "take", taken)
    if moment in EARLY:
        # Where all files are gone, there is nothing to publish (UsageError).
        with pytest.raises((CheckFailedError, UsageError), match=r"nothing was uploaded|contains no wheel"):
            scene.publish(address)
        assert index.events == []
    else:
        scene.publish(address)
        assert {name: stored.data for name, stored in index.files.items()} == scene.good
        assert contents(scene.project) != scene.good
    assert moment in scene.reached


@pytest.mark.parametrize("seed", range(3))
def test_files_that_change_all_the_time(
    seed: int, tmp_path: Path, index: Warehouse, address: Address, wheelkit: Wheelkit
) -> None:
    scene = Scene(tmp_path, "", WAYS[0])
    where = f'upload = "{address.upload}"\nsimple = "{address.simple}"\nlag = "1 s"\n'
    settings = tmp_path / "settings.toml"
    text = (scene.project.root / "wheelkit.toml").read_text()
    settings.write_text(f'{text}\n[index.here]\n{where}\n[ci]\nstaging = "here"\n')
    words = ("publish", "dist", "--to", "here", "--config", settings)
    env = {"TWINE_PASSWORD": TOKEN, "HOME": str(tmp_path)}
    with swapping(scene.project.dist, scene.others, seed):
        done = wheelkit(*words, cwd=scene.project.root, env=env)
    assert done.returncode in {0, 1}
    for name, stored in index.files.items():
        assert stored.data == scene.good[name]
    assert len(index.files) == (4 if done.returncode == 0 else 0)
    assert wheelkit(*words, cwd=scene.project.root, env=env).returncode == 0
    assert {name: stored.data for name, stored in index.files.items()} == scene.good
