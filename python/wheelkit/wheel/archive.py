"""The zip archive of a wheel: its entries, and each entry's packed bytes, with every claim of the file checked."""

from __future__ import annotations

import mmap
import os
import struct
import zipfile
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

from wheelkit.errors import WheelError
from wheelkit.wheel.inflate import InflateError, unpacked

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import Self
    from zipfile import ZipInfo

_LOCAL_HEADER = struct.Struct("<4sHHHHHIIIHH")
_LOCAL_SIGNATURE = b"PK\x03\x04"
_ENCRYPTED = 0x1
_UTF8 = 0x800
_HAS_DESCRIPTOR = 0x8
# The sizes of a data descriptor behind a member: with or without its signature, with sizes of 4 or 8 bytes (APPNOTE 4.3.9).
_DESCRIPTORS = (12, 16, 20, 24)
_END_SIGNATURE = b"PK\x05\x06"
_END_SIZE = 22
_END_SEARCH = _END_SIZE + (1 << 16)
_REBUILD = "build it again; if it was downloaded, download it again"

# What zipfile raises on damaged archives, seen and documented.
_DAMAGE = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    zlib.error,
    EOFError,
    struct.error,
    OverflowError,
    UnicodeDecodeError,
    ValueError,
    IndexError,
    MemoryError,
)


class Archive:
    """An open wheel file: its entries in the central directory's order, and their contents on demand.

    Reading is safe from several threads. Close it, or use it in a ``with`` block.
    """

    def __init__(self, path: Path) -> None:
        """Open the file and read its central directory; raise WheelError with the reason where it has none."""
        self.path = path
        self._map: mmap.mmap | None = None
        self._view = memoryview(b"")
        try:
            self._open()
        except WheelError:
            self.close()
            raise

    def _open(self) -> None:
        try:
            with self.path.open("rb") as file:
                self.size = os.fstat(file.fileno()).st_size
                if self.size == 0:
                    raise WheelError(f"{self.path.name} is empty", hint=_REBUILD)
                with zipfile.ZipFile(file) as archive:
                    self.entries = tuple(archive.infolist())
                    self._directory = archive.start_dir
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
                self._view = memoryview(self._map)
        except OSError as error:
            reason = error.strerror or str(error)
            raise WheelError(f"{self.path} cannot be read: {reason}", hint="check that it is a file, and its permissions") from error
        except _DAMAGE as error:
            words = str(error).rstrip(".") or type(error).__name__
            raise WheelError(f"{self.path.name} is no readable zip archive: {words}", hint=_REBUILD) from error

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Let go of the file; entries stay readable as facts."""
        self._view.release()
        if self._map is not None:
            # A traceback may still hold a piece of the mapping; it is unmapped when that goes.
            with suppress(BufferError):
                self._map.close()
            self._map = None

    def contents(self, entry: ZipInfo) -> AbstractContextManager[memoryview]:
        """Give an entry's bytes for the time of a ``with`` block; raise InflateError with what is wrong with them."""
        if entry.flag_bits & _ENCRYPTED:
            raise InflateError("is encrypted")
        return unpacked(self._packed(entry), entry.compress_type, entry.file_size, entry.CRC)

    def stray(self) -> int:
        """Count the bytes of the file that belong to no member, nor to the directory: before, between, overlapping and behind."""
        position, found = 0, 0
        slack: tuple[int, ...] = (0,)
        for entry in sorted(self.entries, key=lambda item: item.header_offset):
            gap = entry.header_offset - position
            found += 0 if gap in slack else abs(gap)
            position = self._end(entry)
            slack = _DESCRIPTORS if entry.flag_bits & _HAS_DESCRIPTOR else (0,)
        gap = self._directory - position
        return found + (0 if gap in slack else abs(gap)) + self._behind()

    def _end(self, entry: ZipInfo) -> int:
        header = self._view[entry.header_offset : entry.header_offset + _LOCAL_HEADER.size]
        if len(header) < _LOCAL_HEADER.size:
            return self.size
        *_, name_length, extra_length = _LOCAL_HEADER.unpack(header)
        return int(entry.header_offset + _LOCAL_HEADER.size + name_length + extra_length + entry.compress_size)

    def _behind(self) -> int:
        """Count what follows the end record; a comment is there too, which wheels do not need."""
        tail = bytes(self._view[-_END_SEARCH:])
        return len(tail) - tail.rfind(_END_SIGNATURE) - _END_SIZE

    def _packed(self, entry: ZipInfo) -> memoryview:
        header = self._view[entry.header_offset : entry.header_offset + _LOCAL_HEADER.size]
        if len(header) < _LOCAL_HEADER.size or bytes(header[:4]) != _LOCAL_SIGNATURE:
            raise InflateError("has no local header where the central directory points to")
        *_, name_length, extra_length = _LOCAL_HEADER.unpack(header)
        start = entry.header_offset + _LOCAL_HEADER.size
        if bytes(self._view[start : start + name_length]) != _raw_name(entry):
            raise InflateError("has another name in its local header than in the central directory")
        start += name_length + extra_length
        if start + entry.compress_size > self.size:
            raise InflateError("reaches beyond the end of the file")
        return self._view[start : start + entry.compress_size]


def _raw_name(entry: ZipInfo) -> bytes:
    """Give back a member's name as the central directory spells it (zipfile decodes it)."""
    encoding = "utf-8" if entry.flag_bits & _UTF8 else "cp437"
    return entry.orig_filename.encode(encoding, errors="surrogateescape")
