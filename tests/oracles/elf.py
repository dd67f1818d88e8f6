"""Facts about an ELF file, as read by pyelftools."""

import io
from typing import Any

from elftools.elf.constants import E_FLAGS, P_FLAGS, SH_FLAGS
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Section, SymbolTableSection

ARCHES = {
    ("EM_X86_64", 64): "x86_64",
    ("EM_386", 32): "i686",
    ("EM_AARCH64", 64): "aarch64",
    ("EM_ARM", 32): "armv7l",
    ("EM_PPC64", 64): "ppc64",
    ("EM_S390", 64): "s390x",
    ("EM_RISCV", 64): "riscv64",
    ("EM_MIPS", 32): "mips",
}
SYSTEMS = {"ELFOSABI_SYSV": "none", "ELFOSABI_LINUX": "gnu"}
_WEAK, _BASE = 2, 1  # VER_FLG_WEAK, VER_FLG_BASE
_PIE = 0x08000000  # DF_1_PIE
VISIBLE = ("STV_DEFAULT", "STV_PROTECTED")
SHARED_BINDINGS = ("STB_GLOBAL", "STB_WEAK", "STB_LOOS")  # STB_GNU_UNIQUE is the first OS-specific number


def facts(data: bytes) -> list[dict[str, Any]]:
    elf = ELFFile(io.BytesIO(data))
    dynamic = elf.get_section_by_name(".dynamic")
    tags = list(dynamic.iter_tags()) if isinstance(dynamic, DynamicSection) else []
    imports, exports = _symbols(elf)
    return [
        {
            "offset": 0,
            "size": len(data),
            "arch": _arch(elf),
            "bits": elf.elfclass,
            "endian": "little" if elf.little_endian else "big",
            "kind": _kind(elf, tags),
            "name": next((t.soname for t in tags if t.entry.d_tag == "DT_SONAME"), None),
            "interpreter": next((s.get_interp_name() for s in elf.iter_segments("PT_INTERP")), None),
            "needed": [(t.needed, "required") for t in tags if t.entry.d_tag == "DT_NEEDED"],
            "rpaths": _rpaths(tags),
            "versions": _versions(elf, imports),
            "imports": imports,
            "exports": exports,
            "min_os": None,
            "sdk": None,
            "os": SYSTEMS[elf["e_ident"]["EI_OSABI"]],
            "signed": None,
            "executable_stack": _executable_stack(elf),
            "relro": _relro(elf, tags),
            "writable_executable": _writable_executable(elf),
            **_sizes(elf),
            "flags": _flags(elf, tags),
            "refusal": None,
            "digests": [],
            "definitions": _definitions(elf),
            **_load_segments(elf),
            "isa": _isa(elf),
            "faults": ["program"] if elf["e_type"] != "ET_DYN" or _value(tags, "DT_FLAGS_1") & _PIE else [],
        }
    ]


def _arch(elf: ELFFile) -> str:
    name = ARCHES[elf["e_machine"], elf.elfclass]
    return name + "le" if name == "ppc64" and elf.little_endian else name


def _value(tags: list[Any], name: str) -> int:
    return next((t.entry.d_val for t in tags if t.entry.d_tag == name), 0)


def _kind(elf: ELFFile, tags: list[Any]) -> str:
    if elf["e_type"] == "ET_REL":
        return "object"
    return "executable" if elf["e_type"] == "ET_EXEC" or _value(tags, "DT_FLAGS_1") & 0x08000000 else "shared"


def _rpaths(tags: list[Any]) -> list[tuple[str, str]]:
    paths = [(t.rpath, "rpath") for t in tags if t.entry.d_tag == "DT_RPATH"]
    paths += [(t.runpath, "runpath") for t in tags if t.entry.d_tag == "DT_RUNPATH"]
    return [(path, how) for joined, how in paths for path in joined.split(":")]


def _symbols(elf: ELFFile) -> tuple[list[tuple[str, str | None, str | None, bool]], list[str]]:
    table = elf.get_section_by_name(".dynsym")
    imports, exports = [], []
    if not isinstance(table, SymbolTableSection):
        return imports, exports
    versions = elf.get_section_by_name(".gnu.version")
    needed = elf.get_section_by_name(".gnu.version_r")
    for index, symbol in enumerate(table.iter_symbols()):
        binding = symbol["st_info"]["bind"]
        if index == 0 or not symbol.name or binding not in SHARED_BINDINGS:
            continue
        number = versions.get_symbol(index)["ndx"] if versions else 1
        number = 1 if number == "VER_NDX_GLOBAL" else 0 if number == "VER_NDX_LOCAL" else number & 0x7FFF
        if symbol["st_shndx"] == "SHN_UNDEF":
            entry = needed.get_version(number) if needed and number > 1 else None
            library, version = (entry[0].name, entry[1].name) if entry else (None, None)
            imports.append((symbol.name, library, version, binding == "STB_WEAK"))
        elif symbol["st_other"]["visibility"] in VISIBLE and number:
            exports.append(symbol.name)
    return imports, exports


