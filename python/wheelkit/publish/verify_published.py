"""Verify a published release: by the index's listing alone, or by downloading its files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit import manifest
from wheelkit.errors import IndexUnavailableError
from wheelkit.publish import provenance
from wheelkit.publish.listed_versions import choose_release
from wheelkit.publish.model import belongs_to
from wheelkit.publish.provenance import ServedFile
from wheelkit.publish.simple_api import fetch_listing
from wheelkit.verification.checks.published import PublishedFiles, as_built, yanked
from wheelkit.verification.model import Severity
from wheelkit.verification.release import Dist
from wheelkit.verification.run import verify, verify_facts
from wheelkit.wheel.model import Headers, Sdist, Wheel
from wheelkit.wheel.names import parse_file_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wheelkit.publish.client import Client
    from wheelkit.publish.index import Index
    from wheelkit.publish.listed_versions import WantedRelease
    from wheelkit.publish.model import ReleaseId
    from wheelkit.publish.provenance import PublisherRepository
    from wheelkit.publish.simple_api import IndexFile
    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Report


_PROVENANCE_TYPES = "application/vnd.pypi.integrity.v1+json, application/json;q=0.5"
_OK = 200


class PublishedRequest(Struct, frozen=True, kw_only=True):
    """A release on an index; manifests in ``folders`` say what was built.

    Attestations have to be by ``repository``, where it is given. ``fail_on`` is the least that fails.
    """

    wanted: WantedRelease
    index: Index
    folders: tuple[Path, ...] = ()
    fail_on: Severity = Severity.ERROR
    repository: PublisherRepository | None = None


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
    contract = replace(contract, promises=own)
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
            _from_names(files, release),
            (*findings, *skipped),
            contract,
            by_name=True,
            fail_on=request.fail_on,
        )
    served = [_download(file, client, folder) for file in files]
    attested = provenance.verify_attestations(served, str(index), request.repository)
    return verify([folder], contract, known=(*findings, *attested), fail_on=request.fail_on)


def _download(file: IndexFile, client: Client, folder: Path) -> ServedFile:
    """Download a file and its provenance."""
    path = folder / Path(file.filename).name
    digest = client.download(file.url, path)
    if file.sha256 and digest != file.sha256:
        raise IndexUnavailableError(
            f"{file.filename} arrived with sha256 {digest[:12]}…, but the index lists {file.sha256[:12]}…",
            hint="run it again; if it fails again, do not install from this index",
        )
    if file.size and path.stat().st_size != file.size:
        raise IndexUnavailableError(
            f"{file.filename} arrived with {path.stat().st_size} bytes, but the index lists {file.size}",
            hint="run it again; if it fails again, do not install from this index",
        )
    document = None
    if file.provenance:
        response = client.get(file.provenance, accept=_PROVENANCE_TYPES)
        document = response.body if response.status == _OK else b""
    return ServedFile(file=file.filename, sha256=digest, provenance=document)


def _listed_wheel(path: Path, size: int, metadata: Headers) -> Wheel:
    try:
        name, problem = parse_file_name(path.name), ""
    except ValueError as error:  # packaging, and with it the index, accepts more
        name, problem = None, str(error)
    return Wheel(path=path, size=size, name=name, name_problem=problem, metadata=metadata, shallow=True)


def _from_names(files: Sequence[IndexFile], release: ReleaseId) -> Dist:
    """Return wheels and sdists with the facts of the index's listing; nothing of their content is known."""
    wheels: list[Wheel] = []
    sdists: list[Sdist] = []
    for file in files:
        path, size, python = Path(file.filename), file.size, file.requires_python
        fields = {"name": release.distribution, "version": release.version, "requires-python": python}
        metadata = Headers(fields={name: (value,) for name, value in fields.items() if value})
        if path.suffix == ".whl":
            wheels.append(_listed_wheel(path, size, metadata))
        elif path.name.endswith(".tar.gz"):
            sdists.append(
                Sdist(
                    path=path,
                    size=size,
                    distribution=release.distribution,
                    version=release.version,
                    requires_python=python or None,
                    metadata=metadata,
                )
            )
    return Dist(wheels=tuple(wheels), sdists=tuple(sdists))
