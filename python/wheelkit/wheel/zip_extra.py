"""The extra fields of an archive's headers, as strict readers take them (APPNOTE 4.5).

zipfile, and pip with it, ignores most of them. uv refuses an archive whose fields are not exactly as they
have to be (astral's async_zip, spec/parse.rs and spec/extra_field.rs), and goes by the name in Info-ZIP's
Unicode path field. The public indexes are strict about local headers (warehouse, utils/zipfiles.py).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


ZIP64, UNICODE_PATH, UNICODE_COMMENT = 1, 0x7075, 0x6375
IN_ZIP64, _DISK_IN_ZIP64 = 0xFFFFFFFF, 0xFFFF
_HEAD = struct.Struct("<HH")  # kind and length
_UNICODE_HEAD = struct.Struct("<BL")  # version, and the checksum of the other name
_VERSION = 1
_SIZES = struct.Struct("<2Q")


def read_fields(extra: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield the kind, the stated length and the data of each extra field."""
    place = 0
    while place + _HEAD.size <= len(extra):
        kind, length = _HEAD.unpack_from(extra, place)
        place += _HEAD.size
        yield kind, length, extra[place : place + length]
        place += length


def extra_problem(
    extra: bytes, name: bytes, sizes: tuple[int, int], place: tuple[int, int] | None = None
) -> str:
    """Return why uv refuses a header for its extra fields; it completes "NAME ...".

    ``sizes`` are the unpacked and the packed size in the header, ``place`` the offset and the disk, which
    only entries of the central directory have.
    """
    seen = set()
    for kind, length, data in read_fields(extra):
        if len(data) < length:
            return f"has an extra field (0x{kind:04x}) that is longer than the header"
        if kind == ZIP64 and not _is_exact(data, sizes, place):
            return "has a ZIP64 field of another length than its sizes ask for"
        if kind in (UNICODE_PATH, UNICODE_COMMENT) and not _is_whole(data):
            return f"has a damaged Unicode field (0x{kind:04x})"
        if kind == UNICODE_PATH and (other := path_in_field(data, name)) is not None:
            try:
                other.decode("utf-8")
            except UnicodeDecodeError:
                return "has a name in an extra field that is not UTF-8"
        if kind in seen:
            return f"has an extra field (0x{kind:04x}) twice"
        seen.add(kind)
    return ""


def _is_exact(data: bytes, sizes: tuple[int, int], place: tuple[int, int] | None) -> bool:
    """Return whether a ZIP64 field has the values that are not in the header, and no others."""
    needed = 8 * sizes.count(IN_ZIP64)
    offset, disk = place or (0, 0)
    if len(data) < needed:
        return False
    # Python's zipfile writes both sizes into local headers that do not need them, if it is told to.
    if place is None and not needed and data == _SIZES.pack(*sizes):
        return True
    if offset == IN_ZIP64 and len(data) >= needed + 8:
        needed += 8
    if disk == _DISK_IN_ZIP64 and len(data) >= needed + 4:
        needed += 4
    return len(data) == needed


def _is_whole(data: bytes) -> bool:
    return bool(data) and (data[0] != _VERSION or len(data) >= _UNICODE_HEAD.size)


def path_in_field(data: bytes, name: bytes) -> bytes | None:
    """Return the path in Info-ZIP's Unicode path field (APPNOTE 4.6.9); None if it is not of this name."""
    if len(data) <= _UNICODE_HEAD.size:
        return None
    from zlib import crc32

    version, checksum = _UNICODE_HEAD.unpack_from(data)
    return data[_UNICODE_HEAD.size :] if version == _VERSION and checksum == crc32(name) else None


def index_problem(extra: bytes, method: int) -> str:
    """Return why public indexes refuse the extra fields of a local header that installers accept."""
    read = 0
    for kind, length, data in read_fields(extra):
        read += _HEAD.size + length
        if kind == ZIP64 and len(data) == _SIZES.size // 2 and method:
            return "has a ZIP64 field with one size in its local header"
        if kind == UNICODE_PATH:
            try:
                data[_UNICODE_HEAD.size :].decode("utf-8")
            except UnicodeDecodeError:
                return "has a name in an extra field that is not UTF-8"
    return "has bytes behind its extra fields in its local header" if read < len(extra) else ""
