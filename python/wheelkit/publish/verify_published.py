"""What is published, proven as a dist folder is: coverage from the index's list alone, or contents from the files themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit import manifest
from wheelkit.config import normalise
from wheelkit.errors import IndexUnavailableError, UsageError
from wheelkit.publish import provenance
from wheelkit.publish.model import FileIdentity, same_version
from wheelkit.publish.provenance import Attestation
from wheelkit.publish.simple_api import fetch_listing
from wheelkit.verification.checks.published import Shown, as_built, yanked
from wheelkit.verification.release import Dist
from wheelkit.verification.run import judge, verify
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


_NOTHING = Headers(fields={})
_OK = 200


class PublishedRequest(Struct, frozen=True, kw_only=True):
    """Which release on which index; ``built`` holds the sha256 of the files that were built, by name, where a manifest tells it.

    ``repository`` is where the project publishes from, so that attestations by others are none.
    """

    identity: FileIdentity
    index: Index
    built: Mapping[str, str]
    repository: PublisherRepository | None = None


def parse_release(text: str) -> FileIdentity:
    """Read ``NAME==VERSION``; raises UsageError."""
    from packaging.version import InvalidVersion, Version

    name, separator, version = text.partition("==")
    try:
        if separator and name.strip():
            return FileIdentity(distribution=normalise(name.strip()), version=str(Version(version.strip())))
    except InvalidVersion:
        pass
    raise UsageError(f'"{text}" names no release', hint="write it like  momentum==1.2.0")


def built_files(folder: Path, identity: FileIdentity) -> dict[str, str]:
    """Read from the manifests of a dist folder which files of a release were built; maps their names to sha256."""
    files = (one for record in manifest.read_all(folder) for one in record.files)
    return {one.file: one.sha256 for one in files if same_version(one.file, identity)}


def verify_published(
    request: PublishedRequest, client: Client, contract: Contract, folder: Path | None = None
) -> Report:
    """Prove a published release against the project's promise: with a ``folder`` all files are fetched into it and read, else names judge.

    Raises IndexUnavailableError where the index does not answer, UsageError where it has no file of this release.
    """
    listing = fetch_listing(client, request.index, request.identity.distribution)
    files = tuple(one for one in listing.files if same_version(one.filename, request.identity))
    if not files:
        raise UsageError(
            f"{request.index} has no file of {request.identity.distribution} {request.identity.version}",
            hint=f"it looks at {request.index.page(request.identity.distribution)}",
        )
    only = {key: one for key, one in contract.promises.items() if key == request.identity.distribution}
    contract = replace(contract, promises=only)
    findings = tuple(_compared(files, request))
    if folder is None:
        unseen = provenance.files_without_attestation(
            (one.filename for one in files if one.provenance), str(request.index)
        )
        return judge(_from_names(files, request.identity), (*findings, *unseen), contract, named=True)
    documents = [_fetched(one, client, folder) for one in files]
    findings += tuple(provenance.verify_attestations(documents, str(request.index), request.repository))
    return verify([folder], contract, known=findings)


def _compared(files: Sequence[IndexFile], request: PublishedRequest) -> Iterator[Finding]:
    shown = Shown(
        index=str(request.index),
        distribution=request.identity.distribution,
        there={one.filename: one.sha256 for one in files},
        built=request.built,
        yanked=tuple(one.filename for one in files if one.yanked),
    )
    yield from as_built(shown)
    yield from yanked(shown)


def _fetched(file: IndexFile, client: Client, folder: Path) -> Attestation:
    """Fetch a file, and what the index serves to prove its origin."""
    digest = client.download(file.url, folder / Path(file.filename).name)
    if file.sha256 and digest != file.sha256:
        raise IndexUnavailableError(
            f"{file.filename} arrived with the sha256 {digest[:12]}…, and the index lists {file.sha256[:12]}…",
            hint="try again; if it stays so, do not install from there",
        )
    if not file.provenance:
        return Attestation(file=file.filename, sha256=digest, provenance=None)
    answer = client.get(
        file.provenance, accept="application/vnd.pypi.integrity.v1+json, application/json;q=0.5"
    )
    return Attestation(
        file=file.filename, sha256=digest, provenance=answer.body if answer.status == _OK else b""
    )


def _from_names(files: Sequence[IndexFile], identity: FileIdentity) -> Dist:
    wheels = tuple(_wheel(one, identity) for one in files if one.filename.endswith(".whl"))
    sdists = tuple(_sdist(one, identity) for one in files if one.filename.endswith(".tar.gz"))
    return Dist(wheels=wheels, sdists=sdists)


def _metadata(file: IndexFile, identity: FileIdentity) -> Headers:
    told = {
        "name": identity.distribution,
        "version": identity.version,
        "requires-python": file.requires_python,
    }
    return Headers(fields={name: (value,) for name, value in told.items() if value})


def _wheel(file: IndexFile, identity: FileIdentity) -> Wheel:
    """Describe a wheel by all that the list tells of it."""
    return Wheel(
        path=Path(file.filename),
        size=file.size,
        name=parse_file_name(file.filename),
        name_problem="",
        members=(),
        dist_info="",
        metadata_text=b"",
        metadata=_metadata(file, identity),
        fields=_NOTHING,
        record=None,
        record_problem="",
        binaries=(),
        stray=0,
        shared=0,
        shallow=True,
    )


def _sdist(file: IndexFile, identity: FileIdentity) -> Sdist:
    metadata = _metadata(file, identity)
    return Sdist(
        path=Path(file.filename),
        size=file.size,
        distribution=identity.distribution,
        version=identity.version,
        requires_python=file.requires_python or None,
        metadata=metadata,
    )
