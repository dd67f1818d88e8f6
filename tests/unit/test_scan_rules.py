"""What loaders refuse although it is readable, and the digests of code signatures."""

import hashlib
import struct

import pytest

from binaries import macho, make, pe
from binaries.layout import Binary
from support.rows import rows
from wheelkit import _core

MACHO = macho.tiny(macho.Shape())
INTEL = macho.tiny(macho.Shape(cpu=macho.X86_64))
UNSIGNED = macho.tiny(macho.Shape(signed=False))
FAT = make.assembled()["macho-fat"]
PE, ARM = pe.tiny(pe.Shape()), pe.tiny(pe.Shape(machine=pe.ARM64))
DIRECTORY = 24  # behind the header, the number and the sizes of the first entry of a Mach-O signature's index
TEXT, LINKEDIT = "command:text", "command:linkedit"
SDK = 20  # of a build version command

PROTECTION = "a segment has a protection that it must not have"
KIND = "it has a load command of a wrong kind or size"
NAMELESS = "it is a library without an install name, or with two"
TEXT_START = "its __TEXT segment does not begin with the header and the load commands"
GAP = "its sections do not follow one another in memory"
DYNAMIC_BASE = "it has no DYNAMIC_BASE, which Windows on Arm requires"
DAMAGED = "its code signature is damaged"
OTHER_SIZE = "its code signature is for a file of another size"
REFUSED = {
    "another magic number": (MACHO, "signature", 0, 4, 0, DAMAGED),
    "a length behind the end": (MACHO, "signature", 6, 2, 0xFFFF, DAMAGED),
    "an index without end": (MACHO, "signature", 8, 4, 0xFFFFFFFF, DAMAGED),
    "a blob behind the end": (MACHO, "signature", 19, 1, 0xFF, DAMAGED),
    "no code directory": (MACHO, "signature", 15, 1, 2, "its code signature has no code directory"),
    "an unknown hash": (MACHO, "directory", 37, 1, 9, DAMAGED),
    "digests of another size": (MACHO, "directory", 36, 1, 20, DAMAGED),
    "an unknown page size": (MACHO, "directory", 39, 1, 13, DAMAGED),
    "large pages on Intel": (INTEL, "directory", 39, 1, 14, DAMAGED),
    "digests behind the end": (MACHO, "directory", 18, 1, 0x7F, DAMAGED),
    "more pages than digests": (MACHO, "directory", 31, 1, 9, DAMAGED),
    "no digest for a page": (MACHO, "directory", 31, 1, 0, OTHER_SIZE),
    "more bytes than the file": (MACHO, "directory", 33, 1, 0x7F, OTHER_SIZE),
    "an unsigned beginning of the signature": (MACHO, "command:signature", 8, 4, 0, DAMAGED),
    "an unknown command": (MACHO, "command:uuid", 0, 4, 0x80000010, KIND),
    "no UUID": (MACHO, "command:uuid", 0, 4, 0x1A, "it has no UUID, or more than one"),
    "no install name": (MACHO, "command:id", 0, 4, 0x1A, NAMELESS),
    "a bundle with a name": (MACHO, "cpu", 8, 4, 8, "it has an install name, but is no library"),
    "more bytes than memory": (MACHO, LINKEDIT, 32, 8, 1, "a segment has more bytes than it takes in memory"),
    "a writable __TEXT": (MACHO, TEXT, 60, 4, 7, PROTECTION),
    "a writable __LINKEDIT": (MACHO, LINKEDIT, 60, 4, 3, PROTECTION),
    "segments over one another": (MACHO, LINKEDIT, 24, 8, 0x1000, "two of its segments overlap in memory"),
    "no __TEXT": (MACHO, TEXT, 8, 1, 0x5A, "it has no __TEXT segment"),
    "a short __TEXT": (MACHO, TEXT, 48, 8, 64, TEXT_START),
    "a gap between sections": (PE, "section:1", 12, 4, 0x3000, GAP),
    "a section over another": (PE, "section:0", 8, 4, 0x1001, GAP),
    "a short image": (PE, "image size", 0, 4, 0x2000, "its sections end behind the stated size of the image"),
    "a fixed address on Arm": (ARM, "subsystem", 2, 2, 0x120, DYNAMIC_BASE),
}  # fmt: skip


def only(data: bytes) -> _core.Slice:
    found = _core.scan(data)
    assert found is not None
    (slice_,) = found.slices
    return slice_


@rows("case", REFUSED)
def test_refusals(case: str) -> None:
    binary, mark, skip, width, value, expected = REFUSED[case]
    assert only(binary.data).refusal is None
    order: Binary = binary if not mark.startswith(("signature", "directory")) else _big(binary)
    assert only(order.patched(mark, value, width, skip)).refusal == expected


def _big(binary: Binary) -> Binary:
    """Signatures are big-endian in every file."""
    return Binary(data=binary.data, marks=binary.marks, order="big")


@rows("name", [name for name in make.assembled() if name != "macho-ppc"])
def test_whole_files_are_not_refused(name: str) -> None:
    found = _core.scan(make.assembled()[name].data)
    assert found is not None
    assert [slice_.refusal for slice_ in found.slices] == [None] * len(found.slices)


def test_an_old_sdk_frees_from_new_rules() -> None:
    without = MACHO.patched("command:uuid", 0x1A, 4)
    assert only(without).refusal == "it has no UUID, or more than one"
    at = MACHO.marks["command:version"] + SDK - 4
    assert only(without[:at] + (11 << 16).to_bytes(4, "little") + without[at + 4 :]).refusal is None


