"""HTTP connections with one deadline: for connecting, the TLS handshake, the headers and the body together.

A time-out alone limits a single wait: a server that sends a byte now and then would keep a client forever.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import urllib.request
from contextlib import contextmanager
from functools import cache, partial
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wheelkit import limits
from wheelkit.errors import IndexUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping

    from _typeshed import WriteableBuffer


_BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class Deadline:
    """The seconds that are left for a request; each byte that arrives adds some.

    ``now`` is a clock, ``wait`` the seconds of the longest single wait. Time counts only while it runs.
    """

    def __init__(self, now: Callable[[], float], seconds: float, wait: float) -> None:
        self._now = now
        self._left = seconds
        self._wait = wait

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let the time run for the length of a ``with`` block."""
        started = self._now()
        self._left += started
        try:
            yield
        finally:
            self._left -= self._now()

    @property
    def is_over(self) -> bool:
        """Whether no time is left, while it does not run."""
        return self._left <= 0

    def next_wait(self) -> float:
        """Return how long the next wait may take; raise TimeoutError where no time is left."""
        left = self._left - self._now()
        if left <= 0:
            raise TimeoutError
        return min(left, self._wait)

    def receive(self, count: int) -> None:
        """Add the time for bytes that have arrived."""
        self._left += count / limits.BYTES_PER_SECOND

    def connect(
        self, address: tuple[str, int], _timeout: object, source: tuple[str, int] | None = None
    ) -> socket.socket:
        """Connect as ``socket.create_connection`` does, all addresses of a host within the deadline."""
        error: OSError = TimeoutError()
        for *_, resolved in socket.getaddrinfo(*address, type=socket.SOCK_STREAM):
            try:
                host, port = str(resolved[0]), int(resolved[1])
                return socket.create_connection((host, port), self.next_wait(), source)
            except OSError as failure:
                error = failure
        raise error


class Request(urllib.request.Request):
    """A request with its deadline."""

    def __init__(
        self, url: str, deadline: Deadline, *, data: bytes | None, headers: MutableMapping[str, str]
    ) -> None:
        super().__init__(url, data=data, headers=headers)
        self.deadline = deadline


class _Reader(RawIOBase):
    """Reads a socket within the deadline, and no more than a head may have until the body begins."""

    def __init__(self, raw: RawIOBase, sock: socket.socket, deadline: Deadline) -> None:
        self._raw = raw
        self._sock = sock
        self._deadline = deadline
        self.head_left: int | None = limits.HEAD

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        self._sock.settimeout(self._deadline.next_wait())
        count = self._raw.readinto(buffer) or 0
        self._deadline.receive(count)
        if self.head_left is not None:
            self.head_left -= count
            if self.head_left < 0:
                raise http.client.HTTPException("its headers do not end")
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """A response that is read within the deadline."""

    def __init__(self, sock: socket.socket, *, method: str | None, deadline: Deadline) -> None:
        super().__init__(sock, method=method)
        file: Any = self.fp
        self._reader = _Reader(file.detach(), sock, deadline)
        self.fp = BufferedReader(self._reader)

    def begin(self) -> None:
        super().begin()
        self._reader.head_left = None


def _within(kind: type[http.client.HTTPConnection], deadline: Deadline) -> Any:  # noqa: ANN401 - a class
    """Return a class of connections that keep to the deadline."""

    class Connection(kind):  # type: ignore[misc, valid-type]  # for http and https
        response_class = partial(_Response, deadline=deadline)
        # http.client itself has this as an attribute, so that others can replace it (its connect()).
        _create_connection = property(lambda _self: deadline.connect, lambda _self, _value: None)

    return Connection


class _Handler(urllib.request.HTTPHandler):
    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        assert isinstance(request, Request)  # noqa: S101 - opened by nothing else
        return self.do_open(_within(http.client.HTTPConnection, request.deadline), request)


class _TlsHandler(urllib.request.HTTPSHandler):
    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(context=context)
        self._tls = context

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        assert isinstance(request, Request)  # noqa: S101 - opened by nothing else
        connection = _within(http.client.HTTPSConnection, request.deadline)
        return self.do_open(connection, request, context=self._tls)


@cache
def opener() -> urllib.request.OpenerDirector:
    """Return an opener for ``Request``s: http and https, no redirects, files, cookies or credentials."""
    director = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        _Handler(),
        _TlsHandler(_tls_context()),
    ):
        director.add_handler(handler)
    return director


def _tls_context() -> ssl.SSLContext:
    """Trust the bundle that twine's uploads trust, else the system's and certifi's certificates."""
    for variable in _BUNDLE_VARIABLES:
        if bundle := os.environ.get(variable):
            is_folder = Path(bundle).is_dir()
            try:
                return ssl.create_default_context(
                    cafile=None if is_folder else bundle, capath=bundle if is_folder else None
                )
            except OSError as error:
                raise IndexUnavailableError(
                    f"no certificates can be read from {variable}, {bundle}: {error.strerror or error}",
                    hint=f"correct {variable}, or unset it to trust the system's certificates",
                ) from error
    context = ssl.create_default_context()
    try:
        import certifi
    except ImportError:
        return context
    context.load_verify_locations(certifi.where())
    return context
