"""Wheels and sdists as values: the facts that checks judge."""

from __future__ import annotations

import re
from enum import Enum
from sys import intern
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import force_setattr, replace

from wheelkit.fast_packaging import normalise
from wheelkit.tags import expand
from wheelkit.wheel.zip_end import ArchiveEnd

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from wheelkit._core import Scan, ScanError, Slice
    from wheelkit.tags import WheelTag


# What every implementation looks for in an extension module (PEP 489, PEP 793).
_INIT = ("PyInit_", "PyInitU_", "PyModExport_", "PyModExportU_")
# CPython's own DLL, from which extensions import the C API on Windows: python3.dll, python311.dll,
# python314t_d.dll.
_PYTHON_DLL = re.compile(r"python3(?P<minor>\d*)(?P<threaded>t?)(?:_d)?\.dll", re.IGNORECASE)


class FileName(Struct, frozen=True, kw_only=True):
    """The parts of a wheel's file name, as written."""

    distribution: str
    version: str
    build: str
    pythons: tuple[str, ...]
    abis: tuple[str, ...]
    platforms: tuple[str, ...]

    @property
    def tags(self) -> frozenset[WheelTag]:
        """Every tag in the compressed tag sets."""
        return expand(self.pythons, self.abis, self.platforms)

    @property
    def key(self) -> str:
        """The distribution's normalized name."""
        return normalise(self.distribution)

    @property
    def any_platform(self) -> bool:
        """Whether ``any`` is among the platform tags, so that every system installs the wheel."""
        return "any" in self.platforms

    @property
    def stable(self) -> bool:
        """Whether the wheel promises the stable ABI (abi3 or abi3t)."""
        return any(abi.startswith("abi3") for abi in self.abis)


class Headers(Struct, frozen=True, kw_only=True):
    """The header fields of METADATA, WHEEL or PKG-INFO, by lower-case name; the body is left out."""

    fields: Mapping[str, tuple[str, ...]]

    def get(self, name: str, default: str = "") -> str:
        """Return the first value of a field."""
        values = self.fields.get(name.lower())
        return values[0] if values else default

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a field, in order."""
        return self.fields.get(name.lower(), ())


_NO_HEADERS = Headers(fields={})


# A wheel can have thousands of rows and members. They hold nothing that can be part of a cycle, so the
# garbage collector does not look at them.
class RecordRow(Struct, frozen=True, kw_only=True, gc=False):
    """One line of RECORD: ``digest`` as ``sha256=…`` without padding, ``size`` in bytes or None."""

    path: str
    digest: str
    size: int | None


class Member(Struct, frozen=True, kw_only=True, gc=False):
    """One file or folder in the archive; ``size`` (unpacked) and ``packed`` are the declared bytes.

    ``dated`` tells whether it has a valid date. ``digest`` is written as in RECORD, and empty where the
    contents could not be read: ``problem`` says why. ``header`` says how the local header differs, ``extra``
    and ``descriptor`` why uv refuses the extra fields and the data descriptor, ``index`` what only public
    indexes refuse. ``head`` is the beginning of a script in .data, of a ``.pth`` file, and of what may be a
    placeholder of Git.
    """

    name: str
    size: int
    packed: int
    flags: int
    mode: int
    dated: bool
    digest: str = ""
    problem: str = ""
    header: str = ""
    extra: str = ""
    descriptor: str = ""
    index: str = ""
    crc: int = 0
    head: bytes = b""

    @property
    def directory(self) -> bool:
        """Whether the entry is a folder."""
        return self.name.endswith("/")


class Binary(Struct, frozen=True, kw_only=True):
    """One ELF, Mach-O or PE file: its scan or damage; an ``extension`` exports a module's init function.

    ``forged`` has the offsets of the slices whose bytes are not those that their code signature is of.
    """

    member: str
    scan: Scan | None
    damage: ScanError | None = None
    extension: bool = False
    forged: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Look for the init function once: libraries export hundreds of thousands of names."""
        if not self.extension:
            init = any(name.startswith(_INIT) for slice_ in self.slices for name in slice_.exports)
            force_setattr(self, "extension", init)

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self.member.rpartition("/")[2]

    def without_symbols(self) -> Binary:
        """Return the binary without search paths, and without imports and exports, which can be millions."""
        if self.scan is None:
            return self
        slices = tuple(map(_without_symbols, self.scan.slices))
        return replace(self, scan=type(self.scan)((self.scan.format, self.scan.fat, slices)))

    @property
    def slices(self) -> tuple[Slice, ...]:
        """One slice for each architecture; none of a damaged file."""
        return self.scan.slices if self.scan else ()


# Only the checks of single wheels need these.
_SYMBOLS = ("imports", "exports", "rpaths", "definitions")


def _without_symbols(slice_: Slice) -> Slice:
    """Leave out the symbols, and keep each name once: many binaries need the same libraries and versions."""
    needed = tuple(type(one)((intern(one.name), one.how)) for one in slice_.needed)
    versions = tuple(
        type(one)((intern(one.library), intern(one.version), None, one.weak)) for one in slice_.versions
    )
    kept = {"needed": needed, "versions": versions, **dict.fromkeys(_SYMBOLS, ())}
    fields = zip(slice_.__match_args__, slice_, strict=True)
    return type(slice_)(kept.get(name, value) for name, value in fields)


