"""A certificate authority that signs files as CI services do (PEP 740), with its logs and keys.

The formats are those of RFC 6962 (certificate transparency), DSSE, in-toto and Sigstore's trusted root;
once `pypi-attestations` trusts these keys, it reads them like real ones.
"""

import hashlib
import json
import struct
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_MOMENT = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
_SCTS = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_PAYLOAD = "application/vnd.in-toto+json"
_LOG = "log.invalid"
COMMIT = "c0ffee" * 6 + "beef"


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """The workflow that signs."""

    repository: str = "acme/gyro"
    name: str = "release.yml"
    commit: str = COMMIT

    @property
    def publisher(self) -> dict[str, Any]:
        """The publisher in the index's provenance."""
        return {"kind": "GitHub", "repository": self.repository, "workflow": self.name, "environment": "pypi"}

    def claims(self) -> dict[int, str]:
        """Return the certificate's claims by the last number of Fulcio's object identifiers."""
        home = f"https://github.com/{self.repository}"
        source = {
            8: "https://token.actions.githubusercontent.com",
            12: home,
            13: self.commit,
            14: "refs/tags/v1.0",
        }
        return {**source, 18: f"{home}/.github/workflows/{self.name}@refs/tags/v1.0"}


class Authority:
    """Issues a certificate for each signature and logs both."""

    def __init__(self, moment: datetime = _MOMENT) -> None:
        self._moment = moment
        self._root_key, self._ct_key, self._log_key = (
            ec.generate_private_key(ec.SECP256R1()) for _ in range(3)
        )
        self._root = self._self_signed()

    def trust(self, home: Path) -> Path:
        """Write the keys to where sigstore, run with this home, caches its own; return the folder."""
        from sigstore._internal.tuf import DEFAULT_TUF_URL, _get_dirs

        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HOME", str(home))
            patch.delenv("XDG_CACHE_HOME", raising=False)
            path = _get_dirs(DEFAULT_TUF_URL)[1] / "trusted_root.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(self.trusted_root()))
        return path.parent

    def provenance(self, file: str, data: bytes, by: Workflow | None = None) -> dict[str, Any]:
        """Return the provenance of a file that a workflow signed."""
        workflow = by or Workflow()
        bundle = {"publisher": workflow.publisher, "attestations": [self.attestation(file, data, workflow)]}
        return {"version": 1, "attestation_bundles": [bundle]}

    def attestation(self, file: str, data: bytes, by: Workflow | None = None) -> dict[str, Any]:
        """Sign a file and return its attestation."""
        from pypi_attestations import AttestationType

        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._certificate(key.public_key(), by or Workflow())
        statement = {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": file, "digest": {"sha256": hashlib.sha256(data).hexdigest()}}],
            "predicateType": AttestationType.PYPI_PUBLISH_V1.value,
            "predicate": None,
        }
        payload = json.dumps(statement, separators=(",", ":")).encode()
        signature = _sign(key, f"DSSEv1 {len(_PAYLOAD)} {_PAYLOAD} {len(payload)} ".encode() + payload)
        material = {"certificate": _text(certificate.public_bytes(Encoding.DER))}
        material |= {"transparency_entries": [self._logged(payload, signature, certificate)]}
        envelope = {"statement": _text(payload), "signature": _text(signature)}
        return {"version": 1, "verification_material": material, "envelope": envelope}

    def certify(self, request: bytes, by: Workflow) -> list[bytes]:
        """Return the chain of certificates, in PEM, for a request of a workflow."""
        wanted = x509.load_pem_x509_csr(request)
        key = wanted.public_key()
        assert wanted.is_signature_valid
        assert isinstance(key, ec.EllipticCurvePublicKey)
        return [one.public_bytes(Encoding.PEM) for one in (self._certificate(key, by), self._root)]

    def log(self, envelope: dict[str, Any], certificate: bytes) -> dict[str, Any]:
        """Return the log's answer to an envelope that was signed with a certificate (Rekor, version 1)."""
        payload, signature = b64decode(envelope["payload"]), b64decode(envelope["signatures"][0]["sig"])
        entry = self._logged(payload, signature, x509.load_pem_x509_certificate(certificate))
        proof = entry["inclusionProof"]
        hashes = [b64decode(text).hex() for text in proof["hashes"]]
        verification = {
            "signedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
            "inclusionProof": {
                "logIndex": 0,
                "treeSize": 2,
                "rootHash": b64decode(proof["rootHash"]).hex(),
                "hashes": hashes,
                "checkpoint": proof["checkpoint"]["envelope"],
            },
        }
        return {
            "body": entry["canonicalizedBody"],
            "integratedTime": int(entry["integratedTime"]),
            "logID": b64decode(entry["logId"]["keyId"]).hex(),
            "logIndex": 0,
            "verification": verification,
        }

    def _self_signed(self) -> x509.Certificate:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        public = self._root_key.public_key()
        return (
            _draft(name, name, public, self._moment)
            .not_valid_after(self._moment + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self._root_key, SHA256())
        )

    def _certificate(self, key: ec.EllipticCurvePublicKey, by: Workflow) -> x509.Certificate:
        """Issue a certificate with the log's signed timestamp."""
        claims = by.claims()
        draft = (
            _draft(x509.Name([]), self._root.subject, key, self._moment)
            .not_valid_after(self._moment + timedelta(minutes=10))
            .add_extension(
                x509.SubjectAlternativeName([x509.UniformResourceIdentifier(claims[18])]), critical=True
            )
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._root_key.public_key()),
                critical=False,
            )
        )
        for number, value in claims.items():
            extension = x509.UnrecognizedExtension(
                x509.ObjectIdentifier(f"1.3.6.1.4.1.57264.1.{number}"), _der(0x0C, value.encode())
            )
            draft = draft.add_extension(extension, critical=False)
        stamps = _der(0x04, self._timestamps(draft.sign(self._root_key, SHA256()).tbs_certificate_bytes))
        return draft.add_extension(x509.UnrecognizedExtension(_SCTS, stamps), critical=False).sign(
            self._root_key, SHA256()
        )

    def _timestamps(self, certificate: bytes) -> bytes:
        """Return the list of one signed certificate timestamp (RFC 6962, section 3.2)."""
        moment = int(self._moment.timestamp() * 1000)
        entry = _key_id(self._root_key) + len(certificate).to_bytes(3, "big") + certificate
        signature = _sign(self._ct_key, struct.pack("!BBQH", 0, 0, moment, 1) + entry + b"\0\0")
        stamp = (
            b"\0" + _key_id(self._ct_key) + struct.pack("!QHBBH", moment, 0, 4, 3, len(signature)) + signature
        )
        return struct.pack("!HH", len(stamp) + 2, len(stamp)) + stamp

    def _logged(self, payload: bytes, signature: bytes, certificate: x509.Certificate) -> dict[str, Any]:
        """Return a signature's entry in a log of two entries, with its inclusion proof."""
        verifier = _text(certificate.public_bytes(Encoding.PEM))
        spec = {
            "envelopeHash": {"algorithm": "sha256", "value": hashlib.sha256(payload + signature).hexdigest()},
            "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
            "signatures": [{"signature": _text(signature), "verifier": verifier}],
        }
        body = _canonical({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec})
        sibling = hashlib.sha256(b"\0another entry").digest()
        root = hashlib.sha256(b"\1" + hashlib.sha256(b"\0" + body).digest() + sibling).digest()
        moment, log = int(self._moment.timestamp()) + 5, _key_id(self._log_key)
        entry = {"body": _text(body), "integratedTime": moment, "logID": log.hex(), "logIndex": 0}
        return {
            "logIndex": "0",
            "logId": {"keyId": _text(log)},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(moment),
            "inclusionPromise": {"signedEntryTimestamp": _text(_sign(self._log_key, _canonical(entry)))},
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": _text(root),
                "treeSize": "2",
                "hashes": [_text(sibling)],
                "checkpoint": {"envelope": self._checkpoint(root)},
            },
            "canonicalizedBody": _text(body),
        }

    def _checkpoint(self, root: bytes) -> str:
        note = f"{_LOG} - 1\n2\n{_text(root)}\n"
        signature = _key_id(self._log_key)[:4] + _sign(self._log_key, note.encode())
        return f"{note}\n\N{EM DASH} {_LOG} {_text(signature)}\n"

    def trusted_root(self) -> dict[str, Any]:
        """Return the document by which sigstore trusts the authority and its logs."""
        valid = {"start": (self._moment - timedelta(days=365)).isoformat().replace("+00:00", "Z")}
        root = {"rawBytes": _text(self._root.public_bytes(Encoding.DER))}
        subject = {"organization": "tests", "commonName": "test authority"}
        authority = {
            "subject": subject,
            "uri": f"https://{_LOG}",
            "certChain": {"certificates": [root]},
            "validFor": valid,
        }
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [_log(self._log_key, valid)],
            "certificateAuthorities": [authority],
            "ctlogs": [_log(self._ct_key, valid)],
        }


def _draft(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, moment: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    return builder.serial_number(x509.random_serial_number()).not_valid_before(moment)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _log(key: ec.EllipticCurvePrivateKey, valid: dict[str, str]) -> dict[str, Any]:
    public = {"rawBytes": _text(_public(key)), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": valid}
    return {
        "baseUrl": f"https://{_LOG}",
        "hashAlgorithm": "SHA2_256",
        "publicKey": public,
        "logId": {"keyId": _text(_key_id(key))},
    }


def _sign(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    return key.sign(data, ec.ECDSA(SHA256()))


def _public(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _key_id(key: ec.EllipticCurvePrivateKey) -> bytes:
    return hashlib.sha256(_public(key)).digest()


def _der(tag: int, data: bytes) -> bytes:
    size = len(data)
    length = (
        bytes([size])
        if size < 0x80
        else bytes([0x81, size])
        if size < 0x100
        else b"\x82" + size.to_bytes(2, "big")
    )
    return bytes([tag]) + length + data


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _canonical(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
