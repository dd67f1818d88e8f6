"""The local headers of members, which installers read that unpack while they download."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from wheelkit.wheel.zip_directory import DirectoryEntry


# APPNOTE 4.3.7: signature, version, flags, method, time, date, CRC, two sizes, lengths of name and extra.
_HEADER = struct.Struct("<4sHHHHHLLLHH")
SIZE = _HEADER.size
SIGNATURE = b"PK\x03\x04"
ENCRYPTED, HAS_DESCRIPTOR = 0x1, 0x8
_ZIP64_FIELD, _IN_ZIP64 = 1, 0xFFFFFFFF
_UNICODE_PATH_FIELD = 0x7075


class LocalHeader(Struct, frozen=True, kw_only=True):
    """What a local header says; ``start`` is the offset in the file of the member's packed bytes."""

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
    _, _, flags, method, _, _, crc, packed, size, name, extra = _HEADER.unpack(head)
    tail = file.read(name + extra)
    return LocalHeader(
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
    renamed = _renamed(entry, header.extra)
    if renamed:
        return f'is named "{renamed}" in an extra field, which some unpackers go by'
    size, packed = sizes = header.size, header.packed
    if _IN_ZIP64 in sizes:
        size, packed = _zip64_sizes(sizes, header.extra)
    in_descriptor = header.flags & HAS_DESCRIPTOR and not (header.crc or header.size or header.packed)
    rows = (
        ("flags", header.flags & ~HAS_DESCRIPTOR, entry.flags & ~HAS_DESCRIPTOR),
        ("method", header.method, entry.method),
        ("checksum", header.crc, entry.crc),
        ("size", size, entry.size),
        ("packed size", packed, entry.packed),
    )
    for field, local, central in rows[: 2 if in_descriptor else None]:
        if local != central:
            return f"has the {field} {local} in its local header and {central} in the central directory"
    return ""


def _zip64_sizes(sizes: tuple[int, int], extra: bytes) -> tuple[int, int]:
    """Take the sizes that do not fit in 32 bits from the ZIP64 field (APPNOTE 4.5.3), where it is whole."""
    for kind, length, field in _fields(extra):
        if kind == _ZIP64_FIELD and len(field) == length:
            values = iter(struct.unpack_from(f"<{len(field) // 8}Q", field))
            size, packed = (next(values, size) if size == _IN_ZIP64 else size for size in sizes)
            return size, packed
    return sizes


def _renamed(entry: DirectoryEntry, local_extra: bytes) -> str:
    """Return another name in Info-ZIP's Unicode path field (APPNOTE 4.6.9) of either header, or nothing."""
    for extra in {entry.extra, local_extra} - {b""}:
        for kind, _, field in _fields(extra):
            # A version and a checksum of the name come before it.
            name = field[5:].decode("utf-8", errors="replace")
            if kind == _UNICODE_PATH_FIELD and name and name != entry.name:
                return name
    return ""


def _fields(extra: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield the kind, the stated length and the data of each extra field (APPNOTE 4.5.1)."""
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, place)
        yield kind, length, extra[place + 4 : place + 4 + length]
        place += 4 + length
