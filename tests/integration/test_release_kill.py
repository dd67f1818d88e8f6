"""A family is released whole, then one member alone, then whole again, and every run may be killed.

``python tests/integration/test_release_kill.py COUNT SEED`` runs the long form and prints its figures.
"""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from servers.warehouse import Address, Token, Warehouse, serving
from support.kills import draw_kill, environment, run
from support.releases import Member, Project, bumped, make_family

TOKEN = "pypi-the-secret-of-this-test-0123456789"  # noqa: S105 - only valid for the fake index
TAG = f"cp{sys.version_info.major}{sys.version_info.minor}"
FAMILY = (
    Member(name="gyro-core"),
    Member(name="gyro-cli", needs=("gyro-core",)),
    Member(name="gyro", needs=("gyro-core", "gyro-cli"), meta=True),
)
NAMES = tuple(member.name for member in FAMILY)
TEMPLATES = "".join(f'[distribution.{name}]\ntag = "{name}-v{{version}}"\n' for name in NAMES)
# A release that nothing disturbs sends about this many requests to both indexes.
USUAL_REQUESTS = 25
MOST_RUNS = 12
SHORT = 2


@dataclass
class Outcome:
    """What happened to one family: how the runs of its releases ended, and everything that is wrong."""

    seed: int
    endings: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0
    log: str = ""


@dataclass
class Scene:
    """A family, its indexes, and the tags that its releases have to leave."""

    project: Project
    staging: Warehouse
    production: Warehouse
    folder: Path
    draw: random.Random
    outcome: Outcome
    expected: dict[str, str] = field(default_factory=dict)

    def made(self) -> int:
        return len(self.staging.requests) + len(self.production.requests)

    def release(self, *names: str) -> None:
        """Release the dist, whose members ``names`` are new, with at most two kills."""
        kills = self.draw.choice((0, 1, 1, 2))
        words = ("release", "dist", "--offline", "--python", TAG)
        env = {
            **environment(self.folder),
            "TWINE_PASSWORD": TOKEN,
            "GIT_CONFIG_GLOBAL": str(self.folder / "gitconfig"),
        }
        for number in range(MOST_RUNS):
            planned = draw_kill(self.draw, self.made, USUAL_REQUESTS) if number < kills else None
            ending, self.outcome.log = run(words, self.project.root, env, planned)
            self.outcome.endings.append(ending)
            if ending == "0":
                break
        else:
            self.outcome.problems.append(f"it never ended well: {self.outcome.endings}")
        versions = {member.name: self.project.version_of(member) for member in self.project.members}
        self.expected |= {f"{name}-v{versions[name]}": self.project.commit for name in names}
        self.outcome.problems += self._problems()

    def _problems(self) -> Iterator[str]:
        tags = git_tags(self.project.root)
        if tags != self.expected:
            yield f"the tags are {tags}, but {self.expected} was released"
        for path in self.project.files():
            for index in (self.staging, self.production):
                stored = index.files.get(path.name)
                if stored is None or stored.data != path.read_bytes():
                    yield f"{path.name} is not on an index as it was built"
        for index in (self.staging, self.production):
            kept = Counter(event.file for event in index.events if event.status == 200)
            yield from (f"{name} was uploaded {count} times" for name, count in kept.items() if count > 1)
            yield from misplaced(index, self.project)
        first = {event.file: event.moment for event in self.staging.events}
        for event in self.production.events:
            if first.get(event.file, event.moment) >= event.moment:
                yield f"{event.file} was in production before staging"


def misplaced(index: Warehouse, project: Project) -> Iterator[str]:
    """Yield files that were visible before those of the same release that they need."""
    for member in project.members:
        version = project.version_of(member)
        own = [
            file.visible
            for file in index.files.values()
            if (file.project, file.version) == (member.name, version)
        ]
        for other in project.members:
            needed = [
                file.visible
                for file in index.files.values()
                if other.name in member.needs
                and (file.project, file.version) == (other.name, project.version_of(other))
            ]
            if own and needed and min(own) < max(needed) and member.version == other.version:
                yield f"{member.name} was visible before {other.name}"


def git_tags(root: Path) -> dict[str, str]:
    """Return the tags with their commits."""
    form = "%(refname:short) %(*objectname)"
    done = subprocess.run(
        ["git", "-C", root, "for-each-ref", f"--format={form}", "refs/tags"],
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(line.split(" ") for line in done.stdout.splitlines())


def releases(seed: int, scratch: Path) -> Outcome:
    """Release a family whole, one member alone, and whole again, on indexes that show files late."""
    draw = random.Random(seed)  # noqa: S311 - a test's dice
    outcome = Outcome(seed=seed)
    started = time.monotonic()
    staging = Warehouse(lag=draw.choice([0.0, 0.3, 2.0]), tokens={TOKEN: Token()})
    production = Warehouse(lag=draw.choice([0.0, 0.3, 2.0]), tokens={TOKEN: Token()})
    with (
        serving(staging) as stage,
        serving(production) as live,
        tempfile.TemporaryDirectory(dir=scratch) as name,
    ):
        folder = Path(name)
        (folder / "gitconfig").write_text("[user]\nname = Releaser\nemail = releaser@localhost\n")
        project = make_family(folder / "gyro", FAMILY, config=TEMPLATES + configured(stage, live))
        scene = Scene(project, staging, production, folder, draw, outcome)
        scene.release(*NAMES)
        scene.project = bumped(project, draw.choice(NAMES), "1.1")
        scene.release(next(member.name for member in scene.project.members if member.version))
        last = next(member.name for member in scene.project.members if not member.version)
        scene.project = bumped(scene.project, last, "1.2", whole=True)
        scene.release(last)
    outcome.seconds = time.monotonic() - started
    return outcome


def configured(stage: Address, live: Address) -> str:
    """Return the configuration of two indexes."""
    indexes: Mapping[str, Address] = {"stage": stage, "live": live}
    texts = [
        f'[index.{name}]\nupload = "{at.upload}"\nsimple = "{at.simple}"\nlag = "3 s"\n'
        for name, at in indexes.items()
    ]
    return "\n".join([*texts, '[ci]\nstaging = "stage"\nproduction = "live"\n'])


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="finds the processes to kill in /proc")
@pytest.mark.parametrize("seed", range(SHORT))
def test_releases_of_a_family_and_of_one_member_that_are_killed(tmp_path: Path, seed: int) -> None:
    outcome = releases(seed, tmp_path)
    assert outcome.problems == [], outcome


def main(count: int, first: int = 0) -> int:
    """Run the long form and print its figures."""
    scratch = Path(tempfile.mkdtemp(prefix="kill-"))
    outcomes = []
    for seed in range(first, first + count):
        outcomes.append(releases(seed, scratch))
        if outcomes[-1].problems:
            print(f"seed {seed}: {outcomes[-1]}", flush=True)
    shutil.rmtree(scratch, ignore_errors=True)
    endings = Counter(ending for outcome in outcomes for ending in outcome.endings)
    print(
        f"{count} families, {3 * count} releases, {sum(bool(outcome.problems) for outcome in outcomes)}"
        f" with problems, {sum(outcome.seconds for outcome in outcomes):.0f} s"
    )
    print("runs that ended:", ", ".join(f"{name}: {number}" for name, number in sorted(endings.items())))
    return any(outcome.problems for outcome in outcomes)


if __name__ == "__main__":
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a shell
        signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main(*map(int, sys.argv[1:] or ["20"])))
