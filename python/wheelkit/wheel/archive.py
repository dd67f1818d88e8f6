"""The zip archive of a wheel: its entries, and each entry's packed bytes, with every claim of the file checked."""

from __future__ import annotations

import mmap
import os
import struct
from contextlib import contextmanager, suppress
from functools import cached_property
from threading import local
from typing import TYPE_CHECKING

from wheelkit.errors import WheelError
from wheelkit.wheel import libdeflate, mapping
from wheelkit.wheel.directory import UTF8, DirectoryError, read_directory
from wheelkit.wheel.inflate import DEFLATED, HIGHEST_RATIO, LARGE, STORED, InflateError, pieces, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from io import RawIOBase
    from pathlib import Path
    from typing import Self

    from wheelkit.wheel.directory import Entry

_LOCAL_HEADER = struct.Struct("<4sHHHHHIIIHH")
_LOCAL_SIGNATURE = b"PK\x03\x04"
_ENCRYPTED = 0x1
_HAS_DESCRIPTOR = 0x8
_HARMLESS = UTF8 | 0x6  # how names are written, and how hard the packer tried
# The sizes of a data descriptor behind a member: with or without its signature, with sizes of 4 or 8 bytes (APPNOTE 4.3.9).
_DESCRIPTORS = (12, 16, 20, 24)
_ZIP64_FIELD, _IN_ZIP64 = 1, 0xFFFFFFFF
_UNICODE_PATH_FIELD = 0x7075
_END_SIGNATURE = b"PK\x05\x06"
_END_SIZE = 22
_END_SEARCH = _END_SIZE + (1 << 16)
_REBUILD = "build it again; if it was downloaded, download it again"

# What no wheel needs: the densest real members are tables of zeros that unpack to some ten times their size.
_BOMB_RATIO, _BOMB_MEMBER, _BOMB_ARCHIVE = 200, 64 << 20, 1 << 30


def bomb(size: int, packed: int, least: int = _BOMB_MEMBER) -> bool:
    """Tell whether so many bytes from so few are meant to fill a disk or the memory."""
    return size > least and size > packed * _BOMB_RATIO


class Archive:
    """A wheel file: its entries in the central directory's order. The file is open only while ``bytes`` is in use.

    ``contents`` gives every entry's bytes on demand.
    """

    def __init__(self, path: Path, *, shallow: bool = False) -> None:
        """Read the central directory; raise WheelError with the reason where there is none to be trusted.

        With ``shallow`` the entries may be only those below a .dist-info folder.
        """
        self.path = path
        try:
            with path.open("rb") as file:
                self.size = os.fstat(file.fileno()).st_size
                if self.size == 0:
                    raise WheelError(f"{path.name} is empty", hint=_REBUILD)
                self._directory = read_directory(file, shallow=shallow)
        except OSError as error:
            raise _unreadable(path, error) from error
        except DirectoryError as error:
            raise WheelError(f"{path.name} is no readable zip archive: {error}", hint=_REBUILD) from error
        self.entries = self._directory.entries
        unpacked = sum(entry.size for entry in self.entries)
        if bomb(unpacked, self.size, _BOMB_ARCHIVE):
            message = f"{path.name} declares {unpacked} bytes in a file of {self.size}; it was not unpacked"
            raise WheelError(message, hint="do not install it: it would fill the disk")

    @contextmanager
    def opened(self) -> Iterator[Contents]:
        """Give access to the file's bytes for the time of a ``with`` block; raise WheelError where it cannot be opened any more."""
        try:
            file = self.path.open("rb", buffering=0)
        except OSError as error:
            raise _unreadable(self.path, error) from error
        with file, Contents(self, file) as contents:
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
            position += _LOCAL_HEADER.size + len(entry.raw) + entry.packed
        return self._directory.plain and position == self._directory.start


def _unreadable(path: Path, error: OSError | ValueError) -> WheelError:
    reason = getattr(error, "strerror", None) or str(error)
    return WheelError(f"{path} cannot be read: {reason}", hint="check that it is a file, and its permissions")


class _Own(local):
    """What each thread has for itself."""

    def __init__(self) -> None:
        self.frame = libdeflate.Frame()


_own = _Own()


