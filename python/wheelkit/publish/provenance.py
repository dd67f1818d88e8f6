"""Verify the attestations that an index serves for its files (PEP 740), without the network.

``pypi-attestations``, an optional extra, verifies the signature, its certificate and the certificate's log,
the entry in the transparency log, and the file's name and sha256, with the keys that ``sigstore`` keeps on
this machine.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec import Struct

from wheelkit.errors import UsageError
from wheelkit.text import plural, shorten_list
from wheelkit.verification.findings import finding
from wheelkit.verification.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


EXTRA = "pip install 'wheelkit[attestations]'"
# Source repository digest, in the certificates that Fulcio issues (sigstore/fulcio, docs/oid-info.md).
_COMMIT_OID = "1.3.6.1.4.1.57264.1.13"
_SERVICES = {"github.com": "GitHub", "gitlab.com": "GitLab"}
_PUBLISHER_FIELDS = ("repository", "email", "project_id", "workflow", "workflow_filepath")


class PublisherRepository(Struct, frozen=True, kw_only=True):
    """The repository that a project publishes from: ``owner/name``, and the service where it is known."""

    path: str
    service: str = ""

    @staticmethod
    def parse(text: str) -> PublisherRepository:
        """Read ``owner/name`` or the repository's address; raises UsageError."""
        parts = urlsplit(text)
        path = parts.path.strip("/").removesuffix(".git")
        if "/" not in path or (parts.scheme and parts.hostname not in _SERVICES):
            raise UsageError(
                f'"{text}" is not a repository', hint="example:  --repository https://github.com/owner/name"
            )
        return PublisherRepository(path=path, service=_SERVICES.get(parts.hostname or "", ""))

    def matches(self, publisher: Any) -> bool:  # noqa: ANN401 - one of the library's publishers
        """Return whether a publisher works from this repository; services ignore case."""
        path = str(getattr(publisher, "repository", ""))
        return path.casefold() == self.path.casefold() and self.service in {"", publisher.kind}


class ServedFile(Struct, frozen=True, kw_only=True):
    """A file of an index with the provenance that is served for it: None where there is none."""

    file: str
    sha256: str
    provenance: bytes | None


def verify_attestations(
    files: Sequence[ServedFile], index: str, repository: PublisherRepository | None
) -> Iterator[Finding]:
    """Verify every attestation; the last finding says what was verified and what was not."""
    signed = [file for file in files if file.provenance is not None]
    if not signed:
        return
    names = [file.file for file in signed]
    try:
        keys = _load_keys()
    except ImportError:
        yield _not_verified(names, index, "the extra that verifies them is not installed", EXTRA)
        return
    except Exception as error:  # noqa: BLE001 - whatever sigstore raises for the state of its key store
        yield _not_verified(names, index, f"sigstore cannot open its keys on this machine: {error}")
        return
    for file in files:
        if file.provenance is None:
            what = f"{index} serves attestations for {shorten_list(names)}, but not for this file"
            yield finding("WK906", what, file=file.file)
    results = [_verify(file, index, repository) for file in signed]
    yield from (result for result in results if isinstance(result, Finding))
    verified = [result for result in results if not isinstance(result, Finding)]
    if verified:
        yield _verified(verified, keys, index, repository)


def files_without_attestation(files: Iterable[str], index: str) -> Iterator[Finding]:
    """Report that the attestations of files that were not downloaded are not verified."""
    names = tuple(files)
    if names:
        yield _not_verified(names, index, "the files were not downloaded", "add --deep to verify them")


def _not_verified(names: Sequence[str], index: str, reason: str, fix: str = "") -> Finding:
    return finding(
        "WK907",
        f"the attestations that {index} serves for {shorten_list(names)} were not verified: {reason}",
        fix=fix,
    )


def _verified(
    verified: Sequence[Sequence[str]], keys: str, index: str, repository: PublisherRepository | None
) -> Finding:
    signers = "; ".join(dict.fromkeys(signer for signers in verified for signer in signers))
    publisher = "" if repository else f", or that these are the right publishers, which only {index} states"
    return finding(
        "WK907",
        f"{plural(len(verified), 'file')} signed by {signers}; not verified, without the network:"
        f" that no key was revoked since {keys}{publisher}",
        fix="" if repository else "name the repository that publishes:  --repository URL",
    )


def _load_keys() -> str:
    """Load the keys to verify with, and return their source; raises ImportError without the extra."""
    # It warns that nothing is fetched, which is the intention.
    logging.getLogger("sigstore").addHandler(logging.NullHandler())
    import pypi_attestations  # noqa: F401 - the extra itself
    import sigstore
    from sigstore.verify import Verifier

    Verifier.production(offline=True)
    return f"sigstore {sigstore.__version__} obtained them"


def _verify(
    file: ServedFile, index: str, repository: PublisherRepository | None
) -> tuple[str, ...] | Finding:
    """Return the signers of one file, or the finding that says why there are none."""
    from pydantic import ValidationError
    from pypi_attestations import Provenance

    try:
        provenance = Provenance.model_validate_json(file.provenance or b"")
    except ValidationError as error:
        return _unreadable(file, index, error.errors())
    bundles = [bundle for bundle in provenance.attestation_bundles if bundle.attestations]
    if not bundles:
        return finding("WK905", "its provenance has no attestation", file=file.file)
    own = [bundle for bundle in bundles if repository is None or repository.matches(bundle.publisher)]
    if repository is not None and not own:
        signers = "; ".join(_describe(bundle.publisher) for bundle in bundles)
        return finding("WK905", f"it was signed by {signers}, not by {repository.path}", file=file.file)
    return _verify_signatures(file, own)


def _unreadable(file: ServedFile, index: str, errors: Sequence[Any]) -> Finding:
    for error in errors:
        if error["type"] == "union_tag_invalid":
            reason = f"pypi-attestations does not support this kind of publisher: {error['msg']}"
            return _not_verified([file.file], index, reason)
    place = ".".join(map(str, errors[0]["loc"]))
    reason = f"{place}: {errors[0]['msg']}" if place else errors[0]["msg"]
    return finding("WK905", f"its provenance is not valid: {reason}", file=file.file)


def _verify_signatures(file: ServedFile, bundles: Sequence[Any]) -> tuple[str, ...] | Finding:
    from pypi_attestations import Distribution

    distribution = Distribution(name=file.file, digest=file.sha256)
    signers: list[str] = []
    for bundle in bundles:
        publisher = _describe(bundle.publisher)
        for attestation in bundle.attestations:
            try:
                attestation.verify(bundle.publisher, distribution, offline=True)
                commit = attestation.certificate_claims.get(_COMMIT_OID, "")
            except Exception as error:  # noqa: BLE001 - whatever the libraries raise, it is not valid
                reason = str(error).removeprefix("Verification failed: ") or type(error).__name__
                what = f"the attestation by {publisher} is not valid: {reason}"
                return finding("WK905", what, file=file.file)
            signers.append(f"{publisher}, commit {commit[:12]}" if commit else publisher)
    return tuple(dict.fromkeys(signers))


def _describe(publisher: Any) -> str:  # noqa: ANN401 - one of the library's publishers
    """Return the verified fields of a publisher, which the environment is not one of."""
    fields = (getattr(publisher, name, None) for name in _PUBLISHER_FIELDS)
    return " ".join([str(publisher.kind), *(str(field) for field in fields if field)])
