"""The client with a scripted server on loopback, and the lock with real processes."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from support.publishing import CountingClock
from wheelkit.errors import CheckFailedError, IndexUnavailableError
from wheelkit.machine.process import Command, end_process_group, start_process
from wheelkit.publish.client import Client
from wheelkit.publish.lock import at_locked_byte, index_lock


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


def test_an_answer_is_never_taken_from_a_cache(serve: Serve) -> None:
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
def test_a_redirect_to_another_place_is_not(serve: Serve, target: str) -> None:
    script = serve((302, {"Location": target}, b""))
    with pytest.raises(IndexUnavailableError, match="redirects to another host"):
        Client(attempts=1).get(script.url)


def test_redirects_in_a_circle(serve: Serve) -> None:
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
        ({"Retry-After": "soon"}, 0.5, 0.5),
    ],
)
def test_a_busy_server_is_asked_again_when_it_says(
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


def test_what_is_refused_is_not_asked_again(serve: Serve) -> None:
    script = serve((404, {}, b""))
    assert Client().get(script.url).status == 404
    assert len(script.seen) == 1


def test_nobody_there() -> None:
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


def test_a_lock_is_held_by_one_and_waited_for(tmp_path: Path) -> None:
    notes: list[str] = []
    first = index_lock(tmp_path / "a.lock", CountingClock(), notes.append)
    second = index_lock(tmp_path / "a.lock", CountingClock(), notes.append, timeout=20.0)
    with first, pytest.raises(CheckFailedError, match="for 0 minutes"), second:
        raise AssertionError
    assert notes == [
        f"another wheelkit (process {os.getpid()}) is publishing this release; waiting for it to finish"
    ]
    with index_lock(tmp_path / "a.lock", CountingClock(), notes.append):
        assert len(notes) == 1
        assert (tmp_path / "a.lock").read_text() == str(os.getpid())


def test_whoever_had_to_wait_writes_its_number_over_the_other_one(tmp_path: Path) -> None:
    first = index_lock(tmp_path / "a.lock", CountingClock(), str)
    first.__enter__()

    class Freed(CountingClock):
        def sleep(self, seconds: float) -> None:
            first.__exit__(None, None, None)
            super().sleep(seconds)

    with index_lock(tmp_path / "a.lock", Freed(), str):
        assert (tmp_path / "a.lock").read_text() == str(os.getpid())


@pytest.mark.parametrize("fails", [False, True])
def test_the_byte_that_windows_locks(tmp_path: Path, *, fails: bool) -> None:
    """A locked byte cannot be read, so it is behind the holder's number; the position is restored."""
    path = tmp_path / "a.lock"
    path.write_text("4711")
    places: list[int] = []

    def lock() -> None:
        places.append(os.lseek(descriptor, 0, os.SEEK_CUR))
        if fails:
            raise PermissionError(13, "Permission denied")

    descriptor = os.open(path, os.O_RDWR)
    try:
        with pytest.raises(PermissionError) if fails else nullcontext():
            at_locked_byte(descriptor, lock)
        assert os.read(descriptor, 20) == b"4711"
    finally:
        os.close(descriptor)
    assert places[0] > 20


def test_what_is_started_does_not_inherit_the_lock_unless_it_is_handed_on(tmp_path: Path) -> None:
    with index_lock(tmp_path / "a.lock", CountingClock(), str) as descriptor:
        assert not os.get_inheritable(descriptor)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows hands no lock on")
def test_a_lock_outlives_its_holder_as_long_as_what_it_started(tmp_path: Path) -> None:
    with index_lock(tmp_path / "a.lock", CountingClock(), str) as descriptor:
        child = start_process(
            Command(argv=(sys.executable, "-c", "import time; time.sleep(60)"), pass_fds=(descriptor,))
        )
    try:
        with (
            pytest.raises(CheckFailedError),
            index_lock(tmp_path / "a.lock", CountingClock(), str, timeout=5.0),
        ):
            raise AssertionError
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        with index_lock(tmp_path / "a.lock", CountingClock(), str):
            pass
    finally:
        end_process_group(child)
