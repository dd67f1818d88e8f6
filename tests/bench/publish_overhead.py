"""Compare `wheelkit publish` with twine alone, for a release of ten files on an index without lag.

    python tests/bench/publish_overhead.py [--runs 7] [--one-call] [--json]

twine is called as one would by hand to keep the order: one `twine upload` for each of the five distributions.
With --one-call it is called once for all files, in no order. The index is the tests' own on loopback, emptied
before each run.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from outcome import Outcome, compared
from pairs import Contender, Duel, timed, wait_until_idle
from script import script

from servers.warehouse import Address, Warehouse, serving
from support.releases import Member, Project, make_family

FAMILY = (
    Member(name="gyro-core"),
    Member(name="gyro-cli", needs=("gyro-core",)),
    Member(name="gyro-web", needs=("gyro-core",)),
    Member(name="gyro-store", needs=("gyro-core", "gyro-cli")),
    Member(name="gyro", needs=("gyro-core", "gyro-cli", "gyro-web", "gyro-store"), meta=True),
)
TWINE = (sys.executable, "-m", "twine", "upload", "--disable-progress-bar", "--non-interactive")


def measure(options: argparse.Namespace) -> list[Outcome]:
    index = Warehouse()
    with tempfile.TemporaryDirectory() as name, serving(index) as address:
        project = make_family(Path(name) / "family", FAMILY)
        project.tag()
        env = {
            "TWINE_USERNAME": "__token__",
            "TWINE_PASSWORD": next(iter(index.tokens)),
            "XDG_STATE_HOME": f"{name}/state",
            "HOME": name,
        }
        publish = (sys.executable, "-m", "wheelkit", "publish", "dist", "--to", address.upload)
        ours = Contender(name="wheelkit publish", argv=publish, env=env, cwd=project.root)
        twine = Contender(
            name="bare twine",
            argv=["sh", "-euc", bare(project, address, one_call=options.one_call)],
            env=env,
            cwd=project.root,
        )
        wait_until_idle()
        runs = [
            (fresh(ours, index, Path(name)), fresh(twine, index, Path(name))) for _ in range(options.runs + 1)
        ]
        label = f"publish, {len(project.files())} files of {len(FAMILY)} distributions"
    timings = Duel(first=ours.name, second=twine.name, pairs=tuple(runs[1:]))
    return [compared(label, timings, extra=1.0)]


def fresh(contender: Contender, index: Warehouse, folder: Path) -> float:
    """Time one release to an empty index, without state from earlier runs."""
    index.files.clear()
    for path in (folder / "state").rglob("*.json"):
        path.unlink()
    seconds = timed(contender)
    if len(index.files) != 2 * len(FAMILY):
        sys.exit(f"{contender.name} left {len(index.files)} files on the index")
    return seconds


def bare(project: Project, address: Address, *, one_call: bool) -> str:
    """Return a shell script of twine's commands."""
    stems = [member.name.replace("-", "_") for member in project.members]
    groups = [[path for path in project.files() if path.name.startswith(f"{stem}-")] for stem in stems]
    if one_call:
        groups = [[path for group in groups for path in group]]
    return "\n".join(
        shlex.join([*TWINE, "--repository-url", address.upload, *map(os.fspath, group)]) for group in groups
    )


if __name__ == "__main__":
    script(__doc__, measure, runs=7, options={"--one-call": {"action": "store_true"}})
