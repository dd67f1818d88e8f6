"""A dist as the checks see it: its wheels and sdists, by release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from wheelkit.wheel import Sdist, Wheel


class Release(Struct, frozen=True, kw_only=True):
    """The files of one distribution and version."""

    distribution: str
    version: str
    wheels: tuple[Wheel, ...]
    sdists: tuple[Sdist, ...]


class Dist(Struct, frozen=True, kw_only=True):
    """Everything that could be read; ``whole`` tells that a folder was given, so that what is not in it is missing."""

    wheels: tuple[Wheel, ...]
    sdists: tuple[Sdist, ...]
    whole: bool = True

    @property
    def releases(self) -> tuple[Release, ...]:
        """The files grouped by distribution and version, in the order of their names."""
        wheels: dict[tuple[str, str], list[Wheel]] = {}
        sdists: dict[tuple[str, str], list[Sdist]] = {}
        for wheel in self.wheels:
            wheels.setdefault((wheel.distribution, wheel.version), []).append(wheel)
        for sdist in self.sdists:
            sdists.setdefault((sdist.distribution, sdist.version), []).append(sdist)
        return tuple(
            Release(distribution=key[0], version=key[1], wheels=tuple(wheels.get(key, ())), sdists=tuple(sdists.get(key, ())))
            for key in sorted({*wheels, *sdists})
        )
