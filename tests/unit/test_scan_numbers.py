"""What the numbers in Mach-O and PE files mean: processors, systems, kinds, commands and sections."""

import hashlib
import struct

import pytest

from binaries import macho, pe
from binaries.layout import Binary
from support.rows import rows
from wheelkit import _core

MACHO, INTEL = macho.tiny(macho.Shape(signed=False)), macho.tiny(macho.Shape(cpu=macho.X86_64, signed=False))
SIGNED, PE = macho.tiny(macho.Shape()), pe.tiny(pe.Shape())
Patch = tuple[str, int, int, int]
"""A mark, bytes behind it, the width of a field, and its value."""


def scanned(data: bytes) -> _core.Slice:
    found = _core.scan(data)
    assert found is not None
    (slice_,) = found.slices
    return slice_


def changed(binary: Binary, *patches: Patch) -> bytes:
    for mark, skip, width, value in patches:
        binary = Binary(data=binary.patched(mark, value, width, skip), marks=binary.marks, order=binary.order)
    return binary.data


# mach/machine.h: the type and the subtype, whose highest byte has flags.
PROCESSORS = [
    (7, 3, "i686"),
    (0x01000007, 3, "x86_64"),
    (0x01000007, 8, "x86_64h"),
    (0x01000007, 0x80000008, "x86_64h"),
    (12, 9, "armv7l"),
    (0x0100000C, 0, "arm64"),
    (0x0100000C, 1, "arm64"),
    (0x0100000C, 0x80000002, "arm64e"),
    (0x0200000C, 1, "arm64_32"),
    (18, 0, "ppc"),
    (0x01000012, 0, "ppc64"),
    (14, 0, "unknown-0xe"),
]


@rows(("cpu", "subtype", "name"), PROCESSORS)
def test_processors_of_mach_o(cpu: int, subtype: int, name: str) -> None:
    assert scanned(changed(MACHO, ("cpu", 0, 4, cpu), ("cpu", 4, 4, subtype))).arch == name


# mach-o/loader.h
KINDS = [
    (1, "object"),
    (2, "executable"),
    (3, "other"),
    (6, "shared"),
    (7, "other"),
    (8, "bundle"),
    (9, "shared"),
]


@rows(("number", "kind"), [*KINDS, (10, "other")])
def test_kinds_of_mach_o(number: int, kind: str) -> None:
    assert scanned(changed(MACHO, ("cpu", 8, 4, number))).kind == kind
    # Stubs and debug files describe segments that they do not contain.
    cut = changed(MACHO, ("cpu", 8, 4, number), ("command:linkedit", 40, 8, 2**40))
    if number in {9, 10}:
        assert scanned(cut).kind == kind
    else:
        with pytest.raises(_core.ScanError):
            _core.scan(cut)


PLATFORMS = ("macos", "ios", "tvos", "watchos", "bridgeos", "maccatalyst", "iossimulator", "tvossimulator")
MORE_PLATFORMS = ("watchossimulator", "driverkit", "visionos", "visionossimulator")


@rows(("number", "system"), [*enumerate((*PLATFORMS, *MORE_PLATFORMS), 1), (13, "unknown-0xd")])
def test_systems_of_mach_o(number: int, system: str) -> None:
    assert scanned(changed(MACHO, ("command:version", 8, 4, number))).os == system


@rows(("command", "system"), [(0x24, "macos"), (0x25, "ios"), (0x2F, "tvos"), (0x30, "watchos")])
def test_old_commands_with_versions(command: int, system: str) -> None:
    old = macho.tiny(macho.Shape(signed=False, build_version=False))
    slice_ = scanned(changed(old, ("command:version", 0, 4, command)))
    assert (slice_.os, slice_.min_os, slice_.sdk) == (system, "10.13", "10.15")


LINKS = {
    0xC: "required",
    0x8000000C: "required",
    0x80000018: "weak",
    0x8000001F: "reexport",
    0x80000023: "upward",
    0x20: "lazy",
}


