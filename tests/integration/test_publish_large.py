"""Large families: each file is sent once, whatever ends the runs and however short a token lives.

``python tests/integration/test_publish_large.py COUNT KILLS SEED`` publishes COUNT distributions, and prints
the requests and the processor time of all runs.
"""

from __future__ import annotations

import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from servers.issuer import Issuer, issuing
from servers.publishers import Publishers
from servers.warehouse import Warehouse, serving
from support.kills import draw_kill, environment, run
from support.releases import Member, Project, make_family

# A token of this life has to be replaced within a wave of the long form.
LIFETIME = 30
LAG = 2.0
MOST_RUNS = 20


@dataclass
class Figures:
    """What it took: the requests and uploads, processor seconds of wheelkit and twine, and all problems."""

    endings: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    requests: int = 0
    tokens: int = 0
    twine: int = 0
    processor: float = 0.0
    seconds: float = 0.0
    log: str = ""


def flat(folder: Path, count: int) -> Project:
    """A family of distributions that do not need each other, tagged."""
    project = make_family(folder, (Member(name=f"gyro-{number:04}") for number in range(count)))
    project.tag()
    return project


def publish(project: Project, kills: int, seed: int, folder: Path, *, lifetime: int = LIFETIME) -> Figures:
    """Publish a family by trusted publishing, with some of the runs killed, until one ends well."""
    draw = random.Random(seed)  # noqa: S311 - a test's dice
    figures = Figures()
    names = frozenset(member.name for member in project.members)
    publishers = Publishers(enabled=True, workflows={"release.yml": names}, lifetime=lifetime)
    index = Warehouse(lag=LAG, tokens={}, publishers=publishers)
    issuer = Issuer()
    started, used = time.monotonic(), processor_seconds()
    with serving(index) as address, issuing(issuer):
        config = f'\n[index.here]\nupload = "{address.upload}"\nsimple = "{address.simple}"\nlag = "4 s"\n'
        settings = folder / "settings.toml"
        settings.write_text((project.root / "wheelkit.toml").read_text() + config)
        words = ("publish", "dist", "--to", "here", "--config", str(settings), "--verbose")
        env = {**environment(folder), **issuer.environment(), "GITHUB_ACTIONS": "false"}
        usual = 2 * len(project.members)
        for number in range(MOST_RUNS):
            planned = draw_kill(draw, lambda: len(index.requests), usual) if number < kills else None
            ending, figures.log = run(words, project.root, env, planned)
            figures.endings.append(ending)
            figures.twine += figures.log.count("twine --no-color upload")
            if ending == "0":
                break
    figures.problems = problems(project, index, figures.endings)
    figures.requests, figures.tokens = len(index.requests), len(publishers.issued)
    figures.processor, figures.seconds = processor_seconds() - used, time.monotonic() - started
    return figures


def processor_seconds() -> float:
    """Return the processor time of the programs that ended so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def problems(project: Project, index: Warehouse, endings: list[str]) -> list[str]:
    found = [] if endings[-1] == "0" else [f"it never ended well: {endings}"]
    kept = Counter(event.file for event in index.events if event.status == 200)
    for path in project.files():
        if path.name not in index.files or index.files[path.name].data != path.read_bytes():
            found.append(f"{path.name} is not on the index as it was built")
        if kept[path.name] > 1:
            found.append(f"{path.name} was uploaded {kept[path.name]} times")
    return found


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="finds the processes to kill in /proc")
@pytest.mark.parametrize("kills", [0, 2])
def test_a_family_that_outlives_its_tokens(tmp_path: Path, kills: int) -> None:
    figures = publish(flat(tmp_path / "flat", 12), kills, 1, tmp_path, lifetime=8)
    assert figures.problems == [], figures.log
    # Each project is asked for before, after and for a few seconds between; never all of them for each.
    assert figures.requests < (kills + 1) * 12 * 20
    hints = [line for line in figures.log.splitlines() if "TWINE_PASSWORD=***" not in line]
    assert "TWINE_PASSWORD" not in "\n".join(hints)


def main(count: int = 100, kills: int = 0, seed: int = 0) -> int:
    """Run the long form and print its figures."""
    scratch = Path(tempfile.mkdtemp(prefix="large-"))
    try:
        figures = publish(flat(scratch / "flat", count), kills, seed, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print(
        f"{count} distributions, {2 * count} files: {figures.requests} requests, {figures.tokens} tokens,"
        f" {figures.twine} runs of twine, {figures.processor:.1f} s of processor time,"
        f" {figures.seconds:.0f} s in all; runs ended: {dict(Counter(figures.endings))}"
    )
    if figures.problems:
        print(*figures.problems[:20], figures.log[-3000:], sep="\n")
    return bool(figures.problems)


if __name__ == "__main__":
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a shell
        signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main(*map(int, sys.argv[1:])))
