"""ELF segments, notes, sections and version records, as loaders and tools read them."""

import gc
import struct
from collections.abc import Sequence
from typing import Any

import pytest

from binaries import elf, macho
from binaries.layout import Binary
from support.rows import rows
from wheelkit import _core

BASE, PAGE = 0x400000, 4096
LOAD, NOTE, STACK, NOTHING = 1, 4, 0x6474E551, 0x6000000D


def scanned(data: bytes) -> _core.Slice:
    found = _core.scan(data)
    assert found is not None
    (slice_,) = found.slices
    return slice_


def library(**fields: Any) -> Binary:
    return elf.tiny(elf.Shape(**fields))


TINY = library(sections=False)
SIZE = len(TINY.data)
Segment = tuple[int, int, int, int, int, int, int]
"""Type, flags, offset, address, size in the file, size in memory, alignment."""
DYNAMIC = (2, 6, TINY.marks["dynamic"], BASE + TINY.marks["dynamic"], *[SIZE - TINY.marks["dynamic"]] * 2, 8)


def with_segments(*segments: Segment, binary: Binary = TINY, size: int = 0) -> bytes:
    """Return a library with other program headers, behind its content and ``size`` more bytes."""
    at = len(binary.data) + size
    table = b"".join(
        struct.pack("<IIQQQQQQ", kind, flags, offset, address, address, in_file, memory, align)
        for kind, flags, offset, address, in_file, memory, align in segments
    )
    data = bytearray(binary.data + bytes(size) + table)
    data[32:40], data[56:58] = struct.pack("<Q", at), struct.pack("<H", len(segments))
    return bytes(data)


def load(  # noqa: PLR0913, PLR0917 - one per field
    offset: int, address: int, size: int, memory: int | None = None, align: int = PAGE, flags: int = 5
) -> Segment:
    return (LOAD, flags, offset, address, size, size if memory is None else memory, align)


WHOLE = load(0, BASE, SIZE)
FAR = BASE + 0x10000
# Load segments, and what glibc makes of them: it maps from the first to the last one.
SPANS: list[tuple[Sequence[Segment], tuple[str, ...]]] = [
    ([WHOLE], ()),
    ([WHOLE, load(0, FAR, 64)], ()),
    ([WHOLE, load(0, BASE - PAGE, 64)], ("order",)),
    ([load(0, FAR, 64), WHOLE], ("order",)),
    ([WHOLE, load(0, BASE + PAGE, 64), load(0, BASE + PAGE, 64)], ("overlap",)),
    ([WHOLE, load(0, BASE + PAGE, 64), load(0, BASE + 2 * PAGE, 64)], ()),
    ([load(0, BASE, SIZE, PAGE), load(0, BASE + PAGE, 64)], ()),
    ([load(0, BASE, SIZE, PAGE + 1), load(0, BASE + PAGE, 64)], ("overlap",)),
    ([load(0, BASE, SIZE, SIZE - 1)], ("overlap",)),
    ([load(0, BASE, SIZE, 3 * PAGE), load(0, BASE - PAGE, 64, PAGE)], ("order",)),
    ([load(0, BASE, SIZE, 8 * PAGE), load(0, FAR, 64)], ()),
    ([load(0, BASE, SIZE, align=0)], ()),
    ([load(0, BASE, SIZE, align=1)], ()),
    ([load(0, BASE, SIZE, align=BASE)], ()),
    ([load(0, BASE, SIZE, align=2 * BASE)], ("alignment",)),
    ([load(0, BASE, SIZE, align=3)], ("alignment",)),
    ([load(0, BASE, SIZE, align=0x6000)], ("alignment",)),
]  # fmt: skip


@rows(("segments", "faults"), SPANS)
def test_load_segments_follow_one_another(segments: Sequence[Segment], faults: tuple[str, ...]) -> None:
    assert scanned(with_segments(*segments, DYNAMIC)).faults == faults


