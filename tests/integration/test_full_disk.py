"""A disk that fills up at any step of a smoke test: one message, exit code 4, and nothing left behind."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from support.command import Wheelkit
from support.smoke_wheels import make
from wheelkit.command_line import main
from wheelkit.machine import process
from wheelkit.machine.process import Command

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="fills disks as Linux does")
TAG = f"cp3{sys.version_info[1]}"
ROOT = os.geteuid() == 0
FULL = "error: failed to write: No space left on device (os error 28)"
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
SIZES = (
    *(f"size=20m,nr_inodes={number}" for number in (4, 6, 8, 12, 16, 24, 40)),
    *(f"size={number}k" for number in (8, 16, 24, 32, 48, 64, 128, 20_000)),
)
SMOKE = ("smoke", "dist", "--offline", "--python", TAG)


class Disk:
    """Lets one step that writes to the disk fail: the creation of a file or folder, or a program."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.full_at = -1
        self.on = False

    def step(self, what: str) -> bool:
        """Count a step and return whether the disk is full at it."""
        self.steps.append(what)
        return len(self.steps) - 1 == self.full_at

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Let files and folders fail; Python calls it before it creates one."""
        if not self.on or event not in {"open", "os.mkdir"}:
            return
        path, *others = arguments
        if event == "open" and not (isinstance(others[-1], int) and others[-1] & WRITING):
            return
        if not str(path).startswith("/dev/") and self.step(f"{event} {path}"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)


DISK = Disk()
sys.addaudithook(DISK.audit)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    """The disk of this process, and of the programs that it starts."""
    real = process.start_process

    def start(command: Command) -> Any:
        if DISK.on and DISK.step(f"run {' '.join(command.argv[:3])}"):
            command = replace(command, argv=("sh", "-c", f"echo '{FULL}'; exit 2"))
        return real(command)

    monkeypatch.setattr(process, "start_process", start)
    yield DISK
    DISK.on = False


@pytest.fixture
def tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a dist to try, whose temporary files are in a folder of their own."""
    make(
        tmp_path / "dist",
        "demo",
        files={"demo/__init__.py": "def main():\n    pass\n"},
        entries="[console_scripts]\ndemo = demo:main\n",
    )
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_step_of_a_smoke_test(tried: Path, disk: Disk, capsys: pytest.CaptureFixture[str]) -> None:
    def run(full_at: int) -> tuple[int, str]:
        disk.full_at, disk.on = full_at, True
        disk.steps.clear()
        code = main([*SMOKE, "--jobs", "1"])
        disk.on = False
        assert not list((tried / "tmp").iterdir())
        return code, capsys.readouterr().err

    run(-1)  # Python writes the bytecode of what it imports
    assert run(-1)[0] == 0
    steps = [*disk.steps]
    kinds = [step.split()[0] for step in steps]
    assert (kinds.count("run"), kinds.count("open") > 5, kinds.count("os.mkdir") > 5) == (5, True, True)
    for number, step in enumerate(steps):
        code, shown = run(number)
        # Another folder serves where these two cannot be created.
        spare = step.endswith(("state/wheelkit/log", "wheelkit-smoke-0"))
        assert (code, shown.count("wheelkit: ")) == ((0, 0) if spare else (4, 1)), (step, shown)
        assert spare or "No space left on device" in shown
        assert spare or "free some space on the disk, then run it again" in shown
        assert "Traceback" not in shown


@pytest.mark.skipif(not ROOT, reason="only root mounts file systems")
def test_file_systems_of_all_sizes(tried: Path, wheelkit: Wheelkit) -> None:
    """The same with real file systems, which are full after some files or kilobytes."""
    codes = []
    small = tried / "small"
    small.mkdir()
    for options in SIZES:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", small], check=False).returncode:
            pytest.skip("file systems cannot be mounted here")
        try:
            env = {**wheelkit.env, "TMPDIR": str(small), "XDG_STATE_HOME": str(small)}
            command = wheelkit.arguments(*SMOKE)
            done = subprocess.run(command, cwd=tried, env=env, capture_output=True, text=True, check=False)
            left = [path.name for path in small.iterdir() if path.name != "wheelkit"]
        finally:
            subprocess.run(["umount", small], check=True)
        codes.append(done.returncode)
        assert left == [], (options, left)
        assert done.returncode in {0, 4}, (options, done.stderr, done.stdout)
        assert done.stderr.count("wheelkit: ") == (done.returncode == 4), done.stderr
        assert "Traceback" not in done.stdout
    assert codes[-1] == 0
    assert codes.count(4) > 8
