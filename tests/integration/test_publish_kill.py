"""Publications that are killed, stopped or hit by server faults are complete when they run again.

``python tests/integration/test_publish_kill.py 200`` runs the long form and prints its figures.
"""

from __future__ import annotations

import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from servers.faults import random_faults
from servers.warehouse import Token, Warehouse, serving
from support.kills import draw_kill, environment, run
from support.releases import Member, Project, make_family

TOKEN = "pypi-the-secret-of-this-test-0123456789"  # noqa: S105 - only valid for the fake index
FAMILY = (
    Member(name="gyro-core"),
    Member(name="gyro-cli", needs=("gyro-core",)),
    # It goes in one call with the one before it.
    Member(name="gyro-web", needs=("gyro-core",)),
    Member(name="gyro", needs=("gyro-core", "gyro-cli", "gyro-web"), meta=True),
)
# A run that nothing disturbs sends about this many requests.
USUAL_REQUESTS = 15
MOST_RUNS = 12
SHORT = 10


@dataclass
class Outcome:
    """What happened to one release: how its runs ended, and everything that is wrong at the end."""

    seed: int
    endings: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0
    log: str = ""


def release(project: Project, seed: int, scratch: Path) -> Outcome:
    """Release the family on a fresh index, with one end and some faults that follow from the seed."""
    draw = random.Random(seed)  # noqa: S311 - a test's dice
    faults = random_faults(seed) if draw.random() < 0.6 else random_faults(seed, count=0)
    index = Warehouse(lag=draw.choice([0.0, 0.1, 0.4]), tokens={TOKEN: Token()}, faults=faults)
    outcome = Outcome(seed=seed)
    started = time.monotonic()
    with serving(index) as address, tempfile.TemporaryDirectory(dir=scratch) as folder:
        config = f'\n[index.here]\nupload = "{address.upload}"\nsimple = "{address.simple}"\nlag = "1 s"\n'
        settings = Path(folder) / "wheelkit.toml"
        settings.write_text((project.root / "wheelkit.toml").read_text() + config)
        env = {**environment(Path(folder)), "TWINE_PASSWORD": TOKEN}
        kills = draw.random() < 0.8
        planned_kill = draw_kill(draw, lambda: len(index.requests), USUAL_REQUESTS) if kills else None
        for _ in range(MOST_RUNS):
            words = ("publish", "dist", "--to", "here", "--config", str(settings))
            ending, output = run(words, project.root, env, planned_kill)
            outcome.endings.append(ending)
            outcome.problems += secrets_in(output, "what was printed")
            planned_kill = None
            if ending == "0":
                break
            outcome.log = output
        outcome.problems += [
            problem for path in Path(folder).rglob("*") if path.is_file() for problem in leaks(path)
        ]
    outcome.faults = [str(kind) for kind in faults.met]
    outcome.problems += judge(project, index, outcome.endings)
    outcome.seconds = time.monotonic() - started
    return outcome


def secrets_in(text: str, where: str) -> Iterator[str]:
    if TOKEN in text:
        yield f"the token is in {where}"


def leaks(path: Path) -> Iterator[str]:
    return secrets_in(path.read_bytes().decode(errors="replace"), path.name)


def judge(project: Project, index: Warehouse, endings: list[str]) -> Iterator[str]:
    """Yield every problem: files that are missing, accepted twice, or visible before those that they need."""
    if endings[-1] != "0":
        yield f"it never ended well: {endings}"
    for path in project.files():
        stored = index.files.get(path.name)
        if stored is None or stored.data != path.read_bytes():
            yield f"{path.name} is not on the index as it was built"
        taken = [event for event in index.events if event.file == path.name and event.status == 200]
        if len(taken) > 1:
            yield f"{path.name} was uploaded {len(taken)} times with success"
        if sum(event.kept for event in index.events if event.file == path.name) > 1:
            yield f"{path.name} was kept twice"
    for member in project.members:
        own = [file.visible for file in index.files.values() if file.project == member.name]
        needed = [file.visible for file in index.files.values() if file.project in member.needs]
        if own and needed and min(own) < max(needed):
            yield f"{member.name} was visible before {', '.join(member.needs)}"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A family that is built and tagged; its dist is the same for all runs."""
    project = family(tmp_path_factory.mktemp("family"))
    assert len(project.files()) == 8
    return project


def family(folder: Path) -> Project:
    project = make_family(folder, FAMILY)
    project.tag()
    return project


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="finds the processes to kill in /proc")
@pytest.mark.parametrize("seed", range(SHORT))
def test_a_killed_release_is_complete_after_another_run(project: Project, tmp_path: Path, seed: int) -> None:
    outcome = release(project, seed, tmp_path)
    assert outcome.problems == [], outcome


def main(runs: int, first: int = 0) -> int:
    """Run the long form and print its figures."""
    scratch = Path(tempfile.mkdtemp(prefix="kill-"))
    project = family(scratch / "family")
    outcomes = []
    for seed in range(first, first + runs):
        outcome = release(project, seed, scratch)
        outcomes.append(outcome)
        if outcome.problems:
            print(f"seed {seed}: {outcome}", flush=True)
    shutil.rmtree(scratch, ignore_errors=True)
    endings = Counter(ending for outcome in outcomes for ending in outcome.endings)
    faults = Counter(fault for outcome in outcomes for fault in outcome.faults)
    print(
        f"{runs} releases, {sum(bool(outcome.problems) for outcome in outcomes)} with problems,"
        f" {sum(outcome.seconds for outcome in outcomes):.0f} s"
    )
    print("runs that ended:", ", ".join(f"{name}: {count}" for name, count in sorted(endings.items())))
    print("faults met:", ", ".join(f"{name}: {count}" for name, count in sorted(faults.items())))
    return any(outcome.problems for outcome in outcomes)


if __name__ == "__main__":
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a shell
        signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main(*map(int, sys.argv[1:] or ["200"])))
