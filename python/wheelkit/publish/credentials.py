"""Who uploads: trusted publishing where the CI service offers it, else what the environment, .pypirc or the keyring hold.

A secret is fetched as late as possible, known to the redactor before anything can print it, and handed on in the environment only.
"""

from __future__ import annotations

import configparser
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.errors import IndexRefusedError
from wheelkit.publish import oidc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from wheelkit.machine.redaction import Secrets
    from wheelkit.publish.client import Client, Clock
    from wheelkit.publish.index import Index


TOKEN_USER = "__token__"  # noqa: S105 - the user name that goes with tokens
# A minted token lives 900 s; one that is older than this is exchanged before the next upload begins.
_RENEW_AFTER = 480.0


class Credentials(Struct, frozen=True, kw_only=True):
    """A user name and a secret, empty where twine is to ask the keyring; ``source`` says where they are from."""

    source: str
    username: str = ""
    secret: str = ""
    minted: bool = False

    def __repr__(self) -> str:
        """Leave the secret out."""
        return f"Credentials(source={self.source!r}, username={self.username!r}, minted={self.minted!r})"

    def environment(self) -> dict[str, str]:
        """Give the variables by which twine takes them."""
        named = {"TWINE_USERNAME": self.username, "TWINE_PASSWORD": self.secret}
        return {name: value for name, value in named.items() if value}


class CredentialSources(Struct, frozen=True, kw_only=True):
    """What is needed to find credentials: where to look, whom to ask, and the redactor that must know them."""

    environ: Mapping[str, str]
    client: Client
    secrets: Secrets
    clock: Clock
    note: Callable[[str], None]


class CredentialSession:
    """The credentials of one stage on one index, fetched at the first use and renewed when they grow old."""

    def __init__(self, index: Index, wallet: CredentialSources) -> None:
        self._index = index
        self._wallet = wallet
        self._held: Credentials | None = None
        self._since = 0.0

    def credentials(self) -> Credentials:
        """Give credentials that are good for another upload."""
        old = (
            self._held is not None
            and self._held.minted
            and self._wallet.clock.now() - self._since > _RENEW_AFTER
        )
        if self._held is None or old:
            self.burn()
            self._since = self._wallet.clock.now()
            self._held = find_credentials(self._index, self._wallet)
        return self._held

    def burn(self) -> None:
        """Forget the credentials, and have the index forget them if they were minted."""
        if self._held is not None and self._held.minted:
            oidc.revoke_token(self._index, self._wallet.client, self._held.secret)
        self._held = None


@contextmanager
def credential_session(index: Index, wallet: CredentialSources) -> Iterator[CredentialSession]:
    """Open a purse, and burn what is in it however the stage ends."""
    opened = CredentialSession(index, wallet)
    try:
        yield opened
    finally:
        opened.burn()


def find_credentials(index: Index, wallet: CredentialSources) -> Credentials:
    """Find credentials for an index: minted, else from the environment, else from .pypirc; else twine asks the keyring."""
    explicit = _from_environment(wallet.environ)
    if oidc.oidc_available(wallet.environ):
        try:
            token = oidc.mint_token(index, wallet.client, wallet.secrets)
        except IndexRefusedError as error:
            if explicit is None:
                raise
            wallet.note(f"{error.message.partition(';')[0]}; TWINE_PASSWORD is used in its place")
        else:
            if token is not None:
                return Credentials(
                    source="trusted publishing", username=TOKEN_USER, secret=token, minted=True
                )
    found = explicit or _from_pypirc(index, wallet)
    if found is None:
        if wallet.environ.get("GITHUB_ACTIONS") and not oidc.oidc_available(wallet.environ):
            wallet.note(
                "trusted publishing needs an identity, and this job may not ask for one: it lacks the permission  id-token: write"
            )
        return Credentials(source="the keyring", username=wallet.environ.get("TWINE_USERNAME", ""))
    wallet.secrets.add(found.secret, username=found.username or TOKEN_USER)
    return found


def _from_environment(environ: Mapping[str, str]) -> Credentials | None:
    secret = environ.get("TWINE_PASSWORD", "").strip()
    if not secret:
        return None
    return Credentials(
        source="TWINE_PASSWORD",
        username=environ.get("TWINE_USERNAME", "").strip() or TOKEN_USER,
        secret=secret,
    )


def _from_pypirc(index: Index, wallet: CredentialSources) -> Credentials | None:
    """Read ~/.pypirc (packaging specification "The .pypirc file"): the section of the index's name, or of its address."""
    path = Path(wallet.environ.get("HOME") or Path.home()) / ".pypirc"
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None
    except configparser.Error:
        # Its own words would show the line, which may hold a token.
        wallet.note(f"{path} cannot be read as a configuration file, so its credentials are not used")
        return None
    section = next((name for name in parser.sections() if _speaks_of(parser, name, index)), None)
    secret = parser.get(section, "password", fallback="") if section else ""
    if not section or not secret:
        return None
    return Credentials(
        source=f".pypirc [{section}]",
        username=parser.get(section, "username", fallback=TOKEN_USER),
        secret=secret,
    )


def _speaks_of(parser: configparser.RawConfigParser, section: str, index: Index) -> bool:
    """Tell whether a section is about the index; one of its name that points elsewhere is not, and keeps its token."""
    address = parser.get(section, "repository", fallback="").rstrip("/")
    return address == index.upload.rstrip("/") if address else section == index.name
