"""An index that never ends an answer, or whose answers are too large, is given up in one message."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from servers.raw import serving
from support.hostile import html_page, http, json_page, listing
from wheelkit import limits
from wheelkit.errors import IndexUnavailableError
from wheelkit.publish.client import Client
from wheelkit.publish.index import Index
from wheelkit.publish.simple_api import fetch_listing

Pieces = Callable[[], Iterable[bytes]]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.pypi.simple.v1+json\r\n"
MB = 1 << 20


def forever(piece: bytes, first: bytes = b"", every: float = 0.0) -> Pieces:
    def pieces() -> Iterator[bytes]:
        yield first
        while True:
            yield piece
            time.sleep(every)

    return pieces


def slowly(data: bytes) -> Pieces:
    def pieces() -> Iterator[bytes]:
        for number in range(len(data)):
            yield data[number : number + 1]
            time.sleep(0.05)

    return pieces


def page_of(count: int) -> bytes:
    entry = listing()["files"][0]
    files = [{**entry, "filename": f"demo-{number}-py3-none-any.whl"} for number in range(count)]
    return http(json.dumps({**listing(), "files": files}).encode())


ENDLESS: dict[str, tuple[Pieces, str]] = {
    "a header byte by byte": (slowly(HEAD * 20), "did not answer in time"),
    "a status byte by byte": (slowly(b"HTTP/1.1 " + b" " * 5000), "did not answer in time"),
    "a body byte by byte": (forever(b"x", HEAD + b"\r\n", 0.05), "did not answer in time"),
    "chunks byte by byte": (
        forever(b"1\r\nx\r\n", HEAD + b"Transfer-Encoding: chunked\r\n\r\n", 0.05),
        "did not answer in time",
    ),
    "a chunk's size byte by byte": (
        forever(b"0", HEAD + b"Transfer-Encoding: chunked\r\n\r\n", 0.05),
        "did not answer in time",
    ),
    "silence": (forever(b"", b"", 0.05), "did not answer in time"),
    "silence behind the headers": (forever(b"", HEAD + b"\r\n", 0.05), "did not answer in time"),
    "endless continues": (forever(b"HTTP/1.1 100 Continue\r\n\r\n" * 100), "its headers do not end"),
    "slow continues": (forever(b"HTTP/1.1 100 Continue\r\n\r\n", b"", 0.05), "did not answer in time"),
    "endless headers of continues": (
        forever(b"X: " + b"a" * 60_000 + b"\r\n", b"HTTP/1.1 100 Continue\r\n"),
        "its headers do not end",
    ),
    "endless headers": (forever(b"X: " + b"a" * 60_000 + b"\r\n", HEAD), "its headers do not end"),
    "many headers": (forever(b"X: a\r\n" * 100, HEAD), "got more than 100 headers"),
    "an endless body": (forever(b"x" * 65536, HEAD + b"\r\n"), "is larger than 2.1 MB"),
    "endless chunks": (
        forever(b"10000\r\n" + b"x" * 65536 + b"\r\n", HEAD + b"Transfer-Encoding: chunked\r\n\r\n"),
        "is larger than 2.1 MB",
    ),
    "a declared size": (lambda: [HEAD + b"Content-Length: 99999999999\r\n\r\n"], "is larger than 2.1 MB"),
    "redirects": (
        lambda: [b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"],
        "redirect loop",
    ),
    "redirects to longer addresses": (
        lambda: [b"HTTP/1.1 302 Found\r\nLocation: x/x/\r\nContent-Length: 0\r\n\r\n"],
        "redirect loop",
    ),
    "slow redirects": (
        slowly(b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"),
        "did not answer in time",
    ),
    "too many files": (lambda: [page_of(2001)], "it lists more than 2000 files"),
    "too many objects": (
        lambda: [json_page(hashes={"sha256": "a", "x": [{}] * 10_001})],
        "it lists more than 2000 files",
    ),
    "too many tags": (lambda: [html_page("<" * 20_001)], "it has more than 20000 tags"),
    "too many quotes": (
        lambda: [html_page("<html>" + "<a title='' id=\"\">" * 1251)],
        "it has more than 5000 quotes",
    ),
    "a tag without end": (lambda: [html_page("<a a" + "=a " * 10_000)], "a tag has more than 16 kB"),
}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lower the limits, so that the tests take no minutes."""
    for name, value in {
        "PAGE": 2 * MB,
        "PAGE_FILES": 2000,
        "PAGE_TAGS": 20_000,
        "REQUEST_SECONDS": 60.0,
        "PAGE_QUOTES": 5000,
    }.items():
        monkeypatch.setattr(limits, name, value)


