"""Asks an index over HTTP: never cached, with time limits, and never led to another host.

The standard library does it: a release asks a handful of questions, and http.client starts in a tenth of the time that requests takes.
What requests would add, its trust in REQUESTS_CA_BUNDLE and certifi's roots, is taken over, so that the questions trust whom twine's
uploads trust. Proxies come from the environment.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import ssl
import threading
import time
import urllib.error
import urllib.request
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urljoin, urlsplit

from msgspec import Struct

from wheelkit import __version__
from wheelkit.errors import IndexUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from email.message import Message
    from pathlib import Path


_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_OK, _BUSY = 200, 429
_SERVER_ERROR = 500
# Files are held in memory as well: no index takes one that would not fit.
_LARGEST_BODY = 1 << 30
_CHUNK = 1 << 16
# Bytes a second; a connection that is slower than this does not end.
_SLOWEST = 50_000
_LONGEST_PAUSE = 60.0
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Response(Struct, frozen=True, kw_only=True):
    """What a server said: status, headers and body, and the address that it came from in the end."""

    status: int
    headers: Message
    body: bytes
    url: str

    @property
    def content_type(self) -> str:
        """The media type, without parameters, in lower case."""
        return str(self.headers.get_content_type()).lower()

    @property
    def date(self) -> datetime | None:
        """The time by the server's clock, which is nobody's mistake here."""
        return _date(self.headers.get("Date", ""))

    def json(self) -> Any:  # noqa: ANN401 - whatever the server sent
        """Parse the body; raises ValueError where it is no JSON."""
        return json.loads(self.body)


class Client:
    """Sends requests, and repeats those that failed for a passing reason; every failure is an IndexUnavailableError."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        attempts: int = 4,
        timeout: float = 20.0,
        note: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._attempts = attempts
        self._timeout = timeout
        self._note = note
        self._openers: dict[str, urllib.request.OpenerDirector] = {}
        self._lock = threading.Lock()

    def get(self, url: str, *, accept: str = "*/*") -> Response:
        """Fetch an address; 4xx answers come back as they are, for the caller to judge."""
        headers = {"Accept": accept, "Cache-Control": "no-cache", "Pragma": "no-cache"}
        return self._patiently(lambda: self._followed(url, headers), url)

    def download(self, url: str, path: Path) -> str:
        """Fetch a file to a path, and give its sha256; the caller knows which one it has to be."""
        answer = self.get(url)
        if answer.status != _OK:
            raise IndexUnavailableError(
                f"{_host(url)} answers {answer.status} for {url}", hint="run the same command again later"
            )
        path.write_bytes(answer.body)
        return hashlib.sha256(answer.body).hexdigest()

    def post_json(self, url: str, document: Mapping[str, Any]) -> Response:
        """Send a JSON document, once: what a lost answer did on the server is not known."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        return self._once(url, headers, json.dumps(document).encode())

    def _patiently(self, ask: Callable[[], Response], url: str) -> Response:
        pause = backoff_delays(0.5)
        for attempt in range(1, self._attempts + 1):
            wait = next(pause)
            try:
                answer = ask()
            except IndexUnavailableError:
                if attempt == self._attempts:
                    raise
                self._clock.sleep(wait)
                continue
            if answer.status != _BUSY and answer.status < _SERVER_ERROR:
                return answer
            if attempt < self._attempts:
                self._rest(answer, wait)
        raise IndexUnavailableError(
            f"{_host(url)} answers {answer.status} {http.client.responses.get(answer.status, '')}".rstrip()
            + f", {self._attempts} times",
            hint="it is busy or broken for the moment; run the same command again later",
        )

    def _rest(self, answer: Response, wait: float) -> None:
        asked = _retry_after(answer)
        if asked is not None and asked > wait:
            wait = min(asked, _LONGEST_PAUSE)
            self._note(f"{_host(answer.url)} asks to wait {wait:.0f} s")
        self._clock.sleep(wait)

    def _followed(self, url: str, headers: Mapping[str, str]) -> Response:
        for _ in range(_MOST_REDIRECTS):
            answer = self._once(url, headers)
            if answer.status not in _REDIRECTS:
                return answer
            target = urljoin(url, answer.headers.get("Location", ""))
            if not _same_place(url, target):
                raise IndexUnavailableError(
                    f"{_host(url)} sends us on to another host, {_host(target)}; that was not followed",
                    hint="check the index's address, or give the one that it means\na proxy or a login page answers so as well",
                )
            url = target
        raise IndexUnavailableError(f"{_host(url)} sends us on in circles", hint="check the index's address")

    def _once(self, url: str, headers: Mapping[str, str], data: bytes | None = None) -> Response:
        all_headers = {"User-Agent": f"wheelkit/{__version__}", **headers}
        request = urllib.request.Request(url, data=data, headers=all_headers)  # noqa: S310 - only http(s) handlers are there
        try:
            with self._open(request) as response:
                return Response(
                    status=response.status, headers=response.headers, body=self._body(response, url), url=url
                )
        except (OSError, http.client.HTTPException) as error:
            raise _unavailable(url, error) from error

    def _open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        # To read the certificates takes a while, so it is done once, and only for those who need them.
        with self._lock:
            if request.type not in self._openers:
                self._openers[request.type] = _opener(request.type)
        response: http.client.HTTPResponse = self._openers[request.type].open(request, timeout=self._timeout)
        return response

    def _body(self, response: http.client.HTTPResponse, url: str) -> bytes:
        """Read the body up to a size and a time; a server that drips bytes would otherwise hold us for ever."""
        chunks: list[bytes] = []
        size, started = 0, self._clock.now()
        while chunk := response.read(_CHUNK):
            chunks.append(chunk)
            size += len(chunk)
            if size > _LARGEST_BODY:
                raise IndexUnavailableError(
                    f"{_host(url)} sends more than any file or list of files has",
                    hint="check the index's address",
                )
            if self._clock.now() - started > self._timeout * 6 + size / _SLOWEST:
                raise TimeoutError("the answer does not end")
        return b"".join(chunks)


def _opener(scheme: str) -> urllib.request.OpenerDirector:
    """Put together only what is wanted: no redirects of its own, no files, no cookies, no credentials from anywhere."""
    opener = urllib.request.OpenerDirector()
    proxies = urllib.request.getproxies()
    for handler in (
        urllib.request.ProxyHandler(proxies),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPHandler(),
    ):
        opener.add_handler(handler)
    if "https" in {scheme, *(address.partition(":")[0] for address in proxies.values())}:
        opener.add_handler(urllib.request.HTTPSHandler(context=_trust()))
    return opener


def _trust(environ: Mapping[str, str] = os.environ) -> ssl.SSLContext:
    for name in _BUNDLES:
        if place := environ.get(name):
            folder = os.path.isdir(place)  # noqa: PTH112 - whatever the user wrote
            return ssl.create_default_context(
                capath=place if folder else None, cafile=None if folder else place
            )
    context = ssl.create_default_context()
    try:
        import certifi
    except ImportError:
        return context
    context.load_verify_locations(certifi.where())
    return context


def _unavailable(url: str, error: Exception) -> IndexUnavailableError:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return IndexUnavailableError(
            f"{_host(url)} shows a certificate that nobody here vouches for: {cause.verify_message}",
            hint="behind a proxy of your own, set REQUESTS_CA_BUNDLE to its certificate\nelse this is not the host that you mean",
        )
    if isinstance(cause, TimeoutError):
        return IndexUnavailableError(
            f"{_host(url)} does not answer in time", hint="check the network, then run the same command again"
        )
    words = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return IndexUnavailableError(
        f"{_host(url)} cannot be reached: {words}",
        hint="check the network and the proxy settings, then run it again",
    )


def _same_place(one: str, other: str) -> bool:
    """Tell whether a redirect stays on the host; from http to https is a step that servers rightly ask for."""
    ours, theirs = urlsplit(one), urlsplit(other)
    if theirs.scheme not in _DEFAULT_PORTS or ours.hostname != theirs.hostname:
        return False
    ports = [parts.port or _DEFAULT_PORTS[parts.scheme] for parts in (ours, theirs)]
    unchanged = ports[0] == ports[1] and ours.scheme == theirs.scheme
    return unchanged or (ours.scheme, theirs.scheme, *ports) == ("http", "https", 80, 443)


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2] or url


def _retry_after(answer: Response) -> float | None:
    """Read Retry-After (RFC 9110): seconds, or a date by the server's own clock."""
    text = answer.headers.get("Retry-After", "").strip()
    if text.isdigit():
        return float(text)
    then, now = _date(text), answer.date
    return (then - now).total_seconds() if then and now else None


def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None


_FIRST_PAUSE, _GROWTH, _LONGEST_BACKOFF = 0.1, 1.6, 10.0


class Clock(Protocol):
    """Measures spans of time, in seconds."""

    def now(self) -> float:
        """Tell the time since some fixed moment; it never jumps."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's monotonic clock."""

    def now(self) -> float:
        """Tell the time since some fixed moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def backoff_delays(first: float = _FIRST_PAUSE, longest: float = _LONGEST_BACKOFF) -> Iterator[float]:
    """Yield how long to wait before each further attempt: growing, up to a limit."""
    pause = first
    while True:
        yield pause
        pause = min(pause * _GROWTH, longest)
