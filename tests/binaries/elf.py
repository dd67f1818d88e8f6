"""Tiny ELF libraries with everything that the scanner reads, of any word size, byte order and machine."""

from dataclasses import dataclass
from functools import cache
from itertools import groupby

from binaries.layout import Binary, Layout, Order, assemble

TYPES = {
    "LOAD": 1, "DYNAMIC": 2, "INTERP": 3, "NOTE": 4, "TLS": 7, "GNU_STACK": 0x6474E551,
    "GNU_RELRO": 0x6474E552, "GNU_PROPERTY": 0x6474E553,
}  # fmt: skip
DYNAMIC = {
    "NEEDED": 1, "HASH": 4, "STRTAB": 5, "SYMTAB": 6, "STRSZ": 10, "SYMENT": 11, "SONAME": 14, "RPATH": 15,
    "RUNPATH": 29, "FLAGS": 30, "GNU_HASH": 0x6FFFFEF5, "VERSYM": 0x6FFFFFF0, "FLAGS_1": 0x6FFFFFFB,
    "VERNEED": 0x6FFFFFFE, "VERNEEDNUM": 0x6FFFFFFF, "VERDEF": 0x6FFFFFFC, "VERDEFNUM": 0x6FFFFFFD,
}  # fmt: skip
GLOBAL, WEAK, LOCAL = 1, 2, 0
TEXTS = [
    "libtiny.so.1", "libc.so.6", "libm.so.6", "$ORIGIN/../tiny.libs:/opt/tiny", "GLIBC_2.17", "GLIBC_2.4",
    "GLIBC_2.29", "memcpy", "exp", "PyLong_FromLong", "__gmon_start__", "tiny_call", "tiny_hidden",
    "tiny_weak", "/lib/ld.so",
]  # fmt: skip
# Name, type, flags, mark, link, info of each section; the last one holds the names.
SECTIONS = (
    (".text", 1, 6, "text", 0, 0),
    (".data", 1, 3, "data", 0, 0),
    (".dynsym", 11, 2, "dynsym", 4, 1),
    (".dynstr", 3, 2, "dynstr", 0, 0),
    (".gnu.version", 0x6FFFFFFF, 2, "versym", 3, 0),
    (".gnu.version_r", 0x6FFFFFFE, 2, "verneed", 4, 2),
    (".dynamic", 6, 3, "dynamic", 4, 0),
    (".debug_info", 1, 0, ".debug_info", 0, 0),
    (".symtab", 2, 0, ".symtab", 10, 0),
    (".strtab", 3, 0, ".strtab", 0, 0),
    (".shstrtab", 3, 0, "names", 0, 0),
)
# What some shapes have, behind the others.
RARE_SECTIONS = (
    (".gnu.version_d", 0x6FFFFFFD, 2, "verdef", 4, 2),
    (".note.gnu.property", 7, 2, "note", 0, 0),
)
ENTRY_SIZES = {".dynsym": (16, 24), ".symtab": (16, 24), ".gnu.version": (2, 2), ".dynamic": (8, 16)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Symbol:
    name: str
    binding: int
    section: int = 0
    visibility: int = 0
    version: int = 1


SYMBOLS = (
    Symbol(name="", binding=LOCAL, version=0),
    Symbol(name="memcpy", binding=GLOBAL, version=2),
    Symbol(name="exp", binding=GLOBAL, version=4),
    Symbol(name="PyLong_FromLong", binding=GLOBAL),
    Symbol(name="__gmon_start__", binding=WEAK),
    Symbol(name="tiny_call", binding=GLOBAL, section=1),
    Symbol(name="tiny_hidden", binding=GLOBAL, section=1, visibility=2),
    Symbol(name="tiny_weak", binding=WEAK, section=1, visibility=3),
)
# The versions required of each library, with the numbers that SYMBOLS use.
NEEDED_VERSIONS = {"libc.so.6": {"GLIBC_2.17": 2, "GLIBC_2.4": 3}, "libm.so.6": {"GLIBC_2.29": 4}}


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """What differs between the binaries. `base` is the address of the file's first byte."""

    wide: bool = True
    order: Order = "little"
    machine: int = 62
    flags: int = 0
    base: int = 0x400000
    align: int = 0x10000
    sections: bool = True
    gnu_hash: bool = False
    interpreter: bool = False
    stack: int | None = 6
    long_hash: bool = False
    copies: int = 0
    """Additional undefined symbols, which share one name of `long_name` bytes."""
    long_name: int = 0
    isa: int = 0
    """The bits of GNU_PROPERTY_X86_ISA_1_NEEDED; without any there is no note."""
    tls: int = 0
    """Bytes of static thread-local storage."""
    unloaded: bool = False
    """The versions of libm.so.6 are needed of a library that is not loaded."""
    defines: str = ""
    """A symbol version that the library provides, beside the one that names the file."""
    load_flags: int = 5
    relocations: bytes = b""
    """The bytes at the mark of this name."""
    entries: tuple[tuple[int, int | str], ...] = ()
    """More entries of the dynamic section. A text is a mark, for its address, or ``=`` and one of TEXTS."""

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        return SYMBOLS[:4] + (Symbol(name="x" * self.long_name, binding=GLOBAL),) * self.copies + SYMBOLS[4:]


@cache
def tiny(shape: Shape) -> Binary:
    """Return the binary of a shape (cached)."""
    return assemble(lambda out: _describe(out, shape), order=shape.order, wide=shape.wide)


def _describe(out: Layout, shape: Shape) -> None:
    _header(out, shape)
    _segments(out, shape)
    out.mark("text")
    out.raw(b"\xc3" * 16)
    out.mark("text.end")
    out.mark("data")
    out.raw(b"tiny data")
    out.mark("data.end")
    out.mark("relocations")
    out.raw(shape.relocations)
    out.strings(
        "dynstr", TEXTS + [shape.defines] * bool(shape.defines) + ["x" * shape.long_name] * (shape.copies > 0)
    )
    out.align(8)
    _symbols(out, shape)
    _versions(out, shape)
    _definitions(out, shape)
    _note(out, shape)
    _hash(out, shape)
    _dynamic(out, shape)
    out.mark("loaded.end")
    if shape.sections:
        _sections(out, shape)


def _header(out: Layout, shape: Shape) -> None:
    out.raw(b"\x7fELF")
    out.mark("class")
    out.u8(2 if shape.wide else 1, 2 if shape.order == "big" else 1, 1, 0)
    out.raw(bytes(8))
    out.mark("type")
    out.u16(3, shape.machine)
    out.u32(1)
    out.word(0)
    out.mark("phoff")
    out.word(out.at("segments"))
    out.mark("shoff")
    out.word(out.at("sections"))
    out.u32(shape.flags)
    out.u16(64 if shape.wide else 52)
    out.mark("phentsize")
    out.u16(56 if shape.wide else 32)
    out.mark("phnum")
    out.u16(out.at("segments.count"))
    out.mark("shentsize")
    out.u16((64 if shape.wide else 40) if shape.sections else 0)
    out.mark("shnum")
    out.u16(out.at("sections.count"))
    out.mark("shstrndx")
    out.u16(len(SECTIONS) if shape.sections else 0)


def _segments(out: Layout, shape: Shape) -> None:
    wanted: list[tuple[str, int, int, int]] = [("LOAD", shape.load_flags, 0, out.at("loaded.end"))]
    wanted.append(("DYNAMIC", 6, out.at("dynamic"), out.size("dynamic")))
    wanted.append(("GNU_RELRO", 4, out.at("dynamic"), out.size("dynamic")))
    if shape.stack is not None:
        wanted.append(("GNU_STACK", shape.stack, 0, 0))
    if shape.interpreter:
        wanted.append(("INTERP", 4, out.at("dynstr:/lib/ld.so"), len("/lib/ld.so") + 1))
    if shape.isa:
        wanted.append(("GNU_PROPERTY", 4, out.at("note"), out.size("note")))
    if shape.tls:
        wanted.append(("TLS", 4, out.at("data"), shape.tls))
    out.mark("segments")
    for name, flags, offset, size in wanted:
        out.mark("segment:" + name)
        out.u32(TYPES[name])
        if shape.wide:
            out.u32(flags)
        out.word(offset, shape.base + offset, shape.base + offset, size, size)
        if not shape.wide:
            out.u32(flags)
        out.word(shape.align if name == "LOAD" else 8)
    out.marks["segments.count"] = len(wanted)


def _symbols(out: Layout, shape: Shape) -> None:
    out.mark("dynsym")
    for symbol, copies in groupby(shape.symbols):
        start = len(out.data)
        _symbol(out, symbol)
        out.raw(bytes(out.data[start:]) * (sum(1 for _ in copies) - 1))
    out.mark("dynsym.end")
    out.mark("versym")
    out.u16(*(symbol.version for symbol in shape.symbols))
    out.mark("versym.end")
    out.align(8)


def _symbol(out: Layout, symbol: Symbol) -> None:
    name = out.string("dynstr", symbol.name) if symbol.name else 0
    out.mark("symbol:" + symbol.name)
    out.u32(name)
    if out.wide:
        out.u8(symbol.binding << 4, symbol.visibility)
        out.u16(symbol.section)
        out.u64(0, 0)
    else:
        out.u32(0, 0)
        out.u8(symbol.binding << 4, symbol.visibility)
        out.u16(symbol.section)


def _versions(out: Layout, shape: Shape) -> None:
    out.mark("verneed")
    for place, (library, versions) in enumerate(NEEDED_VERSIONS.items(), 1):
        out.mark("verneed:" + library)
        out.u16(1, len(versions))
        last = place == len(NEEDED_VERSIONS)
        name = "libtiny.so.1" if shape.unloaded and library == "libm.so.6" else library
        out.u32(out.string("dynstr", name), 16, 0 if last else 16 * (len(versions) + 1))
        for order, (version, number) in enumerate(versions.items(), 1):
            out.mark("vernaux:" + version)
            out.u32(_hash_of(version))
            out.u16(0, number)
            out.u32(out.string("dynstr", version), 0 if order == len(versions) else 16)
    out.mark("verneed.end")


def _definitions(out: Layout, shape: Shape) -> None:
    """Write two records: the one that names the file, and the version."""
    out.mark("verdef")
    names = {"libtiny.so.1": 1, shape.defines: 0} if shape.defines else {}
    for number, (name, flags) in enumerate(names.items(), 1):
        out.mark("verdef:" + name)
        out.u16(1, flags, number, 1)
        out.u32(_hash_of(name), 20, 28 if number < len(names) else 0)
        out.u32(out.string("dynstr", name), 0)
    out.mark("verdef.end")
    out.align(8)


def _note(out: Layout, shape: Shape) -> None:
    """Write a GNU property note with one property."""
    out.mark("note")
    if shape.isa:
        out.u32(4, 16 if shape.wide else 12, 5)
        out.raw(b"GNU\0")
        out.u32(0xC0008002, 4, shape.isa)
        out.raw(bytes(4 if shape.wide else 0))
    out.mark("note.end")


def _hash_of(name: str) -> int:
    """Return the hash of a name that the gABI defines, which versions are compared by."""
    value = 0
    for byte in name.encode():
        value = (value << 4) + byte
        value = (value ^ (value & 0xF0000000) >> 24) & 0x0FFFFFFF
    return value


def _hash(out: Layout, shape: Shape) -> None:
    out.mark("hash")
    if shape.gnu_hash:  # one bucket, with a chain from the first defined symbol to the last
        first = sum(symbol.section == 0 for symbol in shape.symbols)
        out.u32(1, first, 1, 0)
        out.word(0)
        out.u32(first)
        out.u32(*(0 for _ in shape.symbols[first:-1]), 1)
    else:
        out.put(8 if shape.long_hash else 4, 1, len(shape.symbols), 1, *range(len(shape.symbols)))
    out.align(8)


def _dynamic(out: Layout, shape: Shape) -> None:
    def address(name: str) -> int:
        return shape.base + out.at(name)

    entries = [
        ("NEEDED", out.string("dynstr", "libc.so.6")),
        ("NEEDED", out.string("dynstr", "libm.so.6")),
        ("SONAME", out.string("dynstr", "libtiny.so.1")),
        ("RUNPATH", out.string("dynstr", "$ORIGIN/../tiny.libs:/opt/tiny")),
        ("GNU_HASH" if shape.gnu_hash else "HASH", address("hash")),
        ("STRTAB", address("dynstr")),
        ("STRSZ", out.size("dynstr")),
        ("SYMTAB", address("dynsym")),
        ("SYMENT", 24 if shape.wide else 16),
        ("VERSYM", address("versym")),
        ("VERNEED", address("verneed")),
        ("VERNEEDNUM", len(NEEDED_VERSIONS)),
        ("FLAGS_1", 1),
    ]
    if shape.defines:
        entries += [("VERDEF", address("verdef")), ("VERDEFNUM", 2)]
    if shape.tls:
        entries.append(("FLAGS", 0x10))
    out.mark("dynamic")
    for name, value in entries:
        out.mark("dynamic:" + name)
        out.word(DYNAMIC[name], value)
    for tag, meant in shape.entries:
        if isinstance(meant, str):
            meant = out.string("dynstr", meant[1:]) if meant.startswith("=") else address(meant)  # noqa: PLW2901
        out.word(tag, meant)
    out.word(0, 0)
    out.mark("dynamic.end")


def _sections(out: Layout, shape: Shape) -> None:
    for name, content in {
        ".debug_info": b"debug!",
        ".symtab": bytes(24 if shape.wide else 16),
        ".strtab": b"\0",
    }.items():
        out.mark(name)
        out.raw(content)
        out.mark(name + ".end")
    has = (bool(shape.defines), shape.isa != 0)
    sections = [*SECTIONS, *(section for section, there in zip(RARE_SECTIONS, has, strict=True) if there)]
    out.strings("names", [name for name, *_ in sections])
    out.align(8)
    out.mark("sections")
    out.raw(bytes(64 if shape.wide else 40))
    for name, kind, flags, place, link, info in sections:
        out.mark("section:" + name)
        out.u32(out.string("names", name), kind)
        address = shape.base + out.at(place) if flags else 0
        out.word(flags, address, out.at(place), out.size(place))
        out.u32(link, info)
        out.word(1, ENTRY_SIZES.get(name, (0, 0))[shape.wide])
    out.marks["sections.count"] = len(sections) + 1
