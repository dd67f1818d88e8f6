"""Run the command on a wheel, as users do, and measure its time and memory."""

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class CliRun:
    """A finished run: exit code, output, seconds, those of the processor, and peak memory in MB."""

    exit_code: int
    out: str
    err: str
    seconds: float
    cpu: float
    megabytes: float


# The peak memory of a process includes what its parent had in memory at the fork, so a small process starts
# it.
_MEASURE = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[2:], stdin=subprocess.DEVNULL)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as file:
    json.dump([done.returncode, usage.ru_maxrss, usage.ru_utime + usage.ru_stime], file)
"""


def run_verify(path: Path, *, timeout: float = 60) -> CliRun:
    """Verify a wheel as a user would; raises TimeoutExpired if the command hangs."""
    return run_cli("verify-matrix", "--json", path.name, cwd=path.parent, timeout=timeout)


def run_cli(*words: str, cwd: Path, timeout: float | None = None) -> CliRun:
    """Run wheelkit as a process; raises TimeoutExpired if it hangs.

    The seconds include the start of the small process that measures it.
    """
    with tempfile.TemporaryDirectory() as folder:
        measured = Path(folder, "measured.json")
        command = [sys.executable, "-m", "wheelkit", *words]
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _MEASURE, str(measured), *command],
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=True,
        )
        seconds = time.perf_counter() - started
        exit_code, peak, cpu = json.loads(measured.read_text())
    scale = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return CliRun(
        exit_code=exit_code,
        out=done.stdout,
        err=done.stderr,
        seconds=seconds,
        cpu=cpu,
        megabytes=peak / scale,
    )
