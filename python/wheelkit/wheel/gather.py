"""Puts the pieces of a binary together again, because the scanner wants it whole; all other members are only let through."""

from __future__ import annotations

import mmap
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from wheelkit.wheel import inflate
from wheelkit.wheel.magic import is_binary

if TYPE_CHECKING:
    from typing import IO, Self


_HUGE = 8 * 1024 * 1024


class Gathering:
    """Collects one member's pieces for the time of a ``with`` block; ``size`` is how many bytes it declares.

    ``binary`` tells, from the first piece on, whether it begins like one.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._got = 0
        self._stack = ExitStack()
        self._view: memoryview | None = None
        self._file: IO[bytes] | None = None
        self.binary = False

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the memory."""
        self._stack.close()

    def add(self, piece: bytes | memoryview) -> None:
        """Take the next piece; raise OSError or MemoryError where there is no room for it."""
        if self._got == 0:
            self.binary = is_binary(piece)
            if self.binary:
                self._make_room(piece)
        end = self._got + len(piece)
        # What is more than declared is not kept: the reader of the pieces complains about it.
        if self.binary and end <= self._size:
            if self._file is not None:
                self._file.write(piece)
            elif self._view is not None and not self._view.readonly:
                self._view[self._got : end] = piece
        self._got = end

    def _make_room(self, first: bytes | memoryview) -> None:
        if len(first) == self._size:
            self._view = self._stack.enter_context(memoryview(first).toreadonly())
        elif self._size >= inflate.LARGE:
            from tempfile import TemporaryFile

            self._file = self._stack.enter_context(TemporaryFile())  # noqa: SIM115 - the stack is the context
        else:
            self._view = self._stack.enter_context(memoryview(self._stack.enter_context(_memory(self._size))))

    def whole(self) -> memoryview:
        """Give all bytes of a binary, once every piece is there."""
        if self._file is not None:
            self._file.flush()
            mapped = self._stack.enter_context(mmap.mmap(self._file.fileno(), self._size, access=mmap.ACCESS_READ))
            self._view, self._file = self._stack.enter_context(memoryview(mapped)), None
        return self._view if self._view is not None else memoryview(b"")


def _memory(size: int) -> mmap.mmap:
    """Take memory in large pages where the kernel has them: to make many small ones takes longer than to fill them."""
    memory = mmap.mmap(-1, size)
    if size >= _HUGE and hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):  # a kernel without huge pages
            memory.madvise(mmap.MADV_HUGEPAGE)
    return memory
