"""Changes of a linked ELF library for x86-64, in what loaders read and in what only tools read."""

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

LOAD, DYNAMIC, INTERP, NOTE, PHDR, TLS = 1, 2, 3, 4, 6, 7
TAGS = {
    "NEEDED": 1, "PLTRELSZ": 2, "HASH": 4, "STRTAB": 5, "SYMTAB": 6, "RELA": 7, "RELASZ": 8, "RELAENT": 9,
    "STRSZ": 10, "SYMENT": 11, "SONAME": 14, "RPATH": 15, "PLTREL": 20, "DEBUG": 21, "RUNPATH": 29,
    "FLAGS": 30, "GNU_HASH": 0x6FFFFEF5, "RELACOUNT": 0x6FFFFFF9, "VERSYM": 0x6FFFFFF0,
    "FLAGS_1": 0x6FFFFFFB, "VERDEF": 0x6FFFFFFC, "VERDEFNUM": 0x6FFFFFFD, "VERNEED": 0x6FFFFFFE,
    "VERNEEDNUM": 0x6FFFFFFF,
}  # fmt: skip
UNKNOWN_TAG = 0x6000000D
SEGMENT = {"type": (0, 4), "flags": (4, 4), "offset": (8, 8), "vaddr": (16, 8), "filesz": (32, 8),
           "memsz": (40, 8), "align": (48, 8)}  # fmt: skip
HEADER = {"type": (16, 2), "machine": (18, 2), "version": (20, 4), "entry": (24, 8), "phoff": (32, 8),
          "shoff": (40, 8), "flags": (48, 4), "ehsize": (52, 2), "phentsize": (54, 2), "phnum": (56, 2),
          "shentsize": (58, 2), "shnum": (60, 2), "shstrndx": (62, 2)}  # fmt: skip


@dataclass(kw_only=True)
class Library:
    """The bytes of a library, and where its parts are. Offsets are found once, before any change."""

    data: bytearray
    segments: dict[str, list[int]] = field(default_factory=dict)
    """Offsets of program headers, by the name of their type."""
    dynamic: dict[str, list[int]] = field(default_factory=dict)
    """Offsets of dynamic entries, by the name of their tag."""
    dynamic_end: int = 0
    needs: list[int] = field(default_factory=list)
    """Offsets of the version records of libraries."""
    versions: list[list[int]] = field(default_factory=list)
    """Offsets of the records of needed versions, for each library."""
    definitions: list[int] = field(default_factory=list)
    strings: int = 0
    """The offset of the dynamic strings."""
    hash_table: int = 0
    """The offset of the hash table that the loader uses."""

    def get(self, at: int, width: int) -> int:
        return int.from_bytes(self.data[at : at + width], "little")

    def put(self, at: int, width: int, value: int) -> None:
        self.data[at : at + width] = (value % (1 << 8 * width)).to_bytes(width, "little")

    def offset(self, address: int) -> int:
        """Return the offset of a memory address in the file."""
        for at in self.segments["LOAD"]:
            _, _, offset, vaddr, _, filesz, _, _ = struct.unpack_from("<IIQQQQQQ", self.data, at)
            if vaddr <= address < vaddr + filesz:
                return offset + address - vaddr
        raise ValueError(hex(address))

    def value(self, tag: str) -> int:
        return self.get(self.dynamic[tag][-1] + 8, 8)


def parse(data: bytes) -> Library:
    """Find the parts of a library as the linker wrote it."""
    library = Library(data=bytearray(data))
    names = {LOAD: "LOAD", DYNAMIC: "DYNAMIC", INTERP: "INTERP", NOTE: "NOTE", TLS: "TLS"}
    start, count = library.get(32, 8), library.get(56, 2)
    for at in range(start, start + 56 * count, 56):
        kind = library.get(at, 4)
        library.segments.setdefault(names.get(kind, hex(kind)), []).append(at)
    _parse_dynamic(library, library.get(library.segments["DYNAMIC"][0] + 8, 8))
    library.strings = library.offset(library.value("STRTAB"))
    table = "GNU_HASH" if "GNU_HASH" in library.dynamic else "HASH"
    library.hash_table = library.offset(library.value(table))
    if "VERNEED" in library.dynamic:
        _parse_needs(library, library.offset(library.value("VERNEED")))
    if "VERDEF" in library.dynamic:
        at, step = library.offset(library.value("VERDEF")), 1
        while step:
            library.definitions.append(at)
            step = library.get(at + 16, 4)
            at += step
    return library


