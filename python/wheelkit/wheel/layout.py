"""Find bytes of an archive in no member or in two, and members that only its local headers list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.wheel import zip_headers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheelkit.wheel.archive import OpenArchive


# The sizes of a data descriptor behind a member: with or without a signature, 32 or 64 bit (APPNOTE 4.3.9).
_DESCRIPTORS = (12, 16, 20, 24)
_END_SIGNATURE = b"PK\x05\x06"
_END_SIZE = 22
_END_SEARCH = _END_SIZE + (1 << 16)


class Layout(Struct, frozen=True, kw_only=True):
    """The bytes that belong to no member and to two, and the number of members that are not listed."""

    stray: int = 0
    shared: int = 0
    hidden: int = 0


def measure_layout(opened: OpenArchive, starts: Sequence[int | None]) -> Layout:
    """Measure an archive; ``starts`` are the offsets of the entries' packed bytes, None where not known."""
    archive = opened.archive
    members = sorted(zip(archive.entries, starts, strict=True), key=lambda member: member[0].offset)
    position = stray = shared = hidden = 0
    slack: Sequence[int] = (0,)
    for entry, known in members:
        gap = entry.offset - position
        stray += gap if gap > 0 and gap not in slack else 0
        shared += max(-gap, 0)
        hidden += _count_headers(opened, position, entry.offset)
        header = opened.header(entry) if known is None else None
        start = header.start if header else known
        position = max(position, entry.offset if start is None else start + entry.packed)
        slack = _DESCRIPTORS if entry.flags & zip_headers.HAS_DESCRIPTOR else (0,)
    gap = archive.directory_start - position
    stray += 0 if gap in slack else abs(gap)
    hidden += _count_headers(opened, position, archive.directory_start)
    return Layout(stray=stray + _count_behind_end(opened), shared=shared, hidden=hidden)


def _count_headers(opened: OpenArchive, start: int, end: int) -> int:
    """Count the signatures of local headers between two offsets."""
    if end - start < zip_headers.SIZE:
        return 0
    count, tail = 0, b""
    for chunk in opened.chunks(start, end):
        data = tail + chunk
        count += data.count(zip_headers.SIGNATURE)
        tail = data[1 - len(zip_headers.SIGNATURE) :]
    return count


def _count_behind_end(opened: OpenArchive) -> int:
    """Count the bytes behind the end record, of which a comment is a part: wheels do not need one."""
    size = opened.archive.size
    tail = b"".join(opened.chunks(max(size - _END_SEARCH, 0), size))
    return len(tail) - tail.rfind(_END_SIGNATURE) - _END_SIZE
