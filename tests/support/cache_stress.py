"""Run many builds at once against one cache, kill or stop half of them, and check what they leave.

    python tests/support/cache_stress.py [--runs 100] [--at-once 4]

The project has an in-tree backend, which needs no index and takes some tenths of a second. It is built in
several variants, and the cache is so small that it keeps evicting entries.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

VARIANTS = 5
ENDS = (
    (signal.SIGKILL,),
    (signal.SIGHUP,),
    (signal.SIGTERM, signal.SIGTERM),
    (signal.SIGKILL,),
    (signal.SIGTERM, signal.SIGHUP, signal.SIGTERM),
)
PYPROJECT = """[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "squall"
version = "1.0"
description = "blows"
license = "MIT"
requires-python = ">=3.11"
readme = "README.md"
"""
BACKEND = """
import base64, hashlib, io, tarfile, zipfile
from pathlib import Path

META = '''Metadata-Version: 2.4
Name: squall
Version: 1.0
Summary: blows
License-Expression: MIT
Requires-Python: >=3.11
Description-Content-Type: text/markdown

# squall
'''

def digest(data):
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()

def build_wheel(folder, settings=None, metadata=None):
    wheel, info = "squall-1.0-py3-none-any.whl", "squall-1.0.dist-info"
    files = {"squall/__init__.py": Path("squall/__init__.py").read_bytes(), f"{info}/METADATA": META.encode(),
             f"{info}/WHEEL": b"Wheel-Version: 1.0\\nGenerator: squall\\n"
                              b"Root-Is-Purelib: true\\nTag: py3-none-any\\n"}
    rows = [f"{name},{digest(data)},{len(data)}" for name, data in files.items()]
    files[f"{info}/RECORD"] = "\\n".join([*rows, f"{info}/RECORD,,", ""]).encode()
    with zipfile.ZipFile(Path(folder) / wheel, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return wheel

def build_sdist(folder, settings=None):
    name = "squall-1.0"
    with tarfile.open(Path(folder) / f"{name}.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for path in ("pyproject.toml", "backend.py", "README.md", "squall/__init__.py"):
            archive.add(path, f"{name}/{path}")
        member = tarfile.TarInfo(f"{name}/PKG-INFO")
        member.size = len(META)
        archive.addfile(member, io.BytesIO(META.encode()))
    return f"{name}.tar.gz"
"""


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Numbers of runs: finished, those of them that took the wheel from the cache, killed and stopped."""

    finished: int
    cached: int
    killed: int
    stopped: int


def text_of(variant: int) -> bytes:
    """Return the module of a variant: its number, and 40 kB of noise."""
    rng = random.Random(variant)  # noqa: S311 - no secret
    return f"NUMBER = {variant}\n# {rng.randbytes(20_000).hex()}\n".encode()


def make_project(folder: Path, variant: int) -> Path:
    """Write the project of a variant."""
    (folder / "squall").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "backend.py").write_text(BACKEND)
    (folder / "README.md").write_text("# squall\n")
    (folder / "squall" / "__init__.py").write_bytes(text_of(variant))
    return folder


def check_dist(folder: Path, variant: int, *, complete: bool) -> None:
    """Check that the wheels in ``dist`` are whole and the variant's; ``complete`` requires one."""
    wheels = sorted((folder / "dist").glob("*.whl"))
    for path in wheels:
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            assert archive.read("squall/__init__.py") == text_of(variant), f"{path} is another variant's"
    records = [json.loads(path.read_text()) for path in (folder / "dist").glob("*.json")]
    assert not complete or (len(wheels), len(records)) == (1, 2)
    for entry in (entry for record in records for entry in record["files"]):
        path = folder / "dist" / entry["file"]
        if complete or path.exists():
            assert hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]


def run_builds(folder: Path, *, runs: int, at_once: int, env: dict[str, str]) -> Tally:
    """Run builds and end every second one at a random moment; raises AssertionError for a bad wheel."""
    rng = random.Random(runs)  # noqa: S311 - no secret
    env = {
        **env,
        "WHEELKIT_CACHE_DIR": str(folder / "cache"),
        "WHEELKIT_CACHE_SIZE": "200 kB",
        "TMPDIR": str(folder / "tmp"),
    }
    (folder / "tmp").mkdir()
    waiting = [(make_project(folder / str(number), number % VARIANTS), number) for number in range(runs)]
    running: list[tuple[subprocess.Popen[str], Path, int, float | None]] = []
    finished = cached = killed = stopped = 0
    while waiting or running:
        while waiting and len(running) < at_once:
            project, number = waiting.pop()
            argv = [sys.executable, "-m", "wheelkit", "build"]
            process = subprocess.Popen(
                argv, cwd=project, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
            )
            deadline = time.monotonic() + rng.uniform(0.1, 2.5) if number % 2 else None
            running.append((process, project, number, deadline))
        time.sleep(0.01)
        for build in list(running):
            process, project, number, deadline = build
            if deadline is not None and time.monotonic() > deadline:
                for sent in ENDS[number // 2 % len(ENDS)]:
                    process.send_signal(sent)
            if process.poll() is None:
                continue
            running.remove(build)
            _, log = process.communicate()
            # 130 with a message once wheelkit has begun, and death by the signal while Python starts.
            by_signal = {-number for sent in ENDS for number in sent}
            assert process.returncode in {0, 130, *by_signal}, log
            assert process.returncode != 130 or log.count("wheelkit: ") == 1, log
            ended = process.returncode == 0
            finished += ended
            killed += process.returncode == -signal.SIGKILL
            stopped += not ended and process.returncode != -signal.SIGKILL
            cached += ended and "cached, built" in log
            check_dist(project, number % VARIANTS, complete=ended)
    for blob in (folder / "cache" / "v2" / "blobs").glob("??/[0-9a-f]*"):
        assert hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name
    return Tally(finished=finished, cached=cached, killed=killed, stopped=stopped)


def main() -> None:
    """Run the builds and print the numbers."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--at-once", type=int, default=4)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(run_builds(Path(folder), runs=options.runs, at_once=options.at_once, env=dict(os.environ)))


if __name__ == "__main__":
    main()
