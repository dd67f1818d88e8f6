"""Ends runs of wheelkit at random moments, by one signal or several."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

ENDS = (
    (signal.SIGKILL,),
    (signal.SIGHUP,),
    (signal.SIGTERM, signal.SIGTERM),
    (signal.SIGINT, signal.SIGHUP, signal.SIGINT),
)


@dataclass(frozen=True, kw_only=True)
class Kill:
    """When to end a run: seconds after a number of requests, by one signal or several.

    ``made`` counts the requests so far. With ``group``, SIGKILL goes to all child processes as well.
    """

    made: Callable[[], int]
    requests: int
    later: float
    group: bool
    numbers: tuple[signal.Signals, ...]
    gap: float

    def wait(self, process: subprocess.Popen[str]) -> None:
        """Wait for the moment, or for the process's own end."""
        while process.poll() is None and self.made() < self.requests:
            time.sleep(0.002)
        time.sleep(self.later)

    def end(self, process: subprocess.Popen[str]) -> str:
        """Send the signals; returns how that is called, or nothing if the process had ended before."""
        if process.poll() is not None:
            return ""
        if self.numbers == (signal.SIGKILL,):
            children = descendants(process.pid) if self.group else []
            process.kill()
            for child in children:
                kill(child)
            return "killed with all it started" if self.group else "killed alone"
        for number in self.numbers:
            process.send_signal(number)
            time.sleep(self.gap)
        return f"stopped by {' and '.join(number.name for number in self.numbers)}"


def draw_kill(draw: random.Random, made: Callable[[], int], usual: int) -> Kill:
    """Draw a moment among the first ``usual`` requests from now on, and how the run ends then."""
    requests = draw.randint(0, usual)
    return Kill(
        made=made,
        requests=made() + requests,
        later=draw.uniform(0.0, 0.3 if requests else 1.5),
        group=draw.random() < 0.5,
        numbers=draw.choice(ENDS),
        gap=draw.choice((0.0, 0.05, 0.5)),
    )


def run(
    words: tuple[str, ...], folder: Path, env: Mapping[str, str], planned_kill: Kill | None
) -> tuple[str, str]:
    """Run a command, and kill it if it has not ended before; returns how it ended and its output."""
    with tempfile.TemporaryFile("w+") as printed:
        process = subprocess.Popen(
            [sys.executable, "-m", "wheelkit", *words],
            cwd=folder,
            env=env,
            stdout=printed,
            stderr=printed,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        ending = ""
        if planned_kill is not None:
            planned_kill.wait(process)
            ending = planned_kill.end(process)
        process.wait()
        printed.seek(0)
        return ending or str(process.returncode), printed.read()


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of one release: its own state, home and scratch."""
    dropped = ("TWINE_", "GITHUB_", "CI", "ACTIONS_", "PIP_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return {
        **env,
        "XDG_STATE_HOME": f"{folder}/state",
        "HOME": f"{folder}/home",
        "TMPDIR": str(folder),
        "NO_COLOR": "1",
    }


def descendants(pid: int) -> list[int]:
    """List the processes below one, by /proc."""
    processes = []
    for path in Path("/proc").glob(f"{pid}/task/*/children"):
        for child in map(int, path.read_text().split()):
            processes += [child, *descendants(child)]
    return processes


def kill(pid: int) -> None:
    """Kill a process that may have ended."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
