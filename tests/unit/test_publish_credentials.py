from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from servers.publishers import sign_identity
from support.publishing import HERE, CountingClock, MemoryClient, Notes, answer
from wheelkit.errors import CheckFailedError, IndexRefusedError, IndexUnavailableError
from wheelkit.machine.redaction import Secrets
from wheelkit.publish import oidc
from wheelkit.publish.client import Response
from wheelkit.publish.credentials import CredentialSession

CI = {
    "GITHUB_ACTIONS": "true",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "http://issuer.invalid/",
}
MINTED = "pypi-a-minted-token-0123456789"


@dataclass
class Opened:
    """Credentials for the index, with the redactor and the notes beside them."""

    credentials: CredentialSession
    secrets: Secrets
    notes: list[str]


def opened(environ: dict[str, str], client: MemoryClient | None = None) -> Opened:
    notes = Notes()
    secrets = Secrets(environ)
    client = client or MemoryClient(lambda _url: answer(b"", 404))
    environ = {"HOME": "/nonexistent", **environ}
    return Opened(
        credentials=CredentialSession(
            index=HERE, client=client, secrets=secrets, environ=environ, note=notes.note
        ),
        secrets=secrets,
        notes=notes.notes,
    )


class Exchange(MemoryClient):
    """An index's side of trusted publishing, with one reply to the mint."""

    def __init__(self, reply: Response | None = None, clock: CountingClock | None = None) -> None:
        super().__init__(lambda _url: answer({"audience": "pypi"}), self._posted, clock)
        self.reply = reply or answer({"token": MINTED, "success": True})
        self.sent: list[tuple[str, Any]] = []

    def _posted(self, url: str, document: Any) -> Response:
        self.sent.append((url.rpartition("/")[2], document))
        return answer(b"", 204) if url.endswith("burn-token") else self.reply


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch) -> str:
    import id as ambient

    signed = sign_identity({"aud": "pypi", "jti": "1", "exp": time.time()})
    monkeypatch.setattr(ambient, "detect_credential", lambda audience: signed if audience == "pypi" else None)
    return signed


def test_trusted_publishing_comes_first_where_it_is_offered(identity: str) -> None:
    exchange = Exchange()
    made = opened({**CI, "TWINE_PASSWORD": "another"}, exchange)
    found = made.credentials.get()
    assert (found.source, found.username, found.secret, found.minted) == (
        "trusted publishing",
        "__token__",
        MINTED,
        True,
    )
    assert exchange.asked[0] == "http://h.invalid/_/oidc/audience"
    assert exchange.sent == [("mint-token", {"token": identity})]
    assert made.secrets.text(f"{MINTED} {identity}") == "*** ***"


@pytest.mark.usefixtures("identity")
def test_a_token_is_reused_renewed_when_old_and_revoked(identity: str) -> None:
    clock = CountingClock()
    exchange = Exchange(clock=clock)
    credentials = opened(CI, exchange).credentials
    assert exchange.asked == []
    assert credentials.get() is credentials.get()
    clock.sleep(500)
    credentials.get()
    credentials.close()
    credentials.close()
    assert [what for what, _ in exchange.sent] == ["mint-token", "burn-token", "mint-token", "burn-token"]
    assert exchange.sent[1] == ("burn-token", {"token": MINTED})
    assert exchange.sent[0] == ("mint-token", {"token": identity})


def test_a_configured_secret_is_not_revoked() -> None:
    exchange = Exchange()
    credentials = opened({"TWINE_PASSWORD": "mine"}, exchange).credentials
    assert credentials.get().username == "__token__"
    credentials.close()
    assert exchange.sent == []


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("invalid-publisher", "compare owner, repository, workflow"),
        ("invalid-reuse-token", "one token only"),
        ("other", "registered"),
    ],
)
def test_a_workflow_that_is_not_trusted(code: str, advice: str) -> None:
    body = {"errors": [{"code": code, "description": "words of the index"}]}
    exchange = Exchange(answer(body, 422, "application/json"))
    made = opened(CI, exchange)
    with pytest.raises(IndexRefusedError, match="does not give this workflow an upload token") as caught:
        made.credentials.get()
    assert caught.value.detail == f"{code}: words of the index"
    assert advice in caught.value.hint
    made = opened({**CI, "TWINE_PASSWORD": "spare"}, exchange)
    assert made.credentials.get().secret == "spare"  # noqa: S105 - made up
    assert "using TWINE_PASSWORD instead" in made.notes[0]


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"token": ""}', b'{"token": 3}'])
def test_a_mint_response_without_a_token(body: bytes) -> None:
    made = opened(CI, Exchange(answer(body, kind="application/json")))
    with pytest.raises(IndexUnavailableError, match='has no "token"'):
        made.credentials.get()


