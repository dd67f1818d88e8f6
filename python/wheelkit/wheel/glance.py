"""A glance at a wheel: the members of its .dist-info folder, found without building the list of all others.

Large wheels have thousands of members, and names, tags and METADATA need three of them.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING
from zipfile import ZipInfo

if TYPE_CHECKING:
    from typing import BinaryIO

# The end record (APPNOTE 4.3.16) after its signature: two disk numbers, two counts, the directory's size and offset, the comment's length.
_END = struct.Struct("<4s4H2LH")
_END_SIGNATURE = b"PK\x05\x06"
# A directory entry (4.3.12): signature, flags, method, time, date, checksum, two sizes, three lengths, offset.
_ENTRY = struct.Struct("<4s4x4H3L3H8xL")
_ENTRY_SIGNATURE = b"PK\x01\x02"
_LENGTHS = struct.Struct("<3H")
_LENGTHS_AT = 28
_UTF8 = 0x800
_WANTED = b".dist-info/"
_WIDE = 0xFFFFFFFF


def glance(file: BinaryIO) -> tuple[ZipInfo, ...] | None:
    """List the members whose path holds a .dist-info folder; None for an archive that is anything but plain, which zipfile has to read."""
    file.seek(0, os.SEEK_END)
    size = file.tell()
    if size < _END.size:
        return None
    file.seek(size - _END.size)
    signature, disk, first_disk, here, count, length, offset, comment = _END.unpack(file.read(_END.size))
    if signature != _END_SIGNATURE or disk or first_disk or here != count or comment or offset + length != size - _END.size:
        return None
    file.seek(offset)
    return _walk(file.read(length), count)


def _walk(directory: bytes, count: int) -> tuple[ZipInfo, ...] | None:
    wanted: list[ZipInfo] = []
    place, end = 0, len(directory)
    lengths, find = _LENGTHS.unpack_from, directory.find
    for _ in range(count):
        if place + _ENTRY.size > end or not directory.startswith(_ENTRY_SIGNATURE, place):
            return None
        name, extra, comment = lengths(directory, place + _LENGTHS_AT)
        after = place + _ENTRY.size + name
        if find(_WANTED, place + _ENTRY.size, after) >= 0:
            entry = _entry(directory, place, after)
            if entry is None:
                return None
            wanted.append(entry)
        place = after + extra + comment
    return tuple(wanted) if place == end else None


def _entry(directory: bytes, place: int, end: int) -> ZipInfo | None:
    """Read one entry as zipfile would; None where its numbers are in a ZIP64 field or its name is no text."""
    _, flags, method, _, _, checksum, packed, size, _, _, _, offset = _ENTRY.unpack_from(directory, place)
    try:
        name = directory[place + _ENTRY.size : end].decode("utf-8" if flags & _UTF8 else "cp437")
    except UnicodeDecodeError:
        return None
    if "\0" in name or _WIDE in {packed, size, offset}:
        return None
    entry = ZipInfo(name)
    entry.flag_bits, entry.compress_type, entry.CRC = flags, method, checksum
    entry.compress_size, entry.file_size, entry.header_offset = packed, size, offset
    return entry
