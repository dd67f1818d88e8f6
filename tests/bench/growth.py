"""Measure how time and memory grow with the number of wheels and distributions.

    python tests/bench/growth.py [--runs 5] [--json]

verify-matrix runs on 1 to 1000 wheels, plan on families of 1, 10 and 100 distributions. Time may only grow
linearly; the peak memory for 1000 wheels may be 1.2 times that for 10.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from outcome import Outcome
from pairs import wait_until_idle
from script import script

import malformed
from malformed.runs import CliRun

COUNTS = (10, 100, 1000)
FAMILIES = (1, 10, 100)


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """Seconds and peak memory (MB) of a process."""

    seconds: float
    megabytes: float


def run(cwd: Path, *words: str) -> CliRun:
    """Run wheelkit as a process; exit status 1 means findings, which are no failure here."""
    finished = malformed.run_cli(*words, cwd=cwd)
    if finished.exit_code > 1:
        sys.exit(f"wheelkit {' '.join(words)} failed with {finished.exit_code}:\n{finished.err}")
    return finished


def median(runs: list[CliRun]) -> Usage:
    return Usage(
        seconds=statistics.median(run.seconds for run in runs),
        megabytes=statistics.median(run.megabytes for run in runs),
    )


def growth(command: str, unit: str, usage: dict[int, Usage], least: tuple[int, float]) -> list[Outcome]:
    """Compare each size with the one before.

    ``least`` is the smallest size and its seconds, mostly the start; it is subtracted from both.
    """
    outcomes = []
    none, start = least
    for small, large in pairwise(usage):
        first, second = ((usage[size].seconds - start) / (size - none) for size in (small, large))
        outcomes.append(
            Outcome(
                name=f"{command}, {large} {unit}",
                other=f"{small} {unit}",
                ours=usage[large].seconds,
                theirs=usage[small].seconds,
                figure=second / first,
                meaning="of linear",
                most=1.1,
            )
        )
    return outcomes


def write_family(folder: Path, count: int) -> Path:
    """Write a family in which each distribution depends on the one before."""
    folder.mkdir()
    (folder / "wheelkit.toml").write_text(
        'distributions = ["packages/*"]\n[matrix]\ntargets = ["manylinux_2_28_x86_64", "win_amd64"]\n'
    )
    for number in range(count):
        package = folder / "packages" / f"part{number}"
        package.mkdir(parents=True)
        needs = f'["part{number - 1}>=1.0,<2"]' if number else "[]"
        (package / "pyproject.toml").write_text(
            '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
            f'[project]\nname = "part{number}"\nversion = "1.0"\nrequires-python = ">=3.11"\n'
            f"dependencies = {needs}\n"
        )
    return folder


def measure(runs: int) -> list[Outcome]:
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        dists = {
            count: malformed.write_valid_wheels(scratch / f"dist{count}", count) for count in (1, *COUNTS)
        }
        families = {count: write_family(scratch / f"family{count}", count) for count in FAMILIES}
        wait_until_idle()
        start = median([run(scratch, "--help") for _ in range(runs)]).seconds
        verified = {
            count: median([run(scratch, "verify-matrix", str(path)) for _ in range(runs)])
            for count, path in dists.items()
        }
        planned = {
            count: median([run(path, "plan") for _ in range(runs)]) for count, path in families.items()
        }
    single, few, many = verified[1], verified[COUNTS[0]], verified[COUNTS[-1]]
    memory = Outcome(
        name=f"verify-matrix, {COUNTS[-1]} wheels",
        other=f"{COUNTS[0]} wheels",
        ours=many.megabytes,
        theirs=few.megabytes,
        figure=many.megabytes / few.megabytes,
        meaning="of its memory",
        unit="MB",
        most=1.2,
    )
    # Ten wheels take hardly longer than one, so only the start is subtracted.
    times = growth("verify-matrix", "wheels", {count: verified[count] for count in COUNTS[:2]}, (0, start))
    times += growth(
        "verify-matrix", "wheels", {count: verified[count] for count in COUNTS[1:]}, (1, single.seconds)
    )
    return [*times, memory, *growth("plan", "distributions", planned, (0, start))]


if __name__ == "__main__":
    script(__doc__, lambda options: measure(options.runs), runs=5)