@rows("number", LINKS)
def test_how_libraries_are_needed(number: int) -> None:
    slice_ = scanned(changed(MACHO, ("command:@rpath/libweak.dylib", 0, 4, number)))
    assert slice_.needed[1] == ("@rpath/libweak.dylib", LINKS[number])
    assert len(slice_.needed) == 4


def test_exports_are_found_by_the_older_command_too() -> None:
    """LC_DYLD_INFO has four other tables before that of the exports."""
    at, size = MACHO.marks["trie"], MACHO.marks["trie.end"] - MACHO.marks["trie"]
    for number in (0x22, 0x80000022):
        patches = (("command:trie", 0, 4, 0x1A), ("command:dysymtab", 0, 4, number))
        places = (("command:dysymtab", 40, 4, at), ("command:dysymtab", 44, 4, size))
        slice_ = scanned(changed(MACHO, *patches, *places))
        assert (slice_.exports, slice_.refusal) == (scanned(MACHO.data).exports, WRONG)  # not 48 bytes long
        # Without a trie the symbols are exported that the table says, among them no local one.
        assert scanned(changed(MACHO, patches[0])).exports == ("tiny_call", "tiny_other", "_Zfoo")


SECTION_FLAGS = 72 + 64
# The flags of the only section of __TEXT, and its 12 bytes as code and as data.
SECTIONS = [
    (0x80000400, 12, 0),
    (0x80000000, 12, 0),
    (0x400, 12, 0),
    (0, 0, 12),
    (2, 0, 12),
    (1, 0, 0),
    (0xC, 0, 0),
    (0x12, 0, 0),
    (0x80000412, 0, 0),
    (0x200, 0, 12),
]


@rows(("flags", "code", "data"), SECTIONS)
def test_sections_of_mach_o(flags: int, code: int, data: int) -> None:
    slice_ = scanned(changed(MACHO, ("command:text", SECTION_FLAGS, 4, flags)))
    assert (slice_.code_bytes, slice_.data_bytes, slice_.debug_bytes) == (code, data, 15)


@rows(("flags", "kind", "stack", "found"), [
    (0x85, 6, False, ()),
    (0x20085, 6, True, ()),
    (0x200085, 6, False, ()),
    (0x85, 2, False, ()),
    (0x200085, 2, False, ("pie",)),
    (0x81, 2, False, ("static",)),
])  # fmt: skip
def test_flags_of_mach_o(flags: int, kind: int, stack: bool, found: tuple[str, ...]) -> None:  # noqa: FBT001
    slice_ = scanned(changed(MACHO, ("flags", 0, 4, flags), ("cpu", 8, 4, kind)))
    assert (slice_.executable_stack, slice_.flags) == (stack, found)


@rows(("protection", "kind", "count"), [(5, 6, 0), (7, 6, 1), (6, 6, 1), (3, 6, 0), (7, 1, 0)])
def test_segments_that_are_written_and_run(protection: int, kind: int, count: int) -> None:
    slice_ = scanned(changed(MACHO, ("command:text", 60, 4, protection), ("cpu", 8, 4, kind)))
    assert slice_.writable_executable == count


NO_UUID, LIBRARIES = ("command:uuid", 0, 4, 0x1A), "it needs no library, not even libSystem"
PROTECTION = "a segment has a protection that it must not have"
LIBRARY_COMMANDS = [("flags", 0, 4, 5), *((f"command:{name}", 0, 4, 0x1A) for name in macho.LIBRARIES)]


def data_segment(name: str, protection: int) -> list[Patch]:
    """Return what makes the segment of debug information one with this name, which is mapped."""
    text = name.encode().ljust(16, b"\0")
    halves = ((8, int.from_bytes(text[:8], "little")), (16, int.from_bytes(text[8:], "little")))
    return [*(("command:dwarf", skip, 8, half) for skip, half in halves), ("command:dwarf", 32, 8, 15),
            ("command:dwarf", 60, 4, protection)]  # fmt: skip


