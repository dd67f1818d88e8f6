"""ELF: processors and systems, entries of the dynamic section, relocations, and what is mapped."""

import struct
from collections.abc import Sequence
from typing import Any

import pytest

from binaries import elf
from binaries.layout import Binary
from support.rows import rows
from wheelkit import _core

BASE, PAGE = 0x400000, 4096
I386, MIPS, ARM, X86_64, EXEC = 3, 8, 40, 62, 2


def scanned(data: bytes) -> _core.Slice:
    found = _core.scan(data)
    assert found is not None
    (slice_,) = found.slices
    return slice_


def library(**fields: Any) -> Binary:
    return elf.tiny(elf.Shape(**fields))


# Number of the processor (elf.h), bits, byte order, name, whether the stack is executable by default.
PROCESSORS = [
    (3, 32, "little", "i686", True),
    (62, 64, "little", "x86_64", True),
    (62, 32, "little", "x32", True),
    (183, 64, "little", "aarch64", False),
    (183, 64, "big", "aarch64_be", False),
    (40, 32, "little", "armv7l", True),
    (40, 32, "big", "armv7b", True),
    (21, 64, "little", "ppc64le", False),
    (21, 64, "big", "ppc64", False),
    (20, 32, "big", "ppc", True),
    (22, 64, "big", "s390x", True),
    (22, 32, "big", "s390", True),
    (243, 64, "little", "riscv64", True),
    (243, 32, "little", "riscv32", True),
    (258, 64, "little", "loongarch64", False),
    (258, 32, "little", "loongarch32", False),
    (8, 64, "little", "mips64el", True),
    (8, 64, "big", "mips64", True),
    (8, 32, "little", "mipsel", True),
    (8, 32, "big", "mips", True),
    (3, 64, "little", "unknown-0x3", None),
    (62, 64, "big", "unknown-0x3e", None),
]  # fmt: skip


@rows(("machine", "bits", "order", "name", "stack"), PROCESSORS)
def test_processors_and_their_stacks(
    machine: int,
    bits: int,
    order: str,
    name: str,
    stack: bool | None,  # noqa: FBT001
) -> None:
    found = scanned(
        library(machine=machine, wide=bits == 64, order=order, stack=None, long_hash=name == "s390x").data
    )
    assert (found.arch, found.executable_stack, found.bits, found.endian) == (name, stack, bits, order)


# EI_OSABI, EI_ABIVERSION, the processor, the name of the system, whether glibc takes it.
SYSTEMS = [
    (0, 0, X86_64, "none", True),
    (0, 1, X86_64, "none", False),
    (0, 5, MIPS, "none", True),
    (1, 0, X86_64, "hpux", False),
    (2, 0, X86_64, "netbsd", False),
    (3, 0, X86_64, "gnu", True),
    (3, 3, X86_64, "gnu", True),
    (3, 4, X86_64, "gnu", False),
    (3, 4, MIPS, "gnu", True),
    (6, 0, X86_64, "solaris", False),
    (7, 0, X86_64, "aix", False),
    (9, 0, X86_64, "freebsd", False),
    (12, 0, X86_64, "openbsd", False),
    (97, 0, X86_64, "arm", False),
    (97, 0, ARM, "arm", True),
    (5, 0, X86_64, "unknown-0x5", False),
]  # fmt: skip


@rows(("os", "version", "machine", "name", "accepted"), SYSTEMS)
def test_systems(os: int, version: int, machine: int, name: str, accepted: bool) -> None:  # noqa: FBT001
    binary = library(machine=machine, wide=machine != ARM)
    found = scanned(binary.patched("class", os | version << 8, 2, 3))
    assert found.os == name
    assert ("ident" in found.faults) == (not accepted)


