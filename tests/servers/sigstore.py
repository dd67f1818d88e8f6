"""Sigstore's authority (Fulcio) and log (Rekor, version 1) on loopback, with keys of the tests.

The real clients sign with them: `pypi-attestations`, given a cache in which the addresses and keys are these,
and a start that does not ask Sigstore's TUF repository for newer ones.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from servers.publishers import read_identity
from servers.threads import running
from support.signing import Authority, Workflow

# Runs at the start of Python where it is in a .pth file or sitecustomize.
_START = '''
"""Let sigstore take keys and addresses from a folder, and not ask its TUF repository for newer ones."""
import sys
from importlib.abc import MetaPathFinder
from importlib.util import find_spec
from pathlib import Path

FOLDER = Path({folder!r})


class Hook(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "sigstore._internal.tuf":
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            module._get_dirs = lambda url: (FOLDER / "metadata", FOLDER)
            start = module.TrustUpdater.__init__
            module.TrustUpdater.__init__ = lambda self, url, offline=False, bootstrap_root=None: start(
                self, url, offline=True
            )

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, Hook())
'''


@dataclass
class Sigstore:
    """The services; the first ``failures`` requests fail. ``certified`` are the claims of identities."""

    failures: int = 0
    certified: list[dict[str, Any]] = field(default_factory=list)
    logged: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0
    authority: Authority = field(default_factory=lambda: Authority(datetime.now(UTC).replace(microsecond=0)))

    def start(self, folder: Path) -> str:
        """Write keys and addresses to a folder; return what Python has to run before it imports sigstore."""
        folder.mkdir(parents=True)
        (folder / "trusted_root.json").write_text(json.dumps(self.authority.trusted_root()))
        service = {
            "url": f"http://127.0.0.1:{self.port}",
            "majorApiVersion": 1,
            "validFor": {"start": (datetime.now(UTC) - timedelta(days=1)).isoformat().replace("+00:00", "Z")},
            "operator": "tests",
        }
        config = {
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls": [service],
            "oidcUrls": [],
            "rekorTlogUrls": [service],
            "rekorTlogConfig": {"selector": "ANY"},
            "tsaUrls": [],
            "tsaConfig": {"selector": "ANY"},
        }
        (folder / "signing_config.v0.2.json").write_text(json.dumps(config))
        return _START.replace("{folder!r}", repr(str(folder)))

    def certify(self, identity: str, document: dict[str, Any]) -> dict[str, Any] | None:
        """Certify the key of a job whose identity is for Sigstore; None for any other identity."""
        claims = read_identity(identity)
        if claims is None or claims["aud"] != "sigstore":
            return None
        self.certified.append(claims)
        by = Workflow(repository=claims["repository"], name=claims["workflow"], commit=claims["sha"])
        chain = self.authority.certify(b64decode(document["certificateSigningRequest"]), by)
        return {"signedCertificateEmbeddedSct": {"chain": {"certificates": [one.decode() for one in chain]}}}

    def log(self, document: dict[str, Any]) -> dict[str, Any]:
        """Log a signature."""
        proposed = document["spec"]["proposedContent"]
        envelope = json.loads(proposed["envelope"])
        self.logged.append(json.loads(b64decode(envelope["payload"])))
        return {"0" * 64: self.authority.log(envelope, b64decode(proposed["verifiers"][0]))}


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, *_arguments: object) -> None:
        """Keep the tests' output clean."""

    def do_POST(self) -> None:
        """Serve both services' only request."""
        sigstore = self.server.sigstore
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if sigstore.failures:
            sigstore.failures -= 1
            self.send_error(503)
            return
        if self.path == "/api/v2/signingCert":
            answer = sigstore.certify(self.headers["Authorization"].removeprefix("Bearer "), document)
        else:
            assert self.path == "/api/v1/log/entries", self.path
            answer = sigstore.log(document)
        if answer is None:
            self.send_error(401)
            return
        body = json.dumps(answer).encode()
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, sigstore: Sigstore) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.sigstore = sigstore


@contextmanager
def signing(sigstore: Sigstore) -> Iterator[Sigstore]:
    """Run the services in a thread, on loopback."""
    with running(_Server(sigstore)) as sigstore.port:
        yield sigstore
