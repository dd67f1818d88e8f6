"""A fake of a CI service's identity endpoint: signs an identity for requests with the job's token."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from servers.publishers import sign_identity
from servers.threads import running


@dataclass
class Issuer:
    """The claims about a job; with ``reuse`` it returns the same identity again."""

    workflow: str = "release.yml"
    repository: str = "acme/gyro"
    sha: str = "c0ffee" * 6 + "beef"
    request_token: str = "request-token-of-the-job"  # noqa: S105 - only valid for the fake
    audience: str | None = None
    reuse: bool = False
    signed: list[str] = field(default_factory=list)
    port: int = 0

    def sign(self, audience: str) -> str:
        """Sign an identity for the audience that the test has set, else for the requested one."""
        if self.reuse and self.signed:
            return self.signed[0]
        claims = {
            "aud": self.audience or audience,
            "jti": uuid.uuid4().hex,
            "exp": time.time() + 300,
            "workflow": self.workflow,
            "iss": "https://token.actions.githubusercontent.com",
            "sub": f"repo:{self.repository}:environment:pypi",
            "iat": time.time(),
            "repository": self.repository,
            "sha": self.sha,
        }
        self.signed.append(sign_identity(claims))
        return self.signed[-1]

    def environment(self) -> dict[str, str]:
        """Return the variables that the service sets for a job with ``id-token: write``."""
        return {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"http://127.0.0.1:{self.port}/identity?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": self.request_token,
        }


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, *_arguments: object) -> None:
        """Keep the tests' output clean."""

    def do_GET(self) -> None:
        """Sign an identity for a request with the job's token."""
        issuer = self.server.issuer
        if self.headers.get("Authorization") != f"bearer {issuer.request_token}":
            self.send_error(401)
            return
        audience = parse_qs(urlsplit(self.path).query)["audience"][0]
        body = json.dumps({"value": issuer.sign(audience)}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, issuer: Issuer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.issuer = issuer


@contextmanager
def issuing(issuer: Issuer) -> Iterator[Issuer]:
    """Run the service in a thread, on loopback."""
    with running(_Server(issuer)) as issuer.port:
        yield issuer
