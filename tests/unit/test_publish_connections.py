"""The certificates that wheelkit trusts are those that twine's uploads, made with requests, trust."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import requests
import trustme

from wheelkit.errors import IndexUnavailableError
from wheelkit.publish import connections

VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.mark.parametrize(
    "variables",
    [
        {"REQUESTS_CA_BUNDLE": "one"},
        {"CURL_CA_BUNDLE": "one"},
        {"REQUESTS_CA_BUNDLE": "one", "CURL_CA_BUNDLE": "two"},
        {"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": "two"},
    ],
)
def test_the_bundle_is_the_one_that_requests_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, bundle in variables.items():
        path = tmp_path / f"{bundle}.pem"
        trustme.CA().cert_pem.write_to_path(path)
        monkeypatch.setenv(name, str(path) if bundle else "")
    asked = requests.Session().merge_environment_settings("https://h.invalid", {}, None, None, None)
    expected = ssl.PEM_cert_to_DER_cert(Path(asked["verify"]).read_text())
    assert connections._tls_context().get_ca_certs(binary_form=True) == [expected]


@pytest.mark.parametrize("name", VARIABLES)
def test_a_bundle_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv(VARIABLES[0], raising=False)
    monkeypatch.setenv(name, str(tmp_path / "absent.pem"))
    with pytest.raises(IndexUnavailableError, match=f"no certificates can be read from {name}, ") as caught:
        connections._tls_context()
    assert caught.value.hint.startswith(f"correct {name}")
