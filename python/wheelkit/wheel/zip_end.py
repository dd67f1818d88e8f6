"""The end of an archive: end record, that of ZIP64, comment and what follows it (APPNOTE 4.3.14 to 4.3.16).

pip reads archives with zipfile, which takes the size and offset of the directory from here and no more. uv
compares every field with the archive (astral's async_zip, base/read/mod.rs and base/read/cd.rs).
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO


# Signature, disk, the directory's disk, entries on this disk and in all, its size and offset, the comment's
# length.
END = struct.Struct("<4s4H2LH")
SIGNATURE = b"PK\x05\x06"
_SEARCHED = END.size + 0xFFFF
# Signature, disk, the offset of the ZIP64 end record, number of disks.
_LOCATOR = struct.Struct("<4sLQL")
_LOCATOR_SIGNATURE = b"PK\x06\x07"
# Signature, size of the rest, two versions, disk, the directory's disk, two counts, its size and offset.
_END64 = struct.Struct("<4sQHHLLQQQQ")
_END64_SIGNATURE = b"PK\x06\x06"
_SIGNATURE_AND_SIZE = 12  # what the stated size of a ZIP64 end record leaves out
_HALF, _WHOLE = 0xFFFF, 0xFFFFFFFF  # "see the ZIP64 end record"
_FIELDS = ("disk", "first disk", "number of files on this disk", "number of files", "size", "offset")
_SENTINELS = (_HALF, _HALF, _HALF, _HALF, _WHOLE, _WHOLE)
# uv takes a comment with one of these for another archive.
SUSPICIOUS = frozenset(range(1, 9))


class ArchiveEnd(Struct, frozen=True, kw_only=True):
    """What is at the end of an archive: bytes of a comment, of zeros and of other data behind it.

    ``problem`` says why uv refuses it, and completes "the end record ...".
    """

    problem: str = ""
    comment: int = 0
    zeros: int = 0
    stray: int = 0


def directory_span(file: BinaryIO) -> tuple[int, int]:
    """Return the offset and size of the central directory, where zipfile reads it; zeros without one."""
    size = file.seek(0, os.SEEK_END)
    start = max(size - _SEARCHED, 0)
    file.seek(start)
    tail = file.read()
    place = _find(tail)
    if place < 0:
        return 0, 0
    length, end = END.unpack_from(tail, place)[5], start + place
    wide = _read_end64(file, end)
    if wide is not None:
        length, end = wide.fields[4], end - _LOCATOR.size - _END64.size
    return max(end - length, 0), length


def read_end(file: BinaryIO, entries: int) -> ArchiveEnd:
    """Read the end of an archive that zipfile can read, and whose directory has so many entries."""
    size = file.seek(0, os.SEEK_END)
    start = max(size - _SEARCHED, 0)
    file.seek(start)
    tail = file.read()
    place = _find(tail)
    if place < 0:
        return ArchiveEnd()
    record = END.unpack_from(tail, place)
    behind = tail[place + END.size :]
    comment, rest = behind[: record[-1]], behind[record[-1] :]
    zeros = 0 if rest.strip(b"\0") else len(rest)
    problems = (*_record_problems(file, start + place, record, entries), *_comment_problems(comment, record))
    return ArchiveEnd(
        problem=next(iter(problems), ""), comment=len(comment), zeros=zeros, stray=len(rest) - zeros
    )


def _find(tail: bytes) -> int:
    """Return the offset of the end record as zipfile finds it: at the very end, or the last signature."""
    plain = len(tail) - END.size
    if plain >= 0 and tail.startswith(SIGNATURE, plain) and tail.endswith(b"\0\0"):
        return plain
    place = tail.rfind(SIGNATURE)
    return place if place + END.size <= len(tail) else -1


def _comment_problems(comment: bytes, record: tuple[int, ...]) -> Iterator[str]:
    if len(comment) < record[-1]:
        yield f"declares a comment of {record[-1]} bytes, and {len(comment)} follow"
    if not SUSPICIOUS.isdisjoint(comment):
        yield "has a comment with control characters, as if there were another archive in it"


def _record_problems(file: BinaryIO, place: int, record: tuple[int, ...], entries: int) -> Iterator[str]:
    _, *fields, _ = record
    combined = fields
    wide = _read_end64(file, place)
    if wide is not None:
        problem, combined = wide.problem, list(wide.fields)
        if problem:
            yield problem
        for name, narrow, sentinel, value in zip(_FIELDS, fields, _SENTINELS, wide.fields, strict=True):
            if narrow not in (sentinel, value):
                yield f"has the {name} {narrow}, and that of ZIP64 has {value}"
    disk, first, here, count, *_ = combined
    if disk != first or here != count:
        yield f"is that of an archive in parts: disks {disk} and {first}, {here} and {count} files"
    if count != entries:
        yield f"counts {count} files, and the central directory has {entries}"


class _End64(Struct, frozen=True):
    fields: tuple[int, ...]
    problem: str


def _read_end64(file: BinaryIO, place: int) -> _End64 | None:
    """Read the ZIP64 end record before the end record at this offset; None where there is none."""
    file.seek(max(place - _LOCATOR.size, 0))
    data = file.read(_LOCATOR.size)
    if len(data) < _LOCATOR.size or not data.startswith(_LOCATOR_SIGNATURE):
        return None
    stated = _LOCATOR.unpack(data)[2]
    # zipfile does not look at the offset: it reads what is before the locator.
    start = place - _LOCATOR.size - _END64.size
    file.seek(max(start, 0))
    data = file.read(_END64.size)
    if start < 0 or len(data) < _END64.size or not data.startswith(_END64_SIGNATURE):
        return None
    _, length, _, _, *fields = _END64.unpack(data)
    problem = ""
    if stated != start:
        problem = f"is preceded by a ZIP64 record at {start}, and the locator says {stated}"
    elif length + _SIGNATURE_AND_SIZE != _END64.size:
        problem = f"is preceded by a ZIP64 record of {_END64.size} bytes, which declares {length + 12}"
    return _End64(tuple(fields), problem)
