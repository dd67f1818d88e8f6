"""What a comparison of two releases looks at: a few facts of each wheel, from its name or its bytes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheelkit.wheel import FileName, Headers


class Declared(Struct, frozen=True, kw_only=True):
    """What METADATA declares: the requirements as they are written, and the names of the extras."""

    requirements: tuple[str, ...]
    extras: tuple[str, ...]

    @staticmethod
    def of(metadata: Headers) -> Declared:
        """Return what these header fields declare."""
        return Declared(requirements=metadata.all("Requires-Dist"), extras=metadata.all("Provides-Extra"))


class Contents(Struct, frozen=True, kw_only=True):
    """What a wheel installs: entry points as ``group: name``, top-level modules, and packed sizes by path.

    The paths are those that stay from one version to the next (``wheel.diff.lasting_path``). ``needs`` says
    by platform what the binaries need, whatever the tags promise: ``glibc 2.14``.
    """

    entry_points: frozenset[str]
    modules: frozenset[str]
    members: Mapping[str, int]
    needs: Mapping[str, str] = field(default_factory=dict)


class WheelFacts(Struct, frozen=True, kw_only=True):
    """One wheel; ``declared`` and ``contents`` are None where METADATA and members were not read."""

    name: FileName
    filename: str
    size: int
    requires_python: str = ""
    declared: Declared | None = None
    contents: Contents | None = None

    @property
    def build(self) -> tuple[int, str]:
        """The build tag as installers order it; ``(-1, "")`` without one."""
        match = re.fullmatch(r"(\d*)(.*)", self.name.build) if self.name.build else None
        return (int(match[1] or 0), match[2]) if match else (-1, "")


class ReleaseFacts(Struct, frozen=True, kw_only=True):
    """One release; ``origin`` says where its files are: the name of an index, or a path."""

    distribution: str
    version: str
    origin: str = ""
    wheels: tuple[WheelFacts, ...] = ()
    sdist: bool = False
    requires_python: str = ""


class Earlier(Struct, frozen=True, kw_only=True):
    """The earlier releases to compare with, by the keys of the later ones; ``gaps`` say which have none."""

    releases: Mapping[str, ReleaseFacts] = field(default_factory=dict)
    gaps: tuple[str, ...] = ()


def release_facts(
    distribution: str,
    version: str,
    wheels: Iterable[WheelFacts],
    *,
    sdists: Iterable[str] = (),
    origin: str = "",
) -> ReleaseFacts:
    """Combine the facts of a release's wheels; ``sdists`` are the values of Requires-Python of its sdists."""
    wheels, sources = tuple(wheels), tuple(sdists)
    required = (*(wheel.requires_python for wheel in wheels), *sources)
    return ReleaseFacts(
        distribution=distribution,
        version=version,
        origin=origin,
        wheels=wheels,
        sdist=bool(sources),
        requires_python=next(filter(None, required), ""),
    )
