from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from servers.warehouse import JSON_TYPE
from support.publishing import HERE, MemoryClient, answer, distribution, listing, release_of
from wheelkit.config import Config, IndexConfig
from wheelkit.config.model import CiConfig
from wheelkit.errors import CheckFailedError, IndexUnavailableError, UsageError
from wheelkit.publish import conflicts, plan, simple_api
from wheelkit.publish.client import Response
from wheelkit.publish.index import Index, public_uploads, resolve
from wheelkit.publish.model import Release
from wheelkit.publish.simple_api import IndexFile, Listing, fetch_listing

WHEEL = "demo-1.0-py3-none-any.whl"
DIGEST = "ab" * 32


def looked(reply: Response, project: str = "demo") -> Listing:
    return fetch_listing(MemoryClient(lambda _url: reply), HERE, project)


def test_the_public_indexes_are_those_that_twine_knows() -> None:
    from twine.utils import DEFAULT_REPOSITORY, TEST_REPOSITORY

    assert public_uploads() == {"pypi": DEFAULT_REPOSITORY, "testpypi": TEST_REPOSITORY}


def test_where_installers_look_follows_for_public_indexes() -> None:
    for name, staging in (("pypi", False), ("testpypi", True)):
        index = resolve(name, Config())
        assert (index.public, index.staging) == (True, staging)
        assert index.simple.endswith("/simple/")
        assert "upload." not in index.simple
        assert resolve(index.upload, Config()) == index
        assert resolve(index.upload.rstrip("/"), Config()).name == name


def test_an_index_of_the_configuration() -> None:
    ours = IndexConfig(upload="http://h/u/", simple="http://h/s", lag="2 min")
    config = Config(index={"acme": ours}, ci=CiConfig(staging="acme"))
    index = resolve("acme", config)
    assert (index.upload, index.page("a-b"), index.lag, index.staging, index.public) == (
        "http://h/u/",
        "http://h/s/a-b/",
        120.0,
        True,
        False,
    )
    assert (
        resolve(
            "acme", Config(index={"acme": IndexConfig(upload="http://h/", simple="http://h/", lag="7s")})
        ).lag
        == 7.0
    )
    assert not resolve("acme", Config(index={"acme": ours})).staging


