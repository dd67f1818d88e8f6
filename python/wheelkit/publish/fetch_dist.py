"""Bring the files of a release back into a dist folder: from an index, or from the artifacts of a CI run.

Artifacts come with the manifests of their builds, and each file has to have the sha256 that its manifest
records. What an index serves has none: it gets a manifest that says so, with the commit that the user names.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit import manifest
from wheelkit.config import normalise
from wheelkit.errors import CheckFailedError, UsageError, WheelError
from wheelkit.machine.concurrency import worker_pool
from wheelkit.publish.listed_versions import WantedRelease, choose_release
from wheelkit.publish.model import ReleaseId, belongs_to
from wheelkit.publish.outdated import canonical
from wheelkit.publish.simple_api import download_file, fetch_listing
from wheelkit.text import lines_of
from wheelkit.wheel.archive import Archive
from wheelkit.wheel.inflate import InflateError
from wheelkit.wheel.names import parse_file_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from wheelkit.manifest import Manifest
    from wheelkit.project.family import Family
    from wheelkit.publish.client import Client
    from wheelkit.publish.index import Index
    from wheelkit.publish.simple_api import IndexFile, Listing


_PARALLEL = 4
_SUFFIXES = (".whl", ".tar.gz", ".zip", ".attestation", manifest.SUFFIX)


class FetchedUnit(Struct, frozen=True, kw_only=True):
    """A manifest, and its files in a scratch folder."""

    record: Manifest
    files: tuple[Path, ...]


class IndexSource(Struct, frozen=True, kw_only=True):
    """An index, and the commit that its files were built from as the user says, or empty."""

    index: Index
    client: Client
    commit: str = ""


def wanted_releases(family: Family, members: Collection[str]) -> tuple[WantedRelease, ...]:
    """Return the project's versions of members, by default of all; None where only a build knows it."""
    return tuple(
        WantedRelease(distribution=member.key, version=member.version)
        for member in family.distributions
        if not members or member.key in members
    )


def fetch_from_index(
    family: Family, members: Collection[str], source: IndexSource, dist: Path, folder: Path
) -> tuple[FetchedUnit, ...]:
    """Download every file of the project's versions of members, without those that the dist folder has.

    Without ``members``, what the index does not have is passed over, unless it has nothing. Raises UsageError
    where the index has no such release, IndexUnavailableError where it serves other bytes than it lists.
    """
    wanted = wanted_releases(family, members)
    built = {file.file: file.sha256 for record in manifest.read_all(dist) for file in record.files}
    units: list[FetchedUnit] = []
    listings = {
        release: fetch_listing(source.client, source.index, release.distribution) for release in wanted
    }
    there = [release for release in wanted if _has(listings[release], release)]
    for release in there if not members and there else wanted:
        chosen = choose_release(listings[release], release, source.index)
        files = [file for file in listings[release].files if belongs_to(file.filename, chosen)]
        missing = [file for file in files if source.commit or not _is_in(dist, file, built)]
        with worker_pool(_PARALLEL) as pool:
            list(pool.map(lambda file: download_file(source.client, file, folder / file.filename), missing))
        units += _units(family.members[release.distribution].name, chosen.version, missing, source, folder)
    return tuple(units)


def _has(listing: Listing, release: WantedRelease) -> bool:
    if release.version is None:
        return bool(listing.files)
    wanted = ReleaseId(distribution=release.distribution, version=release.version)
    return any(belongs_to(file.filename, wanted) for file in listing.files)


def _is_in(dist: Path, file: IndexFile, built: Mapping[str, str]) -> bool:
    path = dist / file.filename
    known = built.get(file.filename)
    return known is not None and known == file.sha256 and path.is_file() and manifest.sha256(path) == known


def _units(
    name: str, version: str, files: Iterable[IndexFile], source: IndexSource, folder: Path
) -> Iterator[FetchedUnit]:
    by_target: dict[str, list[IndexFile]] = {}
    for file in files:
        by_target.setdefault(_target(file.filename), []).append(file)
    for target, group in by_target.items():
        paths = tuple(folder / file.filename for file in group)
        uploaded = [file.uploaded for file in group if file.uploaded is not None]
        kind = "sdist" if target == "sdist" else "wheel"
        record = manifest.Manifest(
            distribution=name,
            version=version,
            target=target,
            builder=manifest.FROM_INDEX,
            source="",
            commit=source.commit,
            dirty=False,
            created=max(uploaded, default=datetime.now(UTC)).isoformat(timespec="seconds"),
            tools={"index": str(source.index)},
            files=tuple(manifest.describe(path, kind) for path in paths),
        )
        yield FetchedUnit(record=record, files=paths)


