from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from servers.warehouse import JSON_TYPE
from support.publishing import HERE, MemoryClient, answer, distribution, listing
from wheelkit.errors import IndexUnavailableError
from wheelkit.publish import simple_api
from wheelkit.publish.client import Response
from wheelkit.publish.simple_api import IndexFile, Listing, fetch_listing

WHEEL = "demo-1.0-py3-none-any.whl"
DIGEST = "ab" * 32


def fetched(reply: Response, project: str = "demo") -> Listing:
    return fetch_listing(MemoryClient(lambda _url: reply), HERE, project)


def test_the_json_listing() -> None:
    document = listing(
        "Demo", {WHEEL: DIGEST}, yanked="broken", **{"upload-time": "2026-11-02T10:00:00.000Z"}
    )
    found = fetched(answer(document, Date="Fri, 20 Nov 2026 10:00:00 GMT"))
    assert found.is_json
    assert found.now == datetime(2026, 11, 20, 10, tzinfo=UTC)
    file = found.file(WHEEL)
    assert file == IndexFile(
        filename=WHEEL,
        url=f"http://h.invalid/f/{WHEEL}",
        sha256=DIGEST,
        yanked=True,
        uploaded=datetime(2026, 11, 2, 10, tzinfo=UTC),
    )
    assert found.file("other") is None


def test_a_project_that_the_index_does_not_know() -> None:
    assert fetched(answer(b"", 404, "text/html")).files == ()


def test_the_html_listing() -> None:
    page = (
        f'<a href="../../f/{WHEEL}#sha256={DIGEST.upper()}" data-yanked="">{WHEEL}</a> <a href="x.html">x</a>'
        '<a href="/f/demo-1.0.tar.gz#md5=abc">demo-1.0.tar.gz</a>'
    )
    found = fetched(answer(page.encode(), kind="text/html"))
    assert not found.is_json
    assert [(one.filename, one.sha256, one.yanked) for one in found.files] == [
        (WHEEL, DIGEST, True),
        ("demo-1.0.tar.gz", "", False),
    ]


def test_an_empty_html_listing_has_to_declare_itself() -> None:
    declared = b'<html><head><meta name="pypi:repository-version" content="1.0"></head></html>'
    assert fetched(answer(declared, kind="text/html")).files == ()
    with pytest.raises(IndexUnavailableError, match="a web page that lists no files") as caught:
        fetched(answer(b"<html><body>Please log in</body></html>", kind="text/html"))
    assert "proxy" in caught.value.hint


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (answer(b"{", kind=JSON_TYPE), "its JSON has another form"),
        (answer({"meta": {}}), "its JSON has another form"),
        (answer([]), "its JSON has another form"),  # type: ignore[arg-type] - what a server may send
        (answer({**listing("demo", {}), "meta": {"api-version": "2.0"}}), "it has version 2.0"),
        (answer(listing("other", {})), "it is about other instead of demo"),
        (answer(b"x", kind="image/png"), "the content type is image/png"),
        (answer(b"", 418, "text/html"), "the status is 418"),
        (answer(b"", 403, "text/html"), "does not let wheelkit read its files"),
    ],
)
def test_responses_that_are_not_a_project_page(reply: Response, words: str) -> None:
    with pytest.raises(IndexUnavailableError, match="demo") as caught:
        fetched(reply)
    assert words in caught.value.message
    assert caught.value.exit_code == 3


def test_a_file_without_a_hash_is_downloaded_and_hashed(tmp_path: Path) -> None:
    ours = distribution(tmp_path, "demo", sdist=False)
    data = ours.files[0].path.read_bytes()
    replies = {
        "/simple/demo/": answer(listing("demo", {WHEEL: ""})),
        f"/f/{WHEEL}": answer(data, kind="application/zip"),
    }
    client = MemoryClient(lambda url: replies[url.removeprefix("http://h.invalid")])
    found = simple_api.fetch_listings(client, HERE, [ours])["demo"].file(WHEEL)
    assert found is not None
    assert found.sha256 == hashlib.sha256(data).hexdigest() == ours.files[0].sha256
    replies[f"/f/{WHEEL}"] = answer(b"", 404)
    with pytest.raises(IndexUnavailableError, match="without its sha256"):
        simple_api.fetch_listings(client, HERE, [ours])
