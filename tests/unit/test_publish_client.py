from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from support.publishing import CountingClock
from wheelkit.errors import IndexUnavailableError
from wheelkit.publish.client import Client


@dataclass
class Script:
    """The answers of a server, one for each request: status, headers and body; the last one stays."""

    answers: list[tuple[int, dict[str, str], bytes]]
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def next(self) -> tuple[int, dict[str, str], bytes]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


Serve = Callable[..., Script]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[ThreadingHTTPServer] = []

    def begin(*answers: tuple[int, dict[str, str], bytes]) -> Script:
        script = Script(answers=list(answers))

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_arguments: object) -> None: ...

            def do_GET(self) -> None:
                script.seen.append((self.path, dict(self.headers)))
                status, headers, body = script.next()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        script.url = f"http://127.0.0.1:{server.server_address[1]}"
        return script

    yield begin
    for server in servers:
        server.shutdown()
        server.server_close()


OK = (200, {"Content-Type": "text/plain"}, b"fine")


def test_responses_never_come_from_a_cache(serve: Serve) -> None:
    script = serve(OK)
    assert Client().get(f"{script.url}/a").body == b"fine"
    _, headers = script.seen[0]
    assert (headers["Cache-Control"], headers["Pragma"]) == ("no-cache", "no-cache")
    assert headers["User-Agent"].startswith("wheelkit/")
    assert "Authorization" not in headers


def test_a_redirect_on_the_same_host_is_followed(serve: Serve) -> None:
    script = serve((301, {"Location": "/simple/a/"}, b""), OK)
    answer = Client().get(f"{script.url}/simple/a")
    assert (answer.body, answer.url) == (b"fine", f"{script.url}/simple/a/")


@pytest.mark.parametrize(
    "target",
    [
        "http://elsewhere.invalid/",
        "https://127.0.0.1/",
        "http://127.0.0.1:1/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
    ],
)
def test_a_redirect_to_another_host_is_refused(serve: Serve, target: str) -> None:
    script = serve((302, {"Location": target}, b""))
    with pytest.raises(IndexUnavailableError, match="redirects to another host"):
        Client(attempts=1).get(script.url)


def test_a_redirect_loop(serve: Serve) -> None:
    script = serve((302, {"Location": "/"}, b""))
    with pytest.raises(IndexUnavailableError, match="redirect loop"):
        Client(attempts=1).get(f"{script.url}/")


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({}, 0.5, 0.5),
        ({"Retry-After": "7"}, 7.0, 7.0),
        ({"Retry-After": "0"}, 0.5, 0.5),
        ({"Retry-After": "9999"}, 60.0, 60.0),
        (
            {"Retry-After": "Fri, 20 Nov 2026 10:00:09 GMT", "Date": "Fri, 20 Nov 2026 10:00:00 GMT"},
            0.5,
            60.0,
        ),
        ({"Retry-After": "Fri, 20 Nov 2026 10:00:09 -0000"}, 0.5, 60.0),
        ({"Retry-After": "soon"}, 0.5, 0.5),
    ],
)
def test_retry_after_is_honoured_within_a_limit(
    serve: Serve, headers: dict[str, str], least: float, most: float
) -> None:
    clock = CountingClock()
    script = serve((429, headers, b""), OK)
    assert Client(clock=clock).get(script.url).body == b"fine"
    assert len(clock.slept) == 1
    assert least <= clock.slept[0] <= most


def test_a_server_that_stays_broken(serve: Serve) -> None:
    clock = CountingClock()
    script = serve((503, {}, b""))
    with pytest.raises(IndexUnavailableError, match="503 Service Unavailable 4 times"):
        Client(clock=clock).get(script.url)
    assert (len(script.seen), len(clock.slept)) == (4, 3)


def test_a_4xx_response_is_not_retried(serve: Serve) -> None:
    script = serve((404, {}, b""))
    assert Client().get(script.url).status == 404
    assert len(script.seen) == 1


def test_a_refused_connection() -> None:
    with pytest.raises(IndexUnavailableError, match="cannot be reached") as caught:
        Client(attempts=1).get("http://127.0.0.1:1/")
    assert caught.value.exit_code == 3


def test_a_download_is_hashed(serve: Serve, tmp_path: Path) -> None:
    import hashlib

    script = serve(OK)
    assert Client().download(script.url, tmp_path / "x") == hashlib.sha256(b"fine").hexdigest()
    assert (tmp_path / "x").read_bytes() == b"fine"
    with pytest.raises(IndexUnavailableError, match="answered 404"):
        Client().download(serve((404, {}, b"")).url, tmp_path / "y")


WHOLE, CUT = b"the whole body", b"the whole"
CHUNKED = b"9\r\nthe whole\r\n5\r\n body\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("headers", "body", "missing"),
    [
        ({"Content-Length": "14"}, CUT, ": 5 bytes are missing"),
        ({"Content-Length": "10"}, CUT, ": 1 byte is missing"),
        ({"Content-Length": "14"}, b"", ": 14 bytes are missing"),
        # Within a chunk, within the size of one, and between two.
        ({"Transfer-Encoding": "chunked"}, CHUNKED[:7], ""),
        ({"Transfer-Encoding": "chunked"}, CHUNKED[:15], ""),
        ({"Transfer-Encoding": "chunked"}, CHUNKED[:14], ""),
    ],
)
def test_a_truncated_body_is_an_error(
    serve: Serve, tmp_path: Path, headers: dict[str, str], body: bytes, missing: str
) -> None:
    script = serve((200, headers, body))
    with pytest.raises(IndexUnavailableError, match=r"response of 127\.0\.0\.1:.* is truncated") as caught:
        Client(clock=CountingClock()).download(script.url, tmp_path / "x")
    assert missing in caught.value.message
    assert len(script.seen) == 4
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content-Length": "14"}, WHOLE),
        ({"Transfer-Encoding": "chunked"}, CHUNKED),
        ({}, WHOLE),
        # The server closes the connection, and curl and browsers take the rest as read.
        ({"Content-Length": "9"}, WHOLE),
    ],
)
def test_a_whole_body_is_none(serve: Serve, headers: dict[str, str], body: bytes) -> None:
    expected = CUT if headers.get("Content-Length") == "9" else WHOLE
    assert Client(attempts=1).get(serve((200, headers, body)).url).body == expected


def test_a_truncated_body_is_fetched_again(serve: Serve) -> None:
    script = serve((200, {"Content-Length": "14"}, CUT), (200, {"Content-Length": "14"}, WHOLE))
    assert Client(clock=CountingClock()).get(script.url).body == WHOLE