# Load segments, and the largest pages that they can be mapped with and the smallest alignment that they have.
PAGES = [
    ([WHOLE], 0x400000, PAGE),
    ([load(0, BASE, SIZE, align=0x10000)], 0x400000, 0x10000),
    ([WHOLE, load(0, FAR, 64, align=16)], 0x10000, 16),
    ([WHOLE, load(0, FAR + 0x10000, 64, align=0x10000)], 0x20000, PAGE),
    ([load(0, 0, 64), load(0, BASE, SIZE)], 0x400000, PAGE),
    ([load(0, BASE, SIZE, align=0)], 0x400000, 1),
    ([WHOLE, load(8, FAR, 64)], 8, PAGE),
]


@rows(("segments", "page", "align"), PAGES)
def test_page_sizes(segments: Sequence[Segment], page: int, align: int) -> None:
    slice_ = scanned(with_segments(*segments, DYNAMIC))
    assert (slice_.page_size, slice_.alignment) == (page, align)


def test_the_largest_page_of_a_segment_at_its_offset() -> None:
    at = library(sections=False, base=0)
    dynamic = at.marks["dynamic"]
    own = (2, 6, dynamic, dynamic, len(at.data) - dynamic, len(at.data) - dynamic, 8)
    assert scanned(with_segments(load(0, 0, len(at.data)), own, binary=at)).page_size == 1 << 31


@rows(("flags", "code", "data", "both"), [(5, SIZE, 0, 0), (6, 0, SIZE, 0), (7, SIZE, 0, 1), (1, SIZE, 0, 0)])
def test_bytes_of_a_library_without_sections(flags: int, code: int, data: int, both: int) -> None:
    slice_ = scanned(with_segments(load(0, BASE, SIZE, flags=flags), DYNAMIC))
    assert (slice_.code_bytes, slice_.data_bytes, slice_.writable_executable) == (code, data, both)


END = TINY.marks["dynsym"]
# How much of the file a segment says that it has; the loader maps whole pages, which have the rest of the
# tables too, unless it fills the rest with zeros.
TAILS = [
    (load(0, BASE, SIZE), True),
    (load(0, BASE, END), True),
    (load(0, BASE, END, END - 1), True),
    (load(0, BASE, END, END + 1), False),
    (load(0, BASE, 1), True),
    (load(64, BASE + 64, SIZE - 64), True),
    (load(64, BASE + 64, 16), True),
    (load(64, BASE + 64, 16, 17), False),
    (load(64, BASE + 64, 0), False),
    (load(0, BASE, 0), False),
]  # fmt: skip


@rows(("segment", "read"), TAILS)
def test_whole_pages_are_mapped(segment: Segment, read: bool) -> None:  # noqa: FBT001
    data = with_segments(segment, DYNAMIC)
    if read:
        assert [symbol.name for symbol in scanned(data).imports][:2] == ["memcpy", "exp"]
    else:
        with pytest.raises(_core.ScanError) as caught:
            _core.scan(data)
        assert caught.value.reason in {"bad-address", "truncated", "bad-string", "bad-offset"}


def test_the_last_segment_of_an_address_counts() -> None:
    changed = TINY.data.replace(b"memcpy", b"memset")
    twice = Binary(data=TINY.data + bytes(-SIZE % PAGE) + changed, marks=TINY.marks, order="little")
    below, above = load(0, BASE, SIZE), load(SIZE + -SIZE % PAGE, BASE, SIZE)
    for segments, name in (((below, above), "memset"), ((above, below), "memcpy")):
        assert scanned(with_segments(*segments, DYNAMIC, binary=twice)).imports[0].name == name


def note(
    *properties: tuple[int, int], word: int = 8, kind: int = 5, name: bytes = b"GNU\0", cut: int = 0
) -> bytes:
    """Return a note with properties of 4 bytes, each a type and its bits."""
    content = b"".join(struct.pack("<III", number, 4, bits) + bytes(word - 4) for number, bits in properties)
    size = len(content) - cut
    return struct.pack("<III", len(name), size, kind) + name + bytes(-len(name) % 4) + content


