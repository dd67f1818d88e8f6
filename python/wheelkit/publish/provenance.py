"""What the attestations of published files prove (PEP 740), verified without the network, and said with what that leaves open.

``pypi-attestations`` does the verification, an optional extra: the signature, its certificate and that certificate's own log, the entry in
the transparency log, and the file's name and sha256. Whom to trust comes from the keys that ``sigstore`` keeps on this machine.
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
_COMMIT = "1.3.6.1.4.1.57264.1.13"
_HOSTS = {"github.com": "GitHub", "gitlab.com": "GitLab"}


class PublisherRepository(Struct, frozen=True, kw_only=True):
    """Where a project says that it publishes from: ``owner/name``, and the service where that is known."""

    path: str
    service: str = ""

    @staticmethod
    def parse(text: str) -> PublisherRepository:
        """Read ``owner/name`` or the repository's address; raises UsageError."""
        parts = urlsplit(text)
        path = parts.path.strip("/").removesuffix(".git")
        if "/" not in path or (parts.scheme and parts.hostname not in _HOSTS):
            raise UsageError(
                f'"{text}" names no repository',
                hint="write it like  --repository https://github.com/owner/name",
            )
        return PublisherRepository(path=path, service=_HOSTS.get(parts.hostname or "", ""))

    def is_of(self, publisher: Any) -> bool:  # noqa: ANN401 - one of the library's publishers
        """Tell whether a publisher works from here; services do not tell upper from lower case."""
        path = str(getattr(publisher, "repository", ""))
        return path.casefold() == self.path.casefold() and self.service in {"", publisher.kind}


class Attestation(Struct, frozen=True, kw_only=True):
    """A published file, and the provenance that the index serves for it: None where it serves none."""

    file: str
    sha256: str
    provenance: bytes | None


class _Verification(Struct, frozen=True, kw_only=True):
    """What became of one file: the signers whose attestations hold, else the problem, or the reason why nobody can tell."""

    file: str
    signers: tuple[str, ...] = ()
    problem: str = ""
    unknown: str = ""


def verify_attestations(
    documents: Sequence[Attestation], index: str, repository: PublisherRepository | None
) -> Iterator[Finding]:
    """Verify every attestation; ends with a note that says what was verified and what was not."""
    signed = [one for one in documents if one.provenance is not None]
    if not signed:
        return
    names = [one.file for one in signed]
    try:
        trust = _trust()
    except ImportError:
        yield _not_verified(names, index, "the extra that verifies them is not installed", EXTRA)
        return
    except Exception as error:  # noqa: BLE001 - another project's own store of keys, in whatever state it is
        yield _not_verified(names, index, f"sigstore cannot open its keys on this machine: {error}")
        return
    for one in documents:
        if one.provenance is None:
            yield finding(
                "WK906",
                what=f"{index} serves attestations for {shorten_list(names)} and none for this file",
                file=one.file,
            )
    proofs = [_prove(one, repository) for one in signed]
    for proof in proofs:
        if proof.problem:
            yield finding("WK905", what=proof.problem, file=proof.file)
    for proof in (one for one in proofs if one.unknown):
        yield _not_verified([proof.file], index, proof.unknown)
    good = [one for one in proofs if one.signers]
    if good:
        yield _verified(good, trust, index, repository)


def files_without_attestation(files: Iterable[str], index: str) -> Iterator[Finding]:
    """Say of files that were not fetched that their attestations were not looked at."""
    names = tuple(files)
    if names:
        yield _not_verified(names, index, "the files were not fetched", "add --deep to verify them")


def _not_verified(names: Sequence[str], index: str, reason: str, fix: str = "") -> Finding:
    return finding(
        "WK907",
        what=f"the attestations that {index} serves for {shorten_list(names)} were not verified: {reason}",
        fix=fix,
    )


def _verified(
    proofs: Sequence[_Verification], trust: str, index: str, repository: PublisherRepository | None
) -> Finding:
    signers = tuple(dict.fromkeys(signer for one in proofs for signer in one.signers))
    publisher = (
        "" if repository else f", and that these are the right publishers, which is {index}'s word alone"
    )
    return finding(
        "WK907",
        what=f"{plural(len(proofs), 'file')} signed by {'; '.join(signers)}; not verified, without the network: that none of the keys"
        f" was withdrawn since {trust}{publisher}",
        fix="name the repository that publishes:  --repository URL" if not repository else "",
    )


def _trust() -> str:
    """Make sure that keys are there to verify with, and tell whose state they are; raises ImportError without the extra."""
    # Its warning that nothing is fetched is what is wanted here.
    logging.getLogger("sigstore").addHandler(logging.NullHandler())
    import pypi_attestations  # noqa: F401 - the extra itself
    import sigstore
    from sigstore.verify import Verifier

    Verifier.production(offline=True)
    return f"sigstore {sigstore.__version__} got them"


def _prove(document: Attestation, repository: PublisherRepository | None) -> _Verification:
    from pydantic import ValidationError
    from pypi_attestations import Provenance

    try:
        provenance = Provenance.model_validate_json(document.provenance or b"")
    except ValidationError as error:
        kinds = [one for one in error.errors() if one["type"] == "union_tag_invalid"]
        if kinds:
            return _Verification(
                file=document.file,
                unknown=f"pypi-attestations does not know this kind of publisher: {kinds[0]['msg']}",
            )
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        return _Verification(
            file=document.file,
            problem=f"what is served as its provenance is none: {f'{place}: ' if place else ''}{first['msg']}",
        )
    bundles = [one for one in provenance.attestation_bundles if one.attestations]
    if not bundles:
        return _Verification(file=document.file, problem="its provenance holds no attestation")
    if repository is not None and not any(repository.is_of(one.publisher) for one in bundles):
        others = "; ".join(_words(one.publisher) for one in bundles)
        return _Verification(
            file=document.file, problem=f"it was signed by {others}, and not from {repository.path}"
        )
    return _proven(
        document, [one for one in bundles if repository is None or repository.is_of(one.publisher)]
    )


def _proven(document: Attestation, bundles: Sequence[Any]) -> _Verification:
    from pypi_attestations import Distribution

    file = Distribution(name=document.file, digest=document.sha256)
    signers: list[str] = []
    for bundle in bundles:
        for attestation in bundle.attestations:
            try:
                attestation.verify(bundle.publisher, file, offline=True)
                commit = attestation.certificate_claims.get(_COMMIT, "")
            except Exception as error:  # noqa: BLE001 - the libraries meet what strangers wrote; whatever they raise, it does not hold
                reason = str(error).removeprefix("Verification failed: ") or type(error).__name__
                return _Verification(
                    file=document.file,
                    problem=f"the attestation by {_words(bundle.publisher)} does not hold: {reason}",
                )
            signers.append(_words(bundle.publisher) + (f", commit {commit[:12]}" if commit else ""))
    return _Verification(file=document.file, signers=tuple(dict.fromkeys(signers)))


def _words(publisher: Any) -> str:  # noqa: ANN401 - one of the library's publishers
    """Tell what of a publisher is verified, which leaves out the environment."""
    named = (
        getattr(publisher, name, None)
        for name in ("repository", "email", "project_id", "workflow", "workflow_filepath")
    )
    return " ".join([str(publisher.kind), *(str(one) for one in named if one)])
