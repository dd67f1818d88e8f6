"""Replaces secrets in text, so that no log, report or message can contain one."""

from __future__ import annotations

import base64
import re
import shlex
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from wheelkit.inputs import encoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


# Upload tokens of the public indexes and JSON web tokens, recognised by their form.
_TOKENS = re.compile(rb"pypi-[A-Za-z0-9_-]{16,}|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+")
_MIN_SECRET_LENGTH = 4
# Environment variables with secrets that a child program may print.
_SECRET_VARIABLES = (
    "TWINE_PASSWORD", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_RUNTIME_TOKEN", "GITHUB_TOKEN",
    "CI_JOB_TOKEN",
)  # fmt: skip


class Redactor:
    """Replaces known secrets by ``***``."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = _longest_first(secrets)

    def __call__(self, line: bytes) -> bytes:
        """Return the line without secrets."""
        for secret in self._secrets:
            line = line.replace(secret, b"***")
        return line


class Secrets(Redactor):
    """A redactor that accepts further secrets at any time and also recognises tokens by their form."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__()
        self._known: set[str] = set()
        names = {name for name in environ if name in _SECRET_VARIABLES or name.endswith("_ID_TOKEN")}
        self.add(*(environ[name] for name in names))

    def add(self, *secrets: str, username: str = "__token__") -> None:
        """Add secrets, with the forms that they take in headers, URLs and shell commands."""
        for secret in secrets:
            if len(secret) >= _MIN_SECRET_LENGTH:
                self._known.update(_encoded_forms(secret, username))
        self._secrets = _longest_first(self._known)

    def __call__(self, line: bytes) -> bytes:
        """Return the line without secrets and tokens."""
        return _TOKENS.sub(b"***", super().__call__(line))

    def text(self, text: str) -> str:
        """Return the text without secrets and tokens."""
        return self(encoded(text)).decode(errors="replace")


def _longest_first(secrets: Iterable[str]) -> list[bytes]:
    """Sort secrets so that one that contains another is replaced as a whole."""
    return sorted((encoded(secret) for secret in secrets if secret), key=len, reverse=True)


def _encoded_forms(secret: str, username: str) -> set[str]:
    raw = encoded(secret)
    basic = base64.b64encode(encoded(f"{username}:{secret}")).decode()
    plain = base64.b64encode(raw).decode()
    return {secret, shlex.quote(secret), quote(raw), quote_plus(raw), repr(secret)[1:-1], basic, plain}