FLAGS, NOW, TEXTREL = 30, 24, 22
# Entries of the dynamic section beside FLAGS_1, its value, and the protection, flags and faults.
DYNAMIC_FLAGS: list[tuple[list[tuple[int, int]], int, str, tuple[str, ...], tuple[str, ...]]] = [
    ([], 0, "partial", (), ()),
    ([], 1, "full", (), ()),
    ([(NOW, 0)], 0, "full", (), ()),
    ([(FLAGS, 8)], 0, "full", (), ()),
    ([(FLAGS, 4)], 0, "partial", ("textrel",), ()),
    ([(FLAGS, 16)], 0, "partial", ("static-tls",), ()),
    ([(FLAGS, 0x23)], 0, "partial", (), ()),
    ([(FLAGS, 0x1C)], 0, "full", ("textrel", "static-tls"), ()),
    ([(TEXTREL, 0)], 0, "partial", ("textrel",), ()),
    ([], 0x800, "partial", ("nodeflib",), ()),
    ([], 0x40, "partial", (), ("noopen",)),
    ([], 0x08000000, "partial", ("pie",), ("program",)),
    ([], 0x77FFF7BE, "partial", (), ()),
]  # fmt: skip


@rows(("entries", "flags_1", "relro", "flags", "faults"), DYNAMIC_FLAGS)
def test_flags(
    entries: list[tuple[int, int]], flags_1: int, relro: str, flags: tuple[str, ...], faults: tuple[str, ...]
) -> None:
    found = scanned(library(entries=tuple(entries)).patched("dynamic:FLAGS_1", flags_1, 8, 8))
    assert (found.relro, sorted(set(found.flags) - {"static"}), found.faults) == (
        relro,
        sorted(flags),
        faults,
    )


def test_what_else_is_loaded_or_searched() -> None:
    auxiliary, filtered, rpath = 0x7FFFFFFD, 0x7FFFFFFF, 15
    found = scanned(
        library(
            entries=((auxiliary, "=memcpy"), (filtered, "=exp"), (rpath, "=libc.so.6"), (1, "=/lib/ld.so"))
        ).data
    )
    assert found.needed[2:] == (("memcpy", "weak"), ("exp", "required"), ("/lib/ld.so", "required"))
    assert found.rpaths == (
        ("libc.so.6", "rpath"),
        ("$ORIGIN/../tiny.libs", "runpath"),
        ("/opt/tiny", "runpath"),
    )


PLTRELSZ, RELA, RELASZ, RELAENT, INIT, FINI, REL, RELSZ, RELENT = 2, 7, 8, 9, 12, 13, 17, 18, 19
PLTREL, JMPREL, INIT_ARRAY, INIT_ARRAYSZ, RELRSZ, RELR, RELRENT = 20, 23, 25, 27, 35, 36, 37
TABLE = "relocations"
Entries = Sequence[tuple[int, int | str]]
# What glibc asserts of the tables (elf/get-dynamic-info.h), with words of 8 or 4 bytes.
LAYOUTS: list[tuple[int, Entries, bool]] = [
    (8, [(RELA, TABLE), (RELASZ, 24), (RELAENT, 24)], True),
    (8, [(RELA, TABLE), (RELASZ, 24), (RELAENT, 23)], False),
    (8, [(RELA, TABLE), (RELASZ, 24), (RELAENT, 25)], False),
    (8, [(RELA, TABLE), (RELASZ, 24)], False),
    (8, [(RELA, TABLE), (RELAENT, 24)], False),
    (8, [(RELASZ, 24), (RELAENT, 3)], True),
    (4, [(RELA, TABLE), (RELASZ, 12), (RELAENT, 12)], True),
    (4, [(RELA, TABLE), (RELASZ, 24), (RELAENT, 24)], False),
    (8, [(REL, TABLE), (RELSZ, 16), (RELENT, 16)], True),
    (8, [(REL, TABLE), (RELSZ, 16), (RELENT, 8)], False),
    (8, [(REL, TABLE), (RELSZ, 16)], False),
    (8, [(REL, TABLE), (RELENT, 16)], False),
    (8, [(RELENT, 5)], True),
    (4, [(REL, TABLE), (RELSZ, 8), (RELENT, 8)], True),
    (4, [(REL, TABLE), (RELSZ, 8), (RELENT, 16)], False),
    (8, [(RELR, TABLE), (RELRSZ, 8), (RELRENT, 8)], True),
    (8, [(RELR, TABLE), (RELRSZ, 8), (RELRENT, 4)], False),
    (8, [(RELR, TABLE), (RELRENT, 8)], False),
    (8, [(RELR, TABLE), (RELRSZ, 0x100000), (RELRENT, 8)], False),
    (4, [(RELR, TABLE), (RELRSZ, 8), (RELRENT, 4)], True),
    (8, [(JMPREL, TABLE), (PLTRELSZ, 24), (PLTREL, RELA)], True),
    (8, [(JMPREL, TABLE), (PLTRELSZ, 48), (PLTREL, REL)], False),
    (8, [(JMPREL, TABLE), (PLTRELSZ, 48), (PLTREL, 6)], False),
    (8, [(JMPREL, TABLE), (PLTRELSZ, 48), (PLTREL, 8)], False),
    (8, [(JMPREL, TABLE), (PLTRELSZ, 24)], True),
    (8, [(JMPREL, TABLE), (PLTREL, RELA)], False),
    (8, [(PLTRELSZ, 24), (PLTREL, RELA)], False),
    (4, [(JMPREL, TABLE), (PLTRELSZ, 12), (PLTREL, RELA)], True),
    (4, [(JMPREL, TABLE), (PLTRELSZ, 8), (PLTREL, REL)], True),
    (4, [(JMPREL, TABLE), (PLTRELSZ, 8), (PLTREL, 16)], False),
    (4, [(JMPREL, TABLE), (PLTRELSZ, 8), (PLTREL, 18)], False),
    (8, [(INIT, "text")], True),
    (8, [(INIT, 16)], False),
    (8, [(INIT, 0)], True),
    (8, [(FINI, "text")], True),
    (8, [(FINI, 16)], False),
    (8, [(FINI, 0)], True),
]  # fmt: skip