# What dyld refuses from an SDK on (mach_o/Policy.cpp).
NEW_RULES: dict[str, tuple[list[Patch], tuple[int, int], str]] = {
    "no UUID": ([NO_UUID], (12, 0), "it has no UUID, or more than one"),
    "no library": (LIBRARY_COMMANDS, (15, 4), LIBRARIES),
    "a writable __TEXT": ([("command:text", 60, 4, 7)], (10, 15), PROTECTION),
    "a __TEXT that does not run": ([("command:text", 60, 4, 1)], (10, 15), PROTECTION),
    "a writable __LINKEDIT": ([("command:linkedit", 60, 4, 3)], (10, 11), PROTECTION),
    "a read-only __DATA": (data_segment("__DATA", 1), (26, 0), PROTECTION),
    "a read-only __DATA_CONST": (data_segment("__DATA_CONST", 1), (26, 0), PROTECTION),
    "a __DATA that runs": (data_segment("__DATA", 7), (26, 0), PROTECTION),
    "out of order": (
        [*data_segment("__DWARF", 1), ("command:dwarf", 24, 8, 0)], (10, 15), "its segments are out of order"
    ),
}  # fmt: skip


@rows("case", NEW_RULES)
def test_rules_of_new_sdks(case: str) -> None:
    patches, (major, minor), refusal = NEW_RULES[case]
    sdk, before = major << 16 | minor << 8, (major << 16 | minor << 8) - 1
    assert scanned(changed(MACHO, *patches, ("command:version", 16, 4, sdk))).refusal == refusal
    assert scanned(changed(MACHO, *patches, ("command:version", 16, 4, before))).refusal is None
    # Files for other systems and old processors are not judged by it, nor are programs.
    latest = ("command:version", 16, 4, 0x7FFF0000)
    assert scanned(changed(MACHO, *patches, latest, ("command:version", 8, 4, 2))).refusal is None
    assert scanned(changed(MACHO, *patches, latest, ("cpu", 8, 4, 2))).refusal is None
    # Without an SDK the oldest system counts.
    oldest = (("command:version", 16, 4, 0), ("command:version", 12, 4, sdk))
    assert scanned(changed(MACHO, *patches, *oldest)).refusal == refusal


@rows("patches", [
    data_segment("__DATA", 3),
    data_segment("__DATA_CONST", 3),
    data_segment("__OTHER", 1),
    data_segment("__OTHER", 7),
    data_segment("__DATA2", 1),
])  # fmt: skip
def test_what_new_rules_allow(patches: list[Patch]) -> None:
    assert scanned(changed(MACHO, *patches, ("command:version", 16, 4, 0x7FFF0000))).refusal is None


def test_a_protection_has_three_bits() -> None:
    for protection, refusal in ((7, None), (8, PROTECTION), (0x10, PROTECTION)):
        assert scanned(changed(MACHO, *data_segment("__OTHER", protection))).refusal == refusal


WRONG = "it has a load command of a wrong kind or size"
# Numbers of commands of 24 bytes: those that have another size, and those that loaders must know but do not.
REFUSED = (
    0xB,
    0x1E,
    0x24,
    0x25,
    0x26,
    0x2F,
    0x30,
    0x80000033,
    0x80000034,
    0x80000036,
    0x80000003,
)
TAKEN = (0x1A, 0x1B, 0x29, 0x80000028, 0x80000035, 0x80000037, 0x80000040)


@rows("number", REFUSED)
def test_commands_of_another_kind_or_size(number: int) -> None:
    assert scanned(changed(MACHO, ("command:uuid", 0, 4, number))).refusal == WRONG


@rows("number", TAKEN)
def test_commands_that_loaders_take_or_ignore(number: int) -> None:
    assert scanned(changed(MACHO, ("command:uuid", 0, 4, number))).refusal != WRONG


