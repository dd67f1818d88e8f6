"""Trusted publishing end to end: an identity, a minted token, the real twine over TLS, and the token revoked.

The programs talk to the public indexes by their real names: a proxy sends those hosts to the fake index,
whose certificate a local authority issued.
"""

from __future__ import annotations

import json
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from servers.issuer import Issuer, issuing
from servers.proxy import Proxy, proxying
from servers.publishers import Publishers
from servers.warehouse import Warehouse, serving
from support.command import Wheelkit
from support.releases import CLI, Member, Project, make_family
from support.signing import Authority
from wheelkit.config import Config
from wheelkit.publish import resolve

FAMILY = (Member(name="gyro-core"), CLI)
BOTH = frozenset(member.name for member in FAMILY)


def hosts(name: str) -> set[str]:
    """Name the hosts of a public index, as twine and the configuration know them."""
    index = resolve(name, Config())
    return {str(urlsplit(address).hostname) for address in (index.upload, index.simple)}


@dataclass
class Scene:
    """A released family in a CI job, with a fake of the public index."""

    project: Project
    wheelkit: Wheelkit
    index: Warehouse
    issuer: Issuer
    proxy: Proxy
    authority: Path

    def __call__(self, to: str = "pypi", **env: str) -> subprocess.CompletedProcess[str]:
        trust = {
            "HTTPS_PROXY": self.proxy.address,
            "https_proxy": self.proxy.address,
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }
        trust |= {
            "REQUESTS_CA_BUNDLE": str(self.authority),
            "SSL_CERT_FILE": str(self.authority),
            "CURL_CA_BUNDLE": "",
        }
        home = {
            "HOME": str(self.project.root.parent),
            "TWINE_PASSWORD": "",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }
        return self.wheelkit(
            "publish",
            "dist",
            "--to",
            to,
            cwd=self.project.root,
            env={**trust, **home, **self.issuer.environment(), **env},
        )

    def secrets(self) -> list[str]:
        return [*self.index.publishers.issued, *self.issuer.signed, self.issuer.request_token]

    def leaks(self, done: subprocess.CompletedProcess[str]) -> list[str]:
        """Name the places in which one of the secrets can be read."""
        state = Path(dict(self.wheelkit.env)["XDG_STATE_HOME"])
        texts = {"the output": done.stdout + done.stderr}
        texts |= {
            path.name: path.read_bytes().decode(errors="replace")
            for path in state.rglob("*")
            if path.is_file()
        }
        assert any(name.endswith(".log") for name in texts)
        return [name for name, text in texts.items() if any(secret in text for secret in self.secrets())]


