"""Trusted publishing: exchange the identity of a CI job for an upload token, and revoke the token after use.

The exchange is the one that the public indexes document: ``/_/oidc/audience`` returns the audience, the CI
service signs an identity for it (the ``id`` package requests it), ``/_/oidc/mint-token`` returns a token for
900 seconds, and ``/_/oidc/burn-token`` revokes it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from msgspec import Struct

from wheelkit.errors import CheckFailedError, IndexRefusedError, IndexUnavailableError
from wheelkit.text import lines_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelkit.machine.redaction import Secrets
    from wheelkit.publish.client import Client, Response
    from wheelkit.publish.index import Index


# The variables that are set where a CI service signs identities. GitLab's are named by the job:
# NAME_ID_TOKEN.
_SERVICES: Mapping[str, tuple[str, ...]] = {
    "GitHub": ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL", "GITHUB_ACTIONS"),
    "Buildkite": ("BUILDKITE", "BUILDKITE_AGENT_ACCESS_TOKEN"),
    "CircleCI": ("CIRCLECI", "CIRCLE_OIDC_TOKEN_V2"),
    "Google Cloud": ("GOOGLE_SERVICE_ACCOUNT_NAME",),
}
_OK, _REDIRECT = 200, 300
_SHORTEST_LIFETIME, _USUAL_LIFETIME = 5.0, 900.0
_HINTS: Mapping[str, str] = {
    "invalid-publisher": (
        "no project on this index trusts this workflow: compare owner, repository, workflow file and"
        " environment with the registered publisher\na new project needs a pending publisher first"
    ),
    "invalid-pending-publisher": "the project exists: register the publisher in its settings",
    "invalid-reuse-token": "an identity is valid for one token only: run the job again",
    "invalid-token": "the identity has expired or is meant for another index: run the job again",
    "not-enabled": "the index accepts no identities of this CI service now: use an API token",
}


def oidc_available(environ: Mapping[str, str]) -> bool:
    """Return whether a CI service signs identities for this job."""
    if environ.get("GITLAB_CI"):
        return any(name.endswith("_ID_TOKEN") for name in environ)
    return any(all(environ.get(name) for name in names) for names in _SERVICES.values())


class MintedToken(Struct, frozen=True, kw_only=True):
    """An upload token, and the seconds for which it is valid."""

    token: str
    lifetime: float

    def __repr__(self) -> str:
        """Leave the token out."""
        return f"MintedToken(lifetime={self.lifetime!r})"


def mint_token(index: Index, client: Client, secrets: Secrets) -> MintedToken | None:
    """Exchange this job's identity for an upload token; None where the index has no trusted publishing.

    Raises IndexRefusedError with the index's reason where it does not trust the job, CheckFailedError where
    the CI service does not sign an identity.
    """
    response = client.get(urljoin(index.upload, "/_/oidc/audience"), accept="application/json")
    if response.status != _OK:
        return None
    identity = _identity(_field(response, "audience"))
    secrets.add(identity)
    response = client.post_json(urljoin(index.upload, "/_/oidc/mint-token"), {"token": identity})
    if response.status != _OK:
        raise _refused(index, response)
    token = _field(response, "token")
    secrets.add(token)
    return MintedToken(token=token, lifetime=_lifetime(response))


def _lifetime(response: Response) -> float:
    """Return how long a token is valid by the index's clock; as long as usual where it says nothing."""
    expires = response.json().get("expires")
    if not isinstance(expires, int):
        return _USUAL_LIFETIME
    now = response.date.timestamp() if response.date else time.time()
    return min(max(expires - int(now), _SHORTEST_LIFETIME), _USUAL_LIFETIME)


def revoke_token(index: Index, client: Client, token: str) -> bool:
    """Revoke a minted token, and return whether the index did so; otherwise the token expires by itself."""
    try:
        url = urljoin(index.upload, "/_/oidc/burn-token")
        return client.post_json(url, {"token": token}).status < _REDIRECT
    except IndexUnavailableError:
        return False


def _identity(audience: str) -> str:
    from id import detect_credential

    try:
        identity = detect_credential(audience)
    # It passes on what its HTTP client, its programs and its parsers raise for odd variables and answers.
    except Exception as error:
        raise CheckFailedError(
            f"the CI service did not identify this job: {error}",
            hint="GitHub: give the job the permission  id-token: write\n"
            "GitLab: add an id_tokens entry for this index",
        ) from error
    if identity is None:
        raise CheckFailedError(
            "no CI service identifies this job, so trusted publishing is not possible",
            hint="set TWINE_PASSWORD to an API token",
        )
    return identity


def _field(response: Response, name: str) -> str:
    try:
        value = response.json()[name]
    except (ValueError, KeyError, TypeError):
        value = None
    # A token becomes an environment variable of twine.
    if not isinstance(value, str) or not value or not (value.isascii() and value.isprintable()):
        raise IndexUnavailableError(
            f'the response of {response.url} has no "{name}"', hint="check the index's upload address"
        )
    return value


def _refused(index: Index, response: Response) -> IndexRefusedError:
    try:
        errors = [(str(error["code"]), str(error["description"])) for error in response.json()["errors"]]
    except (ValueError, KeyError, TypeError):
        errors = []
    reasons = lines_of(f"{code}: {description}" for code, description in errors)
    hints = [_HINTS[code] for code, _ in errors if code in _HINTS]
    return IndexRefusedError(
        f"{index} does not give this workflow an upload token",
        detail=reasons or f"it answered {response.status}",
        hint="\n".join(hints) or "compare this workflow with the publishers that are registered on the index",
    )
