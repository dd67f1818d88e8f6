"""Upload credentials: from trusted publishing if possible, else as twine finds them, else typed.

A secret is obtained as late as possible, made known to the redactor before anything can print it, and passed
on in the environment only.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from msgspec import Struct

from wheelkit.errors import IndexRefusedError, UsageError
from wheelkit.publish import oidc
from wheelkit.publish.index import public_uploads
from wheelkit.publish.pypirc import read_pypirc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from wheelkit.machine.redaction import Secrets
    from wheelkit.publish.client import Client
    from wheelkit.publish.index import Index
    from wheelkit.publish.pypirc import PypircSection


TOKEN_USER = "__token__"  # noqa: S105 - the user name that goes with tokens
_VARIABLE = "TWINE_PASSWORD"
_USER_NAME = "user name"
_TOKEN_PREFIX = "pypi-"  # noqa: S105 - how the tokens of Warehouse begin
# A minted token of which this part of its life is over is replaced before the next upload begins.
_RENEWED_PART = 0.53


class Credentials(Struct, frozen=True, kw_only=True):
    """A user name and a secret, both empty where twine is to ask the keyring; ``source`` says where from.

    ``lifetime`` is in seconds, from when they were obtained.
    """

    source: str
    username: str = ""
    secret: str = ""
    minted: bool = False
    lifetime: float = float("inf")

    def __repr__(self) -> str:
        """Leave the secret out."""
        return f"Credentials(source={self.source!r}, username={self.username!r}, minted={self.minted!r})"

    def environment(self) -> dict[str, str]:
        """Return the variables by which twine takes them."""
        variables = {"TWINE_USERNAME": self.username, "TWINE_PASSWORD": self.secret}
        return {name: value for name, value in variables.items() if value}


class CredentialSession(Struct, kw_only=True):
    """The credentials for one index: obtained at first use, renewed in time, and revoked by ``close``.

    ``ask`` reads what its argument names from the ``terminal``, if there is one.
    """

    index: Index
    client: Client
    secrets: Secrets
    environ: Mapping[str, str]
    note: Callable[[str], None]
    terminal: Callable[[], bool] | None = None
    ask: Callable[[str], str] | None = None
    _current: Credentials | None = None
    _obtained: float = 0.0

    def get(self) -> Credentials:
        """Return credentials that are valid for another upload.

        Raises IndexRefusedError where the index does not trust this CI job, CheckFailedError where the CI
        service does not identify it, IndexUnavailableError.
        """
        now = self.client.clock.now()
        if self._current is None or now - self._obtained > self._current.lifetime * _RENEWED_PART:
            self.close()
            self._obtained = now
            self._current = self._find()
        return self._current

    @property
    def remaining(self) -> float:
        """The seconds for which the credentials are valid; infinite for those that are not minted."""
        if self._current is None:
            return 0.0
        return self._obtained + self._current.lifetime - self.client.clock.now()

    @property
    def minted(self) -> bool:
        """Whether the credentials are a minted token."""
        return self._current is not None and self._current.minted

    def close(self) -> None:
        """Drop the credentials, and revoke them on the index if they were minted."""
        if self._current is not None and self._current.minted:
            oidc.revoke_token(self.index, self.client, self._current.secret)
        self._current = None

    def _find(self) -> Credentials:
        configured = self._configured()
        can_identify = oidc.oidc_available(self.environ)
        in_environment = configured is not None and configured.source == _VARIABLE
        if can_identify:
            try:
                minted = oidc.mint_token(self.index, self.client, self.secrets)
            except IndexRefusedError as error:
                if configured is None or not in_environment:
                    raise
                self.note(f"{error.message}; using {_VARIABLE} instead")
            else:
                if minted is not None:
                    return Credentials(
                        source="trusted publishing",
                        username=TOKEN_USER,
                        secret=minted.token,
                        minted=True,
                        lifetime=minted.lifetime,
                    )
        configured = configured or self._stored_or_typed()
        if configured is None:
            if self.environ.get("GITHUB_ACTIONS") and not can_identify:
                self.note("no trusted publishing: this job lacks the permission  id-token: write")
            return Credentials(source="the keyring", username=self.environ.get("TWINE_USERNAME", ""))
        self.secrets.add(configured.secret, username=configured.username or TOKEN_USER)
        self._require_fitting(configured)
        return configured

    def _configured(self) -> Credentials | None:
        """Return what the environment and ~/.pypirc state, each value by itself, as twine takes them."""
        username, secret = (self.environ.get(name, "").strip() for name in ("TWINE_USERNAME", _VARIABLE))
        source, section = _VARIABLE, self._section()
        # The public indexes know nothing but tokens, so twine does not look for a user name there.
        if section is not None and not self.index.public:
            username = username or section.username
        if section is not None and not secret and section.password:
            secret, source = section.password, f".pypirc [{section.name}]"
        return Credentials(source=source, username=username or TOKEN_USER, secret=secret) if secret else None

    def _section(self) -> PypircSection | None:
        """Return the section of ~/.pypirc for the index: by its address, else by its name without one.

        Those that twine reads come first; a project's own index needs no place in ``index-servers``.
        """
        found = read_pypirc(self.environ)
        if found.problem:
            self.note(f"{found.problem}; its credentials are not used")
        fitting = [*self._fitting(found.sections), *self._fitting(found.unlisted)]
        section = next((section for section in fitting if section.password), next(iter(fitting), None))
        named = found.sections.get(self.index.name) or found.unlisted.get(self.index.name)
        if section is None and named is not None and named.password:
            self.note(
                f"{found.path} [{named.name}] is for {named.repository}, not for {self.index.upload};"
                " its credentials are not used"
            )
        return section

    def _fitting(self, sections: Mapping[str, PypircSection]) -> Iterator[PypircSection]:
        own, named = _address(self.index.upload), sections.get(self.index.name)
        if named is not None and (not named.repository or _address(named.repository) == own):
            yield named
        yield from (section for section in sections.values() if _address(section.repository) == own)

    def _stored_or_typed(self) -> Credentials | None:
        """On a terminal, ask the keyring and then the user; None elsewhere."""
        if not (self.terminal or _is_terminal)():
            return None
        ask = self.ask or _ask
        username = self.environ.get("TWINE_USERNAME", "").strip() or (TOKEN_USER if self.index.public else "")
        stored = _from_keyring(self.index.upload, username)
        if stored is not None:
            return stored
        self.note(f"no credentials for {self.index} in the environment, .pypirc or the keyring")
        username = username or ask(_USER_NAME) or TOKEN_USER
        secret = ask("API token" if username == TOKEN_USER else "password")
        return Credentials(source="the terminal", username=username, secret=secret) if secret else None

    def _require_fitting(self, credentials: Credentials) -> None:
        """Refuse a token with a user's name before the index does; a password is only remarked on."""
        is_token = credentials.secret.startswith(_TOKEN_PREFIX)
        if is_token and credentials.username != TOKEN_USER:
            message = (
                f'the user name for {self.index} is "{credentials.username}", but the secret'
                f" ({credentials.source}) is an API token, which goes with {TOKEN_USER}"
            )
            if self.index.public:
                raise UsageError(message, hint="unset TWINE_USERNAME")
            self.note(message)
        if self.index.public and not is_token:
            self.note(f"the secret for {self.index} ({credentials.source}) does not begin as its tokens do")


def _from_keyring(address: str, username: str) -> Credentials | None:
    """Ask the keyring as twine does; None where there is none, or it knows nothing."""
    try:
        import keyring

        found = keyring.get_credential(address, username or None)
    except Exception:  # noqa: BLE001 - backends raise whatever their systems do; twine asks again, and tells
        return None
    if found is None or not found.password:
        return None
    return Credentials(source="the keyring", username=found.username, secret=found.password)


def _host(address: str) -> str:
    return urlsplit(address).netloc


def _address(upload: str) -> str:
    """Return an upload address for comparison: the public indexes have https, and a last slash is nothing."""
    parts = urlsplit(upload)
    if parts.scheme == "http" and parts.netloc in map(_host, public_uploads().values()):
        parts = parts._replace(scheme="https")
    return urlunsplit(parts).rstrip("/")


def _is_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def _ask(what: str) -> str:
    import getpass

    try:
        return (input if what == _USER_NAME else getpass.getpass)(f"  {what}: ").strip()
    except EOFError:
        return ""
