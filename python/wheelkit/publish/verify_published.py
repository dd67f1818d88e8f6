"""Verify a published release: by the index's listing alone, or by downloading its files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit import manifest
from wheelkit.publish import provenance
from wheelkit.publish.earlier import EarlierSource, find_earlier
from wheelkit.publish.listed_versions import choose_release
from wheelkit.publish.model import belongs_to
from wheelkit.publish.provenance import ServedFile
from wheelkit.publish.simple_api import (
    download_file,
    fetch_listing,
    fetch_metadata,
    fetch_provenance,
)
from wheelkit.verification.checks.published import PublishedFiles, as_built, yanked
from wheelkit.verification.comparison.compare import representatives
from wheelkit.verification.comparison.facts import Earlier
from wheelkit.verification.comparison.gather import releases_by_name
from wheelkit.verification.model import Severity
from wheelkit.verification.release import Dist, release_key
from wheelkit.verification.run import verify, verify_facts
from wheelkit.wheel.dist_info import parse_headers
from wheelkit.wheel.model import Headers, Sdist, Wheel
from wheelkit.wheel.names import parse_file_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wheelkit.publish.client import Client
    from wheelkit.publish.earlier import Against
    from wheelkit.publish.index import Index
    from wheelkit.publish.listed_versions import WantedRelease
    from wheelkit.publish.model import ReleaseId
    from wheelkit.publish.provenance import PublisherRepository
    from wheelkit.publish.simple_api import IndexFile, Listing
    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Report


class PublishedRequest(Struct, frozen=True, kw_only=True):
    """A release on an index; manifests in ``folders`` say what was built.

    Attestations have to be by ``repository``, where it is given. ``fail_on`` is the least that fails.
    ``against`` names the release to compare with.
    """

    wanted: WantedRelease
    index: Index
    folders: tuple[Path, ...] = ()
    fail_on: Severity = Severity.ERROR
    repository: PublisherRepository | None = None
    against: Against | None = None


def built_files(folders: Iterable[Path], identity: ReleaseId) -> dict[str, str]:
    """Return the files of a release in the manifests of dist folders, as names with sha256."""
    files = (file for folder in folders for record in manifest.read_all(folder) for file in record.files)
    return {file.file: file.sha256 for file in files if belongs_to(file.file, identity)}


def verify_published(
    request: PublishedRequest, client: Client, contract: Contract, folder: Path | None = None
) -> Report:
    """Verify a release: with a ``folder`` by downloading all files into it, otherwise by their names.

    Raises IndexUnavailableError where the index does not answer, UsageError where it lacks this release.
    """
    index = request.index
    listing = fetch_listing(client, index, request.wanted.distribution)
    release = choose_release(listing, request.wanted, index)
    files = tuple(file for file in listing.files if belongs_to(file.filename, release))
    own = {key: promise for key, promise in contract.promises.items() if key == release.distribution}
    earlier = _earlier(request, client, listing, files, deep=folder is not None)
    contract = replace(contract, promises=own, earlier=earlier)
    shown = PublishedFiles(
        index=str(index),
        distribution=release.distribution,
        published={file.filename: file.sha256 for file in files},
        built=built_files(request.folders, release),
        yanked=tuple(file.filename for file in files if file.yanked),
    )
    findings = (*as_built(shown), *yanked(shown))
    if folder is None:
        signed = (file.filename for file in files if file.provenance)
        skipped = provenance.files_without_attestation(signed, str(index))
        return verify_facts(
            _from_names(files, release, _metadata(client, files, earlier)),
            (*findings, *skipped),
            contract,
            by_name=True,
            fail_on=request.fail_on,
        )
    served = [_download(file, client, folder) for file in files]
    attested = provenance.verify_attestations(served, str(index), request.repository)
    return verify([folder], contract, known=(*findings, *attested), fail_on=request.fail_on)


def _earlier(
    request: PublishedRequest, client: Client, listing: Listing, files: Sequence[IndexFile], *, deep: bool
) -> Earlier:
    if request.against is None:
        return Earlier()
    later = releases_by_name(file.filename for file in files)
    source = EarlierSource(index=request.index, client=client, deep=deep, listings={listing.project: listing})
    return find_earlier(request.against, later, source)


def _metadata(client: Client, files: Sequence[IndexFile], earlier: Earlier) -> Mapping[str, bytes]:
    """Fetch METADATA of the one wheel that can be compared with one of the earlier release, by its name."""
    for later in releases_by_name(file.filename for file in files):
        before = earlier.releases.get(release_key(later.distribution, later.version))
        pair = representatives(before, later) if before else None
        wanted = [file for file in files if pair and file.filename == pair[1]]
        found = fetch_metadata(client, wanted[0]) if wanted else None
        if found is not None:
            return {wanted[0].filename: found}
    return {}


def _download(file: IndexFile, client: Client, folder: Path) -> ServedFile:
    """Download a file and its provenance."""
    path = folder / Path(file.filename).name
    digest = download_file(client, file, path)
    return ServedFile(file=file.filename, sha256=digest, provenance=fetch_provenance(client, file))


def _listed_wheel(path: Path, size: int, headers: Headers, text: bytes) -> Wheel:
    try:
        name, problem = parse_file_name(path.name), ""
    except ValueError as error:  # packaging, and with it the index, accepts more
        name, problem = None, str(error)
    return Wheel(
        path=path,
        size=size,
        name=name,
        name_problem=problem,
        metadata=parse_headers(text) if text else headers,
        metadata_text=text,
        shallow=True,
    )


def _from_names(
    files: Sequence[IndexFile], release: ReleaseId, metadata: Mapping[str, bytes] | None = None
) -> Dist:
    """Return wheels and sdists with the facts of the listing, and METADATA of those in ``metadata``."""
    texts = metadata or {}
    wheels: list[Wheel] = []
    sdists: list[Sdist] = []
    for file in files:
        path, size, python = Path(file.filename), file.size, file.requires_python
        fields = {"name": release.distribution, "version": release.version, "requires-python": python}
        headers = Headers(fields={name: (value,) for name, value in fields.items() if value})
        if path.suffix == ".whl":
            wheels.append(_listed_wheel(path, size, headers, texts.get(file.filename, b"")))
        elif path.name.endswith(".tar.gz"):
            sdists.append(
                Sdist(
                    path=path,
                    size=size,
                    distribution=release.distribution,
                    version=release.version,
                    requires_python=python or None,
                    metadata=headers,
                )
            )
    return Dist(wheels=tuple(wheels), sdists=tuple(sdists))
