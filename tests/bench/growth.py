"""How time and memory grow: verify-matrix over 1 to 1000 wheels.

Plan and coverage for families of 1, 10 and 100 distributions.

    python tests/bench/growth.py [--runs 5] [--json]

Time may grow as fast as the number, and no faster; peak memory of 1000 wheels may be 1.2 times that of 10.
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
class Taken:
    """What one process took of the machine."""

    seconds: float
    megabytes: float


def run(cwd: Path, *words: str) -> CliRun:
    """Run wheelkit as a process; its exit status 1 tells of findings, which is no failure here."""
    taken = malformed.run_cli(*words, cwd=cwd)
    if taken.exit_code > 1:
        sys.exit(f"wheelkit {' '.join(words)} failed with {taken.exit_code}:\n{taken.err}")
    return taken


def median(runs: list[CliRun]) -> Taken:
    return Taken(
        seconds=statistics.median(one.seconds for one in runs),
        megabytes=statistics.median(one.megabytes for one in runs),
    )


def grown(what: str, unit: str, taken: dict[int, Taken], least: tuple[int, float]) -> list[Outcome]:
    """Compare each size with the one before.

    What the least size takes, in seconds, is left out of both: mostly the start.
    """
    found = []
    none, start = least
    for small, large in pairwise(taken):
        first, second = ((taken[size].seconds - start) / (size - none) for size in (small, large))
        growth = second / first
        found.append(
            Outcome(
                name=f"{what}, {large} {unit}",
                other=f"{small} {unit}",
                ours=taken[large].seconds,
                theirs=taken[small].seconds,
                figure=growth,
                meaning="of linear",
                most=1.1,
            )
        )
    return found


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
        text = f'[project]\nname = "part{number}"\nversion = "1.0"\nrequires-python = ">=3.11"\ndependencies = {needs}\n'
        (package / "pyproject.toml").write_text(
            f'[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n{text}'
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
    one, few, many = verified[1], verified[COUNTS[0]], verified[COUNTS[-1]]
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
    # Ten wheels take hardly longer than one; only the start can be left out of both.
    times = grown("verify-matrix", "wheels", {count: verified[count] for count in COUNTS[:2]}, (0, start))
    times += grown(
        "verify-matrix", "wheels", {count: verified[count] for count in COUNTS[1:]}, (1, one.seconds)
    )
    return [*times, memory, *grown("plan", "distributions", planned, (0, start))]


if __name__ == "__main__":
    script(__doc__, lambda options: measure(options.runs), runs=5)
