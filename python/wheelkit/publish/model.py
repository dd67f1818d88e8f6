"""A release as its manifests describe it: distributions and their files, in upload order."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from packaging.utils import parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from wheelkit.manifest import FROM_INDEX

if TYPE_CHECKING:
    from pathlib import Path

    from wheelkit.project.kinds import Kind


class ReleaseId(Struct, frozen=True, kw_only=True):
    """A normalised name (PEP 503) and a canonical version (PEP 440), with trailing zeros."""

    distribution: str
    version: str


def parse_name(filename: str) -> tuple[Any, ...] | None:
    """Parse a file name into name, version, and a wheel's build and tags; None for an invalid name."""
    parse = parse_wheel_filename if filename.endswith(".whl") else parse_sdist_filename
    try:
        return parse(filename)
    except ValueError:  # packaging's errors are such, and so is that of int() for thousands of digits
        return None


def identify(filename: str) -> ReleaseId | None:
    """Return the release that a wheel or sdist belongs to; None for a name that installers reject."""
    parsed = parse_name(filename)
    return None if parsed is None else ReleaseId(distribution=str(parsed[0]), version=str(parsed[1]))


def belongs_to(filename: str, release: ReleaseId) -> bool:
    """Return whether a file belongs to a release; 1.0 and 1.0.0 are the same version (PEP 440)."""
    parsed = parse_name(filename)
    return parsed is not None and parsed[:2] == (release.distribution, Version(release.version))


class ShippedFile(Struct, frozen=True, kw_only=True):
    """A wheel or sdist as the manifest describes it, and the files that hold its attestations.

    ``commit`` is the one of its manifest, empty where that is not known.
    """

    path: Path
    sha256: str
    size: int
    builder: str = ""
    attestations: tuple[Path, ...] = ()
    commit: str = ""

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    @property
    def is_fetched(self) -> bool:
        """Whether an index served it, so that its build is not known."""
        return self.builder == FROM_INDEX

    @property
    def is_wheel(self) -> bool:
        """Whether it is a wheel; otherwise it is an sdist."""
        return self.name.endswith(".whl")


class DistributionFiles(Struct, frozen=True, kw_only=True):
    """The files of one distribution, wheels first.

    ``key`` is the normalised name, ``name`` the project's spelling. ``needs`` are the keys of the
    distributions that it depends on and that come before it; ``requires`` are its requirements on all others
    of the family, as its wheels state them. It was built from ``commit``, empty where that is not known.
    """

    key: str
    name: str
    version: str
    kind: Kind
    needs: tuple[str, ...]
    files: tuple[ShippedFile, ...]
    requires: tuple[str, ...] = ()
    commit: str = ""
    dirty: bool = False

    @property
    def wheels(self) -> tuple[ShippedFile, ...]:
        """The wheels."""
        return tuple(file for file in self.files if file.is_wheel)

    @property
    def sdists(self) -> tuple[ShippedFile, ...]:
        """The sdists."""
        return tuple(file for file in self.files if not file.is_wheel)

    def __str__(self) -> str:
        """Return name and version."""
        return f"{self.name} {self.version}"


class Release(Struct, frozen=True, kw_only=True):
    """Distributions in upload order, and the latest time of a manifest in ISO 8601.

    ``commit`` is that of the latest manifest. ``folder`` is the dist folder as the user named it; the files
    may be copies in ``location``. ``left_out`` names other versions in the folder, which are not released.
    """

    folder: Path
    distributions: tuple[DistributionFiles, ...]
    commit: str
    created: str
    left_out: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[ShippedFile, ...]:
        """Every file, in upload order."""
        return tuple(file for distribution in self.distributions for file in distribution.files)

    @property
    def location(self) -> Path:
        """The folder that holds the files, their manifests and their attestations."""
        return self.files[0].path.parent

    @property
    def digest(self) -> str:
        """The sha256 over the names and hashes of all files."""
        lines = sorted(f"{file.sha256}  {file.name}\n" for file in self.files)
        return hashlib.sha256("".join(lines).encode()).hexdigest()
