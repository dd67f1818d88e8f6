"""Damaged binaries end in a ScanError or in a Scan, in little time and memory, and never in anything else."""

import gc
import subprocess
import sys
import tracemalloc
from collections import Counter
from typing import Any

import pytest

from binaries import elf, macho, make, pe
from binaries.layout import Binary
from support.depth import part_of
from support.rows import rows
from wheelkit import _core

BINARIES = make.assembled()
MAX_32 = 2**32 - 1


def outcome(data: bytes) -> str:
    """How a scan ends; any other exception fails the test."""
    try:
        found = _core.scan(data)
    except _core.ScanError as error:
        return checked_reason(error, len(data))
    return "sound" if found else "other"


def scan(data: bytes) -> _core.Scan:
    found = _core.scan(data)
    assert found is not None
    return found


def checked_reason(error: _core.ScanError, size: int) -> str:
    """The reason, once the error keeps what its class promises."""
    assert error.what
    assert 0 <= error.offset <= size
    assert str(error).startswith(error.what + ": ")
    assert str(error).endswith(f"(offset {error.offset:#x})")
    return error.reason


@rows("name", BINARIES)
def test_cut_off_at_every_byte(name: str) -> None:
    data = BINARIES[name].data
    outcomes = Counter(outcome(data[:size]) for size in range(len(data)))
    assert outcomes["other"] <= 4, "only what is shorter than a magic number is no binary"
    assert outcomes["truncated"] > 0
    assert outcome(data) == "sound"


@rows("name", BINARIES)
def test_every_field_overwritten(name: str) -> None:
    data = BINARIES[name].data
    outcomes: Counter[str] = Counter()
    for width in (2, 4, 8):
        for value in (b"\0", b"\x7f", b"\x80", b"\xff"):
            for at in part_of(range(0, len(data) - width + 1, 2), 8):
                outcomes[outcome(data[:at] + value * width + data[at + width :])] += 1
    assert outcomes["sound"] > 0
    assert len(outcomes) > 4, "these bytes reach many checks"


