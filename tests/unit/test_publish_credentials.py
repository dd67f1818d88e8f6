from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from servers.publishers import sign_identity
from support.publishing import HERE, CountingClock, MemoryClient, Notes, answer
from wheelkit.errors import CheckFailedError, IndexRefusedError, IndexUnavailableError
from wheelkit.machine.redaction import Secrets
from wheelkit.publish import oidc
from wheelkit.publish.client import Response
from wheelkit.publish.credentials import CredentialSession, CredentialSources, find_credentials

CI = {
    "GITHUB_ACTIONS": "true",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "http://issuer.invalid/",
}
MINTED = "pypi-a-minted-token-0123456789"


def wallet(
    environ: dict[str, str], client: MemoryClient | None = None, clock: CountingClock | None = None
) -> tuple[CredentialSources, Notes]:
    notes = Notes()
    made = CredentialSources(
        environ={"HOME": "/nonexistent", **environ},
        client=client or MemoryClient(lambda _url: answer(b"", 404)),
        secrets=Secrets(environ),
        clock=clock or CountingClock(),
        note=notes.note,
    )
    return made, notes


class Exchange(MemoryClient):
    """An index's side of trusted publishing, with one reply to the mint."""

    def __init__(self, reply: Response | None = None) -> None:
        super().__init__(lambda _url: answer({"audience": "pypi"}), self._posted)
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
    made, _ = wallet({**CI, "TWINE_PASSWORD": "another"}, exchange)
    found = find_credentials(HERE, made)
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
def test_one_token_serves_a_stage_is_renewed_when_old_and_burnt(identity: str) -> None:
    clock, exchange = CountingClock(), Exchange()
    made, _ = wallet(CI, exchange, clock)
    purse = CredentialSession(HERE, made)
    assert exchange.asked == []
    assert purse.credentials() is purse.credentials()
    clock.sleep(500)
    purse.credentials()
    purse.burn()
    purse.burn()
    assert [what for what, _ in exchange.sent] == ["mint-token", "burn-token", "mint-token", "burn-token"]
    assert exchange.sent[1] == ("burn-token", {"token": MINTED})
    assert exchange.sent[0] == ("mint-token", {"token": identity})


def test_a_secret_of_the_users_own_is_not_burnt() -> None:
    exchange = Exchange()
    made, _ = wallet({"TWINE_PASSWORD": "mine"}, exchange)
    purse = CredentialSession(HERE, made)
    assert purse.credentials().username == "__token__"
    purse.burn()
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
    made, notes = wallet(CI, exchange)
    with pytest.raises(IndexRefusedError, match="gives no token to this workflow") as caught:
        find_credentials(HERE, made)
    assert caught.value.detail == f"{code}: words of the index"
    assert advice in caught.value.hint
    made, notes = wallet({**CI, "TWINE_PASSWORD": "spare"}, exchange)
    assert find_credentials(HERE, made).secret == "spare"  # noqa: S105 - made up
    assert "TWINE_PASSWORD is used in its place" in notes.notes[0]


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"token": ""}', b'{"token": 3}'])
def test_a_mint_that_gives_no_token(body: bytes) -> None:
    made, _ = wallet(CI, Exchange(answer(body, kind="application/json")))
    with pytest.raises(IndexUnavailableError, match="does not answer with its token"):
        find_credentials(HERE, made)


@pytest.mark.usefixtures("identity")
def test_an_index_that_knows_no_trusted_publishing() -> None:
    made, _ = wallet({**CI, "TWINE_PASSWORD": "mine"})
    assert find_credentials(HERE, made).source == "TWINE_PASSWORD"


def test_a_job_without_the_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    import id as ambient

    def refuse(_audience: str) -> str:
        raise ambient.AmbientCredentialError("no permission")

    monkeypatch.setattr(ambient, "detect_credential", refuse)
    made, _ = wallet(CI, Exchange())
    with pytest.raises(CheckFailedError, match="gives this job no identity: no permission") as caught:
        find_credentials(HERE, made)
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
def test_who_offers_it(environ: dict[str, str], offered: bool) -> None:  # noqa: FBT001 - a column of the table
    assert oidc.oidc_available(environ) is offered


def pypirc(folder: Path, text: str) -> dict[str, str]:
    (folder / ".pypirc").write_text(text)
    return {"HOME": str(folder)}


def test_pypirc_by_name_and_by_address(tmp_path: Path) -> None:
    made, _ = wallet(pypirc(tmp_path, "[here]\nusername = u\npassword = p-secret\n"))
    found = find_credentials(HERE, made)
    assert (found.source, found.username, found.secret) == (".pypirc [here]", "u", "p-secret")
    assert made.secrets.text("it is p-secret") == "it is ***"
    made, _ = wallet(
        pypirc(tmp_path, f"[other]\nrepository = {HERE.upload.rstrip('/')}\npassword = q-secret\n")
    )
    assert find_credentials(HERE, made).username == "__token__"


def test_a_section_of_the_name_that_points_elsewhere_keeps_its_token(tmp_path: Path) -> None:
    made, _ = wallet(
        pypirc(tmp_path, "[here]\nrepository = http://elsewhere.invalid/\npassword = p-secret\n")
    )
    assert find_credentials(HERE, made).source == "the keyring"


@pytest.mark.parametrize("text", ["password = p-secret", "[here\npassword", "[other]\npassword = x"])
def test_a_pypirc_that_does_not_help(tmp_path: Path, text: str) -> None:
    made, notes = wallet(pypirc(tmp_path, text))
    assert find_credentials(HERE, made).environment() == {}
    assert "p-secret" not in "".join(notes.notes)


def test_secrets_are_replaced_in_every_spelling() -> None:
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
