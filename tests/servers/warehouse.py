"""A fake of the public indexes: refuses what they refuse, shows files after a lag, and fails on demand.

Its responses follow the documentation and the responses of the public indexes. It keeps all files in memory
and records every upload: whether it was stored, the response's status, and when the file became visible.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import ssl
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from servers import index_rules
from servers.faults import Faults, Kind
from servers.forms import Form, parse_form
from servers.publishers import Publishers
from servers.threads import running

JSON_TYPE = "application/vnd.pypi.simple.v1+json"
_PLATFORM = re.compile(
    r"any|win32|win_(amd64|arm64)|macosx_\d+_\d+_\w+|(many|musl)linux_\d+_\d+_\w+|manylinux(1|2010|2014)_\w+"
)
_NEW_FILES_ACCEPTED_FOR = timedelta(days=14)


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A file of the index, and the time from which the index lists it."""

    name: str
    project: str
    version: str
    data: bytes
    sha256: str
    visible: float
    uploaded: datetime
    attestations: str = ""


@dataclass(frozen=True, kw_only=True)
class Event:
    """An upload request: the file, the response's status (0: connection cut), and whether it was new."""

    file: str
    status: int
    kept: bool
    moment: float


@dataclass(frozen=True, kw_only=True)
class Token:
    """An upload token: the projects in its scope (None: all), and when it expires."""

    projects: frozenset[str] | None = None
    expires: float = float("inf")


