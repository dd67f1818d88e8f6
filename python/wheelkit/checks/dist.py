"""A dist as the checks see it: its wheels and sdists, by release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wheelkit.wheel import Sdist, Wheel


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """The files of one distribution and version."""

    distribution: str
    version: str
    wheels: tuple[Wheel, ...]
    sdists: tuple[Sdist, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Dist:
    """Everything that could be read; ``whole`` tells that a folder was given, so that what is not in it is missing."""

    wheels: tuple[Wheel, ...]
    sdists: tuple[Sdist, ...]
    whole: bool = True

    @property
    def releases(self) -> tuple[Release, ...]:
        """The files grouped by distribution and version, in the order of their names."""
        files: Iterable[Wheel | Sdist] = (*self.wheels, *self.sdists)
        keys = sorted({(item.distribution, item.version) for item in files})
        return tuple(
            Release(
                distribution=name,
                version=version,
                wheels=tuple(item for item in self.wheels if (item.distribution, item.version) == (name, version)),
                sdists=tuple(item for item in self.sdists if (item.distribution, item.version) == (name, version)),
            )
            for name, version in keys
        )
