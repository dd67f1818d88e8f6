"""The values that a wheel or an sdist is described by; nothing here judges."""

from __future__ import annotations

import re
from sys import intern
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import force_setattr, replace

from wheelkit.fast_packaging import normalise
from wheelkit.tags import expand

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from wheelkit._core import Scan, ScanError, Slice
    from wheelkit.tags import WheelTag


# What a Python extension module exports, and every implementation looks for (PEP 489).
_INIT = ("PyInit_", "PyInitU_", "PyModExport_")
# CPython's own DLL, by which an extension of Windows imports the C API: python3.dll, python311.dll, python314t_d.dll.
_PYTHON_DLL = re.compile(r"python3(?P<minor>\d*)(?P<threaded>t?)(?:_d)?\.dll", re.IGNORECASE)


class FileName(Struct, frozen=True, kw_only=True):
    """A wheel's file name taken apart: distribution and version as written, the three tag sets, the build tag."""

    distribution: str
    version: str
    build: str
    pythons: tuple[str, ...]
    abis: tuple[str, ...]
    platforms: tuple[str, ...]

    @property
    def tags(self) -> frozenset[WheelTag]:
        """Every tag that the compressed sets stand for."""
        return expand(self.pythons, self.abis, self.platforms)

    @property
    def key(self) -> str:
        """The distribution's normalised name."""
        return normalise(self.distribution)

    @property
    def any_platform(self) -> bool:
        """Whether the wheel says that it fits every platform."""
        return self.platforms == ("any",)

    @property
    def stable(self) -> bool:
        """Whether the wheel promises the stable ABI."""
        return any(abi.startswith("abi3") for abi in self.abis)


class Headers(Struct, frozen=True, kw_only=True):
    """The fields of METADATA, WHEEL or PKG-INFO, by lower-case name, in their order; the body is left out."""

    fields: Mapping[str, tuple[str, ...]]

    def get(self, name: str, default: str = "") -> str:
        """Give the first value of a field."""
        values = self.fields.get(name.lower())
        return values[0] if values else default

    def all(self, name: str) -> tuple[str, ...]:
        """Give every value of a field."""
        return self.fields.get(name.lower(), ())


class RecordRow(Struct, frozen=True, kw_only=True):
    """One line of RECORD: ``digest`` as written (``sha256=...``, padding removed), ``size`` None where it says none."""

    path: str
    digest: str
    size: int | None


class Member(Struct, frozen=True, kw_only=True):
    """One file of the archive.

    ``size`` and ``packed`` are the central directory's claims in bytes; ``dated`` tells whether its timestamp is a day of the
    calendar. ``digest`` is written as in RECORD and empty where the contents were not read; ``problem`` says why they could not be
    read, and is empty where they could; ``header`` says in what the local header differs from the central directory.
    """

    name: str
    size: int
    packed: int
    method: int
    flags: int
    mode: int
    dated: bool
    digest: str = ""
    problem: str = ""
    header: str = ""

    @property
    def directory(self) -> bool:
        """Whether the entry is a folder."""
        return self.name.endswith("/")


class Binary(Struct, frozen=True, kw_only=True):
    """One ELF, Mach-O or PE file of the wheel: its path inside it, and what the scan told or why it could not.

    ``extension`` tells whether Python can import it: it exports a module's entry point. It is found once, since libraries export
    hundreds of thousands of names.
    """

    member: str
    scan: Scan | None
    damage: ScanError | None = None
    extension: bool = False

    def __post_init__(self) -> None:
        """Look for the entry point, unless it is known."""
        if not self.extension:
            force_setattr(self, "extension", any(map(_has_entry_point, self.slices)))

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self.member.rpartition("/")[2]

    def without_symbols(self) -> Binary:
        """Give the same binary without the names that it imports and exports, which can be millions, and without search paths."""
        if self.scan is None:
            return self
        slices = tuple(_without_symbols(part) for part in self.scan.slices)
        return replace(self, scan=type(self.scan)((self.scan.format, self.scan.fat, slices)))

    @property
    def slices(self) -> tuple[Slice, ...]:
        """Each architecture's part; none of a damaged file."""
        return self.scan.slices if self.scan else ()


def _has_entry_point(part: Slice) -> bool:
    names = "\0".join(
        ("", *part.exports)
    )  # libraries export thousands: one text is searched faster than they are walked
    return any(f"\0{prefix}" in names for prefix in _INIT)


