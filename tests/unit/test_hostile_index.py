"""An index may answer with anything: it ends in one message that is safe to print, or in a listing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from servers.raw import serving
from support.hostile import ANSWERS, TEXTS, html_page, http, json_page, require_harmless
from support.publishing import CountingClock
from support.rows import rows
from wheelkit.cli.output import show_error
from wheelkit.errors import WheelkitError
from wheelkit.machine.redaction import Secrets
from wheelkit.publish import oidc
from wheelkit.publish.client import Client
from wheelkit.publish.index import Index
from wheelkit.publish.listed_versions import WantedRelease
from wheelkit.publish.simple_api import Listing, fetch_listing
from wheelkit.publish.verify_published import PublishedRequest, verify_published
from wheelkit.verification.contract import Contract
from wheelkit.verification.report.text import Screen, render

Capture = pytest.CaptureFixture[str]
WHEEL = "demo-1.0-py3-none-any.whl"


def client() -> Client:
    return Client(clock=CountingClock(), attempts=2, timeout=5.0)


def index_at(url: str) -> Index:
    return Index(name="here", upload=f"{url}/legacy/", simple=f"{url}/simple/")


def ended(call: Callable[[], object], capsys: Capture) -> object:
    """Return the result of a call, or the printed message of the error that it ended in."""
    try:
        return call()
    except WheelkitError as error:
        show_error(error.message, detail=error.detail, hint=error.hint)
        printed = capsys.readouterr().err
        require_harmless(printed)
        return printed


def test_there_are_enough_answers() -> None:
    assert len(ANSWERS) >= 72


@rows("name", ANSWERS)
def test_any_answer_ends_in_a_message_or_a_listing(name: str, capsys: Capture) -> None:
    with serving(lambda _path: ANSWERS[name]) as url:
        index, read = index_at(url), client()
        fetched = ended(lambda: fetch_listing(read, index, "demo", {WHEEL}), capsys)
        request = PublishedRequest(wanted=WantedRelease(distribution="demo"), index=index)
        report = ended(lambda: verify_published(request, read, Contract()), capsys)
    assert isinstance(fetched, Listing | str)
    if not isinstance(report, str):
        require_harmless(render(report, Screen()))  # type: ignore[arg-type]  # a Report


@rows("name", ANSWERS)
def test_any_answer_to_a_request_for_a_token_ends_in_a_message(
    name: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc, "_identity", lambda _audience: "identity")
    with serving(lambda path: http(b'{"audience": "x"}') if "audience" in path else ANSWERS[name]) as url:
        secrets = Secrets({})
        for reply in (
            lambda: oidc.mint_token(index_at(url), client(), secrets),
            lambda: oidc.revoke_token(index_at(url), client(), "token"),
        ):
            assert isinstance(ended(reply, capsys), str | bool)
    with serving(lambda _path: ANSWERS[name]) as url:
        minted = ended(lambda: oidc.mint_token(index_at(url), client(), Secrets({})), capsys)
        assert minted is None or isinstance(minted, str)


@rows("name", TEXTS)
def test_the_reasons_of_an_index_are_shown_escaped(
    name: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc, "_identity", lambda _audience: "identity")
    text = TEXTS[name].encode("utf-8", "replace").decode()
    refusal = http(json.dumps({"errors": [{"code": text, "description": text}]}).encode(), status="422 No")
    with serving(lambda path: http(b'{"audience": "x"}') if "audience" in path else refusal) as url:
        printed = ended(lambda: oidc.mint_token(index_at(url), client(), Secrets({})), capsys)
    assert isinstance(printed, str)
    assert printed.startswith("wheelkit: here does not give this workflow an upload token\n")
    if (
        text.isprintable()
        and text.strip()
        and len(text) < 100
        and name not in {"old command", "azure command"}
    ):
        assert f"  {text}: {text}".rstrip() in printed.replace("\\x3a:", "::")


@pytest.mark.parametrize("token", ["tok\0en", "tok\nen", "ü", "", 5])
def test_a_token_that_no_environment_can_hold_is_refused(
    token: object, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc, "_identity", lambda _audience: "identity")
    replies = {"audience": http(b'{"audience": "x"}')}
    with serving(lambda path: replies[path.rpartition("/")[2]]) as url:
        for value, expected in ((token, 'has no "token"'), ("pypi-fine", "pypi-fine")):
            replies["mint-token"] = http(json.dumps({"token": value}).encode())
            minted = ended(lambda: oidc.mint_token(index_at(url), client(), Secrets({})), capsys)
            assert expected in (minted.token if isinstance(minted, oidc.MintedToken) else str(minted))


def test_the_twin_an_honest_answer_is_a_listing(tmp_path: Path) -> None:
    page = f'<html><body><a href="/f/{WHEEL}#sha256={"a" * 64}">x</a></body></html>'
    body = b"the wheel"
    answers = [json_page(), html_page(page)]
    with serving(lambda path: http(body) if "/f/" in path else answers[0]) as url:
        while answers:
            (file,) = fetch_listing(client(), index_at(url), "demo").files
            assert (file.filename, file.url, file.sha256) == (WHEEL, f"{url}/f/{WHEEL}", "a" * 64)
            assert client().download(file.url, tmp_path / WHEEL) == hashlib.sha256(body).hexdigest()
            answers.pop(0)