def _target(filename: str) -> str:
    if not filename.endswith(".whl"):
        return "sdist"
    try:
        return parse_file_name(filename).platforms[0]
    except ValueError as error:
        raise CheckFailedError(
            f"{filename} has a name that installers reject: {error}",
            hint="ask the index's administrators to remove it",
        ) from error


def fetch_from_artifacts(
    source: Path, family: Family, members: Collection[str], folder: Path
) -> tuple[FetchedUnit, ...]:
    """Copy the project's versions from a folder or zip archive of CI artifacts, each file by its manifest.

    Folders and archives inside of a folder are searched too. Raises UsageError where there is no manifest of
    the project's versions, CheckFailedError for a file that its manifest does not describe or that is
    missing, WheelError for a damaged archive.
    """
    _gather(source, folder)
    manifests = manifest.read_all(folder)
    wanted = {release.distribution: release.version for release in wanted_releases(family, members)}
    current = tuple(record for record in manifests if _is_wanted(record, wanted))
    if not current:
        found = dict.fromkeys(f"{record.distribution} {record.version}" for record in manifests)
        versions = ", ".join(f"{name} {version or ''}".strip() for name, version in wanted.items())
        raise UsageError(
            f"{source} has no manifest of {versions}",
            detail=lines_of(f"it has {label}" for label in found),
            hint="give the artifacts of the run that built the release, with their .wheelkit.json files",
        )
    problems = [problem for record in current for problem in _problems(record, folder)]
    if problems:
        raise CheckFailedError(
            f"{source} does not match its manifests; nothing was fetched",
            detail=lines_of(problems),
            hint="download the artifacts again",
        )
    return tuple(
        FetchedUnit(record=record, files=tuple(_with_attestations(record, folder))) for record in current
    )


def _is_wanted(record: Manifest, wanted: Mapping[str, str | None]) -> bool:
    key = normalise(record.distribution)
    if key not in wanted:
        return False
    version = wanted[key]
    return version is None or canonical(version) == canonical(record.version)


def _problems(record: Manifest, folder: Path) -> Iterator[str]:
    for file in record.files:
        path = folder / file.file
        if "/" in file.file or "\\" in file.file or not path.is_file():
            yield f"{file.file} is missing"
        elif manifest.sha256(path) != file.sha256:
            yield f"{file.file} has another sha256 than its manifest records"


def _with_attestations(record: Manifest, folder: Path) -> Iterator[Path]:
    for file in record.files:
        yield folder / file.file
        yield from (path for path in sorted(folder.glob("*.attestation")) if path.name.startswith(file.file))


def _gather(source: Path, folder: Path) -> None:
    """Copy what may belong to a release into one folder, by its bare name; the first of a name counts."""
    if source.is_dir():
        for path in sorted(source.rglob("*")):
            if path.is_file() and path.name.endswith(_SUFFIXES):
                _gather_file(path, folder)
    else:
        _unpack(source, folder)


def _gather_file(path: Path, folder: Path) -> None:
    if not (folder / path.name).exists():
        shutil.copyfile(path, folder / path.name)
    if path.name.endswith(".zip"):  # an sdist, or an archive of artifacts
        _unpack(path, folder)


def _unpack(path: Path, folder: Path) -> None:
    archive = Archive(path)
    with archive.opened() as opened:
        for entry in archive.entries:
            name = entry.name.rpartition("/")[2].rpartition("\\")[2]
            target = folder / name
            if not name.endswith(_SUFFIXES) or target.exists():
                continue
            try:
                with target.open("xb") as stream:
                    stream.writelines(opened.pieces(entry, opened.header(entry)))
            except InflateError as error:
                raise WheelError(
                    f"{path.name} cannot be unpacked: {entry.name} {error}", hint="download it again"
                ) from error