class RefusedError(Exception):
    """A refused upload: the status and text that the public indexes respond with."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


@dataclass
class Warehouse:
    """An index: ``lag`` in seconds, ``form`` is ``json``, ``html`` or ``proxy`` (a login page).

    Files in ``doubled`` are listed twice. The bodies of addresses with ``truncated`` in them end halfway.
    With ``core_metadata`` it serves METADATA beside each wheel (PEP 658).
    With ``strict`` it refuses what the public indexes refuse in a file (servers/index_rules.py).
    """

    lag: float = 0.0
    strict: bool = False
    largest: int = 100 << 20
    form: str = "json"
    hashes: bool = True
    tokens: dict[str, Token] = field(default_factory=lambda: {"pypi-valid-token-0123456789": Token()})
    faults: Faults = field(default_factory=Faults)
    publishers: Publishers = field(default_factory=Publishers)
    redirect: str = ""
    age: timedelta = timedelta()
    clock_error: timedelta = timedelta()
    files: dict[str, Stored] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    yanked: set[str] = field(default_factory=set)
    doubled: set[str] = field(default_factory=set)
    truncated: str = ""
    provenance: dict[str, bytes] = field(default_factory=dict)
    core_metadata: bool = False
    events: list[Event] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> datetime:
        """Return the time by the index's clock."""
        return datetime.now(UTC) + self.clock_error

    def put(self, filename: str, data: bytes, *, visible: float = 0.0) -> None:
        """Put a file on the index without a request, as if someone else had uploaded it."""
        project, version = identity(filename)
        digest = hashlib.sha256(data).hexdigest()
        self.files[filename] = Stored(
            name=filename,
            project=project,
            version=version,
            data=data,
            sha256=digest,
            visible=visible,
            uploaded=self.now() - self.age,
        )

    def take(self, form: Form, token: str | None) -> bool:
        """Check an upload and store the file; returns False if the index has it with the same bytes."""
        project, version = self._authorised(form, token)
        data, name = form.content, form.filename
        digest = hashlib.sha256(data).hexdigest()
        if len(data) > self.largest:
            raise RefusedError(
                400,
                f"File too large. Limit for project '{project}' is {self.largest >> 20} MB."
                " See help#file-size-limit",
            )
        if form.get("sha256_digest") != digest:
            raise RefusedError(
                400, "The digest supplied does not match a digest calculated from the uploaded file."
            )
        self._refuse_old(project, version)
        known = self.files.get(name)
        if known is not None and known.sha256 == digest:
            return False
        self._refuse_name(name, digest)
        self._refuse_rules(form, project, version)
        if self.strict:
            try:
                index_rules.judge(form)
            except index_rules.NotAcceptedError as error:
                raise RefusedError(400, str(error)) from error
        if form.get("attestations"):
            self._attest(name, form.get("attestations"), token)
        moment = time.monotonic() + self.lag
        self.files[name] = Stored(
            name=name,
            project=project,
            version=version,
            data=data,
            sha256=digest,
            visible=moment,
            uploaded=self.now(),
            attestations=form.get("attestations"),
        )
        return True

    def _attest(self, name: str, attestations: str, token: str | None) -> None:
        """Store attestations, under the publisher of the token."""
        if self.publishers.enabled and token not in self.publishers.minted:
            raise RefusedError(
                400,
                "Invalid attestations supplied during upload:"
                " Attestations are only supported when using Trusted Publishing",
            )
        claims = self.publishers.claims.get(token or "", {})
        publisher = {
            "kind": "GitHub",
            "repository": claims.get("repository", "acme/gyro"),
            "workflow": claims.get("workflow", "release.yml"),
            "environment": None,
        }
        bundle = {"publisher": publisher, "attestations": json.loads(attestations)}
        self.provenance[name] = json.dumps({"version": 1, "attestation_bundles": [bundle]}).encode()

    def _authorised(self, form: Form, token: str | None) -> tuple[str, str]:
        scope = self.tokens.get(token or "") or self.publishers.minted.get(token or "")
        if scope is None:
            raise RefusedError(
                403,
                "Invalid or non-existent authentication information."
                " See help#invalid-auth for more information.",
            )
        if time.time() > scope.expires:
            raise RefusedError(403, "Invalid API Token: Token is expired")
        project, version = identity(form.filename)
        if scope.projects is not None and project not in scope.projects:
            raise RefusedError(
                403, f"Invalid API Token: project-scoped token is not valid for project: '{project}'"
            )
        if project != canonicalize_name(form.get("name")):
            raise RefusedError(
                400, f"Start filename for '{form.get('name')}' with '{form.get('name').replace('-', '_')}'."
            )
        return project, version

    def _refuse_old(self, project: str, version: str) -> None:
        moments = [
            stored.uploaded
            for stored in self.files.values()
            if (stored.project, stored.version) == (project, version)
        ]
        if moments and self.now() - min(moments) > _NEW_FILES_ACCEPTED_FOR:
            raise RefusedError(400, "Uploading new files to releases older than 14 days is not allowed.")

    def _refuse_name(self, name: str, digest: str) -> None:
        matching = (file for file in self.files.values() if file.name == name or file.sha256 == digest)
        if (existing := next(matching, None)) is not None:
            raise RefusedError(
                400,
                f"File already exists ('{existing.name}', with blake2_256 hash '…')."
                " See help#file-name-reuse",
            )
        if name in self.deleted:
            raise RefusedError(
                400, "This filename has already been used, use a different version. See help#file-name-reuse"
            )

    def _refuse_rules(self, form: Form, project: str, version: str) -> None:
        name = form.filename
        if Version(form.get("version")).local:
            raise RefusedError(
                400, f"The use of local versions in <Version('{form.get('version')}')> is not allowed."
            )
        if name.endswith(".whl"):
            for platform in name.removesuffix(".whl").rpartition("-")[2].split("."):
                if not _PLATFORM.fullmatch(platform):
                    raise RefusedError(
                        400, f"Binary wheel '{name}' has an unsupported platform tag '{platform}'."
                    )
        elif any(
            stored.name.endswith(".tar.gz") and (stored.project, stored.version) == (project, version)
            for stored in self.files.values()
        ):
            raise RefusedError(400, "Only one sdist may be uploaded per release.")
        if form.get("classifiers").startswith("Invalid ::"):
            raise RefusedError(
                400,
                f"'{form.get('classifiers')}' is not a valid classifier."
                " See https classifiers for more information.",
            )

    def shown(self, project: str, *, stale: bool = False) -> list[Stored]:
        """Return a project's visible files; with ``stale``, those before the newest one appeared."""
        moment = time.monotonic()
        files = [file for file in self.files.values() if file.project == project and file.visible <= moment]
        if stale and files:
            files.remove(max(files, key=lambda file: file.visible))
        return [*files, *(file for file in files if file.name in self.doubled)]