class Wheel(Struct, frozen=True, kw_only=True):
    """The facts of one wheel file.

    ``name`` is None where the file name is not valid, and ``name_problem`` says why. ``fields`` are those of
    the WHEEL file, ``wheel_text`` its bytes. With ``shallow``, ``members`` and ``binaries`` were not read.
    ``stray`` counts the bytes that belong to no member, ``shared`` those of two, ``hidden`` the members that
    the directory leaves out, ``end`` is what is at the end of the archive. ``sboms`` are the files in
    .dist-info/sboms that could be read. Of a wheel that is not ``readable``, only what its file name says is
    known.
    """

    path: Path
    size: int
    name: FileName | None
    name_problem: str = ""
    members: tuple[Member, ...] = ()
    dist_info: str = ""
    metadata_text: bytes = b""
    metadata: Headers
    fields: Headers = _NO_HEADERS
    wheel_text: bytes = b""
    record: tuple[RecordRow, ...] | None = None
    record_problem: str = ""
    binaries: tuple[Binary, ...] = ()
    stray: int = 0
    shared: int = 0
    shallow: bool
    entry_points: bytes = b""
    sboms: Mapping[str, bytes] = field(default_factory=dict)
    hidden: int = 0
    readable: bool = True
    end: ArchiveEnd = ArchiveEnd()

    @property
    def filename(self) -> str:
        """The file's name."""
        return self.path.name

    @property
    def distribution(self) -> str:
        """The normalized name of the distribution, from the file name, else from METADATA."""
        return self.name.key if self.name else normalise(self.metadata.get("Name", "unknown"))

    @property
    def version(self) -> str:
        """The version, from the file name, else from METADATA."""
        return self.name.version if self.name else self.metadata.get("Version", "0")

    @property
    def tags(self) -> frozenset[WheelTag]:
        """The tags of the file name, expanded."""
        return self.name.tags if self.name else frozenset()

    @property
    def held(self) -> frozenset[str]:
        """The names under which the wheel's binaries can be loaded: file names, sonames and install names."""
        files = {binary.name for binary in self.binaries}
        names = (slice_.name for _, slice_ in self.slices() if slice_.name)
        return frozenset(files.union(name.rpartition("/")[2] for name in names))

    @property
    def needed(self) -> frozenset[str]:
        """Every library that a binary needs, as it is named there."""
        return frozenset(library.name for _, slice_ in self.slices() for library in slice_.needed)

    def without_contents(self) -> Wheel:
        """Return the wheel without what only the checks of single wheels need, such as symbols."""
        binaries = tuple(binary.without_symbols() for binary in self.binaries)
        texts = {
            "metadata_text": b"",
            "wheel_text": b"",
            "entry_points": b"",
            "sboms": {},
            "fields": _NO_HEADERS,
            "record": None,
        }
        return replace(self, members=(), binaries=binaries, **texts)

    def slices(self) -> Iterator[tuple[Binary, Slice]]:
        """Yield every architecture of every readable binary."""
        for binary in self.binaries:
            for slice_ in binary.slices:
                yield binary, slice_


UNKNOWN_TYPE = "has a member of type"
"""How the problem of a TarFormat begins that checks report by the member's name."""


class TarFormat(Struct, frozen=True, kw_only=True):
    """Why uv refuses an archive (``problem``), and what is wrong behind the tar file (``trailer``)."""

    problem: str = ""
    trailer: str = ""


class EntryKind(Enum):
    """What a member of an sdist is unpacked as."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    HARD_LINK = "hard link"
    SPECIAL = "special file"


class SdistEntry(Struct, frozen=True, kw_only=True):
    """A member of an sdist, with its top folder; ``target`` is that of a link."""

    name: str
    kind: EntryKind
    target: str = ""


class Sdist(Struct, frozen=True, kw_only=True):
    """One source distribution: its normalized name and its version, from PKG-INFO.

    ``entries`` are its members in order, ``names`` the paths of all but folders, with the top ``folder``;
    ``sparse`` are the files with holes, ``form`` says what strict readers refuse. ``texts`` holds PKG-INFO
    and the build files by their paths below ``folder``, ``metadata_text`` the bytes of PKG-INFO.
    """

    path: Path
    size: int
    distribution: str
    version: str
    requires_python: str | None
    metadata: Headers = _NO_HEADERS
    folder: str = ""
    names: frozenset[str] = frozenset()
    entries: tuple[SdistEntry, ...] = ()
    form: TarFormat = TarFormat()
    texts: Mapping[str, str] = field(default_factory=dict)
    metadata_text: bytes = b""
    sparse: tuple[str, ...] = ()

    @property
    def filename(self) -> str:
        """The file's name."""
        return self.path.name


def python_dll(library: str) -> tuple[int | None, bool] | None:
    """Return a CPython DLL's minor version (None: stable ABI) and if it is free-threaded; None for others."""
    match = _PYTHON_DLL.fullmatch(library)
    return match and (int(match["minor"]) if match["minor"] else None, bool(match["threaded"]))
