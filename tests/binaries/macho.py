"""Tiny Mach-O files with everything that the scanner reads: thin ones of any kind, and fat ones."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from binaries.layout import Binary, Layout, Order, assemble

X86, X86_64, ARM64, PPC = 7, 0x01000007, 0x0100000C, 18
LIBRARIES = {
    "/usr/lib/libSystem.B.dylib": 0xC,
    "@rpath/libweak.dylib": 0x80000018,
    "@rpath/libagain.dylib": 0x8000001F,
    "@rpath/libup.dylib": 0x80000023,
}
IMPORTS = {"_malloc": 0x0100, "_maybe": 0x0240, "_PyLong_FromLong": 0xFE00, "dyld_stub_binder": 0x0100}
SIGNATURE = bytes.fromhex("fade0cc0")
DIGEST = 32
PAGE_SHIFT = 20 + 39  # its offset in the signature
LOCALS = ["_secret"]
EXPORTS = ["_tiny_call", "_tiny_other", "__Zfoo"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """What differs between the thin files."""

    cpu: int = ARM64
    wide: bool = True
    order: Order = "little"
    kind: int = 6
    trie: bool = True
    build_version: bool = True
    signed: bool = True
    rpaths: tuple[str, ...] = ("@loader_path/../lib",)
    sdk: tuple[int, ...] = (14, 2, 1)
    """The SDK in a build version command."""
    chained: bool = False
    tree: bytes = b""
    """Bytes that replace the export trie."""


@cache
def tiny(shape: Shape) -> Binary:
    """Return the thin file of a shape (cached)."""
    made = assemble(lambda out: _describe(out, shape), order=shape.order, wide=shape.wide)
    return replace(made, data=signed(made.data)) if shape.signed else made


def signed(data: bytes) -> bytes:
    """Return a thin file with the digest of its only page in its code signature, where it has one."""
    at = data.find(SIGNATURE)
    if at < 0 or not data.startswith(b"\xcf\xfa\xed\xfe"):
        return data
    assert at <= 1 << data[at + PAGE_SHIFT]
    return data[:at] + (data[at:-DIGEST] + hashlib.sha256(data[:at]).digest())


def fat(slices: list[tuple[int, bytes]], *, wide: bool = False) -> Binary:
    """Return a fat file of slices, each with its CPU type; `wide` makes the table's numbers 64 bits long."""

    def describe(out: Layout) -> None:
        out.u32(0xCAFEBABF if wide else 0xCAFEBABE)
        out.mark("count")
        out.u32(len(slices))
        for number, (cpu, _) in enumerate(slices):
            out.mark(f"arch:{number}")
            out.u32(cpu, 0)
            out.word(out.at(f"slice:{number}"), out.size(f"slice:{number}"))
            out.u32(4)
            out.put(4, *([0] if wide else []))
        for number, (_, data) in enumerate(slices):
            out.align(0x4000)
            out.mark(f"slice:{number}")
            out.raw(data)
            out.mark(f"slice:{number}.end")

    return assemble(describe, order="big", wide=wide)


def _describe(out: Layout, shape: Shape) -> None:
    out.u32(0xFEEDFACF if shape.wide else 0xFEEDFACE)
    out.mark("cpu")
    out.u32(shape.cpu, 0, shape.kind)
    out.mark("ncmds")
    commands = _commands(shape)
    out.u32(len(commands), out.size("commands"))
    out.mark("flags")
    out.u32(0x85)
    if shape.wide:
        out.u32(0)
    out.mark("commands")
    for name, (number, write) in commands.items():
        _command(out, name, number, write)
    out.mark("commands.end")
    _content(out, shape)


Writer = Callable[[Layout], None]


def _commands(shape: Shape) -> dict[str, tuple[int, Writer]]:
    segment = 0x19 if shape.wide else 0x1
    commands: dict[str, tuple[int, Writer]] = {
        "text": (segment, lambda out: _segment(out, "__TEXT", "text", 5, 0x80000400, start=0)),
        "dwarf": (segment, lambda out: _segment(out, "__DWARF", "dwarf", 0, 0)),
        "linkedit": (segment, lambda out: _segment(out, "__LINKEDIT", "linkedit", 1, None)),
        "uuid": (0x1B, lambda out: out.raw(bytes(range(16)))),
        "id": (0xD, lambda out: _dylib(out, "@rpath/libtiny.1.dylib")),
        "symtab": (0x2, _symtab),
        "dysymtab": (0xB, _dysymtab),
    }
    for index, path in enumerate(shape.rpaths):
        commands[f"rpath:{index}" if index else "rpath"] = (
            0x8000001C,
            lambda out, path=path: _text(out, path, 12),  # type: ignore[misc]  # bound early
        )
    for name, number in LIBRARIES.items():
        commands[name] = (number, lambda out, name=name: _dylib(out, name))  # type: ignore[misc]  # bound early
    if shape.build_version:
        commands["version"] = (0x32, lambda out: out.u32(1, 11 << 16, _packed(*shape.sdk), 0))
    else:
        commands["version"] = (0x24, lambda out: out.u32(10 << 16 | 13 << 8, 10 << 16 | 15 << 8))
    if shape.trie:
        commands["trie"] = (0x80000033, lambda out: out.u32(out.at("trie"), out.size("trie")))
    if shape.chained:
        commands["chained"] = (0x80000034, lambda out: out.u32(out.at("signature"), 0))
    if shape.signed:
        commands["signature"] = (0x1D, lambda out: out.u32(out.at("signature"), out.size("signature")))
    return commands


