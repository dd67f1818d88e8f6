"""Folders that exist for a while: they are removed however the block ends."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from wheelkit.machine.signals import at_end, deferred, require_running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


# A program that was killed may write a last file while its folder is removed.
_ATTEMPTS, _PAUSE_SECONDS = 10, 0.05


@contextmanager
def temporary_folder(prefix: str, parent: Path | None = None) -> Iterator[Path]:
    """Create an empty folder and remove it at the end of the block; raises OSError."""
    with removed_at_end(lambda: Path(tempfile.mkdtemp(prefix=prefix, dir=parent))) as folder:
        yield folder


@contextmanager
def removed_at_end(create: Callable[[], Path]) -> Iterator[Path]:
    """Create a folder by a function and remove it at the end of the block; no signal comes between."""
    with deferred():
        require_running()
        folder = create()
        remove = at_end(partial(remove_folder, folder))
    try:
        yield folder
    finally:
        remove()


def remove_folder(folder: Path) -> None:
    """Remove a folder with everything in it, as far as that is possible."""
    for _ in range(_ATTEMPTS):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.lexists(folder):
            return
        time.sleep(_PAUSE_SECONDS)


@contextmanager
def created_folder(folder: Path) -> Iterator[None]:
    """Create a folder if it is missing; if the block fails, remove it again."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        with suppress(OSError):
            for path in missing:
                path.rmdir()
        raise
