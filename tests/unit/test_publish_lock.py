from __future__ import annotations

import os
import signal
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from support.publishing import CountingClock
from wheelkit.errors import CheckFailedError, OutputError
from wheelkit.machine.process import Command, end_process_group, start_process
from wheelkit.publish import lock
from wheelkit.publish.lock import at_locked_byte, index_lock


def test_a_lock_has_one_holder_and_others_wait(tmp_path: Path) -> None:
    notes: list[str] = []
    first = index_lock(tmp_path / "a.lock", CountingClock(), notes.append)
    second = index_lock(tmp_path / "a.lock", CountingClock(), notes.append, timeout=20.0)
    with first, pytest.raises(CheckFailedError, match="for 0 minutes"), second:
        raise AssertionError
    assert notes == [
        f"another wheelkit (process {os.getpid()}) is publishing this release; waiting for it to finish"
    ]
    with index_lock(tmp_path / "a.lock", CountingClock(), notes.append):
        assert len(notes) == 1
        assert (tmp_path / "a.lock").read_text() == str(os.getpid())


def test_the_next_holder_overwrites_the_process_number(tmp_path: Path) -> None:
    first = index_lock(tmp_path / "a.lock", CountingClock(), str)
    first.__enter__()

    class Freed(CountingClock):
        def sleep(self, seconds: float) -> None:
            first.__exit__(None, None, None)
            super().sleep(seconds)

    with index_lock(tmp_path / "a.lock", Freed(), str):
        assert (tmp_path / "a.lock").read_text() == str(os.getpid())


@pytest.mark.parametrize("fails", [False, True])
def test_the_byte_that_windows_locks(tmp_path: Path, *, fails: bool) -> None:
    """A locked byte cannot be read, so it is behind the holder's number; the position is restored."""
    path = tmp_path / "a.lock"
    path.write_text("4711")
    places: list[int] = []

    def lock() -> None:
        places.append(os.lseek(descriptor, 0, os.SEEK_CUR))
        if fails:
            raise PermissionError(13, "Permission denied")

    descriptor = os.open(path, os.O_RDWR)
    try:
        with pytest.raises(PermissionError) if fails else nullcontext():
            at_locked_byte(descriptor, lock)
        assert os.read(descriptor, 20) == b"4711"
    finally:
        os.close(descriptor)
    assert places[0] > 20


def test_child_processes_do_not_inherit_the_lock_by_default(tmp_path: Path) -> None:
    with index_lock(tmp_path / "a.lock", CountingClock(), str) as descriptor:
        assert not os.get_inheritable(descriptor)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows hands no lock on")
def test_a_lock_holds_until_the_child_that_inherits_it_ends(tmp_path: Path) -> None:
    with index_lock(tmp_path / "a.lock", CountingClock(), str) as descriptor:
        child = start_process(
            Command(argv=(sys.executable, "-c", "import time; time.sleep(60)"), pass_fds=(descriptor,))
        )
    try:
        with (
            pytest.raises(CheckFailedError),
            index_lock(tmp_path / "a.lock", CountingClock(), str, timeout=5.0),
        ):
            raise AssertionError
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        with index_lock(tmp_path / "a.lock", CountingClock(), str):
            pass
    finally:
        end_process_group(child)


def test_a_lock_file_that_cannot_be_written_or_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    path.write_text("12 men")
    descriptor = os.open(path, os.O_RDONLY)
    try:
        assert lock._holder(descriptor) == ""
        with pytest.raises(OutputError, match=r"a\.lock"):
            lock._write_holder(descriptor, path)
        path.write_text(" 12\n")
        assert lock._holder(descriptor) == " (process 12)"
    finally:
        os.close(descriptor)
    descriptor = os.open(path, os.O_WRONLY)
    try:
        assert lock._holder(descriptor) == ""
    finally:
        os.close(descriptor)