def _packed(major: int, minor: int = 0, patch: int = 0) -> int:
    return major << 16 | minor << 8 | patch


def _command(out: Layout, name: str, number: int, write: Writer) -> None:
    out.mark("command:" + name)
    out.u32(number, out.size("command:" + name))
    write(out)
    out.align(8 if out.wide else 4)
    out.mark(f"command:{name}.end")


def _segment(  # noqa: PLR0913, PLR0917 - one per field
    out: Layout, name: str, part: str, protection: int, flags: int | None, start: int | None = None
) -> None:
    """Write a segment from ``start``, or from its part on; one that nothing may access is not mapped."""
    start = out.at(part) if start is None else start
    size = out.at(part + ".end") - start
    out.raw(name.encode(), 16)
    out.word(start + 0x1000, size if protection else 0, start, size)
    out.u32(7, protection, 0 if flags is None else 1, 0)
    if flags is not None:
        out.raw(b"__part", 16)
        out.raw(name.encode(), 16)
        out.word(0x1000, out.size(part))
        out.u32(out.at(part), 0, 0, 0, flags, 0, 0)
        if out.wide:
            out.u32(0)


def _text(out: Layout, text: str, at: int) -> None:
    out.u32(at)
    out.raw(bytes(at - 12) + text.encode() + b"\0")


def _dylib(out: Layout, name: str) -> None:
    _text(out, name, 24)


def _symtab(out: Layout) -> None:
    out.u32(
        out.at("symbols"), len(LOCALS) + len(IMPORTS) + len(EXPORTS), out.at("strings"), out.size("strings")
    )


def _dysymtab(out: Layout) -> None:
    """Write first index and number of the local, exported and imported symbols, and zeros for the rest."""
    local, exported = len(LOCALS), len(LOCALS) + len(EXPORTS)
    out.u32(0, local, local, len(EXPORTS), exported, len(IMPORTS), *([0] * 12))


def _content(out: Layout, shape: Shape) -> None:
    for part in ("text", "dwarf"):
        out.mark(part)
        out.raw(part.encode() * 3)
        out.mark(part + ".end")
    out.align(8)
    out.mark("linkedit")
    out.mark("symbols")
    for names, kind in ((LOCALS, 0x0E), (EXPORTS, 0x0F), (list(IMPORTS), 0x01)):
        for name in names:
            out.mark("symbol:" + name)
            out.u32(out.string("strings", name))
            out.u8(kind, 0 if kind == 1 else 1)
            out.u16(IMPORTS.get(name, 0))
            out.word(0)
    out.strings("strings", [*LOCALS, *EXPORTS, *IMPORTS])
    if shape.trie:
        _trie(out, shape.tree)
    out.align(16)
    out.mark("signature")
    if shape.signed:
        _signature(out, 14 if shape.cpu == ARM64 else 12)
    out.mark("signature.end")
    out.mark("linkedit.end")


def _signature(out: Layout, page_shift: int) -> None:
    """Write a signature without its digest: an index with one code directory for one page (cs_blobs.h)."""
    name = b"tiny\0"
    hashes = 44 + len(name)
    limit = out.at("signature")

    def big(*values: int) -> None:
        out.raw(b"".join([(value & 0xFFFFFFFF).to_bytes(4, "big") for value in values]))

    out.raw(SIGNATURE)
    big(20 + hashes + DIGEST, 1, 0, 20)
    out.mark("directory")
    big(0xFADE0C02, hashes + DIGEST, 0x20001, 2, hashes, 44, 0, 1, limit)
    out.u8(DIGEST, 2, 0, page_shift)
    out.raw(bytes(4) + name + bytes(DIGEST))


def _trie(out: Layout, other: bytes) -> None:
    """Write the export trie: _ -> tiny_ -> call, other; _ -> _Zfoo."""
    out.mark("trie")
    if other:
        out.raw(other)
        out.mark("trie.end")
        return
    _node(out, "root", {"_": "stem"})
    _node(out, "stem", {"tiny_": "tiny", "_Zfoo": "leaf:zfoo"})
    _node(out, "tiny", {"call": "leaf:call", "other": "leaf:other"})
    for leaf in ("zfoo", "call", "other"):
        out.mark("trie:leaf:" + leaf)
        out.u8(2, 0, 16, 0)
    out.mark("trie.end")


def _node(out: Layout, name: str, edges: dict[str, str]) -> None:
    out.mark("trie:" + name)
    out.u8(0, len(edges))
    for label, node in edges.items():
        out.raw(label.encode() + b"\0")
        out.mark(f"trie:{name}:{label}")
        out.u8(out.at("trie:" + node) - out.at("trie") & 0x7F)