def record(word: int, place: int, symbol: int, *, addend: bool = True) -> bytes:
    """Return a relocation of a place, of type 1."""
    info = symbol << 32 | 1 if word == 8 else symbol << 8 | 1
    return struct.pack("<" + ("Q" if word == 8 else "I") * (2 + addend), *(place, info, 0)[: 2 + addend])


@rows(("word", "entries", "fine"), LAYOUTS)
def test_layouts_of_relocations(word: int, entries: Entries, fine: bool) -> None:  # noqa: FBT001
    kind = dict(entries)
    addend = REL not in kind and kind.get(PLTREL) != REL
    content = 4 * record(word, BASE, 1, addend=addend)
    found = scanned(
        library(
            wide=word == 8, machine=X86_64 if word == 8 else I386, relocations=content, entries=tuple(entries)
        ).data
    )
    assert ("tables" in found.faults) == (not fine)


def test_mips_has_no_addends_even_with_64_bits() -> None:
    entries = ((JMPREL, TABLE), (PLTRELSZ, 16), (PLTREL, REL))
    content = record(8, BASE, 1, addend=False)
    assert scanned(library(machine=MIPS, relocations=content, entries=entries).data).faults == ()
    assert scanned(library(machine=X86_64, relocations=content, entries=entries).data).faults == ("tables",)


def test_packed_relocations_are_asked_for_by_a_version() -> None:
    entries = ((RELR, TABLE), (RELRSZ, 8), (RELRENT, 8))
    asking = library(relocations=bytes(8), entries=entries)
    assert scanned(asking.data).faults == ("relr",)
    assert scanned(library(relocations=bytes(8)).data).faults == ()
    # Only a file that needs libc.so.6 asks it.
    assert "relr" not in scanned(asking.patched("dynamic", 0x6000000D, 8)).faults


LAST = len(library().data) // PAGE * PAGE + BASE
# The place that a relocation changes, and whether it is mapped.
PLACES = [
    (BASE, True),
    (BASE + 8, True),
    (LAST + PAGE - 1, True),
    (LAST + PAGE, False),
    (BASE - 1, False),
    (0, False),
]