def _parse_dynamic(library: Library, at: int) -> None:
    names = {number: name for name, number in TAGS.items()}
    while tag := library.get(at, 8):
        library.dynamic.setdefault(names.get(tag, hex(tag)), []).append(at)
        at += 16
    library.dynamic_end = at


def _parse_needs(library: Library, at: int) -> None:
    step = 1
    while step:
        library.needs.append(at)
        record, inner, records = at + library.get(at + 8, 4), 1, []
        while inner:
            records.append(record)
            inner = library.get(record + 12, 4)
            record += inner
        library.versions.append(records)
        step = library.get(at + 12, 4)
        at += step


Mutation = Callable[[Library, random.Random], None]
MUTATIONS: dict[str, Mutation] = {}
ODD = (0, 1, 2, 3, 7, 8, 0x10, 0x40, 0xFF, 0x1000, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 40, (1 << 64) - 1)


def mutation(change: Mutation) -> Mutation:
    MUTATIONS[change.__name__] = change
    return change


def _pick(library: Library, chance: random.Random, *tags: str) -> int | None:
    places = [at for tag in tags for at in library.dynamic.get(tag, ())]
    return chance.choice(places) if places else None


@mutation
def count_of_libraries_with_versions(library: Library, chance: random.Random) -> None:
    at = _pick(library, chance, "VERNEEDNUM")
    if at is not None:
        library.put(at + 8, 8, chance.choice((0, 1, 2, 100, 1 << 40)))


@mutation
def count_of_versions(library: Library, chance: random.Random) -> None:
    library.put(chance.choice(library.needs) + 2, 2, chance.choice((0, 1, 2, 0xFFFF)))


@mutation
def counts_of_nothing(library: Library, _: random.Random) -> None:
    for at in library.needs:
        library.put(at + 2, 2, 0)
    for at in library.dynamic.get("VERNEEDNUM", ()):
        library.put(at + 8, 8, 0)


@mutation
def chain_of_libraries_reordered(library: Library, chance: random.Random) -> None:
    """Write the records of all libraries in another order, or those of libraries before those of versions.

    Links only lead forward: they are numbers without a sign.
    """
    records = [
        (bytes(library.data[at : at + 16]), [bytes(library.data[one : one + 16]) for one in versions])
        for at, versions in zip(library.needs, library.versions, strict=True)
    ]
    chance.shuffle(records)
    apart = bool(chance.randrange(2))
    at = library.needs[0]
    behind = at + 16 * len(records)
    library.needs.clear()
    library.versions.clear()
    for number, (need, versions) in enumerate(records, 1):
        first = behind if apart else at + 16
        step = 16 if apart else 16 * (len(versions) + 1)
        behind += 16 * len(versions)
        library.data[at : at + 16] = need
        library.put(at + 8, 4, first - at)
        library.put(at + 12, 4, step if number < len(records) else 0)
        places = [first + 16 * index for index in range(len(versions))]
        for place, version in zip(places, versions, strict=True):
            library.data[place : place + 12] = version[:12]
            library.put(place + 12, 4, 16 if place != places[-1] else 0)
        library.needs.append(at)
        library.versions.append(places)
        at += step


@mutation
def chain_of_versions_reordered(library: Library, chance: random.Random) -> None:
    """Swap two version records of a library, without their links."""
    records = chance.choice(library.versions)
    if len(records) > 1:
        first, second = chance.sample(records, 2)
        one, two = bytes(library.data[first : first + 12]), bytes(library.data[second : second + 12])
        library.data[first : first + 12], library.data[second : second + 12] = two, one


@mutation
def chain_of_versions_cut(library: Library, chance: random.Random) -> None:
    records = chance.choice(library.versions)
    library.put(chance.choice(records) + 12, 4, 0)


@mutation
def chain_of_libraries_cut(library: Library, chance: random.Random) -> None:
    library.put(chance.choice(library.needs) + 12, 4, 0)


@mutation
def chain_that_skips_a_version(library: Library, chance: random.Random) -> None:
    records = chance.choice(library.versions)
    if len(records) > 2:
        library.put(records[0] + 12, 4, records[2] - records[0])


@mutation
def first_version_of_a_library(library: Library, chance: random.Random) -> None:
    """Let the library's record begin with another version."""
    index = chance.randrange(len(library.needs))
    library.put(library.needs[index] + 8, 4, chance.choice(library.versions[index]) - library.needs[index])


@mutation
def version_that_is_weak(library: Library, chance: random.Random) -> None:
    library.put(chance.choice(chance.choice(library.versions)) + 4, 2, 2)