@pytest.mark.usefixtures("identity")
def test_an_index_without_trusted_publishing() -> None:
    made = opened({**CI, "TWINE_PASSWORD": "mine"})
    assert made.credentials.get().source == "TWINE_PASSWORD"


def test_a_job_without_the_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    import id as ambient

    def refuse(_audience: str) -> str:
        raise ambient.AmbientCredentialError("no permission")

    monkeypatch.setattr(ambient, "detect_credential", refuse)
    made = opened(CI, Exchange())
    with pytest.raises(CheckFailedError, match="did not identify this job: no permission") as caught:
        made.credentials.get()
    assert "id-token: write" in caught.value.hint


@pytest.mark.parametrize(
    ("environ", "offered"),
    [
        (CI, True),
        ({"GITHUB_ACTIONS": "true"}, False),
        ({"GITLAB_CI": "true", "PYPI_ID_TOKEN": "x"}, True),
        ({"GITLAB_CI": "true"}, False),
        ({"BUILDKITE": "true", "BUILDKITE_AGENT_ACCESS_TOKEN": "x"}, True),
        ({}, False),
    ],
)
def test_ci_services_with_trusted_publishing(environ: dict[str, str], offered: bool) -> None:  # noqa: FBT001 - a column of the table
    assert oidc.oidc_available(environ) is offered


def pypirc(folder: Path, text: str) -> dict[str, str]:
    (folder / ".pypirc").write_text(text)
    return {"HOME": str(folder)}


def test_pypirc_by_name_and_by_address(tmp_path: Path) -> None:
    made = opened(pypirc(tmp_path, "[here]\nusername = u\npassword = p-secret\n"))
    found = made.credentials.get()
    assert (found.source, found.username, found.secret) == (".pypirc [here]", "u", "p-secret")
    assert made.secrets.text("it is p-secret") == "it is ***"
    made = opened(pypirc(tmp_path, f"[other]\nrepository = {HERE.upload.rstrip('/')}\npassword = q-secret\n"))
    assert made.credentials.get().username == "__token__"


def test_a_section_with_this_name_and_another_address_is_ignored(tmp_path: Path) -> None:
    made = opened(pypirc(tmp_path, "[here]\nrepository = http://elsewhere.invalid/\npassword = p-secret\n"))
    assert made.credentials.get().source == "the keyring"


@pytest.mark.parametrize("text", ["password = p-secret", "[here\npassword", "[other]\npassword = x"])
def test_a_pypirc_without_a_matching_section(tmp_path: Path, text: str) -> None:
    made = opened(pypirc(tmp_path, text))
    assert made.credentials.get().environment() == {}
    assert "p-secret" not in "".join(made.notes)


def test_secrets_are_redacted_in_every_encoding() -> None:
    import base64
    import shlex
    from urllib.parse import quote

    secrets = Secrets(
        {"GITHUB_TOKEN": "ghs-known-by-name", "PYPI_ID_TOKEN": "known-by-its-ending", "HOME": "/home/user"}
    )
    secret = 'it\'s a/secret+with "all"'  # noqa: S105 - made up
    secrets.add(secret, username="u")
    basic = base64.b64encode(f"u:{secret}".encode()).decode()
    for form in (
        secret,
        shlex.quote(secret),
        quote(secret),
        f"Basic {basic}",
        "ghs-known-by-name",
        "known-by-its-ending",
    ):
        assert "secret" not in secrets.text(f"<{form}>"), form
        assert "***" in secrets.text(f"<{form}>")
    assert (
        secrets.text("pypi-AgEIcHlwaS5vcmcCJGFi and eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2lnbmF0")
        == "*** and ***"
    )
    assert secrets.text("pypi-short and /home/user") == "pypi-short and /home/user"
    assert json.dumps("x") in secrets.text(json.dumps("x"))


@pytest.mark.parametrize(
    ("environ", "notes"),
    [
        (
            {"GITHUB_ACTIONS": "true"},
            ["no trusted publishing: this job lacks the permission  id-token: write"],
        ),
        (CI, []),
        ({"GITLAB_CI": "true"}, []),
        ({}, []),
    ],
)
def test_a_job_that_may_not_identify_itself_is_told_so(environ: dict[str, str], notes: list[str]) -> None:
    """The index offers no trusted publishing, and nothing else is configured."""
    made = opened({**environ, "TWINE_USERNAME": "me"})
    found = made.credentials.get()
    assert (found.source, found.username, found.secret) == ("the keyring", "me", "")
    assert made.notes == notes


def test_a_job_that_nothing_identifies(monkeypatch: pytest.MonkeyPatch) -> None:
    import id as ambient

    monkeypatch.setattr(ambient, "detect_credential", lambda _audience: None)
    with pytest.raises(CheckFailedError, match="no CI service identifies this job") as caught:
        oidc._identity("pypi")
    assert caught.value.hint == "set TWINE_PASSWORD to an API token"
