from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.signing import Authority, Workflow
from wheelkit.errors import UsageError
from wheelkit.publish import provenance
from wheelkit.publish.provenance import PublisherRepository, ServedFile

FILE, DATA = "gyro_core-1.0-py3-none-any.whl", b"the bytes"
OWN = PublisherRepository(path="acme/gyro", service="GitHub")

pytestmark = pytest.mark.skipif(
    sys.platform == "win32",
    reason="sigstore keeps its keys in the home of the user, which is not moved there",
)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    authority.trust(tmp_path)


def served(document: Any, file: str = FILE, data: bytes = DATA) -> ServedFile:
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    return ServedFile(file=file, sha256=hashlib.sha256(data).hexdigest(), provenance=text)


def judged(*documents: ServedFile, repository: PublisherRepository | None = OWN) -> dict[str, str]:
    return {one.code: one.what for one in provenance.verify_attestations(documents, "here", repository)}


def test_a_valid_attestation_and_what_is_not_verified(authority: Authority) -> None:
    document = served(authority.provenance(FILE, DATA))
    findings = judged(document)
    assert list(findings) == ["WK907"]
    assert findings["WK907"].startswith(
        "1 file signed by GitHub acme/gyro release.yml, commit c0ffeec0ffee;"
        " not verified, without the network:"
    )
    assert "revoked since sigstore" in findings["WK907"]
    assert "which only here states" not in findings["WK907"]
    assert "which only here states" in judged(document, repository=None)["WK907"]


Tamper = Callable[[dict[str, Any]], Any]


def changed(text: str) -> str:
    """Change one letter in the middle, so that it stays base64."""
    middle = len(text) // 2
    return text[:middle] + ("A" if text[middle] != "A" else "B") + text[middle + 1 :]


def flip(*path: str) -> Tamper:
    def tamper(attestation: dict[str, Any]) -> None:
        place = attestation
        for step in path[:-1]:
            place = place[step][0] if step == "transparency_entries" else place[step]
        place[path[-1]] = changed(place[path[-1]])

    return tamper


ENTRY = ("verification_material", "transparency_entries")


@pytest.mark.parametrize(
    ("tamper", "reason"),
    [
        (flip("envelope", "signature"), "DSSE: invalid signature"),
        (flip(*ENTRY, "inclusionProof", "rootHash"), "invalid root hash"),
        (flip(*ENTRY, "inclusionPromise", "signedEntryTimestamp"), "invalid inclusion promise"),
        (flip(*ENTRY, "canonicalizedBody"), "invalid root hash"),
        (flip("verification_material", "certificate"), ""),
        (
            lambda one: one["verification_material"]["transparency_entries"][0].pop("inclusionProof"),
            "transparency log entry",
        ),
        (
            lambda one: one["verification_material"]["transparency_entries"][0].pop("inclusionPromise"),
            "inclusion promise or signed timestamp",
        ),
    ],
)
def test_an_attestation_that_was_tampered_with(authority: Authority, tamper: Tamper, reason: str) -> None:
    document = authority.provenance(FILE, DATA)
    assert "WK905" not in judged(served(document))
    tamper(document["attestation_bundles"][0]["attestations"][0])
    findings = judged(served(document))
    assert list(findings) == ["WK905"]
    assert "the attestation by GitHub acme/gyro release.yml is not valid: " in findings["WK905"]
    assert reason in findings["WK905"]


def test_other_bytes_other_names_other_signers(authority: Authority) -> None:
    assert (
        "does not match distribution digest" in judged(served(authority.provenance(FILE, b"other")))["WK905"]
    )
    assert (
        "does not match distribution name"
        in judged(served(authority.provenance(FILE.replace("1.0", "1.1"), DATA)))["WK905"]
    )
    assert "is not valid" in judged(served(Authority().provenance(FILE, DATA)))["WK905"]
    stranger = authority.provenance(FILE, DATA, Workflow(repository="evil/gyro"))
    assert (
        judged(served(stranger))["WK905"] == "it was signed by GitHub evil/gyro release.yml, not by acme/gyro"
    )
    stranger["attestation_bundles"][0]["publisher"] = Workflow().publisher
    assert "is not valid: " in judged(served(stranger))["WK905"]
    other_workflow = authority.provenance(FILE, DATA, Workflow(name="other.yml"))
    other_workflow["attestation_bundles"][0]["publisher"] = Workflow().publisher
    assert "Build Config URI" in judged(served(other_workflow))["WK905"]


@pytest.mark.parametrize("text", [b"", b"<html>", b"[]", b"{}", b'{"version": 2, "attestation_bundles": []}'])
def test_an_invalid_provenance(text: bytes) -> None:
    assert judged(served(text))["WK905"].startswith("its provenance is not valid: ")


def test_a_provenance_without_attestations() -> None:
    assert judged(served({"version": 1, "attestation_bundles": []})) == {
        "WK905": "its provenance has no attestation"
    }


def test_an_unknown_kind_of_publisher_is_not_verified(authority: Authority) -> None:
    document = authority.provenance(FILE, DATA)
    document["attestation_bundles"][0]["publisher"]["kind"] = "Forge"
    findings = judged(served(document))
    assert list(findings) == ["WK907"]
    assert "were not verified: pypi-attestations does not support this kind of publisher" in findings["WK907"]


def test_a_partly_signed_release(authority: Authority) -> None:
    bare = ServedFile(file="gyro_core-1.0.tar.gz", sha256="0" * 64, provenance=None)
    assert judged(bare) == {}
    findings = judged(served(authority.provenance(FILE, DATA)), bare)
    assert findings["WK906"] == f"here serves attestations for {FILE}, but not for this file"


def test_without_the_extra(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    document = served(authority.provenance(FILE, DATA))
    monkeypatch.setitem(sys.modules, "pypi_attestations", None)
    (findings,) = provenance.verify_attestations([document], "here", None)
    assert findings.code == "WK907"
    assert "were not verified: the extra that verifies them is not installed" in findings.what
    assert findings.fix == "pip install 'wheelkit[attestations]'"


def test_keys_that_cannot_be_read(authority: Authority, tmp_path: Path) -> None:
    (path,) = tmp_path.rglob("trusted_root.json")
    path.write_text("{}")
    assert (
        "sigstore cannot open its keys on this machine"
        in judged(served(authority.provenance(FILE, DATA)))["WK907"]
    )


@pytest.mark.parametrize(
    ("text", "path", "service"),
    [
        ("acme/gyro", "acme/gyro", ""),
        ("https://github.com/acme/gyro.git", "acme/gyro", "GitHub"),
        ("https://gitlab.com/acme/tools/gyro/", "acme/tools/gyro", "GitLab"),
    ],
)
def test_repositories(text: str, path: str, service: str) -> None:
    assert PublisherRepository.parse(text) == PublisherRepository(path=path, service=service)


@pytest.mark.parametrize("text", ["gyro", "https://example.org/acme/gyro", "https://github.com/acme", ""])
def test_invalid_repositories(text: str) -> None:
    with pytest.raises(UsageError, match="is not a repository"):
        PublisherRepository.parse(text)