@mutation
def version_with_another_hash(library: Library, chance: random.Random) -> None:
    library.put(chance.choice(chance.choice(library.versions)), 4, chance.randrange(1 << 32))


@mutation
def weak_version_with_another_hash(library: Library, chance: random.Random) -> None:
    at = chance.choice(chance.choice(library.versions))
    library.put(at, 4, 1)
    library.put(at + 4, 2, 2)


@mutation
def version_with_another_name(library: Library, chance: random.Random) -> None:
    """Take the name and the hash of a version of another library, which this one does not define."""
    strings = library.strings
    first, second = chance.sample(library.versions, 2)
    one, two = chance.choice(first), chance.choice(second)
    if all(library.data.startswith(b"GLIBC_", strings + library.get(at + 8, 4)) for at in (one, two)):
        return  # libc.so.6 defines versions for libm.so.6, but other symbols with them
    library.data[one : one + 4] = library.data[two : two + 4]
    library.data[one + 8 : one + 12] = library.data[two + 8 : two + 12]


@mutation
def layout_of_version_records(library: Library, chance: random.Random) -> None:
    library.put(chance.choice(library.needs), 2, chance.choice((0, 2, 0xFFFF)))


@mutation
def library_of_versions_that_is_not_needed(library: Library, chance: random.Random) -> None:
    """Remove a need, but not the versions: what patchelf --remove-needed did for years."""
    library.put(chance.choice(library.dynamic["NEEDED"]), 8, UNKNOWN_TAG)


@mutation
def no_version_records(library: Library, _: random.Random) -> None:
    for tag in ("VERNEED", "VERNEEDNUM"):
        for at in library.dynamic.get(tag, ()):
            library.put(at, 8, UNKNOWN_TAG)


@mutation
def no_symbol_versions(library: Library, _: random.Random) -> None:
    for at in library.dynamic.get("VERSYM", ()):
        library.put(at, 8, UNKNOWN_TAG)


@mutation
def count_of_definitions(library: Library, chance: random.Random) -> None:
    for at in library.dynamic.get("VERDEFNUM", ()):
        library.put(at + 8, 8, chance.choice((0, 1, 99)))


@mutation
def needs_reordered(library: Library, chance: random.Random) -> None:
    places = library.dynamic["NEEDED"]
    values = [library.get(at + 8, 8) for at in places]
    chance.shuffle(values)
    for at, value in zip(places, values, strict=True):
        library.put(at + 8, 8, value)


@mutation
def entries_reordered(library: Library, chance: random.Random) -> None:
    """Shuffle the whole dynamic section."""
    start = min(at for places in library.dynamic.values() for at in places)
    entries = [bytes(library.data[at : at + 16]) for at in range(start, library.dynamic_end, 16)]
    chance.shuffle(entries)
    library.data[start : library.dynamic_end] = b"".join(entries)
    library.dynamic.clear()
    _parse_dynamic(library, start)


@mutation
def entry_given_twice(library: Library, chance: random.Random) -> None:
    """Overwrite an entry that the loader does not need with a copy of another: the last one counts."""
    spare = _pick(library, chance, "RELACOUNT", "SONAME", "VERNEEDNUM")
    other = _pick(library, chance, "NEEDED", "RUNPATH", "SYMTAB", "STRTAB", "SONAME")
    if spare is not None and other is not None:
        library.data[spare : spare + 16] = library.data[other : other + 16]


@mutation
def need_made_optional(library: Library, chance: random.Random) -> None:
    library.put(chance.choice(library.dynamic["NEEDED"]), 8, chance.choice((0x7FFFFFFD, 0x7FFFFFFF)))


@mutation
def end_of_the_dynamic_section(library: Library, chance: random.Random) -> None:
    """End the section early, before some of its entries."""
    places = [at for places in library.dynamic.values() for at in places]
    library.put(chance.choice(places), 8, 0)


@mutation
def value_of_an_entry(library: Library, chance: random.Random) -> None:
    tags = ("STRSZ", "SYMENT", "VERNEEDNUM", "VERDEFNUM", "RELAENT", "PLTREL", "FLAGS", "FLAGS_1", "SONAME")
    at = _pick(library, chance, *tags)
    if at is not None:
        library.put(at + 8, 8, chance.choice(ODD))


@mutation
def flag_of_the_library(library: Library, chance: random.Random) -> None:
    """Set one bit of DT_FLAGS_1."""
    at = _pick(library, chance, "FLAGS_1", "RELACOUNT", "SONAME")
    if at is not None:
        library.put(at, 8, TAGS["FLAGS_1"])
        library.put(at + 8, 8, 1 << chance.randrange(28))


