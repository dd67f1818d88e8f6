"""Tiny PE files with everything that the scanner reads: 32 and 64 bits, with and without MinGW's symbols."""

from dataclasses import dataclass
from functools import cache

from binaries.layout import Binary, Layout, assemble

I386, AMD64, ARM64 = 0x14C, 0x8664, 0xAA64
IMPORTS: dict[str, list[str | int]] = {
    "python3.dll": ["PyLong_FromLong", "Py_DecRef"],
    "WS2_32.dll": [115, "socket"],
}
DELAYED: dict[str, list[str | int]] = {"ADVAPI32.dll": ["RegOpenKeyExW"], "ole32.dll": [9]}
EXPORTS = ["PyInit_tiny", "tiny_call"]
BASE = 0x10000000
ADDRESS = 0x1000  # of the section that starts at the mark "content"
DIRECTORIES = 16
FILE_ALIGNMENT = 0x200


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """What differs between the files."""

    machine: int = AMD64
    wide: bool = True
    dll: bool = True
    symbols: bool = False
    signed: bool = False
    imports: bool = True
    names: bool = True
    """Whether imports have a name table besides the address table."""
    ordinals: int = 0
    """Additional imports by ordinal, from the second library."""
    load_config: bool = False
    relocations: bool = True
    repeat: int = 1
    """How many entries of the import directory point to the same library."""

    @property
    def imported(self) -> dict[str, list[str | int]]:
        return IMPORTS | {"WS2_32.dll": IMPORTS["WS2_32.dll"] + [7] * self.ordinals}


@cache
def tiny(shape: Shape) -> Binary:
    """Return the file of a shape (cached)."""
    return assemble(lambda out: _describe(out, shape), order="little", wide=shape.wide)


def address(out: Layout, mark: str) -> int:
    """Return the address of a mark in the content, relative to the base."""
    return out.at(mark) - out.at("content") + ADDRESS


def _describe(out: Layout, shape: Shape) -> None:
    out.raw(b"MZ", 0x3C)
    out.mark("start")
    out.u32(out.at("header"))
    out.mark("header")
    out.raw(b"PE\0\0")
    out.mark("machine")
    out.u16(shape.machine)
    out.mark("section count")
    out.u16(2)
    out.u32(0)
    out.mark("symbol table")
    out.u32(out.at("symbols") if shape.symbols else 0, 1 if shape.symbols else 0)
    out.mark("optional size")
    out.u16(out.size("optional"))
    out.mark("characteristics")
    out.u16((0x2002 if shape.dll else 0x2) | (0 if shape.relocations else 1))
    _optional(out, shape)
    _sections(out, shape)
    out.mark("headers.end")
    out.align(FILE_ALIGNMENT)
    _content(out, shape)
    if shape.symbols:
        _symbol_table(out)
    if shape.signed:
        out.align(8)
        out.mark("certificate")
        out.raw(b"not a real certificate, but its bytes")
        out.mark("certificate.end")


def _optional(out: Layout, shape: Shape) -> None:
    out.mark("optional")
    out.u16(0x20B if shape.wide else 0x10B)
    out.raw(bytes(22 if shape.wide else 26))
    out.word(BASE)
    out.u32(0x1000, FILE_ALIGNMENT)
    out.raw(bytes(16))
    out.mark("image size")
    out.u32(0x3000, out.at("headers.end"), 0)
    out.mark("subsystem")
    out.u16(2, 0x160 if shape.wide else 0x140)
    out.raw(bytes(36 if shape.wide else 20))
    out.mark("directory count")
    out.u32(DIRECTORIES)
    tables = {0: "exports", 1: "imports", 13: "delayed"} if shape.imports else {0: "exports"}
    if shape.load_config:
        tables[10] = "load config"
    for number in range(DIRECTORIES):
        out.mark(f"directory:{number}")
        if number in tables:
            out.u32(address(out, tables[number]), out.size(tables[number]))
        elif number == 4 and shape.signed:  # the certificate table
            out.u32(out.at("certificate"), out.size("certificate"))
        else:
            out.u32(0, 0)
    out.mark("optional.end")