@pytest.fixture(params=["pypi", "testpypi"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def scene(wheelkit: Wheelkit, tmp_path: Path) -> Iterator[Scene]:
    # Signing has its own tests (test_publish_attest.py), with an authority in place of Sigstore's.
    project = make_family(tmp_path / "gyro", FAMILY, config="[publish]\nattestations = false\n")
    project.tag()
    names = sorted(hosts("pypi") | hosts("testpypi"))
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    index = Warehouse(tokens={}, publishers=Publishers(enabled=True, workflows={"release.yml": BOTH}))
    with ExitStack() as stack:
        address = stack.enter_context(serving(index, context))
        issuer = stack.enter_context(issuing(Issuer()))
        proxy = stack.enter_context(proxying(Proxy(ports=dict.fromkeys(names, address.port))))
        yield Scene(
            project=project,
            wheelkit=wheelkit,
            index=index,
            issuer=issuer,
            proxy=proxy,
            authority=tmp_path / "authority.pem",
        )


def test_one_token_uploads_the_family_and_is_revoked(scene: Scene, name: str) -> None:
    done = scene(name)
    assert done.returncode == 0, done.stderr
    assert len(scene.index.files) == 4
    assert len(scene.index.publishers.issued) == 1
    assert scene.index.publishers.burnt == scene.index.publishers.issued
    assert scene.index.publishers.minted == {}
    assert set(scene.proxy.requested) == hosts(name)
    assert scene.leaks(done) == []


def test_the_workflows_attestations_are_uploaded(scene: Scene) -> None:
    authority = Authority()
    for path in scene.project.files():
        attestation = authority.attestation(path.name, path.read_bytes())
        path.with_name(f"{path.name}.publish.attestation").write_text(json.dumps(attestation))
    done = scene()
    assert done.returncode == 0, done.stderr
    assert (
        scene.index.provenance.keys()
        == scene.index.files.keys()
        == {path.name for path in scene.project.files()}
    )
    assert scene.leaks(done) == []


def test_a_revoked_token_is_not_accepted(scene: Scene) -> None:
    assert scene().returncode == 0
    (token,) = scene.index.publishers.burnt
    scene.index.files.clear()
    done = scene(
        ACTIONS_ID_TOKEN_REQUEST_TOKEN="",
        ACTIONS_ID_TOKEN_REQUEST_URL="",
        GITHUB_ACTIONS="",
        TWINE_PASSWORD=token,
    )
    assert done.returncode == 1
    assert "does not accept the credentials" in done.stderr
    assert scene.index.files == {}


def test_nothing_to_do_mints_nothing(scene: Scene) -> None:
    assert scene().returncode == 0
    asked = len(scene.issuer.signed)
    assert "nothing to do" in scene().stdout
    assert len(scene.issuer.signed) == asked == 1


def test_a_workflow_that_is_not_registered(scene: Scene) -> None:
    scene.issuer.workflow = "other.yml"
    done = scene()
    assert done.returncode == 1
    assert "pypi does not give this workflow an upload token" in done.stderr
    assert "invalid-publisher" in done.stderr
    assert scene.index.files == {}
    assert scene.leaks(done) == []


def test_an_identity_that_was_used_before(scene: Scene) -> None:
    scene.issuer.reuse = True
    scene.index.publishers.workflows = {"release.yml": frozenset({"gyro-core"})}
    assert scene().returncode == 1
    done = scene()
    assert done.returncode == 1
    assert "invalid-reuse-token" in done.stderr
    assert "valid for one token only" in done.stderr


def test_an_identity_for_another_audience(scene: Scene) -> None:
    scene.issuer.audience = "testpypi"
    done = scene()
    assert done.returncode == 1
    assert "did not identify this job: Token audience claim mismatch" in done.stderr
    assert scene.index.publishers.issued == []


def test_a_publisher_that_is_registered_for_one_project_only(scene: Scene) -> None:
    scene.index.publishers.workflows = {"release.yml": frozenset({"gyro-core"})}
    done = scene()
    assert done.returncode == 1
    assert "the credentials are not valid for this project" in done.stderr
    assert {stored.project for stored in scene.index.files.values()} == {"gyro-core"}
    assert scene.index.publishers.burnt == scene.index.publishers.issued
    scene.index.publishers.workflows = {"release.yml": BOTH}
    assert scene().returncode == 0
    assert len(scene.index.events) == 5


def test_a_job_without_the_permission(scene: Scene) -> None:
    done = scene(ACTIONS_ID_TOKEN_REQUEST_TOKEN="", ACTIONS_ID_TOKEN_REQUEST_URL="")
    assert done.returncode == 1
    assert "no trusted publishing: this job lacks the permission  id-token: write" in done.stderr
    assert "no credentials were found" in done.stderr
    assert scene.index.files == {}


def test_an_issuer_that_refuses(scene: Scene) -> None:
    done = scene(ACTIONS_ID_TOKEN_REQUEST_TOKEN="another")  # noqa: S106 - made up
    assert done.returncode == 1
    assert "the CI service did not identify this job" in done.stderr


def test_an_unknown_authority(scene: Scene, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    done = scene(REQUESTS_CA_BUNDLE=str(other), SSL_CERT_FILE=str(other))
    assert done.returncode == 3
    assert "TLS certificate verification failed" in done.stderr
    assert scene.index.files == {}


def test_a_proxy_that_refuses(scene: Scene) -> None:
    scene.proxy.ports = {}
    done = scene()
    assert done.returncode == 3
    assert "cannot be reached" in done.stderr
