"""Size: the limits of project and index, copies, and what to strip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.text import first_and_count, plural, size
from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Wheel
    from wheelkit.wheel.model import Member


INDEX_LIMIT = 100 * 1024 * 1024
"""The default size limit of PyPI for one file."""

# How many members a message names.
_NAMED = 3
# Debug sections and symbol tables are reported from this share and this many bytes of a binary.
_STRIPPABLE_SHARE, _STRIPPABLE_BYTES = 0.2, 256 * 1024
# Copies are reported from this share and this many bytes of the wheel.
_COPY_SHARE, _COPY_BYTES = 0.05, 100_000


def budget(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report a wheel above the project's own size limit, or above PyPI's if the project sets none."""
    promise = contract.promise(wheel.distribution)
    limit = promise.max_size if promise else None
    if limit is not None and wheel.size > limit:
        what = f"the wheel is {size(wheel.size)}, over the limit of {size(limit)}; {_largest(wheel)}"
        yield finding("WK601", what)
    elif limit is None and wheel.size > INDEX_LIMIT:
        pypi = f"PyPI's default limit of {INDEX_LIMIT >> 20} MiB"
        yield finding("WK602", f"the wheel is {size(wheel.size)}, over {pypi}; {_largest(wheel)}")


def _largest(wheel: Wheel) -> str:
    if not wheel.members:
        return "its files were not read"
    largest = sorted(wheel.members, key=lambda member: member.packed, reverse=True)[:_NAMED]
    return "largest files: " + ", ".join(f"{member.name} ({size(member.packed)})" for member in largest)


def copies(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Note large files that the wheel has under several names, most often links that were packed as files."""
    by_digest: dict[str, list[Member]] = {}
    for member in wheel.members:
        if member.digest and member.size >= _COPY_BYTES:
            by_digest.setdefault(member.digest, []).append(member)
    groups = sorted((group for group in by_digest.values() if len(group) > 1), key=_wasted, reverse=True)
    wasted = sum(map(_wasted, groups))
    if wasted >= _COPY_BYTES and wasted >= wheel.size * _COPY_SHARE:
        first, *others = (member.name for member in groups[0])
        more = f"; {plural(len(groups) - 1, 'more file has', 'more files have')} copies" if groups[1:] else ""
        what = f"{size(wasted)} of the wheel are copies: {first} is also {first_and_count(others)}{more}"
        yield finding("WK605", what, member=first)


def _wasted(group: list[Member]) -> int:
    return sum(member.packed for member in group[1:])


def strippable(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Note binaries with large debug sections and symbol tables, which running them does not need."""
    sizes = {member.name: member.size for member in wheel.members}
    waste = {
        binary.member: sum(slice_.debug_bytes + slice_.symbol_bytes for slice_ in binary.slices)
        for binary in wheel.binaries
    }
    heavy = [
        name
        for name, count in sorted(waste.items(), key=lambda item: item[1], reverse=True)
        if count > _STRIPPABLE_BYTES and count > sizes.get(name, 0) * _STRIPPABLE_SHARE
    ]
    if heavy:
        total = size(sum(waste[name] for name in heavy))
        what = f"{total} of {first_and_count(heavy)} are debug sections and symbol tables"
        yield finding("WK603", what, member=heavy[0])
