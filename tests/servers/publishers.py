"""Trusted publishing on the fake index: registered workflows, and tokens minted for identities."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Publishers:
    """The registered workflows with their projects, and the scopes of their minted tokens.

    A token lives for ``lifetime`` seconds.
    """

    audience: str = "pypi"
    enabled: bool = False
    lifetime: int = 900
    workflows: dict[str, frozenset[str]] = field(default_factory=dict)
    minted: dict[str, Any] = field(default_factory=dict)
    issued: list[str] = field(default_factory=list)
    burnt: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    claims: dict[str, dict[str, Any]] = field(default_factory=dict)

    def mint(self, identity: str, token: Callable[..., Any]) -> tuple[int, dict[str, Any]]:
        """Exchange an identity for a token, whose scope ``token`` creates; returns status and document."""
        claims = read_identity(identity)
        if claims is None or claims["aud"] != self.audience or claims["exp"] < time.time():
            return _refusal("invalid-token", "malformed or invalid token")
        if claims["jti"] in self.used:
            return _refusal("invalid-reuse-token", "invalid token: already used")
        projects = self.workflows.get(claims["workflow"])
        if projects is None:
            return _refusal(
                "invalid-publisher",
                "valid token, but no corresponding publisher (Publisher with matching claims was not found)",
            )
        self.used.add(claims["jti"])
        minted = f"pypi-{secrets.token_urlsafe(48)}"
        self.minted[minted] = token(projects=projects, expires=time.time() + self.lifetime)
        self.issued.append(minted)
        self.claims[minted] = claims
        return 200, {"success": True, "token": minted, "expires": int(time.time()) + self.lifetime}

    def burn(self, minted: str) -> None:
        """Revoke a token."""
        if self.minted.pop(minted, None) is not None:
            self.burnt.append(minted)


def _refusal(code: str, description: str) -> tuple[int, dict[str, Any]]:
    return 422, {"message": "Token request failed", "errors": [{"code": code, "description": description}]}


def sign_identity(claims: dict[str, Any]) -> str:
    """Encode claims as a JSON web token without a real signature."""
    return (
        ".".join(_encoded(part) for part in ({"alg": "none", "typ": "JWT"}, claims))
        + "."
        + _encoded("signature")
    )


def read_identity(identity: str) -> dict[str, Any] | None:
    """Return the claims of an identity; None if it is malformed."""
    try:
        payload = identity.split(".")[1]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return None
    return claims


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