def big(*values: int) -> bytes:
    return struct.pack(f">{len(values)}L", *values)


def code_directory(
    version: int, *, specials: int = 0, scatter: int = 0, limit: int = 0, limit_64: int = 0
) -> bytes:
    """Return a directory with the digest of one page, behind those of special blobs."""
    name, pages = b"tiny\0", 1
    fields = big(scatter) + big(0, 0) + limit_64.to_bytes(8, "big")
    hashes = 44 + len(fields) + len(name) + 32 * specials
    head = big(0xFADE0C02, hashes + 32 * pages, version, 2, hashes, 44 + len(fields), specials, pages, limit)
    digests = b"".join(bytes([number]) * 32 for number in range(specials, -1, -1))
    return head + bytes([32, 2, 0, 14]) + bytes(4) + fields + name + digests


def with_signature(*blobs: tuple[int, bytes]) -> bytes:
    """Return the library with a signature of blobs, each with its slot."""
    start = 12 + 8 * len(blobs)
    index, content = b"", b""
    for slot, blob in blobs:
        index += big(slot, start + len(content))
        content += blob
    whole = big(0xFADE0CC0, start + len(content), len(blobs)) + index + content
    at = SIGNED.marks["signature"]
    growth = len(whole) - (len(SIGNED.data) - at)
    data = bytearray(SIGNED.data[:at] + whole)
    for mark, skip, width in (
        ("command:signature", 12, 4),
        ("command:linkedit", 32, 8),
        ("command:linkedit", 48, 8),
    ):
        place = slice(SIGNED.marks[mark] + skip, SIGNED.marks[mark] + skip + width)
        data[place] = (int.from_bytes(data[place], "little") + growth).to_bytes(width, "little")
    return bytes(data)


LIMIT, OTHER_SIZE = SIGNED.marks["signature"], "its code signature is for a file of another size"


def test_a_signature_has_digests_of_its_other_blobs() -> None:
    requirements = big(0xFADE0C01, 20) + b"a requirement"[:12]
    data = with_signature(
        (0, code_directory(0x20001, specials=2, limit=LIMIT)), (2, requirements), (3, requirements)
    )
    pages, blob = scanned(data).digests
    at = data.rindex(requirements, 0, data.rindex(requirements))
    assert (pages.offset, pages.size, data[pages.digests : pages.digests + 32]) == (0, LIMIT, bytes(32))
    assert (blob.algorithm, blob.offset, blob.size, blob.chunk) == ("sha256", at, 20, 20)
    assert data[blob.digests : blob.digests + blob.length] == bytes([2]) * 32


# Version, ranges, limit with 32 and 64 bits; the size that the digest covers, and the refusal.
LIMITS = [
    (0x20001, 0, (LIMIT, 0), LIMIT, None),
    (0x20001, 9, (LIMIT, 5), LIMIT, None),
    (0x20100, 0, (LIMIT, 5), LIMIT, None),
    (0x20100, 9, (1, 0), None, None),
    (0x20200, 0, (1, LIMIT), 1, None),
    (0x20300, 0, (1, LIMIT), LIMIT, None),
    (0x20300, 0, (LIMIT, 0), LIMIT, None),
    (0x20300, 0, (LIMIT, 2**40), None, OTHER_SIZE),
]  # fmt: skip


@rows(("version", "ranges", "limits", "size", "refusal"), LIMITS)
def test_what_a_code_directory_covers(
    version: int, ranges: int, limits: tuple[int, int], size: int | None, refusal: str | None
) -> None:
    directory = code_directory(version, scatter=ranges, limit=limits[0], limit_64=limits[1])
    slice_ = scanned(with_signature((0, directory)))
    assert slice_.refusal == refusal
    assert [digest.size for digest in slice_.digests] == ([] if size is None else [size])


HASHES = [(1, 20, "sha1"), (2, 32, "sha256"), (3, 20, "sha256"), (4, 48, "sha384")]


