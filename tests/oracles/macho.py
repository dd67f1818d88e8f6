"""Facts about a Mach-O file, as read by macholib.

macholib does not read the export trie, so exports are taken from the symbol table. Linkers write the same
names into both. `strip` can remove names from the table that the trie keeps; then the scanner, which reads
the trie as the loader does, is right. No wheel of the corpus is such a case.
"""

import struct
from pathlib import Path
from typing import Any

from macholib import mach_o
from macholib.MachO import MachO, MachOHeader
from macholib.SymbolTable import SymbolTable

from oracles import NOT_ELF

ARCHES = {0x01000007: "x86_64", 0x0100000C: "arm64", 7: "i686", 18: "ppc"}
KINDS = {mach_o.MH_DYLIB: "shared", mach_o.MH_BUNDLE: "bundle", mach_o.MH_EXECUTE: "executable"}
PLATFORMS = {mach_o.PLATFORM_MACOS: "macos", mach_o.PLATFORM_IOS: "ios"}
LINKS = {
    mach_o.LC_LOAD_DYLIB: "required",
    mach_o.LC_LOAD_WEAK_DYLIB: "weak",
    mach_o.LC_REEXPORT_DYLIB: "reexport",
    mach_o.LC_LOAD_UPWARD_DYLIB: "upward",
    mach_o.LC_LAZY_LOAD_DYLIB: "lazy",
}
ZERO_FILL = (0x1, 0xC, 0x12)
NO_LIBRARY = (0, 0xFE, 0xFF)
CHAINED_FIXUPS = 0x80000034


def facts(data: bytes, scratch: Path) -> list[dict[str, Any]]:
    """Return the facts of each slice; `scratch` is overwritten, since macholib only reads files by name."""
    scratch.write_bytes(data)
    macho = MachO(str(scratch))
    return [_slice(macho, header) for header in macho.headers]


def _slice(macho: MachO, header: MachOHeader) -> dict[str, Any]:
    needed = [(_text(rest), LINKS[load.cmd]) for load, _, rest in header.commands if load.cmd in LINKS]
    names = [_text(rest) for load, _, rest in header.commands if load.cmd == mach_o.LC_ID_DYLIB]
    rpaths = [(_text(rest), "rpath") for load, _, rest in header.commands if load.cmd == mach_o.LC_RPATH]
    imports, exports, symbol_bytes = _symbols(macho, header, [name for name, _ in needed])
    return {
        "offset": header.offset,
        "size": header.size,
        "arch": ARCHES[header.header.cputype],
        "bits": 64 if isinstance(header.header, mach_o.mach_header_64) else 32,
        "endian": "little" if header.endian == "<" else "big",
        "kind": KINDS[header.header.filetype],
        "name": names[0] if names else None,
        "interpreter": None,
        "needed": needed,
        "rpaths": rpaths,
        "versions": [],
        "imports": imports,
        "exports": exports,
        **_system(header),
        "signed": any(load.cmd == mach_o.LC_CODE_SIGNATURE for load, _, _ in header.commands),
        "executable_stack": bool(header.header.flags & mach_o.MH_ALLOW_STACK_EXECUTION),
        "relro": None,
        "symbol_bytes": symbol_bytes,
        **_segments(header),
        "flags": _flags(header),
        "refusal": None,
        "digests": _digests(macho, header),
        **NOT_ELF,
    }


HASHES = {1: ("sha1", 20), 2: ("sha256", 32), 3: ("sha256", 20), 4: ("sha384", 48)}


def _digests(macho: MachO, header: MachOHeader) -> list[tuple[Any, ...]]:
    """Return what the code directories are of (Apple's cs_blobs.h; codesign, and its like, write them)."""
    at = [command.dataoff for load, command, _ in header.commands if load.cmd == mach_o.LC_CODE_SIGNATURE]
    if not at:
        return []
    whole = Path(macho.filename).read_bytes()[header.offset : header.offset + header.size]
    blob = whole[at[0] :]
    (count,) = struct.unpack_from(">I", blob, 8)
    index = [struct.unpack_from(">II", blob, 12 + 8 * number) for number in range(count)]
    found = []
    for slot, offset in index:
        if slot == 0 or slot in range(0x1000, 0x1005):
            found += _code_directory(at[0], blob, offset, index)
    return found


