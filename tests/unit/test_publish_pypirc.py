"""Credentials are those that twine finds: its own reading of ~/.pypirc and the environment is the oracle."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twine import auth, exceptions, utils

from support.publishing import MemoryClient, Notes, answer
from support.rows import rows
from wheelkit import config
from wheelkit.errors import UsageError
from wheelkit.machine.redaction import Secrets
from wheelkit.publish.credentials import Credentials, CredentialSession
from wheelkit.publish.index import Index, resolve

TOKEN = "pypi-AgEIcHlwaS5vcmc"  # noqa: S105 - made up
OWN = "https://packages.invalid/upload/"
NAMES = ("pypi", "testpypi", "staging", "local")


def by_twine(home: Path, name: str, environ: dict[str, str]) -> tuple[str, str | None, str | None] | None:
    """Return the address, user name and password that twine uses; None for what it does not find."""
    try:
        found = utils.get_repository_from_config(str(home / ".pypirc"), name)
    except exceptions.InvalidConfiguration:
        return None
    given_ = auth.CredentialInput(environ.get("TWINE_USERNAME"), environ.get("TWINE_PASSWORD"))
    resolver = auth.Private(found, given_)
    values = []
    for key in ("username", "password"):
        try:
            values.append(getattr(resolver, key))
        except (exceptions.NonInteractive, exceptions.TrustedPublishingFailure):
            values.append(None)
    return str(found["repository"]), values[0], values[1]


def by_wheelkit(
    home: Path, index: Index, environ: dict[str, str], answers: dict[str, str] | None = None
) -> tuple[Credentials, list[str]]:
    notes = Notes()
    variables = {"HOME": str(home), **environ}
    session = CredentialSession(
        index=index,
        client=MemoryClient(lambda _url: answer(b"", 404)),
        secrets=Secrets(variables),
        environ=variables,
        note=notes.note,
        terminal=lambda: answers is not None,
        ask=lambda what: (answers or {})[what],
    )
    return session.get(), notes.notes


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "keyring", None)
    monkeypatch.setattr("keyring.get_credential", lambda _system, _username: None)
    monkeypatch.setattr(auth.Resolver, "make_trusted_publishing_token", lambda _self: None)


def section() -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries(
        {},
        optional={
            "username": st.sampled_from(["__token__", "jane"]),
            "password": st.sampled_from([TOKEN, "secret", "a%b;c"]),
            "repository": st.sampled_from([OWN, "https://other.invalid/legacy/"]),
        },
    )


@settings(max_examples=150, deadline=None)
@given(
    sections=st.dictionaries(st.sampled_from([*NAMES, "server-login"]), section(), max_size=4),
    listed=st.none() | st.lists(st.sampled_from(NAMES), unique=True),
    environ=st.fixed_dictionaries(
        {},
        optional={
            "TWINE_USERNAME": st.sampled_from(["__token__", "bob"]),
            "TWINE_PASSWORD": st.sampled_from([TOKEN, "other"]),
        },
    ),
    name=st.sampled_from(NAMES),
)
def test_credentials_are_those_of_twine(
    tmp_path_factory: pytest.TempPathFactory,
    sections: dict[str, dict[str, str]],
    listed: list[str] | None,
    environ: dict[str, str],
    name: str,
) -> None:
    home = tmp_path_factory.mktemp("home")
    lines = [] if listed is None else ["[distutils]", "index-servers =", *(f"  {one}" for one in listed)]
    for header, values in sections.items():
        lines += [f"[{header}]", *(f"{key} = {value}" for key, value in values.items())]
    (home / ".pypirc").write_text("\n".join([*lines, ""]), encoding="utf-8")
    try:
        found = by_twine(home, name, environ)
    except KeyError:  # a listed section without a repository: twine's own failure
        return
    if found is None or found[2] is None:
        return
    address, username, password = found
    public = address.startswith((utils.DEFAULT_REPOSITORY, utils.TEST_REPOSITORY))
    index = Index(name=name, upload=address, simple=address, public=public)
    try:
        credentials, _ = by_wheelkit(home, index, environ)
    except UsageError:
        assert username != "__token__"
        assert (password or "").startswith("pypi-")
        return
    # Where twine would ask for the user name, a token needs none.
    assert (credentials.username, credentials.secret) == (username or "__token__", password)


PYPIRC = f"""[distutils]
index-servers = company
[company]
repository = {OWN}
username = jane
password = secret
"""


def test_a_section_is_an_index_with_its_own_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".pypirc").write_text(PYPIRC, encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    loaded = config.parse({}, source=None, root=tmp_path)
    index = resolve("company", loaded, simple="https://packages.invalid/simple/")
    assert (index.name, index.upload) == ("company", OWN)
    credentials, notes = by_wheelkit(tmp_path, index, {})
    assert (credentials.username, credentials.secret, notes) == ("jane", "secret", [])
    with pytest.raises(UsageError, match="simple API cannot be derived"):
        resolve("company", loaded)
    with pytest.raises(UsageError, match='no index is named "comp"'):
        resolve("comp", loaded)


def test_a_section_for_another_address_is_not_used(tmp_path: Path) -> None:
    (tmp_path / ".pypirc").write_text(PYPIRC, encoding="utf-8")
    index = Index(name="company", upload="https://elsewhere.invalid/legacy/", simple="")
    credentials, notes = by_wheelkit(tmp_path, index, {})
    assert (credentials.source, credentials.secret) == ("the keyring", "")
    assert "[company] is for https://packages.invalid/upload/, not for https://elsewhere.invalid" in notes[0]


@rows(
    ("public", "environ", "outcome"),
    [
        (True, {"TWINE_USERNAME": "jane", "TWINE_PASSWORD": TOKEN}, UsageError),
        (True, {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": TOKEN}, ""),
        (True, {"TWINE_PASSWORD": TOKEN}, ""),
        (True, {"TWINE_PASSWORD": "secret"}, "does not begin as its tokens do"),
        (False, {"TWINE_USERNAME": "jane", "TWINE_PASSWORD": TOKEN}, "which goes with __token__"),
        (False, {"TWINE_USERNAME": "jane", "TWINE_PASSWORD": "secret"}, ""),
    ],
)
def test_a_user_name_that_does_not_go_with_the_secret_is_told(
    tmp_path: Path,
    public: bool,  # noqa: FBT001 - a column of the table
    environ: dict[str, str],
    outcome: str | type[UsageError],
) -> None:
    index = Index(name="x", upload=OWN, simple="", public=public)
    if isinstance(outcome, str):
        _, notes = by_wheelkit(tmp_path, index, environ)
        assert [outcome in note for note in notes] == ([True] if outcome else [])
        return
    with pytest.raises(outcome, match='the user name for x is "jane"') as caught:
        by_wheelkit(tmp_path, index, environ)
    assert TOKEN not in caught.value.message + caught.value.hint
    assert caught.value.hint == "unset TWINE_USERNAME"


@rows(
    ("public", "answers", "expected"),
    [
        (True, {"API token": TOKEN}, ("__token__", TOKEN, "the terminal")),
        (False, {"user name": "jane", "password": "secret"}, ("jane", "secret", "the terminal")),
        (False, {"user name": "", "API token": TOKEN}, ("__token__", TOKEN, "the terminal")),
        (True, {"API token": ""}, ("", "", "the keyring")),
    ],
)
def test_a_terminal_is_asked_last(
    tmp_path: Path,
    public: bool,  # noqa: FBT001 - a column of the table
    answers: dict[str, str],
    expected: tuple[str, str, str],
) -> None:
    index = Index(name="x", upload=OWN, simple="", public=public)
    credentials, notes = by_wheelkit(tmp_path, index, {}, answers)
    assert (credentials.username, credentials.secret, credentials.source) == expected
    assert notes[0] == "no credentials for x in the environment, .pypirc or the keyring"


def test_the_keyring_is_asked_by_the_address_that_twine_uses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keyring.credentials

    asked = []

    def stored(system: str, username: str | None) -> keyring.credentials.Credential:
        asked.append((system, username))
        return keyring.credentials.SimpleCredential("jane", "secret")

    monkeypatch.setattr("keyring.get_credential", stored)
    credentials, _ = by_wheelkit(tmp_path, Index(name="x", upload=OWN, simple=""), {}, {})
    assert (credentials.username, credentials.secret, asked) == ("jane", "secret", [(OWN, None)])
