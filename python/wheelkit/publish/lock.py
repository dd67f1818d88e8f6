"""A lock that lets one process at a time publish a release on this machine.

On POSIX the lock belongs to an open file, which twine inherits: when wheelkit is killed, the lock holds until
a running upload has ended, so that the next run sees its result. On Windows the lock belongs to the process
and ends with it (LockFile: "file locks are not inherited by processes created by the locking process"); the
journal remains.
"""

from __future__ import annotations

import contextlib
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wheelkit.errors import CheckFailedError, OutputError
from wheelkit.inputs import number, opener
from wheelkit.publish.client import backoff_delays

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from wheelkit.publish.client import Clock


_TIMEOUT = 1800.0
_LOCKED_BYTE = 1 << 30


@contextmanager
def index_lock(
    path: Path, clock: Clock, note: Callable[[str], None], *, timeout: float = _TIMEOUT
) -> Iterator[int]:
    """Hold the lock and yield its descriptor; while another process holds it, wait up to ``timeout`` seconds.

    Raises CheckFailedError after that, OutputError where the lock file cannot be created.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = opener(str(path), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise OutputError.of(error, path) from error
    try:
        _acquire(descriptor, clock, note, timeout)
        _write_holder(descriptor, path)
        yield descriptor
    finally:
        os.close(descriptor)


def _write_holder(descriptor: int, path: Path) -> None:
    try:
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, str(os.getpid()).encode())
    except OSError as error:
        raise OutputError.of(error, path) from error


def _acquire(descriptor: int, clock: Clock, note: Callable[[str], None], timeout: float) -> None:
    if _try_lock(descriptor):
        return
    note(f"another wheelkit{_holder(descriptor)} is publishing this release; waiting for it to finish")
    started = clock.now()
    for delay in backoff_delays(0.05, 1.0):
        if clock.now() - started > timeout:
            raise CheckFailedError(
                f"another wheelkit{_holder(descriptor)} has been publishing this release for"
                f" {timeout / 60:.0f} minutes; this run changed nothing",
                hint="wait for it to finish, or end it; then run the same command again",
            )
        clock.sleep(delay)
        if _try_lock(descriptor):
            return


def _holder(descriptor: int) -> str:
    """Describe the process that holds the lock by its number, which it writes into the file."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    with contextlib.suppress(OSError):
        text = os.read(descriptor, 20).decode("ascii", errors="replace").strip()
        return "" if number(text) is None else f" (process {text})"
    return ""


def _try_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            at_locked_byte(descriptor, lambda: msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1))
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def at_locked_byte(descriptor: int, lock: Callable[[], None]) -> None:
    """Call ``lock`` at a byte far behind the holder's number: on Windows others cannot read a locked byte."""
    os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
    try:
        lock()
    finally:
        os.lseek(descriptor, 0, os.SEEK_SET)