def _code_directory(
    start: int, blob: bytes, offset: int, index: list[tuple[int, int]]
) -> list[tuple[Any, ...]]:
    version, _, hashes, _, special, _, limit = struct.unpack_from(">7I", blob, offset + 8)
    _, kind, _, shift = struct.unpack_from("4B", blob, offset + 36)
    if version >= 0x20300:
        limit = struct.unpack_from(">Q", blob, offset + 56)[0] or limit
    name, length = HASHES[kind]
    first = start + offset + hashes
    blobs = [
        (name, start + at, size, size, first - slot * length, length)
        for slot, at in index
        if 0 < slot <= special
        for size in struct.unpack_from(">I", blob, at + 4)
    ]
    return [(name, 0, limit, 1 << shift, first, length), *blobs]


def _flags(header: MachOHeader) -> list[str]:
    chained = ["chained-fixups"] * any(load.cmd == CHAINED_FIXUPS for load, _, _ in header.commands)
    if header.header.filetype != mach_o.MH_EXECUTE:
        return chained
    bits = header.header.flags
    return ["pie"] * bool(bits & mach_o.MH_PIE) + ["static"] * (not bits & mach_o.MH_DYLDLINK) + chained


def _text(rest: bytes) -> str:
    return rest.split(b"\0")[0].decode()


def _system(header: MachOHeader) -> dict[str, str | None]:
    for load, command, _ in header.commands:
        if load.cmd == mach_o.LC_BUILD_VERSION:
            return {
                "os": PLATFORMS[command.platform],
                "min_os": _version(command.minos),
                "sdk": _version(command.sdk),
            }
        if load.cmd == mach_o.LC_VERSION_MIN_MACOSX:
            return {"os": "macos", "min_os": _version(command.version), "sdk": _version(command.sdk)}
    return {"os": None, "min_os": None, "sdk": None}


def _version(packed: int) -> str | None:
    parts = [packed >> 16, packed >> 8 & 0xFF, packed & 0xFF]
    return ".".join(map(str, parts if parts[2] else parts[:2])) if packed else None


def _symbols(macho: MachO, header: MachOHeader, libraries: list[str]) -> tuple[list[Any], list[str], int]:
    table = SymbolTable(macho, header)
    two_level = header.header.flags & mach_o.MH_TWOLEVEL
    imports = []
    for entry, name in table.undefsyms:
        ordinal = entry.n_desc >> 8 & 0xFF
        library = libraries[ordinal - 1] if two_level and ordinal not in NO_LIBRARY else None
        imports.append(
            (name.decode().removeprefix("_"), library, None, bool(entry.n_desc & mach_o.N_WEAK_REF))
        )
    exports = sorted(
        name.decode().removeprefix("_")
        for entry, name in table.extdefsyms
        if not entry.n_type & mach_o.N_PEXT
    )
    width = 16 if isinstance(header.header, mach_o.mach_header_64) else 12
    locals_, total = table.dysymtab.nlocalsym, table.symtab.nsyms
    symbol_bytes = locals_ * width + table.symtab.strsize * locals_ // total if total else 0
    return imports, exports, symbol_bytes


def _segments(header: MachOHeader) -> dict[str, int]:
    sizes = {"debug_bytes": 0, "code_bytes": 0, "data_bytes": 0, "writable_executable": 0}
    for load, segment, sections in header.commands:
        if load.cmd not in {mach_o.LC_SEGMENT, mach_o.LC_SEGMENT_64}:
            continue
        sizes["writable_executable"] += segment.initprot & 6 == 6
        for section in sections:
            code = section.flags & 0x80000400
            debug = section.segname.rstrip(b"\0") == b"__DWARF"
            if section.flags & 0xFF not in ZERO_FILL:
                sizes["debug_bytes" if debug else "code_bytes" if code else "data_bytes"] += section.size
    return sizes
