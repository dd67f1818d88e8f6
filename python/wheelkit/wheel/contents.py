"""The bytes of a wheel's archive: every member's contents, and what lies between members, with every claim of the file checked."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from wheelkit.errors import WheelError
from wheelkit.wheel import header, libdeflate
from wheelkit.wheel.header import header_at
from wheelkit.wheel.inflate import DEFLATED, HIGHEST_RATIO, LARGE, STORED, InflateError, pieces, whole

if TYPE_CHECKING:
    import mmap
    from collections.abc import Iterator, Sequence
    from io import RawIOBase
    from pathlib import Path
    from typing import Self

    from wheelkit.wheel.archive import Archive
    from wheelkit.wheel.directory import Entry


# The sizes of a data descriptor behind a member: with or without its signature, with sizes of 4 or 8 bytes (APPNOTE 4.3.9).
_DESCRIPTORS = (12, 16, 20, 24)
_END_SIGNATURE = b"PK\x05\x06"
_END_SIZE = 22
_END_SEARCH = _END_SIZE + (1 << 16)

# What no wheel needs: the densest real members are tables of zeros that unpack to some ten times their size.
_BOMB_RATIO, _BOMB_MEMBER = 200, 64 << 20


def bomb(size: int, packed: int, least: int = _BOMB_MEMBER) -> bool:
    """Tell whether so many bytes from so few are meant to fill a disk or the memory."""
    return size > least and size > packed * _BOMB_RATIO


def unreadable(path: Path, error: OSError | ValueError) -> WheelError:
    """Give the error of a file that cannot be read."""
    reason = getattr(error, "strerror", None) or str(error)
    return WheelError(f"{path} cannot be read: {reason}", hint="check that it is a file, and its permissions")


# Frames that nobody uses at the moment; a thread takes one, and gives it back.
_free: list[libdeflate.Frame] = []


class Contents:
    """The bytes of an open archive, for the time of a ``with`` block; to be used by one thread."""

    def __init__(self, archive: Archive, file: RawIOBase) -> None:
        self._archive = archive
        self._file = file
        try:
            self._frame = _free.pop()
        except IndexError:
            self._frame = libdeflate.Frame()

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the file."""
        _free.append(self._frame)
        if "_view" in self.__dict__:
            # A traceback may still hold a piece of the mapping; it is unmapped when that goes.
            with suppress(BufferError):
                self._view.release()
                self._map.close()

    @cached_property
    def _map(self) -> mmap.mmap:
        import mmap

        try:
            return mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise unreadable(self._archive.path, error) from error

    @cached_property
    def _view(self) -> memoryview:
        return memoryview(self._map)

    def quickly(self, entry: Entry) -> memoryview | None:
        """Give a plain member's bytes: its local header as the central directory has it, its contents as declared.

        None for all others, with which something may be wrong, or not. What is given for a stored member holds until the next call.
        """
        end = header.SIZE + len(entry.raw) + entry.packed
        if not (header.plain(entry) and _plausible(entry)):
            return None
        if entry.packed <= libdeflate.MOST_PACKED:
            return _proven(entry, self._frame) if self._fill(entry.offset, end) else None
        from wheelkit.wheel import mapping

        size = end + libdeflate.FOOTER
        if entry.method != DEFLATED or not mapping.possible() or not self._within(entry.offset, size):
            return None
        with (
            suppress(OSError, ValueError),
            mapping.mapped(self._file, entry.offset, size, kept=end - entry.packed) as view,
            libdeflate.Frame(view) as frame,
        ):
            return _proven(entry, frame)
        return None

    def agrees(self, entry: Entry) -> bool:
        """Tell whether an entry's local header is plain, and as the central directory has it; its contents are not read."""
        size = header.SIZE + len(entry.raw)
        return header.plain(entry) and self._fill(entry.offset, size) and header.agrees(entry, self._frame.room(size))

    def _within(self, offset: int, size: int) -> bool:
        return 0 <= offset <= self._archive.size - size

    def _fill(self, offset: int, size: int) -> bool:
        if not self._within(offset, size):
            return False
        self._file.seek(offset)
        return self._file.readinto(self._frame.room(size)) == size

    def pieces(self, entry: Entry) -> Iterator[bytes | memoryview]:
        """Yield an entry's bytes, small ones in one piece; raise InflateError with what is wrong with them, at the end at the latest."""
        start = self._start(entry)
        packed = self._view[start : start + entry.packed]
        yield from pieces(packed, entry.method, entry.size, entry.crc, done=lambda count: self._forget(start, count))

    def text(self, entry: Entry) -> bytes:
        """Give a copy of an entry's bytes, where they are known to be few; raise InflateError with what is wrong with them."""
        plain = self.quickly(entry)
        return bytes(self.whole(entry) if plain is None else plain)

    def whole(self, entry: Entry) -> bytes | memoryview:
        """Give the bytes of an entry that is not plain, where they are known to be few; raise InflateError with what is wrong with them."""
        start = self._start(entry)
        return whole(self._view[start : start + entry.packed], entry.method, entry.size, entry.crc)

    def header_trouble(self, entry: Entry) -> str:
        """Say in what an entry's local header differs from the central directory; empty where they agree."""
        found = header_at(self._view, entry.offset)
        if found is None:
            return ""  # reading the contents says so
        start = entry.offset + header.SIZE + found.name
        return header.trouble(entry, found, bytes(self._view[start : start + found.extra]))

    def layout(self) -> tuple[int, int, int]:
        """Count the file's bytes that belong to no member nor to the directory, those that belong to two, and members among the former.

        Installers that unpack while they download find these as well.
        """
        position, stray, shared, hidden = 0, 0, 0, 0
        slack: Sequence[int] = (0,)
        for entry in sorted(self._archive.entries, key=lambda item: item.offset):
            gap = entry.offset - position
            stray += gap if gap > 0 and gap not in slack else 0
            hidden += self._headers_in(position, entry.offset)
            shared += max(-gap, 0)
            position = max(position, self._end(entry))
            slack = _DESCRIPTORS if entry.flags & header.HAS_DESCRIPTOR else (0,)
        gap = self._archive.directory - position
        stray += 0 if gap in slack else abs(gap)
        hidden += self._headers_in(position, self._archive.directory)
        return stray + self._behind(), shared, hidden

    def _headers_in(self, start: int, end: int) -> int:
        return bytes(self._view[start:end]).count(header.SIGNATURE) if end - start >= header.SIZE else 0

    def _end(self, entry: Entry) -> int:
        found = header_at(self._view, entry.offset)
        return entry.offset if found is None else entry.offset + header.SIZE + found.name + found.extra + entry.packed

    def _behind(self) -> int:
        """Count what follows the end record; a comment is there too, which wheels do not need."""
        tail = bytes(self._view[-_END_SEARCH:])
        return len(tail) - tail.rfind(_END_SIGNATURE) - _END_SIZE

    def _start(self, entry: Entry) -> int:
        """Find an entry's packed bytes; raise InflateError where they are not there, or are not to be unpacked."""
        if entry.flags & header.ENCRYPTED:
            raise InflateError("is encrypted")
        if bomb(entry.size, entry.packed):
            message = f"declares {entry.size} bytes, packed into {entry.packed}; it was not unpacked"
            raise InflateError(message)
        found = header_at(self._view, entry.offset)
        if found is None:
            raise InflateError("has no local header where the central directory points to")
        start = entry.offset + header.SIZE
        if bytes(self._view[start : start + found.name]) != entry.raw:
            raise InflateError("has another name in its local header than in the central directory")
        start += found.name + found.extra
        if start + entry.packed > len(self._view):
            raise InflateError("reaches beyond the end of the file")
        return start

    def _forget(self, start: int, count: int) -> None:
        """Let the kernel take back the pages of packed bytes that were used: they count as this process's memory."""
        import mmap

        if hasattr(self._map, "madvise"):
            page = mmap.ALLOCATIONGRANULARITY
            first, last = -(-start // page) * page, (start + count) // page * page
            if last > first:
                self._map.madvise(mmap.MADV_DONTNEED, first, last - first)


def _plausible(entry: Entry) -> bool:
    """Tell whether a member is worth the memory that it asks for."""
    return entry.size < LARGE and entry.size <= entry.packed * HIGHEST_RATIO and not bomb(entry.size, entry.packed)


def _proven(entry: Entry, frame: libdeflate.Frame) -> memoryview | None:
    """Give a member's bytes from its local header and packed bytes, where all is as the central directory says."""
    begin = header.SIZE + len(entry.raw)
    end = begin + entry.packed
    room = frame.room(end)
    if not header.agrees(entry, room):
        return None
    if entry.method == DEFLATED:
        return frame.inflated(begin, end, entry.size, entry.crc)
    return room[begin:] if entry.method == STORED and libdeflate.stored(room[begin:], entry.size, entry.crc) else None
