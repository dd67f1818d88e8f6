"""Attestations end to end: a job's identity, the real `pypi-attestations` and twine, and the index's answers.

Sigstore's authority and log are stand-ins with keys of their own (servers/sigstore.py); the requests to them,
the signatures and their verification are the real ones.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from servers.issuer import Issuer, issuing
from servers.publishers import Publishers
from servers.sigstore import Sigstore, signing
from servers.warehouse import Token, Warehouse, serving
from support.command import Wheelkit
from support.releases import CLI, Member, Project, make_family

TOKEN = "pypi-valid-token-0123456789"  # noqa: S105 - only valid for the fake index
FAMILY = (Member(name="gyro-core"), CLI)
SIGNED = "4 files signed by GitHub acme/gyro release.yml, commit c0ffeec0ffee"


@dataclass
class Scene:
    """A released family in a CI job, with an index that takes attestations."""

    project: Project
    wheelkit: Wheelkit
    index: Warehouse
    issuer: Issuer
    sigstore: Sigstore
    config: Path
    start: Path

    def __call__(self, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
        words = ("publish", "dist", "--to", "here", "--config", self.config, *options)
        job = {**self.issuer.environment(), "GITHUB_REPOSITORY": "acme/gyro"}
        home = {
            "HOME": str(self.project.root.parent),
            "XDG_CACHE_HOME": "",
            "PYTHONPATH": f"{self.start}:{self.wheelkit.env.get('PYTHONPATH', '')}",
            "TWINE_PASSWORD": "",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }
        return self.wheelkit(*words, cwd=self.project.root, env={**job, **home, **env})


@pytest.fixture
def scene(wheelkit: Wheelkit, tmp_path: Path) -> Iterator[Scene]:
    project = make_family(tmp_path / "gyro", FAMILY)
    names = frozenset(member.name for member in FAMILY)
    index = Warehouse(
        tokens={TOKEN: Token()}, publishers=Publishers(enabled=True, workflows={"release.yml": names})
    )
    (tmp_path / "start").mkdir()
    with ExitStack() as stack:
        address = stack.enter_context(serving(index))
        issuer = stack.enter_context(issuing(Issuer()))
        sigstore = stack.enter_context(signing(Sigstore()))
        (tmp_path / "start" / "sitecustomize.py").write_text(sigstore.start(tmp_path / "keys"))
        sigstore.authority.trust(tmp_path)
        here = f'upload = "{address.upload}"\nsimple = "{address.simple}"\nlag = "1 s"\nattestations = true\n'
        settings = (project.root / "wheelkit.toml").read_text()
        (tmp_path / "settings.toml").write_text(f'{settings}\n[index.here]\n{here}\n[ci]\nstaging = "here"\n')
        yield Scene(
            project=project,
            wheelkit=wheelkit,
            index=index,
            issuer=issuer,
            sigstore=sigstore,
            config=tmp_path / "settings.toml",
            start=tmp_path / "start",
        )


def test_a_job_with_an_identity_signs_what_it_uploads(scene: Scene) -> None:
    done = scene()
    assert done.returncode == 0
    assert f"attestations on here: {SIGNED}" in done.stderr
    names = {path.name for path in scene.project.files()}
    assert set(scene.index.provenance) == names
    assert {entry["subject"][0]["name"] for entry in scene.sigstore.logged} == names
    # One certificate for each run of signing, and no file of it in the user's folder.
    assert len(scene.sigstore.certified) == 2
    assert not list(scene.project.dist.glob("*.attestation"))
    secrets = [*scene.issuer.signed, scene.issuer.request_token]
    logs = [path.read_text() for path in Path(scene.wheelkit.env["XDG_STATE_HOME"]).rglob("*.log")]
    assert logs
    assert not [text for text in [done.stdout, done.stderr, *logs] for secret in secrets if secret in text]


def test_what_was_signed_can_be_verified_by_others(scene: Scene) -> None:
    assert scene().returncode == 0
    words = ("--from-index", "gyro-cli==1.0", "--index", "here", "--config", scene.config, "--deep")
    home = {"HOME": str(scene.project.root.parent), "XDG_CACHE_HOME": ""}
    own = ("--repository", "https://github.com/acme/gyro")
    done = scene.wheelkit("verify-matrix", *words, *own, cwd=scene.project.root, env=home)
    assert done.returncode == 0
    assert "2 files signed by GitHub acme/gyro release.yml" in done.stdout
    other = ("--repository", "https://github.com/acme/other")
    done = scene.wheelkit("verify-matrix", *words, *other, cwd=scene.project.root, env=home)
    assert done.returncode == 1
    assert "it was signed by GitHub acme/gyro release.yml, not by acme/other" in done.stdout


def test_where_no_identity_is_it_says_so_and_publishes(scene: Scene) -> None:
    here = {"ACTIONS_ID_TOKEN_REQUEST_URL": "", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "", "GITHUB_ACTIONS": ""}
    done = scene(TWINE_PASSWORD=TOKEN, **here)
    assert done.returncode == 0
    assert done.stderr.count("no attestations: they need trusted publishing in CI") == 1
    assert "the credentials are from TWINE_PASSWORD" in done.stderr
    assert scene.index.provenance == {}
    assert len(scene.index.files) == 4


@pytest.mark.parametrize("key", ["index", "publish"])
def test_attestations_can_be_turned_off(scene: Scene, key: str) -> None:
    text = scene.config.read_text()
    off = {
        "index": text.replace("attestations = true", "attestations = false"),
        "publish": f"{text}\n[publish]\nattestations = false\n",
    }
    scene.config.write_text(off[key])
    done = scene()
    assert done.returncode == 0
    assert "attestation" not in done.stderr
    assert (scene.sigstore.certified, scene.index.provenance) == ([], {})


def test_a_service_that_fails_at_first_is_asked_again(scene: Scene) -> None:
    scene.sigstore.failures = 1
    done = scene()
    assert done.returncode == 0
    assert SIGNED in done.stderr


def test_a_service_that_is_down_stops_it_before_the_upload(scene: Scene) -> None:
    scene.sigstore.failures = 100
    done = scene()
    assert done.returncode == 4
    assert (
        "signing gyro_core-1.0-py3-none-any.whl, gyro_core-1.0.tar.gz failed with exit status 1"
        in done.stderr
    )
    assert "attestations = false" in done.stderr
    assert scene.index.events == []
    scene.sigstore.failures = 0
    assert scene().returncode == 0
    assert len(scene.index.provenance) == 4


def test_an_index_that_loses_the_attestations_is_told(scene: Scene) -> None:
    class Forgetful(dict[str, bytes]):
        def __setitem__(self, name: str, provenance: bytes) -> None:
            if not name.startswith("gyro_cli"):
                super().__setitem__(name, provenance)

    scene.index.provenance = Forgetful()
    done = scene()
    assert done.returncode == 1
    assert "here has the files, but 2 attestations could not be verified" in done.stderr
    assert "gyro_cli-1.0.tar.gz: there is none" in done.stderr
    assert "4 of 4 files of this release are on here" in done.stderr


def test_another_repository_than_that_of_the_job_is_told(scene: Scene) -> None:
    done = scene(GITHUB_REPOSITORY="acme/other")
    assert done.returncode == 1
    assert "it was signed by GitHub acme/gyro release.yml, not by acme/other" in done.stderr
