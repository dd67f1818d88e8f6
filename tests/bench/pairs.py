"""Time two commands in turn, A B A B …, as whole processes, and compare them pair by pair.

On a machine whose speed drifts, the ratio of neighbours is reliable where two separate averages are not.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_IDLE_LOAD = 0.3
_PATIENCE_SECONDS = 120
# Without bytecode files every start compiles what it imports, on both sides; users do not wait for that.
_ENVIRON = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Contender:
    """A command with its additional variables, a name for the table, and the accepted exit statuses."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    statuses: Sequence[int] = (0,)


@dataclass(frozen=True, kw_only=True, slots=True)
class Duel:
    """Seconds of each run of two contenders, in pairs."""

    first: str
    second: str
    pairs: tuple[tuple[float, float], ...]

    def table(self) -> str:
        """Return a table of medians, difference and ratio."""
        first, second = (statistics.median(pair[side] for pair in self.pairs) for side in (0, 1))
        ratio = statistics.median(pair[0] / pair[1] for pair in self.pairs)
        extra = statistics.median(pair[0] - pair[1] for pair in self.pairs)
        width = max(len(self.first), len(self.second))
        return (
            f"{self.first.ljust(width)}  {first:8.3f} s  (median of {len(self.pairs)})\n"
            f"{self.second.ljust(width)}  {second:8.3f} s\n"
            f"{'ratio'.ljust(width)}  {ratio:8.3f}    difference {extra:+.3f} s"
        )


def duel(
    first: Contender, second: Contender, *, runs: int = 5, rest: float = 0.0, warm: Contender | None = None
) -> Duel:
    """Run both in turn, once to warm up and then ``runs`` times; raises CalledProcessError if one fails.

    Before each run the machine rests for ``rest`` seconds, since a file system that has just freed much space
    is slow at allocating. Then ``warm`` runs, untimed, so that both find their files in memory: some machines
    drop their disk cache within a minute.
    """
    wait_until_idle()

    def run(contender: Contender) -> float:
        time.sleep(rest)
        if warm is not None:
            timed(warm)
        return timed(contender)

    run(first), run(second)
    return Duel(
        first=first.name, second=second.name, pairs=tuple((run(first), run(second)) for _ in range(runs))
    )


def timed(contender: Contender) -> float:
    """Run one contender; returns its seconds, and raises CalledProcessError if it fails."""
    started = time.perf_counter()
    done = subprocess.run(
        contender.argv,
        env={**_ENVIRON, **contender.env},
        cwd=contender.cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    seconds = time.perf_counter() - started
    if done.returncode not in contender.statuses:
        sys.stderr.write(done.stdout.decode(errors="replace")[-4000:])
        raise subprocess.CalledProcessError(done.returncode, contender.argv)
    return seconds


def wait_until_idle() -> None:
    """Wait until other processes leave the machine idle, for up to two minutes; prints that it waits."""
    started = time.monotonic()
    while (busy := _busy()) > _IDLE_LOAD and time.monotonic() - started < _PATIENCE_SECONDS:
        sys.stderr.write(f"waiting for an idle machine ({busy:.1f} cores busy)\n")
        time.sleep(5)


def _busy() -> float:
    """Return how many cores other processes use, measured over a second."""
    try:
        before, after = _jiffies(), (time.sleep(1), _jiffies())[1]
    except OSError:
        return 0.0  # only Linux has /proc/stat
    return (after - before) / os.sysconf("SC_CLK_TCK")


def _jiffies() -> int:
    user, nice, system = Path("/proc/stat").read_text(encoding="ascii").split()[1:4]
    return int(user) + int(nice) + int(system)