NEEDED, USED = 0xC0008002, 0xC0010002
# Notes, and the level of x86-64 that they ask for.
LEVELS = [
    (note((NEEDED, 1)), 1),
    (note((NEEDED, 2)), 2),
    (note((NEEDED, 4)), 3),
    (note((NEEDED, 8)), 4),
    (note((NEEDED, 5)), 3),
    (note((NEEDED, 16)), 0),
    (note((NEEDED, 0)), 0),
    (note((USED, 8)), 0),
    (note((USED, 8), (NEEDED, 2)), 2),
    (note((NEEDED, 4), (NEEDED, 2)), 3),
    (note((NEEDED, 2)) + note((NEEDED, 8)), 4),
    (note((NEEDED, 8), kind=1), 0),
    (note((NEEDED, 8), kind=1) + note((NEEDED, 2)), 2),
    (note((NEEDED, 8), name=b"Go\0\0\0"), 0),
    (note((NEEDED, 8), name=b"Xen\0XXXX") + note((NEEDED, 2)), 2),
    (note((NEEDED, 8)) + bytes(11), 4),
    (note((NEEDED, 8)) + struct.pack("<III", 4, 2**31, 5) + b"GNU\0", 4),
    (struct.pack("<III", 4, 2**31, 5) + b"GNU\0" + note((NEEDED, 8)), 0),
]


@rows(("content", "level"), LEVELS)
@pytest.mark.parametrize("kind", [NOTE, 0x6474E553])
def test_levels_of_x86_64(kind: int, content: bytes, level: int) -> None:
    notes = (kind, 4, SIZE, BASE + SIZE, len(content), len(content), 8)
    binary = Binary(data=TINY.data + content, marks=TINY.marks, order="little")
    assert scanned(with_segments(WHOLE, DYNAMIC, notes, binary=binary)).isa == level
    # Other processors have other properties.
    arm = Binary(data=binary.patched("type", 183, 2, 2), marks=TINY.marks, order="little")
    assert scanned(with_segments(WHOLE, DYNAMIC, notes, binary=arm)).isa == 0


def test_the_path_of_an_interpreter_ends_in_its_segment() -> None:
    path = b"/lib/ld.so\0"
    binary = Binary(data=TINY.data + path, marks=TINY.marks, order="little")
    for size, found in ((len(path), "/lib/ld.so"), (len(path) - 1, None), (2**40, None)):
        segment = (3, 4, SIZE, BASE + SIZE, size, size, 1)
        assert scanned(with_segments(WHOLE, DYNAMIC, segment, binary=binary)).interpreter == found


@rows(("flags", "executable"), [(6, False), (7, True), (4, False), (1, True)])
def test_what_a_stack_is_for(flags: int, executable: bool) -> None:  # noqa: FBT001
    assert (
        scanned(with_segments(WHOLE, DYNAMIC, (STACK, flags, 0, 0, 0, 0, 16))).executable_stack is executable
    )


ELF = library()
# The name of a section that is not loaded, and whether it is debug information.
NAMES = [
    (b".debug_x", True),
    (b".zdebug_x", True),
    (b".gdb_index", True),
    (b".comment", False),
    (b"debug_x", False),
]


@rows(("name", "is_debug"), NAMES)
def test_sections_for_debuggers(name: bytes, is_debug: bool) -> None:  # noqa: FBT001
    at = ELF.data.index(b"\0.debug_info\0") + 1
    data = ELF.data[:at] + name.ljust(len(".debug_info"), b"\0") + ELF.data[at + len(".debug_info") :]
    assert scanned(data).debug_bytes == (6 if is_debug else 0)


