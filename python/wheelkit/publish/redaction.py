"""Keeps secrets out of everything that is printed or kept: in every spelling in which a program could show them."""

from __future__ import annotations

import base64
import re
import shlex
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from wheelkit.process import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


# What tokens of the public indexes and JSON web tokens look like, for those that nobody told us of.
_TOKENS = re.compile(rb"pypi-[A-Za-z0-9_-]{16,}|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+")
_SHORTEST = 4
# Variables of the environment that hold secrets which a child program may print.
_VARIABLES = ("TWINE_PASSWORD", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_RUNTIME_TOKEN", "GITHUB_TOKEN", "CI_JOB_TOKEN")


class Secrets(Redactor):
    """A redactor that learns secrets as they come up, and knows tokens by their looks."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__()
        self._known: set[str] = set()
        named = (environ[name] for name in (*_VARIABLES, *(one for one in environ if one.endswith("_ID_TOKEN"))) if name in environ)
        self.add(*named)

    def add(self, *secrets: str, username: str = "__token__") -> None:
        """Learn secrets, with the forms that they take in headers, addresses and shell lines."""
        for secret in secrets:
            if len(secret) >= _SHORTEST:
                self._known.update(_forms(secret, username))
        self._secrets = sorted((form.encode() for form in self._known), key=len, reverse=True)

    def __call__(self, line: bytes) -> bytes:
        """Return the line with every secret replaced by ``***``."""
        return _TOKENS.sub(b"***", super().__call__(line))

    def text(self, text: str) -> str:
        """Do the same to text."""
        return self(text.encode()).decode(errors="replace")


def _forms(secret: str, username: str) -> Iterable[str]:
    basic = base64.b64encode(f"{username}:{secret}".encode()).decode()
    return {
        secret,
        shlex.quote(secret),
        quote(secret),
        quote_plus(secret),
        repr(secret)[1:-1],
        basic,
        base64.b64encode(secret.encode()).decode(),
    }