def test_an_address_whose_other_one_follows_or_is_given() -> None:
    assert resolve("http://127.0.0.1:8000/legacy/", Config()).simple == "http://127.0.0.1:8000/simple/"
    assert resolve("http://127.0.0.1:8000/a/legacy", Config()).simple == "http://127.0.0.1:8000/a/simple/"
    assert resolve("http://127.0.0.1:8000/x/", Config(), simple="http://s/").simple == "http://s/"


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("testpipy", 'did you mean "testpypi"'),
        ("http://127.0.0.1/x/", "the address of the simple API cannot be derived"),
        ("http://user:secret@127.0.0.1/legacy/", "credentials do not belong"),
        ("ftp://h/legacy/", "has to begin with https"),
    ],
)
def test_what_is_no_index(to: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(to, Config())
    assert words in caught.value.message
    assert "secret" not in caught.value.message + caught.value.hint


def test_the_json_listing() -> None:
    document = listing(
        "Demo", {WHEEL: DIGEST}, yanked="broken", **{"upload-time": "2026-11-02T10:00:00.000Z"}
    )
    found = looked(answer(document, Date="Fri, 20 Nov 2026 10:00:00 GMT"))
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
    assert looked(answer(b"", 404, "text/html")).files == ()


def test_the_html_listing() -> None:
    page = (
        f'<a href="../../f/{WHEEL}#sha256={DIGEST.upper()}" data-yanked="">{WHEEL}</a> <a href="x.html">x</a>'
        '<a href="/f/demo-1.0.tar.gz#md5=abc">demo-1.0.tar.gz</a>'
    )
    found = looked(answer(page.encode(), kind="text/html"))
    assert not found.is_json
    assert [(one.filename, one.sha256, one.yanked) for one in found.files] == [
        (WHEEL, DIGEST, True),
        ("demo-1.0.tar.gz", "", False),
    ]


def test_an_empty_html_listing_has_to_say_what_it_is() -> None:
    declared = b'<html><head><meta name="pypi:repository-version" content="1.0"></head></html>'
    assert looked(answer(declared, kind="text/html")).files == ()
    with pytest.raises(IndexUnavailableError, match="a web page that lists no files") as caught:
        looked(answer(b"<html><body>Please log in</body></html>", kind="text/html"))
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
def test_answers_that_are_no_listing(reply: Response, words: str) -> None:
    with pytest.raises(IndexUnavailableError, match="demo") as caught:
        looked(reply)
    assert words in caught.value.message
    assert caught.value.exit_code == 3


def test_a_file_without_a_hash_is_fetched_and_hashed(tmp_path: Path) -> None:
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


PUBLIC = Index(name="public", upload="http://h.invalid/", simple="http://h.invalid/", public=True)
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def planned(
    release: Release,
    index: Index,
    *,
    sha256: str | None = None,
    age: timedelta = timedelta(),
    yanked: bool = False,
) -> plan.PublishPlan:
    """Plan a release of which the first file is on the index already."""
    first = release.distributions[0].files[0]
    there = IndexFile(
        filename=first.name, url="", sha256=sha256 or first.sha256, yanked=yanked, uploaded=NOW - age
    )
    return plan.make_plan(release, index, {"demo": Listing(project="demo", files=(there,), now=NOW)})


def test_the_plan_as_json(tmp_path: Path) -> None:
    release = release_of(distribution(tmp_path, "demo"))
    document = plan.to_json(planned(release, HERE))
    assert document["release"] == release.digest
    assert [one["state"] for one in document["batches"][0]["files"]] == ["same", "absent"]
    assert document["batches"][0]["files"][1]["on_index"] is None


@pytest.mark.parametrize(
    ("days", "words"),
    [(10.5, "accepts new files of demo 1.0 for 3 more days only"), (13.6, "for 9 more hours only")],
)
def test_a_release_that_nears_its_end_is_warned_of(tmp_path: Path, days: float, words: str) -> None:
    release = release_of(distribution(tmp_path, "demo"))
    made = planned(release, PUBLIC, age=timedelta(days=days))
    conflicts.require_no_conflict(made)
    assert words in next(conflicts.warnings(made))
    assert list(conflicts.warnings(planned(release, HERE, age=timedelta(days=days)))) == []
    assert list(conflicts.warnings(planned(release, PUBLIC, age=timedelta(days=9)))) == []


def test_a_release_that_is_too_old_is_not_begun_again(tmp_path: Path) -> None:
    release = release_of(distribution(tmp_path, "demo"))
    with pytest.raises(
        CheckFailedError, match="was begun on public 15 days ago, and new files are accepted for 14 days only"
    ) as caught:
        conflicts.require_no_conflict(planned(release, PUBLIC, age=timedelta(days=15)))
    assert "demo-1.0.tar.gz" in caught.value.detail
    conflicts.require_no_conflict(
        planned(release_of(distribution(tmp_path, "demo", sdist=False)), PUBLIC, age=timedelta(days=15))
    )


def test_a_yanked_release_is_not_completed(tmp_path: Path) -> None:
    with pytest.raises(CheckFailedError, match="yanked"):
        conflicts.require_no_conflict(planned(release_of(distribution(tmp_path, "demo")), HERE, yanked=True))
    conflicts.require_no_conflict(
        planned(release_of(distribution(tmp_path, "demo", sdist=False)), HERE, yanked=True)
    )


def test_other_bytes_are_shown_side_by_side(tmp_path: Path) -> None:
    release = release_of(distribution(tmp_path, "demo"))
    with pytest.raises(CheckFailedError) as caught:
        conflicts.require_no_conflict(planned(release, HERE, sha256=DIGEST, age=timedelta(days=3)))
    assert "index   sha256 abab…abab   uploaded 2026-11-17" in caught.value.detail
    assert "built 2026-11-20 from commit cccccccccccc" in caught.value.detail
    assert "wheelkit version bump patch" in caught.value.hint


def test_an_index_without_json_is_said_so(tmp_path: Path) -> None:
    release = release_of(distribution(tmp_path, "demo"))
    made = plan.make_plan(release, HERE, {"demo": Listing(project="demo", is_json=False)})
    assert "has no JSON API" in next(conflicts.warnings(made))