@rows("size", [0, 1, 4, 64, 4096])
@rows(
    "magic",
    [b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xfe\xed\xfa\xcf", b"\xca\xfe\xba\xbf"],
)
def test_nothing_but_zeros_behind_the_magic_number(magic: bytes, size: int) -> None:
    assert outcome(magic + bytes(size)) != "sound"


ELF, BIG_ENDIAN = BINARIES["elf-x86_64"], BINARIES["elf-ppc64"]
MACHO, FAT, PE = BINARIES["macho-arm64"], BINARIES["macho-fat"], BINARIES["pe-amd64"]
# Binary, mark, bytes behind the mark, width, value, structure, reason
DAMAGE: dict[str, tuple[Binary, str, int, int, int, str, str]] = {
    "elf class": (ELF, "class", 0, 1, 9, "ELF class", "unsupported"),
    "elf byte order": (ELF, "class", 1, 1, 0, "ELF byte order", "unsupported"),
    "elf size of a program header": (ELF, "phentsize", 0, 2, 0, "ELF program header table", "bad-value"),
    "elf too many segments": (BIG_ENDIAN, "phnum", 0, 2, 0xFFFE, "ELF program header table", "bad-count"),
    "elf segment beyond the end": (ELF, "segment:LOAD", 32, 8, 2**40, "ELF load segment", "truncated"),
    "elf segment that wraps around": (ELF, "segment:LOAD", 8, 8, 2**64 - 1, "ELF load segment", "bad-offset"),
    "elf strings nowhere": (ELF, "dynamic:STRTAB", 8, 8, 0, "ELF dynamic strings", "bad-address"),
    "elf library without a name": (ELF, "dynamic:NEEDED", 8, 8, 2**32, "ELF dynamic strings", "bad-offset"),
    "elf symbol without a name": (ELF, "symbol:exp", 0, 4, MAX_32, "ELF dynamic strings", "bad-offset"),
    "elf versions outside": (ELF, "dynamic:VERNEED", 8, 8, 2**63, "ELF needed versions", "bad-address"),
    "elf version beyond the end": (
        ELF,
        "verneed:libc.so.6",
        8,
        4,
        MAX_32,
        "ELF needed versions",
        "bad-offset",
    ),
    "macho file type": (MACHO, "cpu", 8, 4, 0, "Mach-O file type", "bad-value"),
    "macho command of no length": (MACHO, "command:rpath", 4, 4, 0, "Mach-O load command size", "bad-value"),
    "macho command too long": (MACHO, "command:signature", 4, 4, 2**31, "Mach-O load command", "truncated"),
    "macho commands without end": (MACHO, "ncmds", 0, 4, MAX_32, "Mach-O load commands", "truncated"),
    "macho commands beyond the end": (MACHO, "ncmds", 4, 4, MAX_32, "Mach-O load commands", "truncated"),
    "macho segment beyond the end": (MACHO, "command:text", 48, 8, 2**63, "Mach-O segment", "truncated"),
    "macho sections without end": (MACHO, "command:text", 64, 4, MAX_32, "Mach-O section table", "bad-count"),
    "macho symbols without end": (MACHO, "command:symtab", 12, 4, MAX_32, "Mach-O symbol table", "bad-count"),
    "macho strings beyond the end": (
        MACHO,
        "command:symtab",
        20,
        4,
        MAX_32,
        "Mach-O string table",
        "truncated",
    ),
    "macho rpath outside its command": (MACHO, "command:rpath", 8, 4, 400, "Mach-O rpath", "bad-offset"),
    "macho rpath inside its own head": (MACHO, "command:rpath", 8, 4, 4, "Mach-O rpath", "bad-offset"),
    "macho library that is not there": (
        MACHO,
        "symbol:_malloc",
        6,
        2,
        0x0900,
        "Mach-O library ordinal",
        "bad-value",
    ),
    "macho signature cut off": (
        MACHO,
        "command:signature",
        12,
        4,
        2**20,
        "Mach-O code signature",
        "truncated",
    ),
    "macho names that lead in a circle": (MACHO, "trie:tiny:call", 0, 1, 0, "Mach-O export trie", "loop"),
    "macho names outside the tree": (MACHO, "trie:tiny:call", 0, 1, 0x7F, "Mach-O export trie", "bad-offset"),
    "fat without slices": (FAT, "count", 0, 4, 0, "fat Mach-O header", "bad-value"),
    "fat too many slices": (FAT, "count", 0, 4, 44, "fat Mach-O slice", "overlap"),
    "fat slice over another": (FAT, "arch:1", 8, 4, 0x4010, "fat Mach-O slice", "overlap"),
    "fat slice over the header": (FAT, "arch:0", 8, 4, 16, "fat Mach-O slice", "overlap"),
    "fat slice of another processor": (FAT, "arch:0", 0, 4, 7, "fat Mach-O slice", "bad-value"),
    "fat slice beyond the end": (FAT, "arch:1", 12, 4, MAX_32, "fat Mach-O slice", "truncated"),
    "pe header outside": (PE, "start", 0, 4, 2**20, "PE header", "bad-offset"),
    "pe optional header": (PE, "optional", 0, 2, 0x107, "PE optional header", "unsupported"),
    "pe optional header too long": (PE, "optional size", 0, 2, 0xFFFF, "PE optional header", "truncated"),
    "pe optional header too short": (PE, "optional size", 0, 2, 40, "PE optional header", "truncated"),
    "pe too many sections": (PE, "section count", 0, 2, 0xFFFF, "PE section table", "bad-count"),
    "pe section beyond the end": (PE, "section:0", 16, 4, MAX_32, "PE section", "truncated"),
    "pe imports nowhere": (PE, "directory:1", 0, 4, 0x7FFF0000, "PE import directory", "bad-address"),
    "pe library without a name": (PE, "import:WS2_32.dll", 12, 4, MAX_32, "PE library name", "bad-address"),
    "pe list of imports nowhere": (PE, "import:WS2_32.dll", 0, 4, MAX_32, "PE import list", "bad-address"),
    "pe exports without end": (PE, "exports", 24, 4, MAX_32, "PE export names", "bad-count"),
    "pe export without a name": (PE, "export names", 4, 4, MAX_32, "PE export name", "bad-address"),
    "pe signature cut off": (
        BINARIES["pe-arm64"],
        "directory:4",
        4,
        4,
        2**20,
        "PE certificate table",
        "truncated",
    ),
    "pe symbols without end": (
        BINARIES["pe-mingw"],
        "symbol table",
        4,
        4,
        MAX_32,
        "PE symbol table",
        "bad-count",
    ),
    "pe long section name": (
        BINARIES["pe-mingw"],
        "section:1",
        0,
        4,
        0x3939392F,
        "PE string table",
        "bad-offset",
    ),
}


# What loaders do not read. The facts stay the same, but the difference is told.
# Binary, mark, bytes behind the mark, width, value, fault
UNREAD: dict[str, tuple[Binary, str, int, int, int, str]] = {
    "sections that are not there": (ELF, "shoff", 0, 8, 2**63, "sections"),
    "too many sections": (ELF, "shnum", 0, 2, 0xFF00, "sections"),
    "size of a section header": (ELF, "shentsize", 0, 2, 40, "sections"),
    "section beyond the end": (ELF, "section:.text", 32, 8, 2**64 - 1, "sections"),
    "section without a name": (ELF, "section:.text", 0, 4, MAX_32, "sections"),
    "offset of the dynamic section": (ELF, "segment:DYNAMIC", 8, 8, 2**40, "offset"),
    "offset within the file": (ELF, "segment:DYNAMIC", 8, 8, 64, "offset"),
    "strings too long": (ELF, "dynamic:STRSZ", 8, 8, 2**32, "counts"),
    "strings too short": (ELF, "dynamic:STRSZ", 8, 8, 5, "counts"),
    "number of symbols in the hash table": (ELF, "hash", 4, 4, MAX_32, "counts"),
    "size of a symbol": (ELF, "dynamic:SYMENT", 8, 8, 16, "counts"),
    "no libraries with versions": (ELF, "dynamic:VERNEEDNUM", 8, 8, 0, "counts"),
    "one library with versions": (ELF, "dynamic:VERNEEDNUM", 8, 8, 1, "counts"),
    "more libraries with versions": (ELF, "dynamic:VERNEEDNUM", 8, 8, 2**40, "counts"),
    "no versions of a library": (ELF, "verneed:libc.so.6", 2, 2, 0, "counts"),
    "one version of a library": (ELF, "verneed:libc.so.6", 2, 2, 1, "counts"),
    "more versions of a library": (BIG_ENDIAN, "verneed:libm.so.6", 2, 2, 9, "counts"),
}


@rows("case", UNREAD)
def test_what_loaders_do_not_read_changes_no_need(case: str) -> None:
    binary, mark, skip, width, value, fault = UNREAD[case]
    (whole,) = scan(binary.data).slices
    (changed,) = scan(binary.patched(mark, value, width, skip)).slices
    assert whole.faults == ()
    assert changed.faults == (fault,)
    read = ("needed", "rpaths", "versions", "imports", "exports", "name", "kind")
    assert [getattr(changed, name) for name in read] == [getattr(whole, name) for name in read]


# What glibc refuses, or what makes it crash.
REFUSED: dict[str, tuple[Binary, str, int, int, int, str]] = {
    "OS ABI": (ELF, "class", 3, 1, 9, "ident"),
    "OS ABI of Arm": (ELF, "class", 3, 1, 97, "ident"),
    "ABI version": (ELF, "class", 4, 1, 4, "ident"),
    "padding": (ELF, "class", 11, 1, 1, "ident"),
    "version": (ELF, "type", 4, 4, 2, "ident"),
    "a program": (ELF, "type", 0, 2, 2, "program"),
    "marked as a program": (ELF, "dynamic:FLAGS_1", 8, 8, 0x08000000, "program"),
    "marked as not to be opened": (ELF, "dynamic:FLAGS_1", 8, 8, 0x40, "noopen"),
    "layout of version records": (ELF, "verneed:libc.so.6", 0, 2, 2, "versions"),
    "hash of a version": (ELF, "vernaux:GLIBC_2.17", 0, 4, 1, "versions"),
    "no numbers of versions": (ELF, "dynamic:VERSYM", 0, 8, 0x6000000D, "versions"),
    "no records of versions": (ELF, "dynamic:VERNEED", 0, 8, 0x6000000D, "versions"),
    "a version number without a record": (ELF, "versym", 2, 2, 9, "numbers"),
    "a first symbol that is used": (ELF, "dynsym", 0, 4, 1, "tables"),
    "no symbols": (ELF, "dynamic:SYMTAB", 0, 8, 0x6000000D, "tables"),
    "no buckets": (ELF, "hash", 0, 4, 0, "hash"),
    "no hash table": (ELF, "dynamic:HASH", 0, 8, 0x6000000D, "hash"),
    "no power of two in a filter": (BINARIES["elf-aarch64"], "hash", 8, 4, 3, "hash"),
    "nothing to load": (ELF, "segment:LOAD", 0, 4, 0x60000000, "no-segments"),
    "no dynamic section": (ELF, "segment:DYNAMIC", 32, 8, 0, "no-dynamic"),
    "an alignment that the segment does not have": (ELF, "segment:LOAD", 48, 8, 2**23, "alignment"),
    "an alignment that is no power of two": (ELF, "segment:LOAD", 48, 8, 0x3000, "alignment"),
}


@rows("case", REFUSED)
def test_what_glibc_refuses_is_told(case: str) -> None:
    binary, mark, skip, width, value, fault = REFUSED[case]
    data = binary.patched(mark, value, width, skip)
    if case == "nothing to load":
        at = binary.marks["segment:DYNAMIC"]
        data = data[:at] + bytes(56) + data[at + 56 :]
    (changed,) = scan(data).slices
    assert fault in changed.faults


@rows("case", DAMAGE)
def test_named_damage(case: str) -> None:
    binary, mark, skip, width, value, what, reason = DAMAGE[case]
    assert outcome(binary.data) == "sound"
    with pytest.raises(_core.ScanError) as caught:
        _core.scan(binary.patched(mark, value, width, skip))
    assert (caught.value.what, caught.value.reason) == (what, reason)


def test_the_message_names_format_place_and_reason() -> None:
    with pytest.raises(_core.ScanError) as caught:
        _core.scan(ELF.patched("phnum", 65000, 2))
    table = ELF.marks["segments"]
    assert (
        str(caught.value)
        == f"ELF program header table: 65000 entries do not fit in the file (offset {table:#x})"
    )
    assert isinstance(caught.value, ValueError)


def doubling_tree(levels: int) -> bytes:
    """Return an export trie in which each node has two edges to the next: 2 ** levels names in few bytes."""
    nodes = [
        bytes([0, 2]) + b"a\0" + bytes([8 * (n + 1)]) + b"b\0" + bytes([8 * (n + 1)]) for n in range(levels)
    ]
    return b"".join(nodes) + bytes([2, 0, 16, 0])


def deep_tree(levels: int) -> bytes:
    """A tree of names that is one long path."""
    node_size = 6
    places = [node_size * (n + 1) for n in range(levels)]
    nodes = [bytes([0, 1]) + b"a\0" + bytes([place & 0x7F | 0x80, place >> 7]) for place in places]
    return b"".join(nodes) + bytes([2, 0, 16, 0])


# Small files whose facts would take time or memory out of all proportion, each with a twin that is in
# proportion.
HOSTILE = {
    "symbols that share one long name": (
        elf.tiny(elf.Shape(copies=20_000, long_name=100_000)).data,
        elf.tiny(elf.Shape(copies=2, long_name=100_000)).data,
    ),
    "names that double with every level": (
        macho.tiny(macho.Shape(tree=doubling_tree(15))).data,
        macho.tiny(macho.Shape(tree=doubling_tree(5))).data,
    ),
    "names that never end": (
        macho.tiny(macho.Shape(tree=deep_tree(600))).data,
        macho.tiny(macho.Shape(tree=deep_tree(300))).data,
    ),
    "libraries that share one long list": (
        pe.tiny(pe.Shape(ordinals=5_000, repeat=2_000)).data,
        pe.tiny(pe.Shape(ordinals=5_000)).data,
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_work_is_bounded_by_the_size_of_the_file(case: str) -> None:
    hostile, twin = HOSTILE[case]
    assert outcome(twin) == "sound"
    tracemalloc.start()
    try:
        assert outcome(hostile) == "too-complex"
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000, "no object is made before the whole file is known to be sound"


def test_nothing_is_kept_of_a_scan() -> None:
    inputs = [binary.data for binary in BINARIES.values()]
    inputs += [
        binary.patched(mark, value, width, skip) for binary, mark, skip, width, value, _, _ in DAMAGE.values()
    ]

    def blocks_after(rounds: int) -> int:
        for _ in range(rounds):
            for data in inputs:
                outcome(data)
        gc.collect()
        return sys.getallocatedblocks()

    before = blocks_after(2)
    assert blocks_after(50) - before < 50, "one object kept of each input would be thousands"


LIMITED = """
import resource, sys
from pathlib import Path
from wheelkit import _core
data = Path(sys.argv[1]).read_bytes()
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[2]),) * 2)
try:
    found = _core.scan(data)
except (MemoryError, _core.ScanError) as error:
    print(type(error).__name__)
else:
    print(len(found.slices[0].imports))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limit is set in the way of Linux")
@pytest.mark.parametrize(
    ("case", "megabytes", "expected"),
    [("hostile", 40, "ScanError"), ("large", 200, "100004"), ("large", 4, "MemoryError")],
)
def test_in_little_memory(case: str, megabytes: int, expected: str, tmp_path: Any) -> None:
    large = elf.Shape(copies=100_000, long_name=8)
    (tmp_path / "large").write_bytes(elf.tiny(large).data)
    (tmp_path / "hostile").write_bytes(HOSTILE["symbols that share one long name"][0])
    command = [sys.executable, "-c", LIMITED, str(tmp_path / case), str(megabytes << 20)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == expected
