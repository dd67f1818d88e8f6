"""What is known of the versions of a family: where each stands, what the siblings ask for, and what is wrong."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wheelkit.project.read import Distribution


Key = tuple[str | int, ...]
"""A value's place in a TOML file: table names, and positions in lists."""


class Scheme(StrEnum):
    """Where a version comes from: files, tags of version control, or a build that nobody can foresee."""

    FILES = "files"
    TAGS = "tags"
    BUILD = "build"


class FileFormat(StrEnum):
    """How a file writes versions: as Python does (PEP 440), or as Cargo (Semantic Versioning)."""

    PYTHON = "python"
    CARGO = "cargo"


class Span(Struct, frozen=True, kw_only=True):
    """A piece of a text file, in characters."""

    start: int
    end: int


class VersionLocation(Struct, frozen=True, kw_only=True):
    """One place in which a version or a requirement stands: the file, what people call the place, the text, and how to reach it."""

    path: Path
    where: str
    text: str
    at: Span | Key
    form: FileFormat = FileFormat.PYTHON


class TaggedVersion(Struct, frozen=True, kw_only=True):
    """What git says of a distribution whose version comes from tags: the newest tag below HEAD, and how many commits ago."""

    tag: str
    version: str
    commits: int


class VersionedDistribution(Struct, frozen=True, kw_only=True):
    """A distribution and its version: every place that states it, or the tag that it is computed from."""

    distribution: Distribution
    scheme: Scheme
    places: tuple[VersionLocation, ...] = ()
    tagged: TaggedVersion | None = None

    @property
    def key(self) -> str:
        """The distribution's normalised name."""
        return self.distribution.key

    @property
    def version(self) -> str | None:
        """The version: that of the first place, or as computed; None where only a build can tell."""
        if self.places:
            return self.places[0].text
        return self.tagged.version if self.tagged else self.distribution.version

    @property
    def editable(self) -> bool:
        """Whether wheelkit can change the version."""
        return self.scheme is Scheme.FILES and bool(self.places)


class FamilyRequirement(Struct, frozen=True, kw_only=True):
    """What one member of the family asks of another: the requirement as it stands in a file, or as metadata tells it.

    ``span`` is where the range stands in the place's text; None where that names a file or an address.
    ``poetry`` says that the range is in poetry's language. ``published`` is false for what only developers or
    the build need. ``editable`` is false where wheelkit cannot change the range.
    """

    dependent: str
    sibling: str
    place: VersionLocation
    range: str
    span: Span | None
    poetry: bool = False
    published: bool = True
    editable: bool = True


class FamilyVersions(Struct, frozen=True, kw_only=True):
    """The whole family's versions and needs, by normalised name and in the family's order."""

    root: Path
    members: Mapping[str, VersionedDistribution]
    needs: tuple[FamilyRequirement, ...]

    def shown(self, path: Path) -> str:
        """Name a file relative to the project."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)


class VersionProblem(Struct, frozen=True, kw_only=True):
    """One thing that is wrong: whose, where it stands, what it is, and what to do."""

    distribution: str
    where: str
    what: str
    fix: str
