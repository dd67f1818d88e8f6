"""The local headers and data descriptors of members, which installers read that unpack while they download.

uv compares them with the contents and with the central directory (uv-extract, stream.rs); pip, by zipfile,
compares the name only.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.wheel.zip_extra import IN_ZIP64, UNICODE_PATH, ZIP64, path_in_field, read_fields

if TYPE_CHECKING:
    from typing import BinaryIO

    from wheelkit.wheel.zip_directory import DirectoryEntry


# APPNOTE 4.3.7: signature, version, flags, method, time, date, CRC, two sizes, lengths of name and extra.
_HEADER = struct.Struct("<4sHHHHHLLLHH")
SIZE = _HEADER.size
SIGNATURE = b"PK\x03\x04"
ENCRYPTED, HAS_DESCRIPTOR, PATCHED, STRONGLY_ENCRYPTED, UTF8 = 0x1, 0x8, 0x20, 0x40, 0x800
# What no installer unpacks.
REFUSED_FLAGS = {ENCRYPTED: "is encrypted", STRONGLY_ENCRYPTED: "is encrypted", PATCHED: "is patched data"}
# The newest version of the format that uv and zipfile know, 6.3; the upper byte is reserved.
_NEWEST, _LOWER_BYTE = 63, 0xFF
# APPNOTE 4.3.9: checksum, packed size and size, with or without a signature before them.
_DESCRIPTOR, _DESCRIPTOR64 = struct.Struct("<LLL"), struct.Struct("<LQQ")
_DESCRIPTOR_SIGNATURE = b"PK\x07\x08"
LONGEST_DESCRIPTOR = len(_DESCRIPTOR_SIGNATURE) + _DESCRIPTOR64.size


class LocalHeader(Struct, frozen=True, kw_only=True):
    """What a local header says; ``start`` is the offset in the file of the member's packed bytes."""

    version: int
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    name: bytes
    extra: bytes
    start: int


def read_local_header(file: BinaryIO, offset: int) -> LocalHeader | None:
    """Read the local header at an offset of an archive; return None where there is none."""
    if offset < 0:
        return None
    file.seek(offset)
    head = file.read(SIZE)
    if not head.startswith(SIGNATURE) or len(head) < SIZE:
        return None
    _, version, flags, method, _, _, crc, packed, size, name, extra = _HEADER.unpack(head)
    tail = file.read(name + extra)
    return LocalHeader(
        version=version & _LOWER_BYTE,
        flags=flags,
        method=method,
        crc=crc,
        packed=packed,
        size=size,
        name=tail[:name],
        extra=tail[name:],
        start=offset + SIZE + name + extra,
    )


def header_problem(entry: DirectoryEntry, header: LocalHeader) -> str:
    """Return how a member's local header differs from its entry in the central directory, if it does."""
    renamed = _renamed(entry, header.extra) if entry.extra or header.extra else ""
    if renamed:
        return f'is named "{renamed}" in an extra field, which some unpackers go by'
    if header.version > _NEWEST:
        return f"needs version {header.version / 10} of the format by its local header"
    for flag, problem in REFUSED_FLAGS.items():
        if header.flags & flag and not entry.flags & flag:
            return f"{problem} by its local header, and not by the central directory"
    plain = (header.flags, header.method, header.crc, header.packed, header.size)
    if not header.extra and plain == (entry.flags, entry.method, entry.crc, entry.packed, entry.size):
        return ""
    for field, local, central in _rows(entry, header):
        if local != central:
            return f"has the {field} {local} in its local header and {central} in the central directory"
    return ""


def _rows(entry: DirectoryEntry, header: LocalHeader) -> list[tuple[str, int, int]]:
    """Return the fields that have to agree, with both values.

    With a data descriptor, checksum and sizes may be zero in the local header.
    """
    size, packed = sizes = header.size, header.packed
    if IN_ZIP64 in sizes:
        size, packed = _zip64_sizes(sizes, header.extra)
    compared = HAS_DESCRIPTOR if entry.raw.isascii() else HAS_DESCRIPTOR | UTF8
    streamed = header.flags & HAS_DESCRIPTOR
    rows = [
        ("flags", header.flags & compared, entry.flags & compared),
        ("method", header.method, entry.method),
    ]
    if header.crc or not streamed:
        rows.append(("checksum", header.crc, entry.crc))
    if packed or not streamed:
        rows += (("size", size, entry.size), ("packed size", packed, entry.packed))
    return rows


def _zip64_sizes(sizes: tuple[int, int], extra: bytes) -> tuple[int, int]:
    """Take the sizes that do not fit in 32 bits from the ZIP64 field (APPNOTE 4.5.3), where it is whole."""
    for kind, length, field in read_fields(extra):
        if kind == ZIP64 and len(field) == length:
            values = iter(struct.unpack_from(f"<{len(field) // 8}Q", field))
            size, packed = (next(values, size) if size == IN_ZIP64 else size for size in sizes)
            return size, packed
    return sizes


def _renamed(entry: DirectoryEntry, local_extra: bytes) -> str:
    """Return another name in the Unicode path field of either header, or nothing."""
    for extra in {entry.extra, local_extra} - {b""}:
        for kind, _, field in read_fields(extra):
            path = path_in_field(field, entry.raw) if kind == UNICODE_PATH else None
            name = (path or b"").decode("utf-8", errors="replace")
            if name and name != entry.name:
                return name
    return ""


class Descriptor(Struct, frozen=True):
    """A data descriptor: its bytes in the archive, and why uv refuses it (completes "NAME ...")."""

    length: int
    problem: str


def read_descriptor(data: bytes, entry: DirectoryEntry, header: LocalHeader) -> Descriptor:
    """Read the data descriptor at the beginning of ``data``, as a local header with that flag announces it.

    uv takes the 64 bit form if, and only if, the local header has a ZIP64 field.
    """
    wide = any(kind == ZIP64 for kind, _, _ in read_fields(header.extra))
    form, other = (_DESCRIPTOR64, _DESCRIPTOR) if wide else (_DESCRIPTOR, _DESCRIPTOR64)
    right = (entry.crc, entry.packed, entry.size)
    start = len(_DESCRIPTOR_SIGNATURE) if data.startswith(_DESCRIPTOR_SIGNATURE) else 0
    # The sizes of an empty member look the same in both forms.
    if _holds(form, data, start, right) and (wide or entry.size or not _is_wide(data[start + form.size :])):
        return Descriptor(start + form.size, "")
    if _holds(other, data, start, right):
        field = "has a ZIP64 field" if wide else "has no ZIP64 field"
        bits = 32 if wide else 64
        return Descriptor(start + other.size, f"has sizes of {bits} bits behind its data, and {field}")
    behind = data[start + form.size :]
    if start or not behind or behind.startswith(b"PK"):
        return Descriptor(start + form.size, "has another checksum or size behind its data than it has")
    return Descriptor(0, "has no checksum and sizes behind its data, as its local header announces")


def _holds(form: struct.Struct, data: bytes, start: int, values: tuple[int, int, int]) -> bool:
    return len(data) >= start + form.size and form.unpack_from(data, start) == values


def _is_wide(rest: bytes) -> bool:
    """Return whether zeros follow the 32 bit form of an empty member, as in the 64 bit form."""
    return rest.startswith(bytes(8))