def identity(filename: str) -> tuple[str, str]:
    """Return project and version of a file name."""
    if filename.endswith(".whl"):
        name, version, *_ = parse_wheel_filename(filename)
    else:
        name, version = parse_sdist_filename(filename)
    return str(name), str(version)


class _Handler(BaseHTTPRequestHandler):
    """Serves a Warehouse over HTTP."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_arguments: object) -> None:
        """Keep the tests' output clean."""

    def date_time_string(self, _timestamp: float | None = None) -> str:
        """Return the Date header by the index's clock."""
        return self.server.index.now().strftime("%a, %d %b %Y %H:%M:%S GMT")

    def do_GET(self) -> None:
        """Serve listings, files, provenance and the audience."""
        index = self.server.index
        parts = urlsplit(self.path)
        index.requests.append(f"GET {parts.path}")
        if parts.path == "/_/oidc/audience":
            self._json(
                200, {"audience": index.publishers.audience}
            ) if index.publishers.enabled else self._page(404, "Not Found")
        elif parts.path.startswith("/simple/"):
            self._listing(index, parts.path.removeprefix("/simple/").strip("/"))
        elif (
            parts.path.startswith("/integrity/")
            and (served := index.provenance.get(parts.path.split("/")[2])) is not None
        ):
            self._send(200, served, "application/vnd.pypi.integrity.v1+json")
        elif (
            index.core_metadata
            and parts.path.endswith(".whl.metadata")
            and (beside := index.files.get(unquote(parts.path.rpartition("/")[2].removesuffix(".metadata"))))
        ):
            self._send(200, metadata_of(beside), "application/octet-stream")
        elif (
            stored := index.files.get(unquote(parts.path.rpartition("/")[2]))
        ) is not None and parts.path.startswith("/files/"):
            self._send(200, stored.data, "application/octet-stream")
        else:
            self._page(404, "Not Found")

    def do_HEAD(self) -> None:
        """Serve the headers of a GET."""
        self.do_GET()

    def _listing(self, index: Warehouse, project: str) -> None:
        fault = index.faults.look()
        if index.redirect:
            self._send(302, b"", "text/plain", Location=index.redirect)
        elif fault is Kind.LOOK_BROKEN:
            self._page(503, "Backend fetch failed")
        elif fault is Kind.LOOK_CUT:
            self._cut()
        elif index.form == "proxy":
            self._page(200, "Please log in")
        else:
            with index.lock:
                files = index.shown(project, stale=fault is Kind.LOOK_STALE)
                known = any(stored.project == project for stored in index.files.values())
            if not files and (not known or index.lag):
                self._page(404, "Not Found")
            elif index.form == "html" or JSON_TYPE not in self.headers.get("Accept", ""):
                self._send(200, html_listing(index, project, files).encode(), "text/html")
            else:
                self._json(200, json_listing(index, project, files), JSON_TYPE)

    def do_POST(self) -> None:
        """Accept uploads; mint and revoke tokens."""
        index = self.server.index
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        path = urlsplit(self.path).path
        index.requests.append(f"POST {path}")
        if path == "/_/oidc/mint-token":
            self._json(*index.publishers.mint(json.loads(body)["token"], Token))
        elif path == "/_/oidc/burn-token":
            index.publishers.burn(json.loads(body)["token"])
            self._send(204, b"", "text/plain")
        elif path == "/legacy/":
            self._upload(index, parse_form(self.headers["Content-Type"], body))
        else:
            self._page(404, "Not Found")

    def _upload(self, index: Warehouse, form: Form) -> None:
        fault = index.faults.upload()
        if fault is Kind.SLOW:
            time.sleep(0.3)
        if fault in {Kind.BROKEN_BEFORE, Kind.CUT_BEFORE, Kind.BUSY}:
            self._answer(index, form, fault, status=429 if fault is Kind.BUSY else 503, kept=False)
            return
        try:
            with index.lock:
                kept = index.take(form, _token(self.headers.get("Authorization", "")))
        except RefusedError as error:
            index.events.append(
                Event(file=form.filename, status=error.status, kept=False, moment=time.monotonic())
            )
            self._page(error.status, error.text)
            return
        self._answer(index, form, fault, status=503 if fault is Kind.BROKEN_AFTER else 200, kept=kept)

    def _answer(self, index: Warehouse, form: Form, fault: Kind | None, *, status: int, kept: bool) -> None:
        cut = fault in {Kind.CUT_BEFORE, Kind.CUT_AFTER}
        index.events.append(
            Event(file=form.filename, status=0 if cut else status, kept=kept, moment=time.monotonic())
        )
        if cut:
            self._cut()
        elif status == 200:
            self._send(200, b"", "text/plain")
        else:
            self._page(
                status,
                "Too Many Requests" if status == 429 else "Service Unavailable",
                **{"Retry-After": "0"},
            )

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(2)

    def _page(self, status: int, text: str, **headers: str) -> None:
        page = (
            f"<html><head><title>{status} {text}</title></head><body><h1>{status} {text}</h1></body></html>"
        )
        self._send(status, page.encode(), "text/html", **headers)

    def _json(self, status: int, document: object, kind: str = "application/json") -> None:
        self._send(status, json.dumps(document).encode(), kind)

    def _send(self, status: int, body: bytes, kind: str, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        truncated = self.server.index.truncated
        if truncated and truncated in self.path:
            body = body[: len(body) // 2]
            self.close_connection = True
        if self.command != "HEAD":
            self.wfile.write(body)


def _token(header: str) -> str | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    user, _, secret = base64.b64decode(encoded).decode().partition(":")
    return secret if user == "__token__" else None


def metadata_of(stored: Stored) -> bytes:
    """Return METADATA of a wheel."""
    with zipfile.ZipFile(io.BytesIO(stored.data)) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return archive.read(name)


def json_listing(index: Warehouse, project: str, files: list[Stored]) -> dict[str, object]:
    """Return a listing (PEP 691 and 700)."""
    entries = [
        {
            "filename": stored.name,
            "url": f"/files/{stored.name}",
            "hashes": {"sha256": stored.sha256} if index.hashes else {},
            "size": len(stored.data),
            "upload-time": stored.uploaded.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "yanked": stored.name in index.yanked,
            "core-metadata": (
                {"sha256": hashlib.sha256(metadata_of(stored)).hexdigest()}
                if index.core_metadata and stored.name.endswith(".whl")
                else False
            ),
            "provenance": f"/integrity/{stored.name}/provenance" if stored.name in index.provenance else None,
        }
        for stored in files
    ]
    return {
        "meta": {"api-version": "1.1"},
        "name": project,
        "versions": sorted({stored.version for stored in files}),
        "files": entries,
    }


def html_listing(index: Warehouse, project: str, files: list[Stored]) -> str:
    """Return a listing (PEP 503)."""
    fragment = "#sha256={0.sha256}" if index.hashes else ""
    links = "\n".join(
        f'<a href="/files/{file.name}{fragment.format(file)}"{_yanked(index, file)}>{file.name}</a><br>'
        for file in files
    )
    return f"<!DOCTYPE html><html><head><title>Links for {project}</title></head><body>{links}</body></html>"


def _yanked(index: Warehouse, file: Stored) -> str:
    return ' data-yanked=""' if file.name in index.yanked else ""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, index: Warehouse, context: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.index = index
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True)

    def handle_error(self, *_arguments: object) -> None:
        """Ignore clients that disconnect."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """The address of a running fake index."""

    port: int
    scheme: str = "http"

    @property
    def upload(self) -> str:
        """The upload address."""
        return f"{self.scheme}://127.0.0.1:{self.port}/legacy/"

    @property
    def simple(self) -> str:
        """The address of the simple API."""
        return f"{self.scheme}://127.0.0.1:{self.port}/simple/"


@contextmanager
def serving(index: Warehouse, context: ssl.SSLContext | None = None) -> Iterator[Address]:
    """Run the fake index in a thread, on loopback; with TLS if a context is given."""
    with running(_Server(index, context)) as port:
        yield Address(port=port, scheme="http" if context is None else "https")
