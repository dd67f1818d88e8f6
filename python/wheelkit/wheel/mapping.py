"""A private mapping of a part of a file, from which a library reads what is too large to be copied."""

from __future__ import annotations

import mmap
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import RawIOBase

# The kernel's pages of the file count as this process's memory from when they are first read: it is told again and again that they are
# not needed, and fetches those that are from its cache. Seconds in which a library gets no further than a few megabytes.
_OFTEN = 0.02


def possible() -> bool:
    """Tell whether this system takes pages back while they are mapped."""
    return hasattr(mmap, "MADV_DONTNEED") and hasattr(mmap.mmap, "madvise")


@contextmanager
def mapped(file: RawIOBase, start: int, size: int, *, kept: int) -> Iterator[memoryview]:
    """Give so many bytes of a file, writable, for the time of a ``with`` block; what is written does not reach the file.

    Only the first and the last ``kept`` bytes may be written: the others are given back to the kernel all the time. Raises OSError or
    ValueError where the file is shorter or cannot be mapped.
    """
    first = start - start % mmap.ALLOCATIONGRANULARITY
    start -= first
    with (
        mmap.mmap(file.fileno(), start + size, access=mmap.ACCESS_COPY, offset=first) as memory,
        memoryview(memory) as whole,
        whole[start:] as view,
        _forgetting(memory, start + kept, len(memory) - kept),
    ):
        yield view


@contextmanager
def _forgetting(memory: mmap.mmap, begin: int, end: int) -> Iterator[None]:
    page = mmap.PAGESIZE
    begin, end = -(-begin // page) * page, end // page * page
    done = threading.Event()

    def forget() -> None:
        while not done.wait(_OFTEN) and begin < end:
            memory.madvise(mmap.MADV_DONTNEED, begin, end - begin)

    thread = threading.Thread(target=forget, name="wheelkit-forgets", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
