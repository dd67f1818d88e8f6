"""Facts about a PE file, as read by pefile."""

from typing import Any

import pefile

from oracles import NOT_ELF

ARCHES = {
    "IMAGE_FILE_MACHINE_I386": "i686",
    "IMAGE_FILE_MACHINE_AMD64": "x86_64",
    "IMAGE_FILE_MACHINE_ARM64": "arm64",
}
SUBSYSTEMS = {1: "native", 2: "gui", 3: "console"}
DIRECTORIES = ("IMPORT", "DELAY_IMPORT", "EXPORT")
MANY = 1 << 20  # by default pefile silently drops exports after the first 8,192; OpenBLAS has more
CODE = ("IMAGE_SCN_CNT_CODE", "IMAGE_SCN_MEM_EXECUTE")


def facts(data: bytes) -> list[dict[str, Any]]:
    pe = pefile.PE(data=data, fast_load=True, max_symbol_exports=MANY)
    pe.parse_data_directories(
        [pefile.DIRECTORY_ENTRY[f"IMAGE_DIRECTORY_ENTRY_{name}"] for name in DIRECTORIES]
    )
    groups = [(entry, "required") for entry in getattr(pe, "DIRECTORY_ENTRY_IMPORT", [])]
    groups += [(entry, "delay") for entry in getattr(pe, "DIRECTORY_ENTRY_DELAY_IMPORT", [])]
    return [
        {
            "offset": 0,
            "size": len(data),
            "arch": ARCHES[pefile.MACHINE_TYPE[pe.FILE_HEADER.Machine]],
            "bits": 64 if pe.OPTIONAL_HEADER.Magic == pefile.OPTIONAL_HEADER_MAGIC_PE_PLUS else 32,
            "endian": "little",
            "kind": "shared" if pe.is_dll() else "executable",
            "name": _export_name(pe),
            "interpreter": None,
            "needed": [(entry.dll.decode(), how) for entry, how in groups],
            "rpaths": [],
            "versions": [],
            "imports": [_import(symbol, entry) for entry, _ in groups for symbol in entry.imports],
            "exports": _exports(pe),
            "min_os": None,
            "sdk": None,
            "os": SUBSYSTEMS[pe.OPTIONAL_HEADER.Subsystem],
            "signed": _directory(pe, "SECURITY").Size > 0,
            "executable_stack": None,
            "relro": None,
            "symbol_bytes": _symbol_bytes(pe, data),
            **_sections(pe, data),
            "flags": _flags(pe),
            "refusal": None,
            "digests": [],
            **NOT_ELF,
        }
    ]


def _directory(pe: pefile.PE, name: str) -> Any:
    return pe.OPTIONAL_HEADER.DATA_DIRECTORY[pefile.DIRECTORY_ENTRY[f"IMAGE_DIRECTORY_ENTRY_{name}"]]


def _import(symbol: Any, entry: Any) -> tuple[str, str, None, bool]:
    name = f"#{symbol.ordinal}" if symbol.import_by_ordinal else symbol.name.decode()
    return name, entry.dll.decode(), None, False


def _export_name(pe: pefile.PE) -> str | None:
    directory = getattr(pe, "DIRECTORY_ENTRY_EXPORT", None)
    return directory.name.decode() if directory else None


def _exports(pe: pefile.PE) -> list[str]:
    directory = getattr(pe, "DIRECTORY_ENTRY_EXPORT", None)
    return sorted(s.name.decode() for s in directory.symbols if s.name) if directory else []


def _strings_at(pe: pefile.PE) -> int:
    return pe.FILE_HEADER.PointerToSymbolTable + pe.FILE_HEADER.NumberOfSymbols * 18


def _symbol_bytes(pe: pefile.PE, data: bytes) -> int:
    if not pe.FILE_HEADER.NumberOfSymbols:
        return 0
    at = _strings_at(pe)
    return pe.FILE_HEADER.NumberOfSymbols * 18 + int.from_bytes(data[at : at + 4], "little")


def _section_name(pe: pefile.PE, section: Any, data: bytes) -> bytes:
    name = section.Name.rstrip(b"\0")
    if not (name.startswith(b"/") and name[1:].isdigit()):
        return name
    at = _strings_at(pe) + int(name[1:])
    return data[at : data.index(b"\0", at)]


def _sections(pe: pefile.PE, data: bytes) -> dict[str, int]:
    sizes = {"debug_bytes": 0, "code_bytes": 0, "data_bytes": 0, "writable_executable": 0}
    for section in pe.sections:
        if section.PointerToRawData:
            name = _section_name(pe, section, data)
            kind = "code_bytes" if any(getattr(section, flag) for flag in CODE) else "data_bytes"
            sizes["debug_bytes" if name.startswith((b".debug_", b".zdebug_")) else kind] += (
                section.SizeOfRawData
            )
        sizes["writable_executable"] += section.IMAGE_SCN_MEM_EXECUTE and section.IMAGE_SCN_MEM_WRITE
    return sizes


def _flags(pe: pefile.PE) -> list[str]:
    bits = {"aslr": 0x40, "high-entropy": 0x20, "nx": 0x100, "cfg": 0x4000}
    flags = [name for name, bit in bits.items() if pe.OPTIONAL_HEADER.DllCharacteristics & bit]
    flags += ["dotnet"] * bool(_directory(pe, "COM_DESCRIPTOR").VirtualAddress)
    return flags + ["fixed-base"] * bool(pe.FILE_HEADER.IMAGE_FILE_RELOCS_STRIPPED)