@rows(("place", "mapped"), PLACES)
@pytest.mark.parametrize("word", [4, 8])
def test_relocations_of_what_is_not_mapped(word: int, place: int, mapped: bool) -> None:  # noqa: FBT001
    near, content = record(word, BASE, 1), record(word, place, 1)
    entries = ((RELA, TABLE), (RELASZ, 6 * word), (RELAENT, 3 * word))
    for relocations in (near + content, content + near):
        binary = library(
            wide=word == 8, machine=X86_64 if word == 8 else I386, relocations=relocations, entries=entries
        )
        assert ("tables" in scanned(binary.data).faults) == (not mapped)


# Entries that describe a table of two relocations, and whether its records have addends.
TABLES: dict[str, tuple[int, Entries, bool]] = {
    "with addends": (8, [(RELA, TABLE), (RELASZ, 48), (RELAENT, 24)], True),
    "without": (8, [(REL, TABLE), (RELSZ, 32), (RELENT, 16)], False),
    "with addends, 32 bits": (4, [(RELA, TABLE), (RELASZ, 24), (RELAENT, 12)], True),
    "without, 32 bits": (4, [(REL, TABLE), (RELSZ, 16), (RELENT, 8)], False),
    "of calls": (8, [(JMPREL, TABLE), (PLTRELSZ, 48), (PLTREL, RELA)], True),
    "of calls, 32 bits": (4, [(JMPREL, TABLE), (PLTRELSZ, 16), (PLTREL, REL)], False),
}  # fmt: skip


@rows("kind", TABLES)
def test_symbols_that_only_relocations_reach(kind: str) -> None:
    """The hash table has two symbols, the first of which is unused; relocations refer to the fourth."""
    word, entries, addend = TABLES[kind]
    content = record(word, BASE, 3, addend=addend) + record(word, BASE, 1, addend=addend)
    fields = {"wide": word == 8, "machine": X86_64 if word == 8 else I386, "sections": False}
    for reached, more in ((["memcpy", "exp", "PyLong_FromLong"], entries), (["memcpy"], ())):
        binary = library(**fields, relocations=content, entries=tuple(more))
        found = scanned(binary.patched("hash", 2, 4, 4))
        assert [symbol.name for symbol in found.imports] == reached
    skipped = library(**fields | {"machine": MIPS}, relocations=content, entries=tuple(entries))
    assert [symbol.name for symbol in scanned(skipped.patched("hash", 2, 4, 4)).imports] == ["memcpy"]


def test_mips_tells_the_number_of_symbols() -> None:
    binary = library(machine=MIPS, sections=False, entries=((0x70000011, 4),))
    names = [symbol.name for symbol in scanned(binary.patched("hash", 2, 4, 4)).imports]
    assert names == ["memcpy", "exp", "PyLong_FromLong"]


ARRAY = ((INIT_ARRAY, "data"), (INIT_ARRAYSZ, 8))
ONE = ((RELA, TABLE), (RELASZ, 24), (RELAENT, 24))


@rows(("step", "fine"), [(0, True), (7, True), (8, False), (-1, False)])
def test_addresses_that_are_called_first_are_relocated(step: int, fine: bool) -> None:  # noqa: FBT001
    data = library(relocations=bytes(24), entries=(*ARRAY, *ONE)).marks["data"] + BASE
    content = record(8, data + step, 1)
    binary = library(relocations=content, entries=(*ARRAY, *ONE))
    assert ("tables" in scanned(binary.data).faults) == (not fine)
    # Programs are not moved, MIPS has other relocations, and packed ones are not read.
    assert "tables" not in scanned(binary.patched("type", EXEC, 2)).faults
    assert "tables" not in scanned(library(machine=MIPS, entries=ARRAY).data).faults
    packed = ((RELR, TABLE), (RELRSZ, 8), (RELRENT, 8))
    assert "tables" not in scanned(library(relocations=bytes(8), entries=(*ARRAY, *packed)).data).faults
    assert scanned(library(entries=((INIT_ARRAY, "data"), (INIT_ARRAYSZ, 0))).data).faults == ()
    assert scanned(library(entries=ARRAY).data).faults == ("tables",)
