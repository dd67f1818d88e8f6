"""Which distribution and version a file's name speaks of, however it is spelled."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from pathlib import Path

    from wheelkit.project.read import Kind


class FileIdentity(Struct, frozen=True, kw_only=True):
    """A normalised name (PEP 503) and a canonical version (PEP 440), trailing zeros kept."""

    distribution: str
    version: str


def parse_file_name(filename: str) -> FileIdentity | None:
    """Read the file name of a wheel or an sdist; None for every other, and for names that no installer understands."""
    from packaging.utils import (
        InvalidSdistFilename,
        InvalidWheelFilename,
        parse_sdist_filename,
        parse_wheel_filename,
    )

    try:
        if filename.endswith(".whl"):
            name, version, *_ = parse_wheel_filename(filename)
        else:
            name, version = parse_sdist_filename(filename)
    except (InvalidSdistFilename, InvalidWheelFilename):
        return None
    return FileIdentity(distribution=str(name), version=str(version))


def same_version(filename: str, identity: FileIdentity) -> bool:
    """Tell whether a file belongs to a release; versions are compared as PEP 440 does (1.0 and 1.0.0 are one)."""
    from packaging.version import Version

    found = parse_file_name(filename)
    return (
        found is not None
        and found.distribution == identity.distribution
        and Version(found.version) == Version(identity.version)
    )


class ShippedFile(Struct, frozen=True, kw_only=True):
    """One file as the manifest describes it; ``attestations`` are the files that were signed for it."""

    path: Path
    sha256: str
    size: int
    builder: str = ""
    attestations: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    @property
    def is_wheel(self) -> bool:
        """Whether it is a wheel; else it is an sdist."""
        return self.name.endswith(".whl")


class DistributionFiles(Struct, frozen=True, kw_only=True):
    """The files of one distribution and version, wheels first; ``needs`` are the earlier ones of the family that it depends on."""

    distribution: str
    name: str
    version: str
    kind: Kind
    needs: tuple[str, ...]
    files: tuple[ShippedFile, ...]

    @property
    def wheels(self) -> tuple[ShippedFile, ...]:
        """The wheels."""
        return tuple(one for one in self.files if one.is_wheel)

    @property
    def sdists(self) -> tuple[ShippedFile, ...]:
        """The sdists."""
        return tuple(one for one in self.files if not one.is_wheel)


class Release(Struct, frozen=True, kw_only=True):
    """The whole family, each distribution after all that it needs and the meta last; ``commit`` is what it was built from."""

    batches: tuple[DistributionFiles, ...]
    commit: str
    dirty: bool
    created: str

    @property
    def files(self) -> tuple[ShippedFile, ...]:
        """Every file, in the order of upload."""
        return tuple(one for batch in self.batches for one in batch.files)

    @property
    def digest(self) -> str:
        """A name for these very bytes: the sha256 over all names and hashes."""
        lines = sorted(f"{one.sha256}  {one.name}\n" for one in self.files)
        return hashlib.sha256("".join(lines).encode()).hexdigest()
