"""The versions of a family: where each is stated, the ranges between siblings, and the problems."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wheelkit.project.read import Distribution


Key = tuple[str | int, ...]
"""The position of a value in a TOML file: table names, and indexes of lists."""


class Scheme(StrEnum):
    """Where a version comes from: files, tags of version control, or the build alone."""

    FILES = "files"
    TAGS = "tags"
    BUILD = "build"


class FileFormat(StrEnum):
    """How a file writes versions: as Python does (PEP 440), or as Cargo does (Semantic Versioning)."""

    PYTHON = "python"
    CARGO = "cargo"


class Span(Struct, frozen=True, kw_only=True):
    """A part of a text, in characters."""

    start: int
    end: int


class VersionLocation(Struct, frozen=True, kw_only=True):
    """A version or requirement in a file.

    ``where`` is its position for people, ``at`` the position for edits; an empty key cannot be edited.
    """

    path: Path
    where: str
    text: str
    at: Span | Key
    form: FileFormat = FileFormat.PYTHON


class TaggedVersion(Struct, frozen=True, kw_only=True):
    """A version from git tags: the newest tag before HEAD, and the number of commits since then."""

    tag: str
    version: str
    commits: int


class VersionedDistribution(Struct, frozen=True, kw_only=True):
    """A distribution with all locations that state its version, or the tag from which it is computed."""

    distribution: Distribution
    scheme: Scheme
    locations: tuple[VersionLocation, ...] = ()
    tagged: TaggedVersion | None = None

    @property
    def key(self) -> str:
        """The distribution's normalised name."""
        return self.distribution.key

    @property
    def version(self) -> str | None:
        """The version of the first location, or the one that the tags give; None if only a build can tell."""
        if self.locations:
            return self.locations[0].text
        return self.tagged.version if self.tagged else self.distribution.version

    @property
    def editable(self) -> bool:
        """Whether wheelkit can change the version."""
        return self.scheme is Scheme.FILES and bool(self.locations)


class FamilyRequirement(Struct, frozen=True, kw_only=True):
    """A requirement of one member of the family on another.

    ``span`` is the range's part of the location's text, None for a direct reference (a file or URL). With
    ``poetry``, the range is in poetry's syntax. ``published`` is false for requirements of developers and of
    the build. ``editable`` is false if wheelkit cannot change the range.
    """

    dependent: str
    sibling: str
    location: VersionLocation
    range: str
    span: Span | None
    poetry: bool = False
    published: bool = True
    editable: bool = True


class FamilyVersions(Struct, frozen=True, kw_only=True):
    """The versions of a family by normalised name, in build order, and requirements between members."""

    root: Path
    members: Mapping[str, VersionedDistribution]
    requirements: tuple[FamilyRequirement, ...]

    def name(self, key: str) -> str:
        """Return the name of a member as its project states it."""
        return self.members[key].distribution.name

    def relative(self, path: Path) -> str:
        """Return the path of a file relative to the project."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)

    def describe(self, location: VersionLocation) -> str:
        """Return the file and the position of a location, for messages."""
        return f"{self.relative(location.path)}, {location.where}"


class VersionProblem(Struct, frozen=True, kw_only=True):
    """A disagreement: the distribution, where it is, what it is, and how to fix it.

    ``others`` are further distributions that have a part in it. ``fix`` has a line for each step or way.
    """

    distribution: str
    where: str
    what: str
    fix: str
    others: tuple[str, ...] = ()