def _sections(out: Layout, shape: Shape) -> None:
    out.mark("section:0")
    out.raw(b".text", 8)
    out.u32(0x1000, ADDRESS, out.size("content"), out.at("content"), 0, 0, 0, 0x60000020)
    out.mark("section:1")
    out.raw(b"/4" if shape.symbols else b".data", 8)
    out.u32(0x1000, ADDRESS + 0x1000, out.size("second"), out.at("second"), 0, 0, 0, 0x42000040)


def _content(out: Layout, shape: Shape) -> None:
    out.mark("content")
    out.raw(b"\xc3" * 8)
    _exports(out)
    if shape.imports:
        _imports(out, shape)
        _delayed(out)
    if shape.load_config:
        out.mark("load config")
        out.u32(264)
        out.raw(bytes(260))
        out.mark("load config.end")
    out.align(FILE_ALIGNMENT)
    out.mark("content.end")
    out.mark("second")
    out.raw(b"another section", FILE_ALIGNMENT)
    out.mark("second.end")


def _exports(out: Layout) -> None:
    out.mark("exports")
    out.u32(0, 0, 0, address(out, "export name"), 1, len(EXPORTS), len(EXPORTS))
    out.u32(address(out, "export addresses"), address(out, "export names"), address(out, "export ordinals"))
    out.mark("exports.end")
    out.mark("export addresses")
    out.u32(*(ADDRESS for _ in EXPORTS))
    out.mark("export names")
    out.u32(*(address(out, "export:" + name) for name in EXPORTS))
    out.mark("export ordinals")
    out.u16(*range(len(EXPORTS)))
    out.mark("export name")
    out.raw(b"tiny.pyd\0")
    for name in EXPORTS:
        out.mark("export:" + name)
        out.raw(name.encode() + b"\0")
    out.align(8)


def _imports(out: Layout, shape: Shape) -> None:
    out.mark("imports")
    for library in list(IMPORTS) * shape.repeat:
        out.mark("import:" + library)
        names = address(out, "list:" + library)
        out.u32(names if shape.names else 0, 0, 0, address(out, "name:" + library), names)
    out.u32(0, 0, 0, 0, 0)
    out.mark("imports.end")
    out.align(8)
    for library, symbols in shape.imported.items():
        _library(out, library, symbols)


def _delayed(out: Layout) -> None:
    out.mark("delayed")
    for library in DELAYED:
        out.mark("delay:" + library)
        out.u32(1, address(out, "name:" + library), 0, 0, address(out, "list:" + library), 0, 0, 0)
    out.u32(*(0 for _ in range(8)))
    out.mark("delayed.end")
    out.align(8)
    for library, symbols in DELAYED.items():
        _library(out, library, symbols)


def _library(out: Layout, library: str, symbols: list[str | int]) -> None:
    out.mark("list:" + library)
    for symbol in symbols:
        ordinal = 1 << (63 if out.wide else 31)
        out.word(ordinal | symbol if isinstance(symbol, int) else address(out, f"hint:{library}:{symbol}"))
    out.word(0)
    out.mark("name:" + library)
    out.raw(library.encode() + b"\0")
    for symbol in symbols:
        if isinstance(symbol, str):
            out.align(2)
            out.mark(f"hint:{library}:{symbol}")
            out.u16(0)
            out.raw(symbol.encode() + b"\0")
    out.align(8)


def _symbol_table(out: Layout) -> None:
    """Write one symbol, and the strings after their size; the long name of section 1 is at offset 4."""
    out.mark("symbols")
    out.raw(bytes(18))
    out.mark("strings")
    out.u32(out.size("strings"))
    out.raw(b".debug_info\0")
    out.mark("strings.end")
