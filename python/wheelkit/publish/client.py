"""HTTP client for indexes: bounded retries, time and size limits, and no redirect to another host.

It uses urllib: requests would not be shorter here. It trusts certifi's certificates instead of the system's
and sends credentials from .netrc, and urllib3 does not retry a response that breaks off.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import ssl
import time
import urllib.error
from datetime import UTC
from email.utils import parsedate_to_datetime
from io import BytesIO
from itertools import islice
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from msgspec import Struct

from wheelkit import __version__, limits, text
from wheelkit.errors import IndexUnavailableError, OutputError
from wheelkit.inputs import json_value, number
from wheelkit.publish.connections import Deadline, Request, opener
from wheelkit.text import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from email.message import Message
    from io import BufferedRandom
    from pathlib import Path


_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS = 5
_OK, _TOO_MANY_REQUESTS, _SERVER_ERROR = 200, 429, 500
_CHUNK = 1 << 16
_MAX_RETRY_AFTER = 60.0
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Clock:
    """The machine's monotonic clock, in seconds."""

    def now(self) -> float:
        """Return the time since a fixed moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def backoff_delays(first: float = 0.1, longest: float = 10.0) -> Iterator[float]:
    """Yield the seconds to wait before each further attempt, growing from ``first`` to ``longest``."""
    delay = first
    while True:
        yield delay
        delay = min(delay * 1.6, longest)


class Response(Struct, frozen=True, kw_only=True):
    """The response of a server; ``url`` is the address after redirects."""

    status: int
    headers: Message
    body: bytes
    url: str

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters."""
        return str(self.headers.get_content_type()).lower()

    @property
    def date(self) -> datetime | None:
        """The time by the server's clock; None where the server does not send it."""
        return _parse_date(self.headers.get("Date", ""))

    def json(self) -> Any:  # noqa: ANN401 - whatever the server sent
        """Parse the body; raises ValueError where it is not JSON."""
        return json_value(self.body)


class Client:
    """Sends requests to indexes; every failure is an IndexUnavailableError.

    ``timeout`` is in seconds for a single wait for the server; ``note`` receives what the user should know.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        attempts: int = 4,
        timeout: float = 20.0,
        note: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self.clock = clock or Clock()
        self._attempts = attempts
        self._timeout = timeout
        self._note = note

    def get(self, url: str, *, accept: str = "*/*") -> Response:
        """Fetch a URL, past all caches. Connection failures, 429 and 5xx are retried, other 4xx returned."""
        return self._fetch(url, accept, BytesIO(), limits.PAGE)

    def download(self, url: str, path: Path) -> str:
        """Download a file to ``path``, and return its sha256 for the caller to check; raises OutputError."""
        try:
            with path.open("w+b") as file:
                return self._download(url, file)
        except OSError as error:
            raise OutputError.of(error, path) from error
        except IndexUnavailableError:
            path.unlink(missing_ok=True)
            raise

    def _download(self, url: str, file: BufferedRandom) -> str:
        response = self._fetch(url, "*/*", file, limits.DOWNLOAD)
        if response.status != _OK:
            raise IndexUnavailableError(
                f"{_host(url)} answered {response.status} for {url}", hint="run the same command again later"
            )
        file.seek(0)
        return hashlib.file_digest(file, "sha256").hexdigest()

    def _fetch(self, url: str, accept: str, body: IO[bytes], most: int) -> Response:
        """Fetch a URL into a file of up to ``most`` bytes."""
        headers = {"Accept": accept, "Cache-Control": "no-cache", "Pragma": "no-cache"}
        deadline = self._deadline()
        for delay in islice(backoff_delays(0.5), self._attempts - 1):
            try:
                response = self._follow(url, headers, deadline, _Body(body, most))
            except IndexUnavailableError:
                if deadline.is_over:
                    raise
                self.clock.sleep(delay)
                continue
            if not _is_temporary(response.status):
                return response
            self._pause(response, delay)
        response = self._follow(url, headers, deadline, _Body(body, most))
        if not _is_temporary(response.status):
            return response
        status = f"{response.status} {http.client.responses.get(response.status, '')}".rstrip()
        raise IndexUnavailableError(
            f"{_host(url)} answered {status} {self._attempts} times",
            hint="the index is overloaded or down; run the same command again later",
        )

    def post_json(self, url: str, document: Mapping[str, Any]) -> Response:
        """Send a JSON document once: the server may have acted on a request whose response is lost."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        body = _Body(BytesIO(), limits.PAGE)
        return self._send(url, headers, self._deadline(), body, json.dumps(document).encode())

    def _deadline(self) -> Deadline:
        return Deadline(self.clock.now, limits.REQUEST_SECONDS, self._timeout)

    def _pause(self, response: Response, delay: float) -> None:
        requested = _retry_after(response)
        if requested is not None and requested > delay:
            delay = min(requested, _MAX_RETRY_AFTER)
            self._note(f"{_host(response.url)} asks to wait {delay:.0f} s")
        self.clock.sleep(delay)

    def _follow(self, url: str, headers: Mapping[str, str], deadline: Deadline, body: _Body) -> Response:
        """Send a request and follow redirects on the same host."""
        for _ in range(_MAX_REDIRECTS):
            response = self._send(url, headers, deadline, body)
            if response.status not in _REDIRECTS:
                return response
            target = _redirect_target(url, response)
            if not _is_same_host(url, target):
                raise IndexUnavailableError(
                    f"{_host(url)} redirects to another host, {_host(target)}; the redirect was not followed",
                    hint="check the index's address, or use the one that it redirects to\n"
                    "a proxy or a login page can cause this as well",
                )
            url = target
        raise IndexUnavailableError(f"redirect loop at {_host(url)}", hint="check the index's address")

    def _send(
        self,
        url: str,
        headers: Mapping[str, str],
        deadline: Deadline,
        body: _Body,
        data: bytes | None = None,
    ) -> Response:
        all_headers = {"User-Agent": f"wheelkit/{__version__}", **headers}
        try:
            with deadline.running():
                request = Request(url, deadline, data=data, headers=all_headers)
                with opener().open(request, timeout=deadline.next_wait()) as response:
                    body.read(response, _host(url))
                    return Response(
                        status=response.status, headers=response.headers, body=body.in_memory(), url=url
                    )
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _unavailable(url, error) from error


