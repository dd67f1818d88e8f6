"""Find the released siblings of a part of a family on an index, as installers would choose them.

They are taken from the index that the part goes to and from no other, where their names may be someone
else's.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import Struct
from packaging.specifiers import SpecifierSet

from wheelkit.config import normalise
from wheelkit.errors import CheckFailedError, WheelError
from wheelkit.fast_packaging import marker_holds, parse_requirement
from wheelkit.machine import facts
from wheelkit.machine.scratch import temporary_folder
from wheelkit.publish.listed_versions import files_by_version
from wheelkit.publish.simple_api import download_file, fetch_listing, fetch_metadata
from wheelkit.text import lines_of, shorten_list
from wheelkit.wheel import read
from wheelkit.wheel.dist_info import parse_headers
from wheelkit.wheel.names import parse_file_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from packaging.requirements import Requirement
    from packaging.version import Version

    from wheelkit.matrix import Target
    from wheelkit.project.family import Family
    from wheelkit.publish.client import Client, Clock
    from wheelkit.publish.index import Index
    from wheelkit.publish.model import Release
    from wheelkit.publish.simple_api import IndexFile

# How many older versions are tried where the newest one cannot be installed.
_TRIED_VERSIONS = 10
_LONGEST_PAUSE = 20.0


class Sibling(Struct, frozen=True, kw_only=True):
    """A member of the family on an index: the version that installers choose, and its unyanked files."""

    key: str
    version: str
    files: tuple[IndexFile, ...]

    def __str__(self) -> str:
        """Return name and version."""
        return f"{self.key} {self.version}"


class _Need(Struct, frozen=True, kw_only=True):
    """A requirement on a sibling, and who states it."""

    dependent: str
    requirement: Requirement

    @property
    def sibling(self) -> str:
        return normalise(self.requirement.name)

    def __str__(self) -> str:
        return f"{self.dependent} requires {self.requirement}"


def find_siblings(
    release: Release, index: Index, client: Client, family: Family, production: str = ""
) -> tuple[Sibling, ...]:
    """Return the siblings that a release needs and does not contain, and those that these need.

    Raises CheckFailedError where the index has no version of one that fits its ranges and this system; the
    hint is to fetch it from the index ``production``, if that is another one.
    """
    needs = tuple(_direct_needs(release, family))
    if not needs:
        return ()
    shipped = {distribution.key: distribution.version for distribution in release.distributions}
    search = _Search(index, client, frozenset(family.members), shipped)
    found, problems = search.find(needs)
    if problems:
        names = dict.fromkeys(
            problem.sibling if problem.sibling not in shipped else problem.dependent.partition(" ")[0]
            for problem in problems
        )
        raise CheckFailedError(
            f"{index} lacks {shorten_list(names)}, which this release needs; nothing was uploaded",
            detail=lines_of(f"{problem}; {search.state(problem)}" for problem in problems),
            hint=_ways_out(" ".join(names), production if production != index.name else ""),
        )
    return tuple(found.values())


class Patience(Struct, frozen=True, kw_only=True):
    """How many seconds another run may take to publish siblings, and what receives a note about the wait."""

    seconds: float = 0.0
    note: Callable[[str], None] = lambda _text: None


def await_siblings(
    find: Callable[[], tuple[Sibling, ...]], patience: Patience, clock: Clock
) -> tuple[Sibling, ...]:
    """Return what ``find`` finds, and until then try again; raises its CheckFailedError after the time."""
    started = clock.now()
    noted = False
    while True:
        try:
            return find()
        except CheckFailedError as error:
            waited = clock.now() - started
            if waited >= patience.seconds:
                raise
            if not noted:
                problem = error.message.partition(";")[0]
                patience.note(f"{problem}; waiting up to {patience.seconds / 60:.0f} minutes for it")
                noted = True
        clock.sleep(min(max(1.0, waited / 4), _LONGEST_PAUSE, patience.seconds - waited))


def _ways_out(names: str, production: str) -> str:
    build = f"build it too, and publish both:  wheelkit build {names}"
    fetch = f"or add what {production} has of it:     wheelkit fetch-dist {names} --from {production}"
    return f"{build}\n{fetch}" if production else build


def fetch_siblings(siblings: Iterable[Sibling], client: Client, folder: Path) -> tuple[Path, ...]:
    """Download the wheels of siblings that install on this machine, with the sha256 that the index lists.

    Raises IndexUnavailableError where the index serves other bytes.
    """
    machine = facts.own_target(facts.detect(containers=False))
    paths = []
    for sibling in siblings:
        for file in _wheels_for(machine, sibling.files):
            paths.append(folder / file.filename)
            download_file(client, file, paths[-1])
    return tuple(paths)


def _direct_needs(release: Release, family: Family) -> Iterator[_Need]:
    """Yield what the release requires of siblings, without extras whose siblings need it themselves."""
    seen: set[tuple[str, str]] = set()
    for distribution in release.distributions:
        for line in distribution.requires:
            if (distribution.key, line) in seen:
                continue
            seen.add((distribution.key, line))
            for requirement in _parsed([line]):
                need = _Need(dependent=str(distribution), requirement=requirement)
                if not _is_extra(requirement) or not _reaches(family, need.sibling, distribution.key):
                    yield need


def _parsed(lines: Iterable[str]) -> Iterator[Requirement]:
    """Yield the valid requirements; verification reports the others."""
    for line in lines:
        with suppress(ValueError):
            yield parse_requirement(line)


def _is_extra(requirement: Requirement) -> bool:
    return "extra" in str(requirement.marker or "")


def _reaches(family: Family, start: str, goal: str) -> bool:
    """Return whether a member needs another one, directly or through others."""
    members = family.members
    reached, waiting = {start}, [start]
    while waiting:
        added = set(family.siblings(members[waiting.pop()])) - reached
        reached |= added
        waiting += added
    return goal in reached


class _Search:
    """Searches one index; listings and metadata are fetched once."""

    def __init__(
        self, index: Index, client: Client, family: frozenset[str], shipped: Mapping[str, str]
    ) -> None:
        self._index, self._client, self._family, self._shipped = index, client, family, shipped
        self._machine = facts.own_target(facts.detect(containers=False))
        self._versions: dict[str, dict[Version, tuple[IndexFile, ...]]] = {}
        self._required: dict[tuple[str, Version], tuple[Requirement, ...]] = {}

    def find(self, needs: Sequence[_Need]) -> tuple[dict[str, Sibling], list[_Need]]:
        """Return a choice of siblings, or the needs that the index does not meet.

        Where the newest version of a sibling needs what the index lacks, older ones are tried.
        """
        rejected: set[tuple[str, Version]] = set()
        first: list[_Need] = []
        for _ in range(_TRIED_VERSIONS):
            found, problems, cause = self._choose(needs, rejected)
            first = first or problems
            if not problems:
                return found, []
            if cause is None:
                break
            rejected.add(cause)
        return {}, first

    def _choose(
        self, needs: Sequence[_Need], rejected: set[tuple[str, Version]]
    ) -> tuple[dict[str, Sibling], list[_Need], tuple[str, Version] | None]:
        """Choose the newest versions; with problems, also the choice whose own needs are not met."""
        by_sibling: dict[str, list[_Need]] = {}
        found: dict[str, Sibling] = {}
        origin: dict[str, tuple[str, Version] | None] = {}
        waiting: list[tuple[_Need, tuple[str, Version] | None]] = [(need, None) for need in needs]
        while waiting:
            need, source = waiting.pop(0)
            key = need.sibling
            if need in by_sibling.setdefault(key, []):
                continue
            by_sibling[key].append(need)
            if key in self._shipped:
                if need.requirement.specifier.contains(self._shipped[key], prereleases=True):
                    continue
                return {}, [need], source
            version = self._newest(key, by_sibling[key], rejected)
            if version is None:
                return {}, self._unmet(needs, need), source or origin.get(key)
            origin[key] = source or origin.get(key)
            found[key] = Sibling(key=key, version=str(version), files=self._files(key)[version])
            extras = {extra for stated in by_sibling[key] for extra in stated.requirement.extras}
            waiting += [
                (_Need(dependent=str(found[key]), requirement=requirement), (key, version))
                for requirement in self._requirements(key, version)
                if _applies(requirement, extras)
            ]
        return found, [], None

    def _unmet(self, needs: Sequence[_Need], failed: _Need) -> list[_Need]:
        """Return all direct needs without a fitting version, or the one that failed."""
        direct = [
            need
            for need in needs
            if need.sibling not in self._shipped and self._newest(need.sibling, [need], set()) is None
        ]
        return direct or [failed]

    def _newest(self, key: str, needs: Iterable[_Need], rejected: set[tuple[str, Version]]) -> Version | None:
        """Return the version that installers take: no pre-release where a final one fits."""
        ranges = SpecifierSet(",".join(filter(None, (str(need.requirement.specifier) for need in needs))))
        files = self._files(key)
        fitting = (
            version
            for version in files
            if (key, version) not in rejected and _fits(files[version], self._machine)
        )
        return max(ranges.filter(fitting), default=None)

    def _files(self, key: str) -> dict[Version, tuple[IndexFile, ...]]:
        if key not in self._versions:
            listing = fetch_listing(self._client, self._index, key)
            self._versions[key] = files_by_version(listing)
        return self._versions[key]

    def _requirements(self, key: str, version: Version) -> tuple[Requirement, ...]:
        """Return what a version requires of the family, from a wheel for this machine."""
        if (key, version) not in self._required:
            wheels = _wheels_for(self._machine, self._files(key)[version])
            lines = _requires_dist(wheels[0], self._client) if wheels else ()
            self._required[key, version] = tuple(
                requirement
                for requirement in _parsed(lines)
                if normalise(requirement.name) in self._family and normalise(requirement.name) != key
            )
        return self._required[key, version]

    def state(self, need: _Need) -> str:
        """Say what the index has of a sibling."""
        key = need.sibling
        if key in self._shipped:
            return f"this release has {self._shipped[key]}"
        files = self._files(key)
        if not files:
            return f"{self._index} has no file of {key}"
        admitted = [
            version for version in files if need.requirement.specifier.contains(version, prereleases=True)
        ]
        if admitted:
            return f"{self._index} has {max(admitted)}, but no file of it for {self._machine}"
        newest = sorted(files, reverse=True)
        return f"{self._index} has {shorten_list(map(str, newest))}"


def _applies(requirement: Requirement, extras: Iterable[str]) -> bool:
    """Return whether a requirement counts with the given extras; other conditions are not judged."""
    if not _is_extra(requirement):
        return True
    return any(marker_holds(requirement, {"extra": extra}) for extra in extras)


def _fits(files: Iterable[IndexFile], machine: Target) -> bool:
    """Return whether installers can take one of the files on this machine; an sdist counts."""
    files = tuple(files)
    return bool(_wheels_for(machine, files)) or any(file.filename.endswith(".tar.gz") for file in files)


def _wheels_for(machine: Target, files: Iterable[IndexFile]) -> tuple[IndexFile, ...]:
    return tuple(
        file for file in files if file.filename.endswith(".whl") and _admitted(machine, file.filename)
    )


def _admitted(machine: Target, filename: str) -> bool:
    try:
        platforms = parse_file_name(filename).platforms
    except ValueError:  # packaging, and with it the index, accepts more
        return False
    return any(tag == "any" or machine.admits(tag) for tag in platforms)


def _requires_dist(file: IndexFile, client: Client) -> tuple[str, ...]:
    text = fetch_metadata(client, file)
    if text is not None:
        return parse_headers(text).all("Requires-Dist")
    with temporary_folder("wheelkit-") as folder:
        path = folder / file.filename
        download_file(client, file, path)
        try:
            return read(path, contents=False).metadata.all("Requires-Dist")
        except WheelError as error:
            raise CheckFailedError(
                f"{file.filename} cannot be read as the index serves it: {error.message}",
                hint="do not install it; report it to the index's administrators",
            ) from error
