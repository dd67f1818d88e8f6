"""Trusted publishing: a token for one index, minted with the identity that the CI service vouches for, and burnt after use.

The exchange is the one that the public indexes document: ``/_/oidc/audience`` names the audience, the CI service signs an identity for it
(``id`` knows how to ask), ``/_/oidc/mint-token`` gives a token of 900 seconds, ``/_/oidc/burn-token`` takes it back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from wheelkit.errors import CheckFailedError, IndexRefusedError, IndexUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelkit.machine.redaction import Secrets
    from wheelkit.publish.client import Client, Response
    from wheelkit.publish.index import Index


# By which variables each CI service shows that it signs identities.
_SIGNS: Mapping[str, tuple[str, ...]] = {
    "GitHub": ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL", "GITHUB_ACTIONS"),
    "Buildkite": ("BUILDKITE", "BUILDKITE_AGENT_ACCESS_TOKEN"),
    "CircleCI": ("CIRCLECI", "CIRCLE_OIDC_TOKEN_V2"),
    "Google Cloud": ("GOOGLE_SERVICE_ACCOUNT_NAME",),
}
_OK = 200
_REASONS: Mapping[str, str] = {
    "invalid-publisher": (
        "no project on this index trusts this workflow: compare owner, repository, workflow file and environment with the publisher"
        " that is registered there; a first release needs a pending publisher for each new project"
    ),
    "invalid-pending-publisher": "the project exists by now: register the publisher in the project's own settings",
    "invalid-reuse-token": "an identity is good for one token only: run the job again",
    "invalid-token": "the identity has expired, or is meant for another index: run the job again",
    "not-enabled": "this index does not take identities of this CI service for the moment: use an API token",
}


def oidc_available(environ: Mapping[str, str]) -> bool:
    """Tell whether the CI service that we run on signs identities for this job."""
    if environ.get("GITLAB_CI"):
        return any(name.endswith("_ID_TOKEN") for name in environ)
    return any(all(environ.get(name) for name in names) for names in _SIGNS.values())


def mint_token(index: Index, client: Client, secrets: Secrets) -> str | None:
    """Exchange this job's identity for an upload token; None where the index knows no trusted publishing.

    Raises IndexRefusedError with the index's reason where it does not trust us, CheckFailedError where the CI service signs nothing.
    """
    answer = client.get(_address(index, "audience"), accept="application/json")
    if answer.status != _OK:
        return None
    identity = _identity(_field(answer, "audience"))
    secrets.add(identity)
    answer = client.post_json(_address(index, "mint-token"), {"token": identity})
    if answer.status != _OK:
        raise _refused(index, answer)
    token = _field(answer, "token")
    secrets.add(token)
    return token


def revoke_token(index: Index, client: Client, token: str) -> bool:
    """Have the index forget a minted token; tells whether it did, which it need not (a token dies by itself)."""
    try:
        return client.post_json(_address(index, "burn-token"), {"token": token}).status < 300  # noqa: PLR2004 - any success
    except IndexUnavailableError:
        return False


def _address(index: Index, what: str) -> str:
    parts = urlsplit(index.upload)
    return urlunsplit((parts.scheme, parts.netloc, f"/_/oidc/{what}", "", ""))


def _identity(audience: str) -> str:
    from id import AmbientCredentialError, detect_credential

    try:
        identity = detect_credential(audience)
    except AmbientCredentialError as error:
        raise CheckFailedError(
            f"the CI service gives this job no identity: {error}",
            hint="the job needs the permission  id-token: write  (GitHub)\nor an id_tokens entry for this index (GitLab)",
        ) from error
    if identity is None:
        raise CheckFailedError(
            "no CI service was found that could vouch for this job", hint="set TWINE_PASSWORD to an API token"
        )
    return identity


def _field(answer: Response, name: str) -> str:
    try:
        value = answer.json()[name]
    except (ValueError, KeyError, TypeError):
        value = None
    if not isinstance(value, str) or not value:
        raise IndexUnavailableError(
            f"{answer.url} does not answer with its {name}", hint="check the index's upload address"
        )
    return value


def _refused(index: Index, answer: Response) -> IndexRefusedError:
    try:
        errors = [(str(one["code"]), str(one["description"])) for one in answer.json()["errors"]]
    except (ValueError, KeyError, TypeError):
        errors = []
    detail = "\n".join(f"{code}: {words}" for code, words in errors) or f"it answers {answer.status}"
    hints = [_REASONS[code] for code, _ in errors if code in _REASONS]
    return IndexRefusedError(
        f"{index} gives no token to this workflow; nothing was uploaded",
        detail=detail,
        hint="\n".join(hints) or "look at the publishers that are registered on the index",
    )