class _Body:
    """The body of a response, in memory or on the disk, up to a size."""

    def __init__(self, file: IO[bytes], most: int) -> None:
        self._file = file
        self._most = most

    def read(self, response: http.client.HTTPResponse, host: str) -> None:
        """Read a body in place of an earlier one; raises IndexUnavailableError, OutputError and OSError."""
        self._file.seek(0)
        self._file.truncate()
        size, declared = 0, response.length or 0
        while True:
            if max(size, declared) > self._most:
                raise IndexUnavailableError(
                    f"the response of {host} is larger than {text.size(self._most)}",
                    hint="check the index's address",
                )
            chunk = response.read(_CHUNK)
            if not chunk:
                break
            size += len(chunk)
            self._write(chunk)
        # Read piece by piece, a body that ends before its Content-Length looks like any other.
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)

    def _write(self, chunk: bytes) -> None:
        try:
            self._file.write(chunk)
        except OSError as error:
            raise OutputError.of(error, str(self._file.name)) from error

    def in_memory(self) -> bytes:
        """Return the body; empty for one on the disk."""
        return self._file.getvalue() if isinstance(self._file, BytesIO) else b""


def _unavailable(url: str, error: Exception) -> IndexUnavailableError:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return IndexUnavailableError(
            f"TLS certificate verification failed for {_host(url)}: {cause.verify_message}",
            hint="behind a TLS proxy, set REQUESTS_CA_BUNDLE to its certificate\n"
            "otherwise check the address: this may not be the host that you mean",
        )
    if isinstance(cause, TimeoutError):
        return IndexUnavailableError(
            f"{_host(url)} did not answer in time", hint="check the network, then run the same command again"
        )
    if isinstance(cause, http.client.IncompleteRead):
        missing = f": {plural(cause.expected, 'byte is', 'bytes are')} missing" if cause.expected else ""
        return IndexUnavailableError(
            f"the response of {_host(url)} is truncated{missing}",
            hint="check the network and the proxy, then run the same command again",
        )
    reason = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return IndexUnavailableError(
        f"{_host(url)} cannot be reached: {reason}",
        hint="check the network and the proxy settings, then run the same command again",
    )


def _redirect_target(url: str, response: Response) -> str:
    """Return the address that a redirect leads to; raise IndexUnavailableError where it is not valid."""
    location = response.headers.get("Location", "")
    try:
        target = urljoin(url, location)
        _ = urlsplit(target).port
    except ValueError as error:
        raise IndexUnavailableError(
            f'{_host(url)} redirects to "{location}", which is not a valid address',
            hint="check the index's address, and whether a proxy answers in its place",
        ) from error
    return target


def _is_temporary(status: int) -> bool:
    return status == _TOO_MANY_REQUESTS or status >= _SERVER_ERROR


def _is_same_host(url: str, target: str) -> bool:
    """Return whether a redirect stays on the host; from http to https on the default ports it does."""
    old, new = urlsplit(url), urlsplit(target)
    if new.scheme not in _DEFAULT_PORTS or old.hostname != new.hostname:
        return False
    ports = [parts.port or _DEFAULT_PORTS[parts.scheme] for parts in (old, new)]
    unchanged = ports[0] == ports[1] and old.scheme == new.scheme
    return unchanged or (old.scheme, new.scheme, *ports) == ("http", "https", 80, 443)


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2] or url
    except ValueError:
        return url


def _retry_after(response: Response) -> float | None:
    """Return Retry-After in seconds (RFC 9110); a date is compared with the server's own clock."""
    text = response.headers.get("Retry-After", "").strip()
    if (seconds := number(text)) is not None:
        return float(seconds)
    until, now = _parse_date(text), response.date
    return (until - now).total_seconds() if until and now else None


def _parse_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, ArithmeticError, LookupError):
        return None
    # "-0000" gives a time without a zone, which is UTC (RFC 5322, section 3.3).
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
