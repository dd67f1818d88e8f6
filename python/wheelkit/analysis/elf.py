"""What the loaders of Linux and Android refuse in an ELF file, and what they read differently than tools."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.analysis.claims import arch_of, claims, system_of, targets
from wheelkit.matrix import System

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wheelkit._core import Slice
    from wheelkit.wheel import Binary, Wheel


# Files that are loaded by their name: modules, libraries and plugins, but not files with debug information.
_LIBRARY = r"(?!(?:.*/)?\.(?:debug|dwz)/).*\.so(?:\.\d+)*"
# What each loader says no to, as the scan names it (elf/dl-load.c of glibc, ldso/dynlink.c of musl).
_BY_ALL: Mapping[str, str] = {
    "no-segments": "it has no segment to load",
    "no-dynamic": "it has no dynamic section",
    "tables": "its dynamic section lacks a table, gives a wrong entry size, or relocates what is not loaded",
    "hash": "its hash table is missing or broken, so that no symbol of it can be found",
}
_BY_GLIBC: Mapping[str, str] = {
    "ident": "its header has an OS ABI, a version or padding that glibc does not accept",
    "order": "its load segments reach beyond the addresses that the loader reserves for them",
    "program": "it is marked as a program, which cannot be loaded as a library",
    "noopen": "it is marked as not to be opened by dlopen",
    "versions": "its symbol versions have a wrong hash or layout, or no numbers or records",
    "numbers": "its symbols have version numbers without a record",
    "relr": "it has packed relocations (DT_RELR) but does not need the version GLIBC_ABI_DT_RELR",
}
# Older loaders compare the declared alignment of each segment as well (glibc bug 28688).
_COMPARES_ALIGNMENT = (2, 35)
# The smallest pages of the kernels of an architecture; 4 KiB for all others.
_PAGES: Mapping[str, int] = {"ppc64le": 1 << 16, "ppc64": 1 << 16, "loongarch64": 1 << 14}
_SMALLEST_PAGE = 1 << 12
# What other tools than loaders read: strip, patchelf, auditwheel and debuggers.
_UNREAD: Mapping[str, str] = {
    "sections": "section headers that are damaged",
    "counts": "counts or sizes that are not those of the tables",
    "offset": "an offset of the dynamic section that is not where its address is",
    "overlap": "load segments that overlap, or are longer in the file than in memory",
}


def elf_libraries(wheel: Wheel) -> Iterator[tuple[Binary, Slice]]:
    """Yield the ELF files that are loaded by name, whatever their headers say: modules and libraries."""
    for binary, slice_ in wheel.slices():
        named = binary.extension or re.fullmatch(_LIBRARY, binary.member) is not None
        if named and system_of(binary) is System.LINUX:
            yield binary, slice_


def refusals(wheel: Wheel, slice_: Slice) -> Iterator[str]:
    """Yield why a loader of the tag's systems refuses to load an ELF file, or cannot use it.

    The loader of Android has packed relocations of its own, so nothing is said about its tables.
    """
    if not any(claim.system is System.LINUX for claim in claims(wheel)):
        return
    glibc = [target.version for target in targets(wheel, System.LINUX) if target.libc == "manylinux"]
    musl_only = not glibc and bool(targets(wheel, System.LINUX))
    reasons = _BY_ALL if musl_only else {**_BY_ALL, **_BY_GLIBC}
    if slice_.kind in {"object", "other"}:
        yield "it is neither a shared library nor a program"
    for fault in slice_.faults:
        # A library that offers nothing needs no hash table.
        if fault in reasons and (fault != "hash" or slice_.exports):
            yield reasons[fault]
    page = _PAGES.get(arch_of(slice_), _SMALLEST_PAGE)
    if 0 < slice_.page_size < page:
        yield f"its segments cannot be mapped in pages of {page >> 10} KiB"
    elif glibc and min(glibc) < _COMPARES_ALIGNMENT and slice_.page_size:
        if "alignment" in slice_.faults:
            yield "a segment does not have the alignment that it declares"
        elif slice_.alignment < page:
            yield f"a segment is aligned to {slice_.alignment} bytes, less than a page"


def mappable_page(slice_: Slice) -> int:
    """Return the largest pages that a file can be loaded with, in bytes; 0 if it has no segments."""
    return min(slice_.page_size, slice_.alignment)


def contradictions(slice_: Slice) -> Iterator[str]:
    """Yield what loaders do not read in an ELF file, and what disagrees with that which they read."""
    for fault in slice_.faults:
        if fault in _UNREAD:
            yield _UNREAD[fault]


# The space that glibc guarantees to libraries that are loaded later (the tunable rtld.optional_static_tls).
_STATIC_TLS = 512


def static_tls(wheel: Wheel, slice_: Slice) -> bool:
    """Return whether a library needs so much static thread-local storage that loading it can fail.

    musl has none to give to libraries that are loaded while the program runs.
    """
    libcs = {target.libc for target in targets(wheel, System.LINUX)}
    most = 0 if libcs == {"musllinux"} else _STATIC_TLS
    return slice_.kind == "shared" and "static-tls" in slice_.flags and slice_.tls_bytes > most


# Libraries for newer processors, which glibc itself chooses (elf/dl-hwcaps.c).
_HWCAPS = r"(?:^|/)glibc-hwcaps/[^/]+/"


def processor_level(binary: Binary, slice_: Slice) -> str:
    """Return the level of x86-64 that a file asks for; empty if the baseline will do."""
    if slice_.isa <= 1 or re.search(_HWCAPS, binary.member):
        return ""
    return f"x86-64-v{slice_.isa}"
