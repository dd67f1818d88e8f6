"""Whether the loader accepts the ELF files of a wheel at all, on every machine that the tag promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.analysis.claims import arch_of, targets
from wheelkit.analysis.elf import (
    contradictions,
    elf_libraries,
    mappable_page,
    processor_level,
    refusals,
    static_tls,
)
from wheelkit.analysis.linux import linux_slices
from wheelkit.analysis.symbol_versions import undefined_versions, unloaded_libraries
from wheelkit.matrix import System
from wheelkit.text import first_and_count, shorten_list
from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Wheel


_LARGE_PAGE = 1 << 16
# What the distributions of glibc 2.34 began to build for, and nearly all processors since 2009 have.
_COMMON_LEVEL = "x86-64-v2"


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


def processor(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report files whose property note asks for a newer x86 processor than the tag promises."""
    levels: dict[str, dict[str, None]] = {}
    for binary, slice_ in linux_slices(wheel):
        level = processor_level(binary, slice_)
        if level:
            levels.setdefault(level, {})[binary.member] = None
    for level, members in sorted(levels.items()):
        tag = wheel.name.platforms[0] if wheel.name else "the tag"
        needs = f"needs a processor with {level}, which {tag} does not promise"
        code = "WK349" if level == _COMMON_LEVEL else "WK343"
        yield finding(code, f"{first_and_count(list(members))} {needs}", member=next(iter(members)))


def thread_storage(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report libraries that need much static thread-local storage."""
    for binary, slice_ in linux_slices(wheel):
        if static_tls(wheel, slice_):
            what = f"{binary.member} needs {slice_.tls_bytes} bytes of static thread-local storage"
            yield finding("WK345", what, member=binary.member)


def version_libraries(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report version needs of libraries that are not loaded, which glibc asserts."""
    users: dict[str, dict[str, None]] = {}
    for binary, library in unloaded_libraries(wheel):
        users.setdefault(library, {})[binary.member] = None
    for library, members in users.items():
        what = f"{first_and_count(list(members))} needs symbol versions of {library}, but does not load it"
        yield finding("WK346", what, member=next(iter(members)))


def version_definitions(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report symbol versions that the wheel's own libraries do not define."""
    users: dict[tuple[str, str], dict[str, None]] = {}
    for binary, library, version in undefined_versions(wheel):
        users.setdefault((library, version), {})[binary.member] = None
    for (library, version), members in users.items():
        user = first_and_count(list(members))
        what = f"{user} needs {version} of {library}, which the library in the wheel does not define"
        yield finding("WK347", what, member=next(iter(members)))


def self_modifying(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report libraries whose code has to be writable, at least while they are loaded."""
    reasons: dict[str, dict[str, None]] = {}
    for binary, slice_ in linux_slices(wheel):
        if slice_.kind == "shared" and "textrel" in slice_.flags:
            reasons.setdefault("relocations in its code", {})[binary.member] = None
        elif slice_.kind == "shared" and slice_.writable_executable:
            reasons.setdefault("a segment that is writable and executable", {})[binary.member] = None
    for reason, members in reasons.items():
        what = f"{first_and_count(list(members))} has {reason}"
        yield finding("WK348", what, member=next(iter(members)))
