"""Find the release to compare with: on an index, by version or the latest before, or in a folder."""

from __future__ import annotations

from os.path import lexists
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace
from packaging.version import Version

from wheelkit.errors import CheckFailedError, UsageError, WheelError
from wheelkit.machine.concurrency import worker_pool
from wheelkit.machine.scratch import temporary_folder
from wheelkit.publish.listed_versions import WantedRelease, choose_release, parse_release, unyanked_versions
from wheelkit.publish.model import ReleaseId, belongs_to
from wheelkit.publish.simple_api import download_file, fetch_listing, fetch_metadata
from wheelkit.text import shorten_list
from wheelkit.verification.comparison.compare import representatives
from wheelkit.verification.comparison.facts import (
    Declared,
    Earlier,
    ReleaseFacts,
    WheelFacts,
    release_facts,
)
from wheelkit.verification.comparison.gather import earlier_in_folder, wheel_facts
from wheelkit.verification.release import release_key
from wheelkit.wheel import read
from wheelkit.wheel.dist_info import parse_headers
from wheelkit.wheel.names import parse_file_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wheelkit.publish.client import Client
    from wheelkit.publish.index import Index
    from wheelkit.publish.simple_api import IndexFile, Listing


_LATEST = "latest"
_PARALLEL = 8


class Against(Struct, frozen=True, kw_only=True):
    """What to compare with: a release on an index, wheels at a path, or if neither, the latest release."""

    wanted: WantedRelease | None = None
    path: Path | None = None


class EarlierSource(Struct, frozen=True, kw_only=True):
    """Where earlier releases are; with ``deep`` their wheels are downloaded and read.

    ``listings`` are those that were already fetched, by distribution.
    """

    index: Index
    client: Client
    deep: bool = False
    listings: Mapping[str, Listing] = field(default_factory=dict)


def parse_against(text: str) -> Against:
    """Read ``latest``, ``NAME==VERSION`` or a path; raises UsageError."""
    if text == _LATEST:
        return Against()
    path, exists = Path(text), lexists(text)
    if "==" in text and not exists:
        return Against(wanted=parse_release(text))
    if not exists:
        raise UsageError(
            f'--against "{text}": no such folder, and not a release',
            hint="give a folder of wheels, NAME==VERSION, or latest",
        )
    return Against(path=path)


def find_earlier(against: Against, later: Sequence[ReleaseFacts], source: EarlierSource) -> Earlier:
    """Return what to compare releases with; of ``later`` only names are looked at.

    Raises UsageError for a named release or path that has no wheels of them, IndexUnavailableError where the
    index does not answer. That there is no earlier release is no error, but one of the gaps.
    """
    if against.path is not None:
        return earlier_in_folder(against.path, later)
    if against.wanted is not None:
        later = _of(against.wanted, later)
    releases: dict[str, ReleaseFacts] = {}
    gaps: list[str] = []
    with worker_pool(_PARALLEL) as pool:
        found = pool.map(lambda release: _find(against.wanted, release, source), later)
        for release, earlier in zip(later, found, strict=True):
            if isinstance(earlier, str):
                gaps.append(f"{release.distribution} {release.version} was not compared: {earlier}")
            else:
                releases[release_key(release.distribution, release.version)] = earlier
    return Earlier(releases=releases, gaps=tuple(gaps))


def _of(wanted: WantedRelease, later: Sequence[ReleaseFacts]) -> list[ReleaseFacts]:
    """Return the releases of the distribution that is named; raise UsageError where there is none."""
    found = [release for release in later if release.distribution == wanted.distribution]
    if not found:
        others = shorten_list(dict.fromkeys(release.distribution for release in later)) or "no distribution"
        raise UsageError(
            f"--against {wanted.distribution}: the files to verify are of {others}",
            hint="name an earlier release of the same distribution, or give --against latest",
        )
    return found


def _find(wanted: WantedRelease | None, later: ReleaseFacts, source: EarlierSource) -> ReleaseFacts | str:
    """Return an earlier release, or why there is none."""
    name = later.distribution
    listing = source.listings.get(name) or fetch_listing(source.client, source.index, name)
    if wanted is not None:
        release = choose_release(listing, wanted, source.index)
    else:
        versions = unyanked_versions(listing)
        before = [one for one in versions if not one.is_prerelease and one < Version(later.version)]
        if not before:
            return f"{source.index} has no earlier release of it"
        release = ReleaseId(distribution=name, version=str(max(before)))
    files = _wheels(listing, release)
    if not files and wanted is None:
        return f"{release.version}, the latest release on {source.index}, has no wheel"
    if not files:
        raise UsageError(
            f"{source.index} has no wheel of {name} {release.version} to compare with",
            hint=f"name a release with wheels; all files are at {source.index.page(name)}",
        )
    facts = _read_all(files, source) if source.deep else _named(files)
    earlier = release_facts(name, release.version, facts.values(), origin=str(source.index))
    return earlier if source.deep else _with_metadata(earlier, later, files, source.client)


def _wheels(listing: Listing, release: ReleaseId) -> dict[str, IndexFile]:
    """Return the wheels of a release by name, without those that are yanked unless all are."""
    files = [file for file in listing.files if belongs_to(file.filename, release)]
    served = [file for file in files if not file.yanked] or files
    return {file.filename: file for file in served if file.filename.endswith(".whl")}


def _named(files: Mapping[str, IndexFile]) -> dict[str, WheelFacts]:
    facts: dict[str, WheelFacts] = {}
    for filename, file in files.items():
        try:
            name = parse_file_name(filename)
        except ValueError:  # packaging, and with it the index, accepts more
            continue
        facts[filename] = WheelFacts(
            name=name, filename=filename, size=file.size, requires_python=file.requires_python
        )
    return facts


def _with_metadata(
    earlier: ReleaseFacts, later: ReleaseFacts, files: Mapping[str, IndexFile], client: Client
) -> ReleaseFacts:
    """Add what METADATA declares of one wheel, which is compared with one of the later release."""
    pair = representatives(earlier, later)
    text = fetch_metadata(client, files[pair[0]]) if pair else None
    if pair is None or text is None:
        return earlier
    declared = Declared.of(parse_headers(text))
    wheels = (
        replace(wheel, declared=declared) if wheel.filename == pair[0] else wheel for wheel in earlier.wheels
    )
    return replace(earlier, wheels=tuple(wheels))


def _read_all(files: Mapping[str, IndexFile], source: EarlierSource) -> dict[str, WheelFacts]:
    """Download wheels one by one, and keep what is compared; raise CheckFailedError for a broken one."""
    facts: dict[str, WheelFacts] = {}
    with temporary_folder("wheelkit-") as folder:
        for filename, file in files.items():
            path = folder / filename
            download_file(source.client, file, path)
            try:
                found = wheel_facts(read(path))
            except WheelError as error:
                raise CheckFailedError(
                    f"--against: {error.message}, as {source.index} serves it", hint="compare without --deep"
                ) from error
            path.unlink()
            if found is not None:
                facts[filename] = found
    return facts