class Contents:
    """The bytes of an open archive, for the time of a ``with`` block; to be used by one thread."""

    def __init__(self, archive: Archive, file: RawIOBase) -> None:
        self._archive = archive
        self._file = file

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the file."""
        if "_view" in self.__dict__:
            # A traceback may still hold a piece of the mapping; it is unmapped when that goes.
            with suppress(BufferError):
                self._view.release()
                self._map.close()

    @cached_property
    def _map(self) -> mmap.mmap:
        try:
            return mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise _unreadable(self._archive.path, error) from error

    @cached_property
    def _view(self) -> memoryview:
        return memoryview(self._map)

    def quickly(self, entry: Entry) -> memoryview | None:
        """Give a plain member's bytes: its local header as the central directory has it, its contents as declared.

        None for all others, with which something may be wrong, or not. What is given for a stored member holds until the next call.
        """
        end = _LOCAL_HEADER.size + len(entry.raw) + entry.packed
        if entry.flags & ~_HARMLESS or entry.extra or not _plausible(entry):
            return None
        if entry.packed <= libdeflate.MOST_PACKED:
            return _proven(entry, _own.frame) if self._fill(entry.offset, end) else None
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
        size = _LOCAL_HEADER.size + len(entry.raw)
        return not (entry.flags & ~_HARMLESS or entry.extra) and self._fill(entry.offset, size) and _agrees(entry, _own.frame.room(size))

    def _within(self, offset: int, size: int) -> bool:
        return 0 <= offset <= self._archive.size - size

    def _fill(self, offset: int, size: int) -> bool:
        if not self._within(offset, size):
            return False
        self._file.seek(offset)
        return self._file.readinto(_own.frame.room(size)) == size

    def pieces(self, entry: Entry) -> Iterator[bytes | memoryview]:
        """Yield an entry's bytes, small ones in one piece; raise InflateError with what is wrong with them, at the end at the latest."""
        start = self._start(entry)
        packed = self._view[start : start + entry.packed]
        yield from pieces(packed, entry.method, entry.size, entry.crc, done=lambda count: self._forget(start, count))

    def whole(self, entry: Entry) -> bytes | memoryview:
        """Give an entry's bytes, where they are known to be few; raise InflateError with what is wrong with them."""
        start = self._start(entry)
        return whole(self._view[start : start + entry.packed], entry.method, entry.size, entry.crc)

    def header_trouble(self, entry: Entry) -> str:
        """Say in what an entry's local header differs from the central directory; empty where they agree.

        Installers that unpack while they download read the local headers only.
        """
        header = self._header(entry)
        if header is None:
            return ""  # reading the contents says so
        _, _, flags, method, _, _, crc, packed, size, name_length, extra_length = header
        start = entry.offset + _LOCAL_HEADER.size + name_length
        told = (size, packed)
        if _IN_ZIP64 in told:
            told = _wide(told, bytes(self._view[start : start + extra_length]))
        late = flags & _HAS_DESCRIPTOR and not (crc or size or packed)
        wanted = (
            ("flags", flags & ~_HAS_DESCRIPTOR, entry.flags & ~_HAS_DESCRIPTOR),
            ("method", method, entry.method),
            ("checksum", crc, entry.crc),
            ("size", told[0], entry.size),
            ("packed size", told[1], entry.packed),
        )
        renamed = _renamed(entry, bytes(self._view[start : start + extra_length]))
        if renamed:
            return f'is named "{renamed}" in an extra field, which some unpackers go by'
        return next((_differs(*row) for row in wanted[: 2 if late else None] if row[1] != row[2]), "")

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
            slack = _DESCRIPTORS if entry.flags & _HAS_DESCRIPTOR else (0,)
        gap = self._archive.directory - position
        stray += 0 if gap in slack else abs(gap)
        hidden += self._headers_in(position, self._archive.directory)
        return stray + self._behind(), shared, hidden

    def _headers_in(self, start: int, end: int) -> int:
        return bytes(self._view[start:end]).count(_LOCAL_SIGNATURE) if end - start >= _LOCAL_HEADER.size else 0

    def _header(self, entry: Entry) -> tuple[int, ...] | None:
        if not 0 <= entry.offset <= len(self._view) - _LOCAL_HEADER.size:
            return None
        header = _LOCAL_HEADER.unpack_from(self._view, entry.offset)
        return header if header[0] == _LOCAL_SIGNATURE else None

    def _end(self, entry: Entry) -> int:
        header = self._header(entry)
        if header is None:
            return entry.offset
        return entry.offset + _LOCAL_HEADER.size + header[-2] + header[-1] + entry.packed

    def _behind(self) -> int:
        """Count what follows the end record; a comment is there too, which wheels do not need."""
        tail = bytes(self._view[-_END_SEARCH:])
        return len(tail) - tail.rfind(_END_SIGNATURE) - _END_SIZE

    def _start(self, entry: Entry) -> int:
        """Find an entry's packed bytes; raise InflateError where they are not there, or are not to be unpacked."""
        if entry.flags & _ENCRYPTED:
            raise InflateError("is encrypted")
        if bomb(entry.size, entry.packed):
            message = f"declares {entry.size} bytes, packed into {entry.packed}; it was not unpacked"
            raise InflateError(message)
        header = self._header(entry)
        if header is None:
            raise InflateError("has no local header where the central directory points to")
        start = entry.offset + _LOCAL_HEADER.size
        if bytes(self._view[start : start + header[-2]]) != entry.raw:
            raise InflateError("has another name in its local header than in the central directory")
        start += header[-2] + header[-1]
        if start + entry.packed > len(self._view):
            raise InflateError("reaches beyond the end of the file")
        return start

    def _forget(self, start: int, count: int) -> None:
        """Let the kernel take back the pages of packed bytes that were used: they count as this process's memory."""
        if hasattr(self._map, "madvise"):
            page = mmap.ALLOCATIONGRANULARITY
            first, last = -(-start // page) * page, (start + count) // page * page
            if last > first:
                self._map.madvise(mmap.MADV_DONTNEED, first, last - first)


def _plausible(entry: Entry) -> bool:
    """Tell whether a member is worth the memory that it asks for."""
    return entry.size < LARGE and entry.size <= entry.packed * HIGHEST_RATIO and not bomb(entry.size, entry.packed)


def _agrees(entry: Entry, room: memoryview) -> bool:
    """Tell whether the local header at the beginning of these bytes says what the central directory does, and nothing else."""
    signature, _, *header = _LOCAL_HEADER.unpack_from(room)
    del header[2:4]  # the time, which may be told more exactly elsewhere
    told = [entry.flags, entry.method, entry.crc, entry.packed, entry.size, len(entry.raw), 0]
    return signature == _LOCAL_SIGNATURE and header == told and room[_LOCAL_HEADER.size : _LOCAL_HEADER.size + len(entry.raw)] == entry.raw


def _proven(entry: Entry, frame: libdeflate.Frame) -> memoryview | None:
    """Give a member's bytes from its local header and packed bytes, where all is as the central directory says."""
    begin = _LOCAL_HEADER.size + len(entry.raw)
    end = begin + entry.packed
    room = frame.room(end)
    if not _agrees(entry, room):
        return None
    if entry.method == DEFLATED:
        return frame.inflated(begin, end, entry.size, entry.crc)
    return room[begin:] if entry.method == STORED and libdeflate.stored(room[begin:], entry.size, entry.crc) else None


def _differs(what: str, local: int, central: int) -> str:
    return f"has the {what} {local} in its local header and {central} in the central directory"


def _wide(told: tuple[int, int], extra: bytes) -> tuple[int, int]:
    """Take the sizes that do not fit in 32 bits from the ZIP64 field (APPNOTE 4.5.3), where it is whole."""
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, place)
        if kind == _ZIP64_FIELD and place + 4 + length <= len(extra):
            values = iter(struct.unpack_from(f"<{length // 8}Q", extra, place + 4))
            size, packed = (next(values, value) if value == _IN_ZIP64 else value for value in told)
            return size, packed
        place += 4 + length
    return told


def _renamed(entry: Entry, local_extra: bytes) -> str:
    """Give the other name that Info-ZIP's Unicode path field (APPNOTE 4.6.9) of either header has for a member; empty where none does."""
    for extra in {entry.extra, local_extra} - {b""}:
        place = 0
        while place + 4 <= len(extra):
            kind, length = struct.unpack_from("<HH", extra, place)
            # A version and a checksum of the name stand before it.
            name = extra[place + 4 + 5 : place + 4 + length].decode("utf-8", errors="replace")
            if kind == _UNICODE_PATH_FIELD and name and name != entry.name:
                return name
            place += 4 + length
    return ""