_NO_FIELDS = Headers(fields={})
# What only the checks of single wheels ask of a binary.
_OF_SINGLE_WHEELS = frozenset({"imports", "exports", "rpaths"})


def _without_symbols(part: Slice) -> Slice:
    """Leave out the symbols; thousands of binaries ask for the same libraries and versions, so each of those words is kept once."""
    kept = {
        "needed": tuple(type(one)((intern(one.name), one.how)) for one in part.needed),
        "versions": tuple(
            type(one)((intern(one.library), intern(one.version), None)) for one in part.versions
        ),
        **dict.fromkeys(_OF_SINGLE_WHEELS, ()),
    }
    return type(part)(kept.get(name, value) for name, value in zip(part.__match_args__, part, strict=True))


class Wheel(Struct, frozen=True, kw_only=True):
    """Everything that is known of one wheel file.

    ``name`` is None, and ``name_problem`` says why, where the file name is no wheel's. ``shallow`` tells that only names, tags and
    METADATA were read: then no member and no binary is known. ``stray`` counts the bytes of the file that belong to no
    member, ``shared`` those that belong to two, ``hidden`` the members that the central directory leaves out.
    """

    path: Path
    size: int
    name: FileName | None
    name_problem: str
    members: tuple[Member, ...]
    dist_info: str
    metadata_text: bytes
    metadata: Headers
    fields: Headers
    record: tuple[RecordRow, ...] | None
    record_problem: str
    binaries: tuple[Binary, ...]
    stray: int
    shared: int
    shallow: bool
    entry_points: bytes = b""
    hidden: int = 0

    @property
    def filename(self) -> str:
        """The file's name."""
        return self.path.name

    @property
    def distribution(self) -> str:
        """The normalised name of the distribution, by file name, else by METADATA."""
        return self.name.key if self.name else normalise(self.metadata.get("Name", "unknown"))

    @property
    def version(self) -> str:
        """The version, by file name, else by METADATA."""
        return self.name.version if self.name else self.metadata.get("Version", "0")

    @property
    def tags(self) -> frozenset[WheelTag]:
        """The file name's tags, expanded."""
        return self.name.tags if self.name else frozenset()

    @property
    def held(self) -> frozenset[str]:
        """The names by which the wheel's own binaries can be loaded: file names, sonames and install names, without folders."""
        files = {binary.name for binary in self.binaries}
        return frozenset(files.union(part.name.rpartition("/")[2] for _, part in self.slices() if part.name))

    @property
    def needed(self) -> frozenset[str]:
        """Every library that one of the binaries names, as it names it."""
        return frozenset(library.name for _, part in self.slices() for library in part.needed)

    def without_contents(self) -> Wheel:
        """Give the same wheel without what only the checks of single wheels read: members, texts, symbols and search paths."""
        binaries = tuple(binary.without_symbols() for binary in self.binaries)
        return replace(
            self,
            members=(),
            record=None,
            metadata_text=b"",
            entry_points=b"",
            fields=_NO_FIELDS,
            binaries=binaries,
        )

    def slices(self) -> Iterator[tuple[Binary, Slice]]:
        """Walk all architectures of all readable binaries."""
        for binary in self.binaries:
            for part in binary.slices:
                yield binary, part


class Sdist(Struct, frozen=True, kw_only=True):
    """One source distribution: its normalised name and its version, by PKG-INFO.

    ``folder`` is the one at its top, ``names`` are the files by their paths with that folder, ``links`` the links that lead out of it.
    ``texts`` holds PKG-INFO and the build files by their paths below ``folder``.
    """

    path: Path
    size: int
    distribution: str
    version: str
    requires_python: str | None
    metadata: Headers = field(default_factory=lambda: Headers(fields={}))
    folder: str = ""
    names: frozenset[str] = frozenset()
    links: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def filename(self) -> str:
        """The file's name."""
        return self.path.name


def python_dll(library: str) -> tuple[int | None, bool] | None:
    """Read the name of CPython's DLL: the minor version (None for the stable ABI's) and whether it is free-threaded.

    Gives None for every other library.
    """
    match = _PYTHON_DLL.fullmatch(library) if library[:7].lower() == "python3" else None
    if match is None:
        return None
    return (int(match["minor"]) if match["minor"] else None), bool(match["threaded"])
