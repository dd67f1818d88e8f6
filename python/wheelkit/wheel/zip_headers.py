"""The local header of a member: installers that unpack while they download read nothing else."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.wheel.zip_directory import UTF8

if TYPE_CHECKING:
    from wheelkit.wheel.zip_directory import DirectoryEntry


# APPNOTE 4.3.7: signature, version needed, flags, method, time, date, checksum, two sizes, the lengths of name and extra fields.
_HEADER = struct.Struct("<4sHHHHHLLLHH")
SIZE = _HEADER.size
SIGNATURE = b"PK\x03\x04"
ENCRYPTED, HAS_DESCRIPTOR = 0x1, 0x8
_HARMLESS = UTF8 | 0x6  # how names are written, and how hard the packer tried
_ZIP64_FIELD, _IN_ZIP64 = 1, 0xFFFFFFFF
_UNICODE_PATH_FIELD = 0x7075


class LocalHeader(Struct, frozen=True):
    """What a local header says; ``size``, ``packed`` and the lengths of the name and the extra fields behind it are in bytes."""

    flags: int
    method: int
    crc: int
    packed: int
    size: int
    name: int
    extra: int


def read_local_header(view: memoryview, offset: int) -> LocalHeader | None:
    """Read the local header at a place of an archive; None where there is none."""
    if not 0 <= offset <= len(view) - SIZE:
        return None
    signature, _, flags, method, _, _, *rest = _HEADER.unpack_from(view, offset)
    return LocalHeader(flags, method, *rest) if signature == SIGNATURE else None


def is_simple(entry: DirectoryEntry) -> bool:
    """Tell whether an entry is one of which both headers say all, and the same."""
    return not (entry.flags & ~_HARMLESS or entry.extra)


def matches_directory(entry: DirectoryEntry, view: memoryview) -> bool:
    """Tell whether the local header that these bytes begin with says what the central directory does of a plain entry, and nothing else."""
    signature, _, *header = _HEADER.unpack_from(view)
    del header[2:4]  # the time, which may be told more exactly elsewhere
    told = [entry.flags, entry.method, entry.crc, entry.packed, entry.size, len(entry.raw), 0]
    return signature == SIGNATURE and header == told and view[SIZE : SIZE + len(entry.raw)] == entry.raw


def header_problem(entry: DirectoryEntry, header: LocalHeader, extra: bytes) -> str:
    """Say in what a local header, with its extra fields, differs from the central directory; empty where they agree."""
    renamed = _renamed(entry, extra)
    if renamed:
        return f'is named "{renamed}" in an extra field, which some unpackers go by'
    size, packed = told = header.size, header.packed
    if _IN_ZIP64 in told:
        size, packed = _wide(told, extra)
    late = header.flags & HAS_DESCRIPTOR and not (header.crc or header.size or header.packed)
    wanted = (
        ("flags", header.flags & ~HAS_DESCRIPTOR, entry.flags & ~HAS_DESCRIPTOR),
        ("method", header.method, entry.method),
        ("checksum", header.crc, entry.crc),
        ("size", size, entry.size),
        ("packed size", packed, entry.packed),
    )
    return next((_differs(*row) for row in wanted[: 2 if late else None] if row[1] != row[2]), "")


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


def _renamed(entry: DirectoryEntry, local_extra: bytes) -> str:
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