@mutation
def entry_removed(library: Library, chance: random.Random) -> None:
    removed = chance.choice([tag for tag in library.dynamic if tag in TAGS])
    for at in library.dynamic[removed]:
        library.put(at, 8, UNKNOWN_TAG)


@mutation
def offset_of_the_dynamic_section(library: Library, chance: random.Random) -> None:
    at = library.segments["DYNAMIC"][0] + 8
    library.put(at, 8, chance.choice((0, 64, library.get(at, 8) + 16, len(library.data), 1 << 40)))


@mutation
def size_of_the_dynamic_section(library: Library, chance: random.Random) -> None:
    at = library.segments["DYNAMIC"][0]
    for offset in (32, 40):
        library.put(at + offset, 8, chance.choice((0, 16, 32, 1 << 40)))


@mutation
def address_of_the_dynamic_section(library: Library, chance: random.Random) -> None:
    at = library.segments["DYNAMIC"][0] + 16
    library.put(at, 8, chance.choice((0, library.get(at, 8) + 16, 1 << 40)))


@mutation
def header_field(library: Library, chance: random.Random) -> None:
    at, width = HEADER[chance.choice(list(HEADER))]
    library.put(at, width, chance.choice(ODD))


@mutation
def identification(library: Library, chance: random.Random) -> None:
    library.put(chance.randrange(4, 16), 1, chance.choice((0, 1, 2, 3, 4, 9, 97, 255)))


@mutation
def type_of_a_segment(library: Library, chance: random.Random) -> None:
    places = [at for name, places in library.segments.items() if name != "LOAD" for at in places]
    library.put(chance.choice(places), 4, chance.choice((0, 5, 8, 0x60000000)))


@mutation
def offset_within_a_page(library: Library, chance: random.Random) -> None:
    at = chance.choice(library.segments["LOAD"])
    library.put(at + 8, 8, library.get(at + 8, 8) + chance.choice((1, 8, 0x10, 0x800)))


@mutation
def alignment(library: Library, chance: random.Random) -> None:
    at = chance.choice(library.segments["LOAD"])
    library.put(at + 48, 8, chance.choice((0, 1, 8, 0x800, 0x1000, 0x1800, 0x3000, 0x10000, 0x200000)))


@mutation
def size_of_a_segment(library: Library, chance: random.Random) -> None:
    """Change the size in memory of a segment, or its size in the file within the last page."""
    at = chance.choice(library.segments["LOAD"])
    size = library.get(at + 32, 8)
    if chance.randrange(2):
        library.put(at + 40, 8, max(0, size + chance.choice((-1, -8, -0x100, 1, 0x100))))
    else:
        library.put(at + 32, 8, size - chance.choice((1, 8)))


@mutation
def order_of_segments(library: Library, chance: random.Random) -> None:
    places = library.segments["LOAD"]
    one, two = chance.sample(places, 2)
    first, second = bytes(library.data[one : one + 56]), bytes(library.data[two : two + 56])
    library.data[one : one + 56], library.data[two : two + 56] = second, first


@mutation
def segment_that_is_not_loaded(library: Library, chance: random.Random) -> None:
    library.put(chance.choice(library.segments["LOAD"]), 4, 0)


@mutation
def sections(library: Library, chance: random.Random) -> None:
    """Destroy the section headers, or a field of one."""
    start, count = library.get(40, 8), library.get(60, 2)
    if chance.randrange(4) == 0:
        del library.data[start:]
    else:
        at = start + 64 * chance.randrange(count) + chance.choice((0, 4, 16, 24, 32, 40))
        library.put(at, 8, chance.choice(ODD))


@mutation
def buckets_of_the_hash_table(library: Library, chance: random.Random) -> None:
    second = 8 if "GNU_HASH" in library.dynamic else 4
    place = library.hash_table + chance.choice((0, second))
    library.put(place, 4, chance.choice((0, 0xFFFFFFFF)))


# Changes that only matter where a symbol gets looked up, which another change can prevent.
_ALONE = frozenset({"weak_version_with_another_hash"})


def mutate(data: bytes, chance: random.Random) -> tuple[bytes, tuple[str, ...]]:
    """Change a library in one or two ways; return it and the names of the changes."""
    names = chance.sample(sorted(MUTATIONS), chance.choice((1, 1, 2)))
    names = [name for name in names if name in _ALONE][:1] or names
    library = parse(data)
    for name in names:
        MUTATIONS[name](library, chance)
    return bytes(library.data), tuple(names)