def index_at(url: str) -> Index:
    return Index(name="here", upload=f"{url}/legacy/", simple=f"{url}/simple/")


# What is given up only when its time is over; all else is given up at once, however slow the machine.
LATE = [name for name, (_, words) in ENDLESS.items() if words == "did not answer in time"]
AT_ONCE = [name for name in ENDLESS if name not in LATE]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("names", "deadline", "timeout"), [(LATE, 0.6, 0.3), (AT_ONCE, 60.0, 60.0)], ids=["late", "at once"]
)
def test_an_answer_without_end_is_given_up(
    names: list[str], deadline: float, timeout: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cases wait for their time or for the next attempt, so they do so together."""
    monkeypatch.setattr(limits, "REQUEST_SECONDS", deadline)
    with ThreadPoolExecutor(len(names)) as pool:
        started = {name: pool.submit(require_given_up, name, tmp_path / name, timeout) for name in names}
    failed = {name: future.exception() for name, future in started.items()}
    assert {name: error for name, error in failed.items() if error is not None} == {}


def require_given_up(name: str, folder: Path, timeout: float) -> None:
    pieces, words = ENDLESS[name]
    folder.mkdir(exist_ok=True)
    with serving(lambda _path: pieces()) as url:
        for attempts in (1, 3):
            with pytest.raises(IndexUnavailableError, match=words.replace(".", "[.]")) as caught:
                fetch_listing(Client(attempts=attempts, timeout=timeout), index_at(url), "demo")
            assert caught.value.hint
        if not words.startswith(("is larger", "it ", "a tag")):
            with pytest.raises(IndexUnavailableError):
                Client(attempts=1, timeout=timeout).download(url, folder / "file")
            assert not (folder / "file").exists()


@pytest.mark.usefixtures("small")
def test_the_closest_answers_that_are_read(tmp_path: Path) -> None:
    large = b"x" * (3 * MB)
    answers: dict[str, Pieces] = {
        "files": lambda: [page_of(2000)],
        "continue": lambda: [b"HTTP/1.1 100 Continue\r\n\r\n" * 50, json_page()],
        "html": lambda: [
            html_page(f'<html><body>{"<br>" * 10_000}<a href="/demo-1.0.tar.gz">x</a></body></html>')
        ],
        "tag": lambda: [
            html_page(f'<html><body><a href="/demo-1.0.tar.gz" title="{"x" * 15_000}">x</a></body></html>')
        ],
    }
    for name, pieces in answers.items():
        with serving(lambda _path, pieces=pieces: pieces()) as url:
            found = fetch_listing(Client(attempts=1, timeout=60.0), index_at(url), "demo")
        assert len(found.files) == (2000 if name == "files" else 1), name
    with serving(lambda _path: http(large)) as url:
        Client(attempts=1).download(url, tmp_path / "file")
        assert (tmp_path / "file").stat().st_size == len(large)


def test_the_time_grows_with_the_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REQUEST_SECONDS", 0.3)
    monkeypatch.setattr(limits, "BYTES_PER_SECOND", 100_000)
    body = b" " * 200_000 + json.dumps(listing()).encode()
    whole = http(body)

    def steadily() -> Iterator[bytes]:
        for start in range(0, len(whole), 20_000):
            yield whole[start : start + 20_000]
            time.sleep(0.1)

    with serving(lambda _path: steadily()) as url:
        assert len(fetch_listing(Client(attempts=1), index_at(url), "demo").files) == 1
