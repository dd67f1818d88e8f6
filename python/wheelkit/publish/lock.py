"""One publication of a release at a time on one machine.

On POSIX the lock belongs to an open file, which the uploading program inherits: when wheelkit is killed, the lock holds until an upload
that still runs has ended, so that the next run sees what it did. On Windows it belongs to the process (LockFile: "file locks are not
inherited by processes created by the locking process"), and ends with it; there the journal alone tells the next run what may be under way.
"""

from __future__ import annotations

import contextlib
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wheelkit.errors import CheckFailedError, OutputError
from wheelkit.publish.client import backoff_delays

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from wheelkit.publish.client import Clock


_PATIENCE = 1800.0
_FAR = 1 << 30


@contextmanager
def index_lock(
    path: Path, clock: Clock, note: Callable[[str], None], *, patience: float = _PATIENCE
) -> Iterator[int]:
    """Hold the lock and give its descriptor; wait while another process holds it, and say so once.

    Raises CheckFailedError after ``patience`` seconds, OutputError where the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise OutputError.of(error, path) from error
    try:
        _wait(descriptor, clock, note, patience)
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, str(os.getpid()).encode())
        yield descriptor
    finally:
        os.close(descriptor)


def _wait(descriptor: int, clock: Clock, note: Callable[[str], None], patience: float) -> None:
    started = clock.now()
    for pause in backoff_delays(0.05, 1.0):
        if _taken(descriptor):
            return
        if clock.now() == started or pause == 0.05:  # noqa: PLR2004 - the first time round
            note(
                f"another wheelkit{_holder(descriptor)} is publishing this release; waiting until it has ended"
            )
        if clock.now() - started > patience:
            raise CheckFailedError(
                f"another wheelkit{_holder(descriptor)} has been publishing this release for {patience / 60:.0f} minutes",
                hint="wait for it, or end it; then run this again",
            )
        clock.sleep(pause)


def _holder(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with contextlib.suppress(OSError):
        text = os.read(descriptor, 20).decode("ascii", errors="replace").strip()
        return f" (process {text})" if text.isdigit() else ""
    return ""


def _taken(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            _beyond_the_text(descriptor, lambda: msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1))
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _beyond_the_text(descriptor: int, lock: Callable[[], None]) -> None:
    """Lock a byte that the file need not have: on Windows nobody else could read a locked one, and the holder's number stands in front."""
    os.lseek(descriptor, _FAR, os.SEEK_SET)
    try:
        lock()
    finally:
        os.lseek(descriptor, 0, os.SEEK_SET)
