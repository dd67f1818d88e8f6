"""Run wheelkit on files that are made to keep it busy, and measure the processor time and the memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from malformed.runs import CliRun, run_cli
from support import oversized

SECONDS, MEGABYTES = 2.0, 300.0
ATTACKS: dict[str, oversized.Write] = {
    **{f"wheel: {name}": write for name, write in oversized.WHEELS.items()},
    **{f"sdist: {name}": write for name, write in oversized.SDISTS.items()},
    **{f"wheel at the limit: {name}": write for name, write in oversized.AT_THE_LIMIT.items()},
    **{f"sdist at the limit: {name}": write for name, write in oversized.SDISTS_AT_THE_LIMIT.items()},
}


@dataclass(frozen=True, kw_only=True)
class Attack:
    """A file of so many bytes, and what the command did with it."""

    name: str
    size: int
    run: CliRun

    @property
    def message(self) -> str:
        """The first finding or error."""
        lines = (line.strip() for line in (self.run.out + self.run.err).splitlines())
        return next((line for line in lines if line.startswith(("WK", "wheelkit:"))), "no findings")

    @property
    def survived(self) -> bool:
        """Whether it ended in a report, whatever it took."""
        return self.run.exit_code in {0, 1} and "Traceback" not in self.run.out + self.run.err

    @property
    def bounded(self) -> bool:
        """Whether it also took little time and memory."""
        return self.survived and self.run.cpu < SECONDS and self.run.megabytes < MEGABYTES


def attack(name: str) -> Attack:
    """Write the file of an attack and verify it."""
    with tempfile.TemporaryDirectory() as folder:
        # Its own process: what a child has in memory counts from the fork on.
        process = get_context("spawn").Process(target=_write, args=(name, folder))
        process.start()
        process.join()
        (path,) = Path(folder).iterdir()
        run = run_cli("verify-matrix", path.name, cwd=path.parent, timeout=300)
        return Attack(name=name, size=path.stat().st_size, run=run)


def _write(name: str, folder: str) -> None:
    ATTACKS[name](Path(folder))


def attacks(names: list[str]) -> Iterator[Attack]:
    """Run attacks one after the other."""
    yield from map(attack, names)
