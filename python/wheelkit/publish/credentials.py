"""Upload credentials: from trusted publishing if possible, else the environment, .pypirc or the keyring.

A secret is obtained as late as possible, made known to the redactor before anything can print it, and passed
on in the environment only.
"""

from __future__ import annotations

import configparser
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.errors import IndexRefusedError
from wheelkit.inputs import read_text
from wheelkit.publish import oidc

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wheelkit.machine.redaction import Secrets
    from wheelkit.publish.client import Client
    from wheelkit.publish.index import Index


TOKEN_USER = "__token__"  # noqa: S105 - the user name that goes with tokens
# A minted token lives for 900 s; one older than this is replaced before the next upload begins.
_RENEW_AFTER = 480.0


class Credentials(Struct, frozen=True, kw_only=True):
    """A user name and a secret, both empty where twine is to ask the keyring; ``source`` says where from."""

    source: str
    username: str = ""
    secret: str = ""
    minted: bool = False

    def __repr__(self) -> str:
        """Leave the secret out."""
        return f"Credentials(source={self.source!r}, username={self.username!r}, minted={self.minted!r})"

    def environment(self) -> dict[str, str]:
        """Return the variables by which twine takes them."""
        variables = {"TWINE_USERNAME": self.username, "TWINE_PASSWORD": self.secret}
        return {name: value for name, value in variables.items() if value}


class CredentialSession(Struct, kw_only=True):
    """The credentials for one index: obtained at first use, renewed in time, and revoked by ``close``."""

    index: Index
    client: Client
    secrets: Secrets
    environ: Mapping[str, str]
    note: Callable[[str], None]
    _current: Credentials | None = None
    _obtained: float = 0.0

    def get(self) -> Credentials:
        """Return credentials that are valid for another upload.

        Raises IndexRefusedError where the index does not trust this CI job, CheckFailedError where the CI
        service does not identify it, IndexUnavailableError.
        """
        now = self.client.clock.now()
        if self._current is None or (self._current.minted and now - self._obtained > _RENEW_AFTER):
            self.close()
            self._obtained = now
            self._current = self._find()
        return self._current

    def close(self) -> None:
        """Drop the credentials, and revoke them on the index if they were minted."""
        if self._current is not None and self._current.minted:
            oidc.revoke_token(self.index, self.client, self._current.secret)
        self._current = None

    def _find(self) -> Credentials:
        configured = _from_environment(self.environ)
        can_identify = oidc.oidc_available(self.environ)
        if can_identify:
            try:
                token = oidc.mint_token(self.index, self.client, self.secrets)
            except IndexRefusedError as error:
                if configured is None:
                    raise
                self.note(f"{error.message}; using TWINE_PASSWORD instead")
            else:
                if token is not None:
                    return Credentials(
                        source="trusted publishing", username=TOKEN_USER, secret=token, minted=True
                    )
        configured = configured or self._from_pypirc()
        if configured is None:
            if self.environ.get("GITHUB_ACTIONS") and not can_identify:
                self.note("no trusted publishing: this job lacks the permission  id-token: write")
            return Credentials(source="the keyring", username=self.environ.get("TWINE_USERNAME", ""))
        self.secrets.add(configured.secret, username=configured.username or TOKEN_USER)
        return configured

    def _from_pypirc(self) -> Credentials | None:
        """Read the index's section of ~/.pypirc (packaging specification "The .pypirc file")."""
        path = Path(self.environ.get("HOME") or Path.home()) / ".pypirc"
        parser = configparser.RawConfigParser()
        try:
            parser.read_string(read_text(path))
        except (OSError, UnicodeDecodeError):
            return None
        except configparser.Error:
            # The parser's own message would show the line, which may hold a token.
            self.note(f"{path} is not a valid configuration file; its credentials are not used")
            return None
        section = next((name for name in parser.sections() if _is_for(parser, name, self.index)), None)
        secret = parser.get(section, "password", fallback="") if section else ""
        if not section or not secret:
            return None
        username = parser.get(section, "username", fallback=TOKEN_USER)
        return Credentials(source=f".pypirc [{section}]", username=username, secret=secret)


def _from_environment(environ: Mapping[str, str]) -> Credentials | None:
    secret = environ.get("TWINE_PASSWORD", "").strip()
    if not secret:
        return None
    username = environ.get("TWINE_USERNAME", "").strip() or TOKEN_USER
    return Credentials(source="TWINE_PASSWORD", username=username, secret=secret)


def _is_for(parser: configparser.RawConfigParser, section: str, index: Index) -> bool:
    """Return whether a section is for the index: by its address, or by its name if it has no address."""
    address = parser.get(section, "repository", fallback="").rstrip("/")
    return address == index.upload.rstrip("/") if address else section == index.name
