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

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from wheelkit.verification.model import Finding


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


class _Verification(Struct, frozen=True, kw_only=True):
    """The verification of one file: its signers, or the problem, or the reason why it was not verified."""

    file: str
    signers: tuple[str, ...] = ()
    problem: str = ""
    skipped: str = ""


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
    results = [_verify(file, repository) for file in signed]
    for result in results:
        if result.problem:
            yield finding("WK905", result.problem, file=result.file)
        if result.skipped:
            yield _not_verified([result.file], index, result.skipped)
    verified = [result for result in results if result.signers]
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
    results: Sequence[_Verification], keys: str, index: str, repository: PublisherRepository | None
) -> Finding:
    signers = "; ".join(dict.fromkeys(signer for result in results for signer in result.signers))
    publisher = "" if repository else f", or that these are the right publishers, which only {index} states"
    return finding(
        "WK907",
        f"{plural(len(results), 'file')} signed by {signers}; not verified, without the network:"
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


def _verify(file: ServedFile, repository: PublisherRepository | None) -> _Verification:
    from pydantic import ValidationError
    from pypi_attestations import Provenance

    try:
        provenance = Provenance.model_validate_json(file.provenance or b"")
    except ValidationError as error:
        return _unreadable(file, error.errors())
    bundles = [bundle for bundle in provenance.attestation_bundles if bundle.attestations]
    if not bundles:
        return _Verification(file=file.file, problem="its provenance has no attestation")
    own = [bundle for bundle in bundles if repository is None or repository.matches(bundle.publisher)]
    if repository is not None and not own:
        signers = "; ".join(_describe(bundle.publisher) for bundle in bundles)
        return _Verification(file=file.file, problem=f"it was signed by {signers}, not by {repository.path}")
    return _verify_signatures(file, own)


def _unreadable(file: ServedFile, errors: Sequence[Any]) -> _Verification:
    for error in errors:
        if error["type"] == "union_tag_invalid":
            reason = f"pypi-attestations does not support this kind of publisher: {error['msg']}"
            return _Verification(file=file.file, skipped=reason)
    place = ".".join(map(str, errors[0]["loc"]))
    reason = f"{place}: {errors[0]['msg']}" if place else errors[0]["msg"]
    return _Verification(file=file.file, problem=f"its provenance is not valid: {reason}")


def _verify_signatures(file: ServedFile, bundles: Sequence[Any]) -> _Verification:
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
                problem = f"the attestation by {publisher} is not valid: {reason}"
                return _Verification(file=file.file, problem=problem)
            signers.append(f"{publisher}, commit {commit[:12]}" if commit else publisher)
    return _Verification(file=file.file, signers=tuple(dict.fromkeys(signers)))


def _describe(publisher: Any) -> str:  # noqa: ANN401 - one of the library's publishers
    """Return the verified fields of a publisher, which the environment is not one of."""
    fields = (getattr(publisher, name, None) for name in _PUBLISHER_FIELDS)
    return " ".join([str(publisher.kind), *(str(field) for field in fields if field)])
