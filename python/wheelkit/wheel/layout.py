"""Find bytes of an archive in no member or in two, and members that only its local headers list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.wheel import zip_headers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheelkit.wheel.archive import OpenArchive


class Layout(Struct, frozen=True, kw_only=True):
    """The bytes that belong to no member and to two, and the number of members that are not listed."""

    stray: int = 0
    shared: int = 0
    hidden: int = 0


def measure_layout(opened: OpenArchive, ends: Sequence[int | None]) -> Layout:
    """Measure an archive; ``ends`` are the offsets behind the entries' data, None where not known."""
    archive = opened.archive
    members = sorted(zip(archive.entries, ends, strict=True), key=lambda member: member[0].offset)
    position = stray = shared = hidden = 0
    for entry, end in members:
        gap = entry.offset - position
        stray += max(gap, 0)
        shared += max(-gap, 0)
        hidden += _count_headers(opened, position, entry.offset)
        position = max(position, entry.offset if end is None else end)
    gap = archive.directory_start - position
    hidden += _count_headers(opened, position, archive.directory_start)
    return Layout(stray=stray + abs(gap) + archive.end.stray, shared=shared, hidden=hidden)


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
