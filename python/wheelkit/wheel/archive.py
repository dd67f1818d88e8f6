"""The zip archive of a wheel: its entries, and access to their bytes."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING

from wheelkit.errors import WheelError
from wheelkit.wheel import libdeflate, zip_headers
from wheelkit.wheel.inflate import DEFLATED, HIGHEST_RATIO, LARGE, STORED, InflateError, pieces, whole
from wheelkit.wheel.zip_directory import DirectoryError, read_directory
from wheelkit.wheel.zip_headers import read_local_header

if TYPE_CHECKING:
    import mmap
    from collections.abc import Iterator, Sequence
    from io import RawIOBase
    from pathlib import Path
    from typing import Self

    from wheelkit.wheel.zip_directory import DirectoryEntry


_REBUILD = "build it again; if it was downloaded, download it again"
_BOMB_ARCHIVE = 1 << 30


class Archive:
    """A wheel file: its entries in the central directory's order, and how many bytes they declare together.

    The file is open only while ``opened`` gives access to its bytes.
    """

    def __init__(self, path: Path, *, shallow: bool = False) -> None:
        """Read the central directory; raise WheelError with the reason where there is none to be trusted.

        With ``shallow`` the entries may be only those below a .dist-info folder.
        """
        self.path = path
        try:
            with path.open("rb", buffering=0) as file:
                self.size = os.fstat(file.fileno()).st_size
                if self.size == 0:
                    raise WheelError(f"{path.name} is empty", hint=_REBUILD)
                self._directory = read_directory(file, shallow=shallow)
                if not shallow:
                    _announce(file.fileno())
        except OSError as error:
            raise unreadable_message(path, error) from error
        except DirectoryError as error:
            raise WheelError(f"{path.name} is no readable zip archive: {error}", hint=_REBUILD) from error
        self.entries = self._directory.entries
        self.unpacked = sum(entry.size for entry in self.entries)
        if expansion_limit_message(self.unpacked, self.size, _BOMB_ARCHIVE):
            message = (
                f"{path.name} declares {self.unpacked} bytes in a file of {self.size}; it was not unpacked"
            )
            raise WheelError(message, hint="do not install it: it would fill the disk")

    @contextmanager
    def opened(self) -> Iterator[MemberReader]:
        """Give access to the file's bytes for the time of a ``with`` block; raise WheelError where it cannot be opened any more."""
        try:
            file = self.path.open("rb", buffering=0)
        except OSError as error:
            raise unreadable_message(self.path, error) from error
        with file, MemberReader(self, file) as contents:
            yield contents

    @property
    def directory(self) -> int:
        """Where the central directory begins."""
        return self._directory.start

    def gapless(self) -> bool:
        """Tell whether the members fill the file up to the directory, if their local headers are as ``quickly`` wants them."""
        position = 0
        for entry in self.entries:
            if entry.offset != position:
                return False
            position += zip_headers.SIZE + len(entry.raw) + entry.packed
        return self._directory.plain and position == self._directory.start


def _announce(descriptor: int) -> None:
    """Tell the kernel that all of a file will be read, so that it fetches what is not in memory while other files are read."""
    if hasattr(os, "posix_fadvise"):
        with suppress(OSError):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_WILLNEED)


# The sizes of a data descriptor behind a member: with or without its signature, with sizes of 4 or 8 bytes (APPNOTE 4.3.9).
_DESCRIPTORS = (12, 16, 20, 24)
_END_SIGNATURE = b"PK\x05\x06"
_END_SIZE = 22
_END_SEARCH = _END_SIZE + (1 << 16)

# What no wheel needs: the densest real members are tables of zeros that unpack to some ten times their size.
_BOMB_RATIO, _BOMB_MEMBER = 200, 64 << 20


def expansion_limit_message(size: int, packed: int, least: int = _BOMB_MEMBER) -> bool:
    """Tell whether so many bytes from so few are meant to fill a disk or the memory."""
    return size > least and size > packed * _BOMB_RATIO


def unreadable_message(path: Path, error: OSError | ValueError) -> WheelError:
    """Give the error of a file that cannot be read."""
    reason = getattr(error, "strerror", None) or str(error)
    return WheelError(f"{path} cannot be read: {reason}", hint="check that it is a file, and its permissions")


# Frames that nobody uses at the moment; a thread takes one, and gives it back.
_free: list[libdeflate.Frame] = []


