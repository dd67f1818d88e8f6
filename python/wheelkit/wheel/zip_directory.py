"""Read the central directory of a wheel's archive.

Only directories that are not plain need zipfile, whose import takes 9 ms, a sixth of a small wheel's time.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit import limits
from wheelkit.wheel.zip_end import END, SIGNATURE, ArchiveEnd, directory_span, read_end
from wheelkit.wheel.zip_extra import extra_problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO
    from zipfile import ZipFile, ZipInfo


# A directory entry (4.3.12): signature, maker, version needed, flags, method, time, date, checksum, two
# sizes, three lengths, disk, internal and external attributes, offset.
_ENTRY = struct.Struct("<4sHBxHHHHLLLHHHHHLL")
_ENTRY_SIGNATURE = b"PK\x01\x02"
_NEWEST = 63  # the version of the format that zipfile knows
UTF8 = 0x800
_WIDE = 0xFFFFFFFF
_DIST_INFO = ".dist-info/"


class DirectoryError(Exception):
    """The central directory cannot be read; the message says why."""


class DirectoryEntry(Struct, frozen=True, gc=False):
    """What the central directory says about one member.

    ``raw`` is the name in the archive's bytes. ``packed``, ``size`` and ``offset`` (of the local header) are
    in bytes, and may be wrong. ``mode`` is the Unix mode, ``dated`` whether it has a valid date, ``extra``
    the bytes of the extra fields, ``comment`` those of the comment. ``extra_problem`` says why uv refuses the
    extra fields.
    """

    name: str
    raw: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    mode: int
    dated: bool
    extra: bytes = b""
    comment: bytes = b""
    extra_problem: str = ""


class ZipDirectory(Struct, frozen=True):
    """An archive's entries, the offset at which its directory begins, and what is at the archive's end."""

    entries: tuple[DirectoryEntry, ...]
    start: int
    end: ArchiveEnd = ArchiveEnd()


def read_directory(file: BinaryIO, *, shallow: bool = False) -> ZipDirectory:
    """Read an archive's entries, ``shallow`` perhaps only .dist-info's; raises DirectoryError and OSError."""
    plain = read_plain_directory(file, shallow=shallow)
    if plain is None:
        _require_bounded(file)
        return _by_zipfile(file)
    return plain


def _require_bounded(file: BinaryIO) -> None:
    """Raise DirectoryError for a directory that would fill the memory: zipfile keeps all entries."""
    start, length = directory_span(file)
    if length > limits.DIRECTORY:
        raise DirectoryError(f"its directory has {length} bytes, and wheelkit reads up to {limits.DIRECTORY}")
    file.seek(start)
    count = file.read(length).count(_ENTRY_SIGNATURE)
    if count > limits.MEMBERS:
        raise DirectoryError(f"it lists {count} files, and wheelkit reads up to {limits.MEMBERS}")


def read_plain_directory(file: BinaryIO, *, shallow: bool = False) -> ZipDirectory | None:
    """Read a plain directory; None where it has comments, extra fields or other things for zipfile."""
    size = file.seek(0, os.SEEK_END)
    if size < END.size:
        return None
    file.seek(size - END.size)
    signature, *disks, disk_count, count, length, offset, comment = END.unpack(file.read(END.size))
    plain = signature == SIGNATURE and disk_count == count and not any(disks) and not comment
    if not plain or offset + length != size - END.size:
        return None
    file.seek(offset)
    entries = _walk(file.read(length), count, shallow=shallow)
    return None if entries is None else ZipDirectory(entries, offset)


def _walk(directory: bytes, count: int, *, shallow: bool) -> tuple[DirectoryEntry, ...] | None:
    entries: list[DirectoryEntry] = []
    place, end = 0, len(directory)
    for _ in range(count):
        if place + _ENTRY.size > end:
            return None
        fields = _ENTRY.unpack_from(directory, place)
        signature, _, version, flags, _, _, _, _, _, _, length, extra, comment, *_ = fields
        place += _ENTRY.size + length
        if signature != _ENTRY_SIGNATURE or version > _NEWEST or extra or comment or place > end:
            return None
        raw = directory[place - length : place]
        try:
            name = raw.decode("ascii" if raw.isascii() else "utf-8" if flags & UTF8 else "cp437")
        except UnicodeDecodeError:
            return None
        if not shallow or _DIST_INFO in name:
            entry = _entry(name, raw, fields)
            if entry is None:
                return None
            entries.append(entry)
    return tuple(entries) if place == end else None


def _entry(name: str, raw: bytes, fields: tuple[int, ...]) -> DirectoryEntry | None:
    """Return the entry of a member; None where sizes are in a ZIP64 field, or the name holds a NUL."""
    _, _, _, flags, method, _, date, crc, packed, size, _, _, _, _, _, attributes, offset = fields
    if _WIDE in (packed, size, offset) or "\0" in name:
        return None
    dated = bool(date >> 5 & 0xF and date & 0x1F)
    return DirectoryEntry(name, raw, flags, method, crc, packed, size, offset, attributes >> 16, dated)


def _by_zipfile(file: BinaryIO) -> ZipDirectory:
    import zipfile
    import zlib

    # What zipfile is known to raise for damaged archives; NotImplementedError is a RuntimeError.
    errors = (zipfile.BadZipFile, zlib.error, struct.error, RuntimeError, EOFError, ValueError)
    try:
        with zipfile.ZipFile(file) as archive:
            heads = _heads(file, archive)
            entries = tuple(map(_from_zipfile, archive.infolist(), heads))
            return ZipDirectory(entries, archive.start_dir, read_end(file, len(entries)))
    except (*errors, ArithmeticError, IndexError, MemoryError) as error:
        raise DirectoryError(str(error).rstrip(".") or type(error).__name__) from error


def _heads(file: BinaryIO, archive: ZipFile) -> Iterator[tuple[int, ...]]:
    """Yield the fields of each entry as they are in the archive: zipfile replaces those of ZIP64."""
    file.seek(archive.start_dir)
    for _ in archive.infolist():
        fields = _ENTRY.unpack(file.read(_ENTRY.size))
        file.seek(sum(fields[10:13]), os.SEEK_CUR)
        yield fields


def _from_zipfile(info: ZipInfo, head: tuple[int, ...]) -> DirectoryEntry:
    # zipfile cuts filename at a NUL, and replaces backslashes on Windows; orig_filename is as in the archive.
    name = info.orig_filename
    encoding = "utf-8" if info.flag_bits & UTF8 or name.isascii() else "cp437"
    raw = name.encode(encoding, errors="surrogateescape")
    packed, size, disk, offset = head[8], head[9], head[13], head[16]
    return DirectoryEntry(
        name,
        raw,
        info.flag_bits,
        info.compress_type,
        info.CRC,
        info.compress_size,
        info.file_size,
        info.header_offset,
        info.external_attr >> 16,
        all(info.date_time[1:3]),
        info.extra,
        info.comment,
        extra_problem(info.extra, raw, (size, packed), (offset, disk)) if info.extra else "",
    )