def test_a_slice_of_a_fat_file_starts_at_a_page() -> None:
    shifted = macho.fat([(macho.ARM64, MACHO.data)]).data
    assert only(shifted).refusal is None
    moved = shifted[:0x4000] + bytes(0x1000) + shifted[0x4000:]
    moved = moved[:16] + (0x5000).to_bytes(4, "big") + moved[20:]
    assert only(moved).refusal == "its slice does not start at a page of the fat file"
    watch = macho.tiny(macho.Shape(cpu=0x0200000C, signed=False)).data
    shifted = macho.fat([(0x0200000C, watch)]).data
    moved = shifted[:16] + (0x5000).to_bytes(4, "big") + shifted[20:0x4000] + bytes(0x1000) + shifted[0x4000:]
    assert only(moved).refusal == "its slice does not start at a page of the fat file"
    intel = macho.fat([(macho.X86_64, INTEL.data)]).data
    moved = intel[:0x4000] + bytes(0x1000) + intel[0x4000:]
    assert only(moved[:16] + (0x5000).to_bytes(4, "big") + moved[20:]).refusal is None


def test_digests_of_a_signature() -> None:
    (digest,) = only(MACHO.data).digests
    limit = MACHO.marks["signature"]
    assert digest[:4] == ("sha256", 0, limit, 1 << 14)
    stored = MACHO.data[digest.digests : digest.digests + digest.length]
    assert stored == hashlib.sha256(MACHO.data[:limit]).digest()
    assert only(UNSIGNED.data).digests == ()
    assert only(UNSIGNED.data).signed is False


def test_other_processors_and_bases() -> None:
    high = MACHO.patched("cpu", 2, 4, 4)
    assert only(high).arch == "arm64e"
    assert only(INTEL.patched("cpu", 8, 4, 4)).arch == "x86_64h"
    assert "fixed-base" not in only(PE.data).flags
    assert "fixed-base" in only(PE.patched("characteristics", 0x2003, 2)).flags
    chained = MACHO.patched("command:uuid", 0x80000034, 4)
    assert "chained-fixups" in only(chained).flags


MACOS, IOS, CATALYST = 1, 2, 6


@pytest.mark.parametrize(
    ("first", "second", "system", "minimum", "flags"),
    [
        (MACOS, CATALYST, "macos", "13.1", ["zippered"]),
        (CATALYST, MACOS, "macos", "11.0", ["zippered"]),
        (MACOS, MACOS, "macos", "11.0", []),
        (IOS, CATALYST, "ios", "13.1", []),
    ],
)
def test_a_library_for_two_systems_counts_as_one_for_macos(
    first: int, second: int, system: str, minimum: str, flags: list[str]
) -> None:
    """The first build version command is in the place of the UUID, which has the same size."""
    binary = UNSIGNED.patched("command:version", second, 4, 8)
    at = UNSIGNED.marks["command:uuid"]
    other = struct.pack("<6L", 0x32, 24, first, 13 << 16 | 1 << 8, 14 << 16, 0)
    slice_ = only(binary[:at] + other + binary[at + len(other) :])
    found = [flag for flag in slice_.flags if flag == "zippered"]
    assert (slice_.os, slice_.min_os, found) == (system, minimum, flags)
    assert "zippered" not in only(UNSIGNED.data).flags


def test_arm64ec_is_told_by_its_load_configuration() -> None:
    config = pe.tiny(pe.Shape(load_config=True))
    assert only(config.data).arch == "x86_64"
    assert only(config.patched("load config", 0x1234, 8, 200)).arch == "arm64ec"
    arm = pe.tiny(pe.Shape(load_config=True, machine=pe.ARM64))
    assert only(arm.patched("load config", 0x1234, 8, 200)).arch == "arm64"


def _with_signature(blob: bytes) -> bytes:
    """Return the library with another signature, and sizes that fit it."""
    at, growth = MACHO.marks["signature"], len(blob) - (len(MACHO.data) - MACHO.marks["signature"])
    data = bytearray(MACHO.data[:at] + blob)
    for mark, skip, width in (("command:signature", 12, 4), (LINKEDIT, 32, 8), (LINKEDIT, 48, 8)):
        place = slice(MACHO.marks[mark] + skip, MACHO.marks[mark] + skip + width)
        data[place] = (int.from_bytes(data[place], "little") + growth).to_bytes(width, "little")
    return bytes(data)


def test_a_code_directory_alone_is_a_signature() -> None:
    directory = MACHO.data[MACHO.marks["directory"] :]
    slice_ = only(_with_signature(directory))
    assert (slice_.refusal, slice_.signed) == (None, True)
    (digest,) = slice_.digests
    assert digest.digests == MACHO.marks["signature"] + len(directory) - digest.length


@pytest.mark.parametrize(
    ("slots", "refusal", "count"),
    [
        ((0,), None, 1),
        ((0, 0x1000), "its code signature has two code directories of one hash", 0),
        ((0, 0x1005), None, 1),
        ((2, 0), None, 1),  # a special slot that the directory has no digest for
        ((2,), "its code signature has no code directory", 0),
    ],
)
def test_the_index_of_a_signature(slots: tuple[int, ...], refusal: str | None, count: int) -> None:
    directory = MACHO.data[MACHO.marks["directory"] :]
    start = 12 + 8 * len(slots)
    numbers = [0xFADE0CC0, start + len(directory), len(slots), *(n for slot in slots for n in (slot, start))]
    blob = b"".join(number.to_bytes(4, "big") for number in numbers) + directory
    slice_ = only(_with_signature(blob))
    assert (slice_.refusal, len(slice_.digests)) == (refusal, count)


def test_a_signature_for_ios_is_replaced_later() -> None:
    data = MACHO.patched("command:version", 2, 4, 8)
    ios = Binary(data=data, marks=MACHO.marks, order="big")
    assert only(ios.patched("signature", 0, 4)).refusal is None