@rows(("kind", "length", "name"), HASHES)
def test_hashes_of_signatures(kind: int, length: int, name: str) -> None:
    head = big(0xFADE0C02, 49 + length, 0x20001, 2, 49, 44, 0, 1, LIMIT)
    directory = head + bytes([length, kind, 0, 14]) + bytes(4) + b"tiny\0" + bytes(length)
    (digest,) = scanned(with_signature((0, directory))).digests
    assert (digest.algorithm, digest.length) == (name, length)
    assert hashlib.new(name).digest_size >= length
    other = head + bytes([length - 1, kind, 0, 14]) + bytes(4) + b"tiny\0" + bytes(length)
    assert scanned(with_signature((0, other))).refusal == "its code signature is damaged"


# The PE format of Microsoft's documentation.
MACHINES = [(0x14C, "i686"), (0x8664, "x86_64"), (0xAA64, "arm64"), (0x1C4, "armv7l"), (0x5064, "riscv64")]


@rows(("machine", "name"), [*MACHINES, (0x6264, "loongarch64"), (0x166, "unknown-0x166")])
def test_processors_of_pe(machine: int, name: str) -> None:
    assert scanned(changed(PE, ("machine", 0, 2, machine))).arch == name


@rows(("number", "name"), [(0, "unknown"), (1, "native"), (2, "gui"), (3, "console"), (4, "unknown")])
def test_subsystems(number: int, name: str) -> None:
    assert scanned(changed(PE, ("subsystem", 0, 2, number))).os == name


@rows(("flags", "kind", "found"), [
    (0x2002, "shared", ()), (0x2000, "shared", ()), (0x2, "executable", ()), (0x0, "other", ()),
    (0x2003, "shared", ("fixed-base",)), (0xDFFC, "other", ()),
])  # fmt: skip
def test_characteristics(flags: int, kind: str, found: tuple[str, ...]) -> None:
    slice_ = scanned(changed(PE, ("characteristics", 0, 2, flags), ("subsystem", 2, 2, 0)))
    assert (slice_.kind, slice_.flags) == (kind, found)


@rows(("flags", "found"), [
    (0x20, ("high-entropy",)), (0x40, ("aslr",)), (0x100, ("nx",)), (0x4000, ("cfg",)), (0xBE9F, ()),
])  # fmt: skip
def test_what_a_library_says_to_the_loader(flags: int, found: tuple[str, ...]) -> None:
    assert scanned(changed(PE, ("subsystem", 2, 2, flags))).flags == found
    assert "dotnet" in scanned(changed(PE, ("directory:14", 0, 4, 0x1000))).flags
    for other in (13, 15):
        assert (
            "dotnet"
            not in scanned(changed(pe.tiny(pe.Shape(imports=False)), (f"directory:{other}", 4, 4, 8))).flags
        )


# The flags of a section, and its 512 bytes as code and as data; the other section has 512 bytes of data.
PE_SECTIONS = [
    (0x60000020, 512, 512, 0),
    (0x20, 512, 512, 0),
    (0x20000000, 512, 512, 0),
    (0x40000040, 0, 1024, 0),
    (0x80, 0, 512, 0),
    (0xA0000020, 512, 512, 1),
    (0x80000040, 0, 1024, 0),
]


@rows(("flags", "code", "data", "both"), PE_SECTIONS)
def test_sections_of_pe(flags: int, code: int, data: int, both: int) -> None:
    slice_ = scanned(changed(PE, ("section:0", 36, 4, flags)))
    assert (slice_.code_bytes, slice_.data_bytes, slice_.writable_executable) == (code, data, both)
    empty = scanned(changed(PE, ("section:1", 20, 4, 0), ("section:1", 16, 4, 2**30)))
    assert (empty.code_bytes, empty.data_bytes) == (512, 0)