ALLOC, NOBITS = 2, 8
SECTIONS: list[tuple[str, int, int, int, dict[str, int]]] = [
    (".text", 4, 4, NOBITS, {"code_bytes": 0}),
    (".text", 4, 4, 0, {"code_bytes": 0}),
    (".text", 8, 8, ALLOC, {"code_bytes": 0, "data_bytes": 16}),
    (".text", 8, 8, 0, {"code_bytes": 0, "data_bytes": 0}),
    (".text", 8, 8, 7, {"code_bytes": 16, "data_bytes": 0}),
    (".debug_info", 8, 8, ALLOC, {"debug_bytes": 0, "data_bytes": 6}),
    (".symtab", 8, 8, ALLOC, {"symbol_bytes": 0, "data_bytes": 24}),
    (".symtab", 4, 4, 1, {"symbol_bytes": 0}),
    (".strtab", 8, 8, ALLOC, {"symbol_bytes": 24, "data_bytes": 1}),
]


@rows(("name", "skip", "width", "value", "expected"), SECTIONS)
def test_bytes_of_sections(name: str, skip: int, width: int, value: int, expected: dict[str, int]) -> None:
    whole, slice_ = scanned(ELF.data), scanned(ELF.patched("section:" + name, value, width, skip))
    more = expected.pop("data_bytes", None)
    assert {field: getattr(slice_, field) for field in expected} == expected
    if more is not None:
        assert slice_.data_bytes - whole.data_bytes == more
    assert slice_.faults == ()


def test_counts_that_do_not_fit_are_in_the_first_section() -> None:
    whole, first = scanned(ELF.data), ELF.marks["sections"]
    count = int.from_bytes(ELF.data[ELF.marks["shnum"] :][:2], "little")
    names = int.from_bytes(ELF.data[ELF.marks["shstrndx"] :][:2], "little")
    data = bytearray(ELF.patched("shnum", 0, 2))
    data[ELF.marks["shstrndx"] :][:2] = b""
    data[ELF.marks["shstrndx"] : ELF.marks["shstrndx"] + 2] = b"\xff\xff"
    data[first + 32 : first + 40] = count.to_bytes(8, "little")
    data[first + 40 : first + 44] = names.to_bytes(4, "little")
    assert scanned(bytes(data)) == whole
    assert whole.debug_bytes == 6


WEAK, BASE_FLAG = 2, 1
DEFINED = library(defines="TINY_1")


def test_records_of_versions() -> None:
    weak = scanned(ELF.patched("vernaux:GLIBC_2.17", WEAK, 2, 4))
    assert [version[3] for version in weak.versions] == [True, False, False]
    for flags in (1, 4, 0xFFFD):
        others = scanned(ELF.patched("vernaux:GLIBC_2.17", flags, 2, 4))
        assert [version[3] for version in others.versions] == [False, False, False]
    assert scanned(DEFINED.patched("verdef:TINY_1", BASE_FLAG, 2, 2)).definitions == ()
    assert scanned(DEFINED.patched("verdef:libtiny.so.1", 0, 2, 2)).definitions == ("libtiny.so.1", "TINY_1")
    assert scanned(DEFINED.patched("verdef:TINY_1", WEAK, 2, 2)).definitions == ("TINY_1",)


# What differs from the records of defined versions, and the fault.
DEFINITIONS = [
    ("dynamic:VERDEFNUM", 8, 8, 1, "counts"),
    ("dynamic:VERDEFNUM", 8, 8, 3, "counts"),
    ("verdef:TINY_1", 0, 2, 2, "versions"),
    ("dynamic:VERSYM", 0, 8, NOTHING, "versions"),
]


@rows(("mark", "skip", "width", "value", "fault"), DEFINITIONS)
def test_faults_of_defined_versions(mark: str, skip: int, width: int, value: int, fault: str) -> None:
    assert scanned(DEFINED.data).faults == ()
    assert fault in scanned(DEFINED.patched(mark, value, width, skip)).faults


