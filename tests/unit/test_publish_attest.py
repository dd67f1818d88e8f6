"""When attestations are made, what is signed again, and what of the index's answer stops a publication."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from support.publishing import HERE, MemoryClient, Scene, answer, completed, listing, make_scene
from support.rows import rows
from wheelkit.errors import CheckFailedError, ToolFailedError
from wheelkit.machine.process import Command, Completed
from wheelkit.publish import ShippedFile
from wheelkit.publish.attest import Attester
from wheelkit.publish.credentials import Credentials
from wheelkit.verification.findings import finding

TAKES = replace(HERE, attestations=True)
MINTED = Credentials(source="trusted publishing", username="__token__", secret="t", minted=True)  # noqa: S106


class Session:
    """Hands out credentials, and counts how often."""

    def __init__(self, credentials: Credentials = MINTED) -> None:
        self.credentials = credentials
        self.asked = 0

    def get(self) -> Credentials:
        self.asked += 1
        return self.credentials


def statement(path: Path, data: bytes | None = None) -> None:
    """Write an attestation as far as it can be read without keys."""
    digest = hashlib.sha256(path.read_bytes() if data is None else data).hexdigest()
    document = {"subject": [{"name": path.name, "digest": {"sha256": digest}}]}
    envelope = {"statement": b64encode(json.dumps(document).encode()).decode()}
    path.with_name(f"{path.name}.publish.attestation").write_text(json.dumps({"envelope": envelope}))


class Signer:
    """Runs in the place of `pypi-attestations sign`; each of ``plans`` says how many files it signs."""

    def __init__(self, *plans: int) -> None:
        self.plans = list(plans)
        self.commands: list[Command] = []

    def __call__(self, command: Command, /) -> Completed:
        paths = [Path(word) for word in command.argv if word.endswith((".whl", ".tar.gz"))]
        self.commands.append(command)
        assert not [path for path in paths if path.with_name(f"{path.name}.publish.attestation").exists()]
        count = self.plans.pop(0) if self.plans else len(paths)
        for path in paths[:count]:
            statement(path)
        done = count >= len(paths)
        return completed("Failed to sign: the log is down", code=0 if done else 1)


def attester(scene: Scene, run: Callable[[Command], Completed], **environ: str) -> Attester:
    return Attester(replace(scene.session, run=run, environ={**scene.session.environ, **environ}), TAKES)


def signed(files: tuple[ShippedFile, ...]) -> list[str]:
    return [file.name for file in files if file.attestations]


def test_files_are_signed_once_and_those_with_an_attestation_keep_it(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    first, *rest = scene.release.files
    own = replace(first, attestations=(tmp_path / "own.attestation",))
    signer = Signer()
    files = attester(scene, signer).attest([own, *rest], Session())
    assert signed(files) == [file.name for file in scene.release.files]
    assert files[0] is not own
    assert files[0].attestations == own.attestations
    (command,) = signer.commands
    assert [Path(word).name for word in command.argv[4:]] == [file.name for file in rest]
    assert command.timeout is not None
    assert command.timeout >= 60 * len(rest)


@rows(
    ("index", "credentials", "environ", "told"),
    [
        (HERE, MINTED, {}, ""),
        (
            TAKES,
            Credentials(source="TWINE_PASSWORD", secret="p"),  # noqa: S106
            {},
            (
                "no attestations: they need trusted publishing in CI, and the credentials are from"
                " TWINE_PASSWORD"
            ),
        ),
        (
            TAKES,
            MINTED,
            {"GITLAB_CI": "true"},
            ("no attestations: this job has no SIGSTORE_ID_TOKEN; wheelkit ci writes a pipeline that has"),
        ),
    ],
)
def test_where_none_are_made_it_is_told_once(
    index: object, credentials: Credentials, environ: dict[str, str], told: str, tmp_path: Path
) -> None:
    scene = make_scene(tmp_path)
    signer = Signer()
    session = replace(scene.session, run=signer, environ=environ)
    made = Attester(session, index)
    for _ in range(2):
        assert signed(made.attest(scene.release.files, Session(credentials))) == []
    assert scene.notes.notes == ([told] if told else [])
    assert signer.commands == []
    assert made.verify(scene.release) == ""


def test_no_credentials_are_asked_for_where_nothing_is_to_be_signed(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    session = Session()
    Attester(scene.session, HERE).attest(scene.release.files, session)
    own = [replace(file, attestations=(tmp_path / "x",)) for file in scene.release.files]
    attester(scene, Signer()).attest(own, session)
    assert session.asked == 0


def test_gitlab_signs_with_its_token(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    made = attester(scene, Signer(), GITLAB_CI="true", SIGSTORE_ID_TOKEN="t")  # noqa: S106
    assert len(signed(made.attest(scene.release.files, Session()))) == 4


def test_without_the_extra_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wheelkit.publish.attest.find_spec", lambda _name: None)
    scene = make_scene(tmp_path)
    assert signed(attester(scene, Signer()).attest(scene.release.files, Session())) == []
    assert "pip install 'wheelkit[attestations]'" in scene.notes.notes[0]


def test_what_a_failed_run_has_signed_is_not_signed_again(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    signer = Signer(1, 2)
    assert len(signed(attester(scene, signer).attest(scene.release.files, Session()))) == 4
    assert [len(command.argv) - 4 for command in signer.commands] == [4, 3, 1]
    assert len(scene.clock.slept) == 2


def test_half_an_attestation_and_one_for_other_bytes_are_made_again(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    first, second, *_ = scene.release.files
    first.path.with_name(f"{first.name}.publish.attestation").write_text('{"envel')
    statement(second.path, b"other")
    signer = Signer()
    assert len(signed(attester(scene, signer).attest(scene.release.files, Session()))) == 4
    assert len(signer.commands[0].argv) - 4 == 4


def test_signing_that_keeps_failing_ends_it(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    signer = Signer(0, 1, 0)
    with pytest.raises(ToolFailedError, match="failed with exit status 1") as caught:
        attester(scene, signer).attest(scene.release.files, Session())
    assert len(signer.commands) == 3
    assert "the log is down" in caught.value.detail
    assert "[tool.wheelkit.publish] attestations = false" in caught.value.hint


def test_secrets_of_uploads_are_not_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINE_PASSWORD", "p-secret")
    scene = make_scene(tmp_path)
    signer = Signer()
    attester(scene, signer).attest(scene.release.files, Session())
    assert "TWINE_PASSWORD" not in signer.commands[0].environment()


@pytest.mark.parametrize(
    ("code", "problem"), [("WK907", ""), ("WK905", "core-1.0.tar.gz: it was signed by others")]
)
def test_what_the_index_serves_is_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, problem: str
) -> None:
    scene = make_scene(tmp_path)
    digests = {file.name: file.sha256 for file in scene.release.files}
    wanted: list[object] = []

    def reply(url: str) -> object:
        if "/integrity/" in url:
            return answer(b"{}")
        project = url.rstrip("/").rpartition("/")[2]
        own = {name: digest for name, digest in digests.items() if name.startswith(project)}
        return answer(listing(project, own, provenance="/integrity/x"))

    def verify(files: object, index: str, repository: object) -> object:
        wanted.extend([files, index, repository])
        return [finding(code, "it was signed by others" if problem else "all fine", file="core-1.0.tar.gz")]

    monkeypatch.setattr("wheelkit.publish.provenance.verify_attestations", verify)
    session = replace(
        scene.session, run=Signer(), client=MemoryClient(reply), environ={"GITHUB_REPOSITORY": "a/b"}
    )
    made = Attester(session, TAKES)
    made.attest(scene.release.files[:2], Session())
    if problem:
        with pytest.raises(CheckFailedError, match="1 attestation could not be verified") as caught:
            made.verify(scene.release)
        assert caught.value.detail == problem
    else:
        assert made.verify(scene.release) == "all fine"
    # Only the files of this run, and the repository of the job.
    assert [file.file for file in wanted[0]] == ["core-1.0-py3-none-any.whl", "core-1.0.tar.gz"]
    assert (wanted[2].path, wanted[2].service) == ("a/b", "GitHub")
