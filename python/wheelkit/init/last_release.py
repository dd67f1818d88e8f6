"""The last release on the index: which builds its wheels stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from packaging.version import Version

from wheelkit.init.todays_builds import Build
from wheelkit.matrix import Interpreter, Target, admits_python, offered_builds
from wheelkit.publish.listed_versions import choose_release
from wheelkit.publish.model import belongs_to
from wheelkit.publish.simple_api import fetch_listing
from wheelkit.tags import WheelTag
from wheelkit.wheel.names import parse_file_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wheelkit.publish.client import Client
    from wheelkit.publish.index import Index
    from wheelkit.publish.listed_versions import WantedRelease


class ReleasedWheel(Struct, frozen=True, kw_only=True):
    """A wheel on the index: its file name and tags, those of its oldest systems only.

    ``builds`` are the builds of cibuildwheel whose users install it.
    """

    filename: str
    pythons: tuple[str, ...]
    abis: tuple[str, ...]
    targets: tuple[Target, ...]
    builds: tuple[Build, ...]


class LastRelease(Struct, frozen=True, kw_only=True):
    """A release on an index, with its wheels that hold native code."""

    distribution: str
    version: str
    index: str
    wheels: tuple[ReleasedWheel, ...]

    def __str__(self) -> str:
        """Return the release and where it is: ``momentum 1.2.0 on pypi``."""
        return f"{self.distribution} {self.version} on {self.index}"

    def builds(self, requires_python: str | None) -> tuple[Build, ...]:
        """Return the builds of all wheels that ``requires-python`` admits, of two targets the older."""
        oldest: dict[str, Build] = {}
        for build in (build for wheel in self.wheels for build in wheel.builds):
            known = oldest.get(build.identifier)
            if known is None or build.target.version < known.target.version:
                oldest[build.identifier] = build
        return tuple(build for build in oldest.values() if admits_python(requires_python, build.interpreter))

    @property
    def serves_later(self) -> bool:
        """Whether wheels serve later interpreters, too: those for the stable ABI, or with no ABI at all."""
        return any({"abi3", "none"} & set(wheel.abis) for wheel in self.wheels)


def fetch_release(wanted: WantedRelease, index: Index, client: Client) -> LastRelease:
    """Fetch the list of files of a release.

    Raises IndexUnavailableError where the index does not answer, UsageError where it has no such release.
    """
    listing = fetch_listing(client, index, wanted.distribution)
    release = choose_release(listing, wanted, index)
    names = [file.filename for file in listing.files if belongs_to(file.filename, release)]
    return release_of(wanted.distribution, str(Version(release.version)), str(index), names)


def release_of(distribution: str, version: str, index: str, filenames: Sequence[str]) -> LastRelease:
    """Return a release by the names of its files."""
    wheels = (_wheel(name) for name in filenames if name.endswith(".whl"))
    return LastRelease(
        distribution=distribution,
        version=version,
        index=index,
        wheels=tuple(wheel for wheel in wheels if wheel is not None),
    )


def _wheel(filename: str) -> ReleasedWheel | None:
    """Return a wheel by its name; None for one without native code, or whose name nobody can read."""
    try:
        name = parse_file_name(filename)
    except ValueError:
        return None
    if "any" in name.platforms:
        return None
    targets = tuple(_oldest(name.platforms))
    tags = [(python, abi) for python in name.pythons for abi in name.abis]
    builds = tuple(build for target in targets for build in _builds(tags, target))
    return ReleasedWheel(
        filename=filename,
        pythons=tuple(name.pythons),
        abis=tuple(name.abis),
        targets=targets,
        builds=builds,
    )


def _oldest(platforms: Sequence[str]) -> Iterator[Target]:
    """Yield the oldest system of each kind and architecture that platform tags name."""
    oldest: dict[str, Target] = {}
    for platform in platforms:
        try:
            target = Target.parse(platform)
        except ValueError:  # such as linux_x86_64, or systems that no longer exist
            continue
        known = oldest.get(target.build_suffix)
        if known is None or target.version < known.version:
            oldest[target.build_suffix] = target
    yield from oldest.values()


def _builds(tags: Sequence[tuple[str, str]], target: Target) -> Iterator[Build]:
    """Yield the builds of cibuildwheel on a target whose interpreters install a wheel with these tags.

    A wheel without an ABI is installed everywhere; one for CPython promises no more than that.
    """
    for identifier in offered_builds()[target.system]:
        python, _, suffix = identifier.partition("-")
        interpreter = Interpreter.parse(python)
        if suffix != target.build_suffix or (
            not interpreter.has_stable_abi and all(abi == "none" for _, abi in tags)
        ):
            continue
        accepted = set(interpreter.tags([target.tag]))
        if any(WheelTag(one, abi, target.tag) in accepted for one, abi in tags):
            yield Build(identifier=identifier, target=Target.parse(_current(target)))


def _current(target: Target) -> str:
    """Return a target's tag in the words of today: ``manylinux2014_x86_64`` is ``manylinux_2_17_x86_64``."""
    if target.libc:
        return f"{target.libc}_{target.version[0]}_{target.version[1]}_{target.arch}"
    return target.tag