GAP, SHORT = (
    "its sections do not follow one another in memory",
    "its sections end behind the stated size of the image",
)
ALIGNMENT = 32  # of the optional header
LAYOUTS: list[tuple[list[Patch], str | None]] = [
    ([("section:1", 12, 4, 0x2001)], GAP),
    ([("section:1", 12, 4, 0x2001), ("optional", ALIGNMENT, 4, 0x200)], None),
    ([("section:1", 12, 4, 0x2001), ("optional", ALIGNMENT, 4, 0xFFF)], None),
    ([("section:1", 8, 4, 0)], None),
    ([("section:1", 8, 4, 0), ("section:1", 16, 4, 0), ("section:1", 20, 4, 0)], GAP),
    ([("section:1", 8, 4, 1)], None),
    ([("section:1", 8, 4, 0x1001)], SHORT),
    ([("image size", 0, 4, 0x2001)], None),
    ([("image size", 0, 4, 0x2000)], SHORT),
    ([("image size", 4, 4, 0x1001)], GAP),
]


@rows(("patches", "refusal"), LAYOUTS)
def test_how_sections_follow_one_another(patches: list[Patch], refusal: str | None) -> None:
    assert scanned(changed(PE, *patches)).refusal == refusal


@rows(("size", "name"), [(264, "arm64ec"), (208, "arm64ec"), (207, "x86_64"), (0, "x86_64")])
def test_a_load_configuration_has_its_own_size(size: int, name: str) -> None:
    config = pe.tiny(pe.Shape(load_config=True))
    patches: list[Patch] = [("load config", 0, 4, size), ("load config", 200, 8, 1 << 40)]
    assert scanned(changed(config, *patches)).arch == name
    assert scanned(changed(config, patches[0])).arch == "x86_64"
    assert scanned(changed(config, *patches, ("directory:10", 0, 4, 0x7FFF0000))).arch == "x86_64"


@rows(
    ("count", "is_binary"), [(1, True), (44, True), (45, False), (46, False), (0x34, False), (0x3002D, False)]
)
def test_java_classes_begin_as_fat_files_do(count: int, is_binary: bool) -> None:  # noqa: FBT001
    """The number of slices is in the place of Java's version, the first of which was 45."""
    data = struct.pack(">LL", 0xCAFEBABE, count) + bytes(4000)
    if is_binary:
        with pytest.raises(_core.ScanError):
            _core.scan(data)
    else:
        assert _core.scan(data) is None


OF_16_BYTES = (0x24, 0x25, 0x26, 0x2F, 0x30, 0x1E, 0x80000033, 0x80000034, 0x80000035, 0x80000018, 0x80000037)
NOT_OF_16 = (0x2, 0xB, 0x1B, 0x22, 0x80000022, 0x80000028, 0x80000036)


@rows(("number", "fits"), [*((n, True) for n in OF_16_BYTES), *((n, False) for n in NOT_OF_16)])
def test_commands_of_16_bytes(number: int, fits: bool) -> None:  # noqa: FBT001
    old = macho.tiny(macho.Shape(signed=False, build_version=False))
    data = changed(old, ("command:version", 0, 4, number), ("command:version", 8, 4, 12))
    try:
        refusal = scanned(data).refusal
    except _core.ScanError:  # it is read as a command that is longer
        refusal = WRONG if not fits else ""
    assert (refusal == WRONG) == (not fits)


def test_an_export_without_an_address_is_one() -> None:
    """The information of a leaf may be one byte: its flags."""
    tree = bytes([0, 1]) + b"_one\0" + bytes([8]) + bytes([1, 0, 0, 0])
    shape = macho.Shape(signed=False, tree=tree)
    assert scanned(macho.tiny(shape).data).exports == ("one",)
    nothing = bytes([0, 1]) + b"_one\0" + bytes([8]) + bytes([0, 0, 0, 0])
    assert scanned(macho.tiny(macho.Shape(signed=False, tree=nothing)).data).exports == ()