@rows("symbol", ["tiny_call", "tiny_weak", "memcpy"])
def test_numbers_of_versions_have_15_bits(symbol: str) -> None:
    index = [entry.name for entry in elf.SYMBOLS].index(symbol)
    hidden = scanned(ELF.patched("versym", 0x8000 | elf.SYMBOLS[index].version, 2, 2 * index))
    assert (hidden.imports, hidden.exports) == (scanned(ELF.data).imports, scanned(ELF.data).exports)
    local = scanned(ELF.patched("versym", 0, 2, 2 * index))
    assert (symbol in local.exports) is False
    defined = scanned(DEFINED.patched("versym", 2, 2, 2 * index))
    assert ("numbers" in defined.faults) is False
    assert "numbers" in scanned(DEFINED.patched("versym", 5, 2, 2 * index)).faults


# Binding and visibility of a defined symbol, and whether others can use it.
SYMBOLS = [
    (1, 0, True),
    (2, 0, True),
    (10, 0, True),
    (0, 0, False),
    (3, 0, False),
    (1, 3, True),
    (1, 1, False),
    (1, 2, False),
]


@rows(("binding", "visibility", "exported"), SYMBOLS)
@pytest.mark.parametrize("wide", [True, False])
def test_symbols_that_others_can_use(wide: bool, binding: int, visibility: int, exported: bool) -> None:  # noqa: FBT001
    binary = library(wide=wide, machine=62 if wide else 3)
    skip = 4 if wide else 12
    data = binary.patched("symbol:tiny_call", binding << 4 | visibility << 8, 2, skip)
    assert ("tiny_call" in scanned(data).exports) == exported
    # The higher bits of the visibility mean something else.
    data = binary.patched("symbol:tiny_call", binding << 4 | (visibility | 0x60) << 8, 2, skip)
    assert ("tiny_call" in scanned(data).exports) == exported


def test_the_collector_sees_what_the_module_keeps() -> None:
    found = _core.scan(ELF.data)
    signed = scanned(macho.tiny(macho.Shape()).data)
    assert found is not None
    slice_ = found.slices[0]
    parts = (slice_.needed, slice_.rpaths, slice_.versions, slice_.imports, signed.digests)
    kinds = {type(found), type(slice_), _core.ScanError, *(type(part[0]) for part in parts)}
    assert len(kinds) == 8
    assert kinds <= {kept for kept in gc.get_referents(_core) if isinstance(kept, type)}
    assert _core not in gc.get_referrers([])


def test_symbols_without_room_for_their_versions_are_not_read() -> None:
    """Three symbols are reached by the hash table; only the section tells of more."""
    end = BASE + len(ELF.data)  # of what the loader maps: the rest of the page
    few = Binary(data=ELF.patched("hash", 3, 4, 4), marks=ELF.marks, order="little")
    assert [symbol.name for symbol in scanned(few.data).imports][:3] == ["memcpy", "exp", "PyLong_FromLong"]
    data = few.patched("dynamic:VERSYM", end - 6, 8, 8)
    assert [symbol.name for symbol in scanned(data).imports] == ["memcpy", "exp"]
    with pytest.raises(_core.ScanError) as caught:
        _core.scan(few.patched("dynamic:VERSYM", end - 4, 8, 8))
    assert caught.value.what == "ELF symbol versions"


# What many segments may repeat: notes, and the path of an interpreter.
REPEATED = {"notes": (NOTE, note((NEEDED, 1)) * 1000), "interpreters": (3, b"/" + b"x" * 30_000 + b"\0")}


@pytest.mark.parametrize("case", REPEATED)
def test_segments_that_share_their_bytes_use_one_budget(case: str) -> None:
    kind, content = REPEATED[case]
    segment = (kind, 4, SIZE, BASE + SIZE, len(content), len(content), 8)
    binary = Binary(data=TINY.data + content, marks=TINY.marks, order="little")
    assert scanned(with_segments(WHOLE, DYNAMIC, *[segment] * 2, binary=binary)).faults == ()
    with pytest.raises(_core.ScanError) as caught:
        _core.scan(with_segments(WHOLE, DYNAMIC, *[segment] * 3000, binary=binary))
    assert caught.value.reason == "too-complex"
