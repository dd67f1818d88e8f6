"""Verify a published release: by the index's listing alone, or by downloading its files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace
from packaging.version import InvalidVersion, Version

from wheelkit import manifest
from wheelkit.config import normalise
from wheelkit.errors import IndexUnavailableError, UsageError
from wheelkit.publish import provenance
from wheelkit.publish.model import ReleaseId, belongs_to
from wheelkit.publish.provenance import ServedFile
from wheelkit.publish.simple_api import fetch_listing
from wheelkit.verification.checks.published import PublishedFiles, as_built, yanked
from wheelkit.verification.release import Dist
from wheelkit.verification.run import verify, verify_facts
from wheelkit.wheel.model import Headers, Sdist, Wheel
from wheelkit.wheel.names import parse_file_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from wheelkit.publish.client import Client
    from wheelkit.publish.index import Index
    from wheelkit.publish.provenance import PublisherRepository
    from wheelkit.publish.simple_api import IndexFile
    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding, Report


_PROVENANCE_TYPES = "application/vnd.pypi.integrity.v1+json, application/json;q=0.5"
_OK = 200


class PublishedRequest(Struct, frozen=True, kw_only=True):
    """A release on an index; ``built`` maps the files of its manifests, where there are any, to their sha256.

    Attestations have to be by ``repository``, where it is given.
    """

    identity: ReleaseId
    index: Index
    built: Mapping[str, str]
    repository: PublisherRepository | None = None


def parse_release(text: str) -> ReleaseId:
    """Read ``NAME==VERSION``; raises UsageError."""
    name, separator, version = text.partition("==")
    try:
        if separator and name.strip():
            return ReleaseId(distribution=normalise(name.strip()), version=str(Version(version.strip())))
    except InvalidVersion:
        pass
    raise UsageError(f'"{text}" is not a release', hint="write it as NAME==VERSION, such as  momentum==1.2.0")


def built_files(folder: Path, identity: ReleaseId) -> dict[str, str]:
    """Return the files of a release in the manifests of a dist folder, as names with sha256."""
    files = (file for record in manifest.read_all(folder) for file in record.files)
    return {file.file: file.sha256 for file in files if belongs_to(file.file, identity)}


def verify_published(
    request: PublishedRequest, client: Client, contract: Contract, folder: Path | None = None
) -> Report:
    """Verify a release: with a ``folder`` by downloading all files into it, otherwise by their names.

    Raises IndexUnavailableError where the index does not answer, UsageError where it has no file of this
    release.
    """
    release, index = request.identity, request.index
    listing = fetch_listing(client, index, release.distribution)
    files = tuple(file for file in listing.files if belongs_to(file.filename, release))
    if not files:
        raise UsageError(
            f"{index} has no file of {release.distribution} {release.version}",
            hint=f"check the version; its files are listed at {index.page(release.distribution)}",
        )
    own = {key: promise for key, promise in contract.promises.items() if key == release.distribution}
    contract = replace(contract, promises=own)
    findings = tuple(_compare(files, request))
    if folder is None:
        signed = (file.filename for file in files if file.provenance)
        skipped = provenance.files_without_attestation(signed, str(index))
        return verify_facts(_from_names(files, release), (*findings, *skipped), contract, by_name=True)
    served = [_download(file, client, folder) for file in files]
    attested = provenance.verify_attestations(served, str(index), request.repository)
    return verify([folder], contract, known=(*findings, *attested))


def _compare(files: Sequence[IndexFile], request: PublishedRequest) -> Iterator[Finding]:
    shown = PublishedFiles(
        index=str(request.index),
        distribution=request.identity.distribution,
        published={file.filename: file.sha256 for file in files},
        built=request.built,
        yanked=tuple(file.filename for file in files if file.yanked),
    )
    yield from as_built(shown)
    yield from yanked(shown)


def _download(file: IndexFile, client: Client, folder: Path) -> ServedFile:
    """Download a file and its provenance."""
    digest = client.download(file.url, folder / Path(file.filename).name)
    if file.sha256 and digest != file.sha256:
        raise IndexUnavailableError(
            f"{file.filename} arrived with sha256 {digest[:12]}…, but the index lists {file.sha256[:12]}…",
            hint="run it again; if it fails again, do not install from this index",
        )
    document = None
    if file.provenance:
        response = client.get(file.provenance, accept=_PROVENANCE_TYPES)
        document = response.body if response.status == _OK else b""
    return ServedFile(file=file.filename, sha256=digest, provenance=document)


def _from_names(files: Sequence[IndexFile], release: ReleaseId) -> Dist:
    wheels = tuple(_wheel(file, release) for file in files if file.filename.endswith(".whl"))
    sdists = tuple(_sdist(file, release) for file in files if file.filename.endswith(".tar.gz"))
    return Dist(wheels=wheels, sdists=sdists)


def _metadata(file: IndexFile, release: ReleaseId) -> Headers:
    fields = {
        "name": release.distribution,
        "version": release.version,
        "requires-python": file.requires_python,
    }
    return Headers(fields={name: (value,) for name, value in fields.items() if value})


def _wheel(file: IndexFile, release: ReleaseId) -> Wheel:
    """Return a wheel with the facts of the index's listing; nothing of its content is known."""
    return Wheel(
        path=Path(file.filename),
        size=file.size,
        name=parse_file_name(file.filename),
        name_problem="",
        members=(),
        dist_info="",
        metadata_text=b"",
        metadata=_metadata(file, release),
        fields=Headers(fields={}),
        record=None,
        record_problem="",
        binaries=(),
        stray=0,
        shared=0,
        shallow=True,
    )


def _sdist(file: IndexFile, release: ReleaseId) -> Sdist:
    return Sdist(
        path=Path(file.filename),
        size=file.size,
        distribution=release.distribution,
        version=release.version,
        requires_python=file.requires_python or None,
        metadata=_metadata(file, release),
    )
