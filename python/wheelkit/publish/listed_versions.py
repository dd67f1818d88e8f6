"""The versions of a project on an index: the latest as installers choose it, and those near a missing one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from packaging.version import Version

from wheelkit.config import normalise
from wheelkit.errors import UsageError
from wheelkit.fast_packaging import is_name
from wheelkit.publish.model import ReleaseId, parse_name
from wheelkit.text import shorten_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wheelkit.publish.index import Index
    from wheelkit.publish.simple_api import IndexFile, Listing


_NEAREST = 5


class WantedRelease(Struct, frozen=True, kw_only=True):
    """A distribution's normalised name, and a version, None for the latest."""

    distribution: str
    version: str | None = None


def parse_release(text: str) -> WantedRelease:
    """Read ``NAME==VERSION``, or ``NAME`` for the latest; raises UsageError."""
    name, separator, version = (part.strip() for part in text.partition("=="))
    try:
        number = str(Version(version)) if separator else None
    except ValueError:
        number = ""
    if number == "" or not is_name(name):
        raise UsageError(
            f'"{text}" is not a release',
            hint="write it as NAME==VERSION, such as  momentum==1.2.0, or as NAME for the latest",
        )
    return WantedRelease(distribution=normalise(name), version=number)


def choose_release(listing: Listing, wanted: WantedRelease, index: Index) -> ReleaseId:
    """Return the release that is wanted, among those with files; raises UsageError where there is none."""
    name = wanted.distribution
    yanked = _yanked_by_version(listing)
    if not yanked:
        message = f"{index} has {'no files of' if listing.known else 'no project'} {name}"
        raise UsageError(message, hint=f"check the name, and {index.page(name)}")
    if wanted.version is None:
        return ReleaseId(distribution=name, version=str(_latest(yanked, name, index)))
    version = Version(wanted.version)
    if version not in yanked:
        near = nearest(yanked, version)
        raise UsageError(
            f"{index} has no version {version} of {name}; it has {shorten_list(map(str, near), _NEAREST)}",
            hint=f"check the version, such as  {name}=={near[0]}; all files are at {index.page(name)}",
        )
    return ReleaseId(distribution=name, version=wanted.version)


def _yanked_by_version(listing: Listing) -> dict[Version, bool]:
    """Return the versions with files that installers know, and whether all files of each are yanked."""
    yanked: dict[Version, bool] = {}
    for file in listing.files:
        parsed = parse_name(file.filename)
        if parsed is not None and parsed[0] == listing.project:
            yanked[parsed[1]] = file.yanked and yanked.get(parsed[1], True)
    return yanked


def files_by_version(listing: Listing) -> dict[Version, tuple[IndexFile, ...]]:
    """Return the files that are not yanked, by version; those of other names are left out."""
    files: dict[Version, list[IndexFile]] = {}
    for file in listing.files:
        parsed = parse_name(file.filename)
        if parsed is not None and parsed[0] == listing.project and not file.yanked:
            files.setdefault(parsed[1], []).append(file)
    return {version: tuple(found) for version, found in files.items()}


def unyanked_versions(listing: Listing) -> tuple[Version, ...]:
    """Return the versions of which installers take a file without being told to."""
    return tuple(version for version, yanked in _yanked_by_version(listing).items() if not yanked)


def _latest(yanked: dict[Version, bool], name: str, index: Index) -> Version:
    """Return the version that installers choose: no yanked one, and a pre-release only without a final one.

    Where all final releases are yanked, uv takes a pre-release, and pip nothing.
    """
    served = [version for version in yanked if not yanked[version]]
    final = [version for version in served if not version.is_prerelease]
    if not served:
        raise UsageError(
            f"{index} has no version of {name} that installers choose: all are yanked",
            hint=f"name the one to verify:  --from-index {name}=={max(yanked)}",
        )
    return max(final or served)


def nearest(versions: Iterable[Version], wanted: Version) -> Sequence[Version]:
    """Return versions by their distance from one that is not among them: alternately older and newer."""
    older = sorted((version for version in versions if version < wanted), reverse=True)
    newer = sorted(version for version in versions if version > wanted)
    paired = [version for pair in zip(older, newer, strict=False) for version in pair]
    common = len(paired) // 2
    return [*paired, *older[common:], *newer[common:]]
