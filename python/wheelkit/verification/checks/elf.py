"""Whether the loader accepts the ELF files of a wheel at all, on every machine that the tag promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.analysis.claims import arch_of, targets
from wheelkit.analysis.elf import contradictions, elf_libraries, mappable_page, refusals
from wheelkit.analysis.linux import linux_slices
from wheelkit.matrix import System
from wheelkit.text import first_and_count, shorten_list
from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Wheel


_LARGE_PAGE = 1 << 16


def refused(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report modules and libraries that the loader of the tag's systems refuses."""
    by_reason: dict[str, dict[str, None]] = {}
    for binary, slice_ in elf_libraries(wheel):
        reason = next(refusals(wheel, slice_), None)
        if reason is not None:
            by_reason.setdefault(reason, {})[binary.member] = None
    for reason, members in by_reason.items():
        what = f"{first_and_count(list(members))} cannot be loaded: {reason}"
        yield finding("WK340", what, member=next(iter(members)))


def page_size(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report files for aarch64 that cannot be mapped in pages of 64 KiB."""
    if not targets(wheel, System.LINUX):
        return  # Android has its own rule
    small = {
        binary.member: mappable_page(slice_)
        for binary, slice_ in linux_slices(wheel)
        if arch_of(slice_) == "aarch64" and 0 < mappable_page(slice_) < _LARGE_PAGE
    }
    if small:
        pages = f"{min(small.values()) >> 10} KiB, less than a memory page of 64 KiB"
        what = f"the load segments of {first_and_count(list(small))} are aligned to {pages}"
        yield finding("WK341", what, member=next(iter(small)))


def contradictory(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report ELF files that tools read differently than the loader."""
    by_reason: dict[str, dict[str, None]] = {}
    for binary, slice_ in linux_slices(wheel):
        for reason in contradictions(slice_):
            by_reason.setdefault(reason, {})[binary.member] = None
    if by_reason:
        members = list(dict.fromkeys(member for users in by_reason.values() for member in users))
        what = f"{first_and_count(members)} has {shorten_list(by_reason)}"
        yield finding("WK344", what, member=members[0])
