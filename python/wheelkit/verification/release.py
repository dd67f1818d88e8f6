"""The wheels and sdists of a dist, grouped by release."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.fast_packaging import release
from wheelkit.text import dotted
from wheelkit.wheel.names import parse_file_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit.wheel import Sdist, Wheel

    ReleaseKey = tuple[str, str]


class Release(Struct, frozen=True, kw_only=True):
    """The files of one distribution and version; of ``unreadable`` wheels only the names are known.

    1.0 and 1.0.0 are one version (PEP 440); ``version`` is as the first wheel spells it.
    """

    distribution: str
    version: str
    wheels: tuple[Wheel, ...]
    sdists: tuple[Sdist, ...]
    unreadable: tuple[Wheel, ...] = ()

    @property
    def key(self) -> str:
        """The distribution and the version in one spelling: ``demo==1``."""
        return release_key(self.distribution, self.version)

    @property
    def all_wheels(self) -> tuple[Wheel, ...]:
        """All wheels, as an installer that knows only their names sees them."""
        return (*self.wheels, *self.unreadable)


class Dist(Struct, frozen=True, kw_only=True):
    """All files of a dist; ``whole`` says that a folder was given, so a file that is not there is missing."""

    wheels: tuple[Wheel, ...]
    sdists: tuple[Sdist, ...]
    whole: bool = True
    unreadable: tuple[Wheel, ...] = ()

    @property
    def releases(self) -> tuple[Release, ...]:
        """The files grouped by distribution and version, sorted by both."""
        wheels = (*self.wheels, *self.unreadable)
        collector = ReleaseCollector((wheel.filename for wheel in wheels), self.sdists)
        for index, wheel in enumerate(wheels):
            collector.add(index, wheel)
        return tuple(collector.rest())


class ReleaseCollector:
    """Collects wheels as they are read, in any order, and hands out each release as soon as it is complete.

    No release is complete before all wheels without a valid file name are read: they can belong to any.
    """

    def __init__(self, filenames: Iterable[str], sdists: Iterable[Sdist]) -> None:
        """Expect wheels with these file names; the sdists are already read."""
        self._expected: dict[ReleaseKey | None, int] = {}
        self._complete: list[ReleaseKey] = []
        self._wheels: dict[ReleaseKey, dict[int, Wheel]] = {}
        self._sdists: dict[ReleaseKey, list[Sdist]] = {}
        for key in map(_release_of, filenames):
            self._expected[key] = self._expected.get(key, 0) + 1
        for sdist in sdists:
            self._sdists.setdefault(_key(sdist.distribution, sdist.version), []).append(sdist)

    def add(self, index: int, wheel: Wheel) -> None:
        """Add an expected wheel; ``index`` orders the wheels of a release."""
        self._wheels.setdefault(_key(wheel.distribution, wheel.version), {})[index] = wheel
        key = _release_of(wheel.filename)
        self._expected[key] -= 1
        if not self._expected[key]:
            del self._expected[key]
            if key is not None:
                self._complete.append(key)

    def complete(self) -> Iterator[Release]:
        """Yield the releases that are complete, each once."""
        while self._complete and None not in self._expected:
            yield from self._take(self._complete.pop())

    def rest(self) -> Iterator[Release]:
        """Yield all releases that were not yielded before."""
        for key in sorted({*self._wheels, *self._sdists}):
            yield from self._take(key)

    def _take(self, key: ReleaseKey) -> Iterator[Release]:
        wheels, sdists = self._wheels.pop(key, {}), self._sdists.pop(key, [])
        if wheels or sdists:
            in_order = [wheels[index] for index in sorted(wheels)]
            files: list[Wheel | Sdist] = [*in_order, *sdists]
            yield Release(
                distribution=key[0],
                version=files[0].version,
                wheels=tuple(wheel for wheel in in_order if wheel.readable),
                sdists=tuple(sdists),
                unreadable=tuple(wheel for wheel in in_order if not wheel.readable),
            )


def _release_of(filename: str) -> ReleaseKey | None:
    """Return the release that a wheel's file name belongs to, None for an invalid name."""
    try:
        name = parse_file_name(filename)
    except ValueError:
        return None
    return _key(name.key, name.version)


def release_key(distribution: str, version: str) -> str:
    """Return one text for a distribution and all spellings of a version: ``demo==1`` for 1.0."""
    return "==".join(_key(distribution, version))


def _key(distribution: str, version: str) -> ReleaseKey:
    return distribution, _canonical(version)


@lru_cache(maxsize=256)
def _canonical(version: str) -> str:
    """Return the one spelling of equal versions."""
    numbers = release(version)
    if numbers is None:
        from packaging.utils import canonicalize_version

        return canonicalize_version(version.replace("_", "-"))
    while len(numbers) > 1 and not numbers[-1]:
        numbers = numbers[:-1]
    return dotted(numbers)
