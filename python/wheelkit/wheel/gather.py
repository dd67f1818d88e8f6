"""Puts the pieces of a binary together again, because the scanner wants it whole; all other members are only let through."""

from __future__ import annotations

import mmap
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import IO, Self

# The first bytes of ELF, PE, Mach-O and fat Mach-O files.
_MAGIC = (
    b"\x7fELF",
    b"MZ",
    *(bytes.fromhex(magic) for magic in ("feedface", "feedfacf", "cefaedfe", "cffaedfe", "cafebabe", "cafebabf")),
)
# Binaries above this size go into a mapped temporary file, so that their bytes are the kernel's to page out.
LARGE = 1024 * 1024 * 1024
_HUGE = 8 * 1024 * 1024


def is_binary(begin: bytes | memoryview) -> bool:
    """Tell whether a file's first bytes are those of a binary."""
    return bytes(begin[:4]).startswith(_MAGIC)


class Room:
    """Memory that one thread uses for one binary after the other: fresh pages cost more than the copying into them."""

    def __init__(self) -> None:
        self._map: mmap.mmap | None = None
        self._whole = memoryview(b"")

    def take(self, size: int) -> memoryview:
        """Give that much memory, writable; what was taken before must not be in use any more."""
        if len(self._whole) < size:
            self.close()
            self._map = mmap.mmap(-1, size)
            if size >= _HUGE and hasattr(mmap, "MADV_HUGEPAGE"):
                with suppress(OSError):  # a kernel without huge pages
                    self._map.madvise(mmap.MADV_HUGEPAGE)
            self._whole = memoryview(self._map)
        return self._whole[:size]

    def close(self) -> None:
        """Give the memory back."""
        self._whole.release()
        self._whole = memoryview(b"")
        if self._map is not None:
            self._map.close()
            self._map = None


class Gathering:
    """Collects one member's pieces for the time of a ``with`` block; ``size`` is how many bytes it declares.

    ``binary`` tells, from the first piece on, whether it begins like one.
    """

    def __init__(self, size: int, room: Room) -> None:
        self._size = size
        self._room = room
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
        elif self._size >= LARGE:
            from tempfile import TemporaryFile

            self._file = self._stack.enter_context(TemporaryFile())  # noqa: SIM115 - the stack is the context
        else:
            self._view = self._stack.enter_context(self._room.take(self._size))

    def whole(self) -> memoryview:
        """Give all bytes of a binary, once every piece is there."""
        if self._file is not None:
            self._file.flush()
            mapped = self._stack.enter_context(mmap.mmap(self._file.fileno(), self._size, access=mmap.ACCESS_READ))
            self._view, self._file = self._stack.enter_context(memoryview(mapped)), None
        return self._view if self._view is not None else memoryview(b"")