class MemberReader:
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
            raise unreadable_message(self._archive.path, error) from error

    @cached_property
    def _view(self) -> memoryview:
        return memoryview(self._map)

    def quickly(self, entry: DirectoryEntry) -> memoryview | None:
        """Give a plain member's bytes: its local header as the central directory has it, its contents as declared.

        None for all others, with which something may be wrong, or not. What is given for a stored member holds until the next call.
        """
        end = zip_headers.SIZE + len(entry.raw) + entry.packed
        if not (zip_headers.is_simple(entry) and _plausible(entry)):
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

    def agrees(self, entry: DirectoryEntry) -> bool:
        """Tell whether an entry's local header is plain, and as the central directory has it; its contents are not read."""
        size = zip_headers.SIZE + len(entry.raw)
        return (
            zip_headers.is_simple(entry)
            and self._fill(entry.offset, size)
            and zip_headers.matches_directory(entry, self._frame.room(size))
        )

    def _within(self, offset: int, size: int) -> bool:
        return 0 <= offset <= self._archive.size - size

    def _fill(self, offset: int, size: int) -> bool:
        if not self._within(offset, size):
            return False
        self._file.seek(offset)
        return self._file.readinto(self._frame.room(size)) == size

    def pieces(self, entry: DirectoryEntry) -> Iterator[bytes | memoryview]:
        """Yield an entry's bytes, small ones in one piece; raise InflateError with what is wrong with them, at the end at the latest."""
        start = self._start(entry)
        packed = self._view[start : start + entry.packed]
        yield from pieces(
            packed, entry.method, entry.size, entry.crc, done=lambda count: self._forget(start, count)
        )

    def text(self, entry: DirectoryEntry) -> bytes:
        """Give a copy of an entry's bytes, where they are known to be few; raise InflateError with what is wrong with them."""
        plain = self.quickly(entry)
        return bytes(self.whole(entry) if plain is None else plain)

    def whole(self, entry: DirectoryEntry) -> bytes | memoryview:
        """Give the bytes of an entry that is not plain, where they are known to be few; raise InflateError with what is wrong with them."""
        start = self._start(entry)
        return whole(self._view[start : start + entry.packed], entry.method, entry.size, entry.crc)

    def header_trouble(self, entry: DirectoryEntry) -> str:
        """Say in what an entry's local header differs from the central directory; empty where they agree."""
        found = read_local_header(self._view, entry.offset)
        if found is None:
            return ""  # reading the contents says so
        start = entry.offset + zip_headers.SIZE + found.name
        return zip_headers.header_problem(entry, found, bytes(self._view[start : start + found.extra]))

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
            slack = _DESCRIPTORS if entry.flags & zip_headers.HAS_DESCRIPTOR else (0,)
        gap = self._archive.directory - position
        stray += 0 if gap in slack else abs(gap)
        hidden += self._headers_in(position, self._archive.directory)
        return stray + self._behind(), shared, hidden

    def _headers_in(self, start: int, end: int) -> int:
        return (
            bytes(self._view[start:end]).count(zip_headers.SIGNATURE)
            if end - start >= zip_headers.SIZE
            else 0
        )

    def _end(self, entry: DirectoryEntry) -> int:
        found = read_local_header(self._view, entry.offset)
        return (
            entry.offset
            if found is None
            else entry.offset + zip_headers.SIZE + found.name + found.extra + entry.packed
        )

    def _behind(self) -> int:
        """Count what follows the end record; a comment is there too, which wheels do not need."""
        tail = bytes(self._view[-_END_SEARCH:])
        return len(tail) - tail.rfind(_END_SIGNATURE) - _END_SIZE

    def _start(self, entry: DirectoryEntry) -> int:
        """Find an entry's packed bytes; raise InflateError where they are not there, or are not to be unpacked."""
        if entry.flags & zip_headers.ENCRYPTED:
            raise InflateError("is encrypted")
        if expansion_limit_message(entry.size, entry.packed):
            message = f"declares {entry.size} bytes, packed into {entry.packed}; it was not unpacked"
            raise InflateError(message)
        found = read_local_header(self._view, entry.offset)
        if found is None:
            raise InflateError("has no local header where the central directory points to")
        start = entry.offset + zip_headers.SIZE
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


def _plausible(entry: DirectoryEntry) -> bool:
    """Tell whether a member is worth the memory that it asks for."""
    return (
        entry.size < LARGE
        and entry.size <= entry.packed * HIGHEST_RATIO
        and not expansion_limit_message(entry.size, entry.packed)
    )


def _proven(entry: DirectoryEntry, frame: libdeflate.Frame) -> memoryview | None:
    """Give a member's bytes from its local header and packed bytes, where all is as the central directory says."""
    begin = zip_headers.SIZE + len(entry.raw)
    end = begin + entry.packed
    room = frame.room(end)
    if not zip_headers.matches_directory(entry, room):
        return None
    if entry.method == DEFLATED:
        return frame.inflated(begin, end, entry.size, entry.crc)
    return (
        room[begin:]
        if entry.method == STORED and libdeflate.stored(room[begin:], entry.size, entry.crc)
        else None
    )
