"""A dist as the checks see it: its wheels and sdists, by release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.wheel.names import parse_file_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit.wheel import Sdist, Wheel

    Key = tuple[str, str]


class Release(Struct, frozen=True, kw_only=True):
    """The files of one distribution and version."""

    distribution: str
    version: str
    wheels: tuple[Wheel, ...]
    sdists: tuple[Sdist, ...]


class Dist(Struct, frozen=True, kw_only=True):
    """Every file that the checks may ask for; ``whole`` tells that a folder was given, so that what is not in it is missing."""

    wheels: tuple[Wheel, ...]
    sdists: tuple[Sdist, ...]
    whole: bool = True

    @property
    def releases(self) -> tuple[Release, ...]:
        """The files grouped by distribution and version, in the order of their names."""
        wheels: dict[Key, list[Wheel]] = {}
        sdists: dict[Key, list[Sdist]] = {}
        for wheel in self.wheels:
            wheels.setdefault((wheel.distribution, wheel.version), []).append(wheel)
        for sdist in self.sdists:
            sdists.setdefault((sdist.distribution, sdist.version), []).append(sdist)
        return tuple(
            Release(
                distribution=key[0],
                version=key[1],
                wheels=tuple(wheels.get(key, ())),
                sdists=tuple(sdists.get(key, ())),
            )
            for key in sorted({*wheels, *sdists})
        )


class Arriving:
    """Files on their way into releases: each release can be had as soon as nothing more can belong to it.

    Wheels come in any order, and are in their release in that of their places. A file whose name is no wheel's can belong anywhere, so
    that nothing is complete before it is there.
    """

    def __init__(self, filenames: Iterable[str], sdists: Iterable[Sdist]) -> None:
        """Await the wheels of these names; the sdists are there."""
        self._awaited: dict[Key | None, int] = {}
        self._complete: list[Key] = []
        self._wheels: dict[Key, dict[int, Wheel]] = {}
        self._sdists: dict[Key, list[Sdist]] = {}
        for key in map(_told, filenames):
            self._awaited[key] = self._awaited.get(key, 0) + 1
        for sdist in sdists:
            self._sdists.setdefault((sdist.distribution, sdist.version), []).append(sdist)

    def add(self, place: int, filename: str, wheel: Wheel | None) -> None:
        """Take an awaited wheel, None for one that could not be read."""
        if wheel is not None:
            self._wheels.setdefault((wheel.distribution, wheel.version), {})[place] = wheel
        key = _told(filename) if wheel is None or wheel.name is None else (wheel.distribution, wheel.version)
        self._awaited[key] -= 1
        if not self._awaited[key]:
            del self._awaited[key]
            if key is not None:
                self._complete.append(key)

    def complete(self) -> Iterator[Release]:
        """Give the releases that are complete, each once."""
        while self._complete and None not in self._awaited:
            yield from self._given(self._complete.pop())

    def rest(self) -> Iterator[Release]:
        """Give all that was not given."""
        for key in sorted({*self._wheels, *self._sdists}):
            yield from self._given(key)

    def _given(self, key: Key) -> Iterator[Release]:
        wheels, sdists = self._wheels.pop(key, {}), self._sdists.pop(key, [])
        if wheels or sdists:
            in_order = tuple(wheels[place] for place in sorted(wheels))
            yield Release(distribution=key[0], version=key[1], wheels=in_order, sdists=tuple(sdists))


def _told(filename: str) -> Key | None:
    """Name the release that a wheel's file name tells of; None where it is no wheel's name."""
    try:
        name = parse_file_name(filename)
    except ValueError:
        return None
    return name.key, name.version