def _versions(elf: ELFFile, imports: list[Any]) -> list[tuple[str, str, str | None, bool]]:
    needed = elf.get_section_by_name(".gnu.version_r")
    rows = (
        [
            (entry.name, version.name, bool(version["vna_flags"] & _WEAK))
            for entry, many in needed.iter_versions()
            for version in many
        ]
        if needed
        else []
    )
    first = {
        pair: next((i[0] for i in imports if i[1:3] == pair), None) for pair in {row[:2] for row in rows}
    }
    return [(library, version, first[library, version], weak) for library, version, weak in rows]


def _definitions(elf: ELFFile) -> list[str]:
    defined = elf.get_section_by_name(".gnu.version_d")
    return [
        next(iter(names)).name
        for record, names in (defined.iter_versions() if defined else ())
        if not record["vd_flags"] & _BASE
    ]


def _isa(elf: ELFFile) -> int:
    """Return the highest level of x86-64 that a property note names."""
    bits = [
        item.pr_data
        for section in elf.iter_sections()
        if section["sh_type"] == "SHT_NOTE"
        for note in section.iter_notes()
        if note["n_type"] == "NT_GNU_PROPERTY_TYPE_0"
        for item in note["n_desc"]
        if item.pr_type == "GNU_PROPERTY_X86_ISA_1_NEEDED"
    ]
    return max((number.bit_length() for number in bits), default=0)


def _load_segments(elf: ELFFile) -> dict[str, int]:
    """Return what the program headers tell about mapping the file."""
    loads = list(elf.iter_segments("PT_LOAD"))
    distances = [abs(s["p_vaddr"] - s["p_offset"]) or 1 << 31 for s in loads]
    return {
        "page_size": min((distance & -distance for distance in distances), default=0),
        "alignment": min((s["p_align"] or 1 for s in loads), default=0),
        "tls_bytes": sum(s["p_memsz"] for s in elf.iter_segments("PT_TLS")),
    }


def _executable_stack(elf: ELFFile) -> bool | None:
    stacks = [bool(s["p_flags"] & P_FLAGS.PF_X) for s in elf.iter_segments("PT_GNU_STACK")]
    if stacks or elf["e_type"] == "ET_REL":
        return stacks[0] if stacks else None
    return elf["e_machine"] not in {"EM_AARCH64", "EM_PPC64"}


def _relro(elf: ELFFile, tags: list[Any]) -> str | None:
    if not list(elf.iter_segments("PT_GNU_RELRO")):
        return None
    bound = any(t.entry.d_tag == "DT_BIND_NOW" for t in tags)
    return "full" if bound or _value(tags, "DT_FLAGS") & 8 or _value(tags, "DT_FLAGS_1") & 1 else "partial"


def _writable_executable(elf: ELFFile) -> int:
    both = P_FLAGS.PF_W | P_FLAGS.PF_X
    return sum(s["p_flags"] & both == both for s in elf.iter_segments("PT_LOAD"))


def _sizes(elf: ELFFile) -> dict[str, int]:
    sizes = {"debug_bytes": 0, "symbol_bytes": 0, "code_bytes": 0, "data_bytes": 0}
    for section in elf.iter_sections():
        kind = _size_kind(section)
        if kind:
            sizes[kind] += section["sh_size"]
        if kind == "symbol_bytes":
            sizes[kind] += elf.get_section(section["sh_link"])["sh_size"]
    return sizes


def _size_kind(section: Section) -> str | None:
    if section["sh_type"] in {"SHT_NOBITS", "SHT_NULL"}:
        return None
    if section["sh_flags"] & SH_FLAGS.SHF_ALLOC:
        return "code_bytes" if section["sh_flags"] & SH_FLAGS.SHF_EXECINSTR else "data_bytes"
    if section["sh_type"] == "SHT_SYMTAB":
        return "symbol_bytes"
    return "debug_bytes" if section.name.startswith((".debug_", ".zdebug_", ".gdb_index")) else None


def _flags(elf: ELFFile, tags: list[Any]) -> list[str]:
    executable = _kind(elf, tags) == "executable"
    static = not list(elf.iter_segments("PT_INTERP"))
    arm = elf["e_machine"] == "EM_ARM"
    textrel = any(t.entry.d_tag == "DT_TEXTREL" for t in tags) or _value(tags, "DT_FLAGS") & 4
    flags = {
        "pie": executable and elf["e_type"] == "ET_DYN",
        "static": executable and static,
        "textrel": textrel,
        "hard-float": arm and elf["e_flags"] & E_FLAGS.EF_ARM_ABI_FLOAT_HARD,
        "static-tls": _value(tags, "DT_FLAGS") & 0x10,
        "nodeflib": _value(tags, "DT_FLAGS_1") & 0x800,
    }
    return [name for name, is_set in flags.items() if is_set]
