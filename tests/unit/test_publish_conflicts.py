from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from support.publishing import HERE, distribution, release_of, shipped
from wheelkit.errors import CheckFailedError
from wheelkit.publish import conflicts, plan
from wheelkit.publish.index import Index
from wheelkit.publish.model import Release
from wheelkit.publish.simple_api import IndexFile, Listing

DIGEST = "ab" * 32


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
def test_a_warning_before_a_release_is_closed_to_new_files(tmp_path: Path, days: float, words: str) -> None:
    release = release_of(distribution(tmp_path, "demo"))
    publish_plan = planned(release, PUBLIC, age=timedelta(days=days))
    conflicts.require_no_conflict(publish_plan)
    assert words in next(conflicts.warnings(publish_plan))
    assert list(conflicts.warnings(planned(release, HERE, age=timedelta(days=days)))) == []
    assert list(conflicts.warnings(planned(release, PUBLIC, age=timedelta(days=9)))) == []


def test_a_release_that_is_closed_to_new_files(tmp_path: Path) -> None:
    release = release_of(distribution(tmp_path, "demo"))
    with pytest.raises(
        CheckFailedError, match="was begun on public 15 days ago, and new files are accepted for 14 days only"
    ) as caught:
        conflicts.require_no_conflict(planned(release, PUBLIC, age=timedelta(days=15)))
    assert "demo-1.0.tar.gz" in caught.value.detail
    conflicts.require_no_conflict(planned(release, PUBLIC, age=timedelta(days=14)))
    conflicts.require_no_conflict(planned(release, HERE, age=timedelta(days=15)))
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


def test_a_warning_for_an_index_without_json(tmp_path: Path) -> None:
    release = release_of(distribution(tmp_path, "demo"))
    publish_plan = plan.make_plan(release, HERE, {"demo": Listing(project="demo", is_json=False)})
    assert "has no JSON API" in next(conflicts.warnings(publish_plan))


@pytest.mark.parametrize(
    ("signed", "words"),
    [
        ((True, True, True), ""),
        ((False, False, False), ""),
        ((True, False, True), "b.whl has no attestation; the other files have one"),
        ((True, False, False), "b.whl, c.whl have no attestation; the other files have one"),
    ],
)
def test_a_warning_where_only_some_files_have_an_attestation(
    signed: tuple[bool, ...], words: str, tmp_path: Path
) -> None:
    files = tuple(
        replace(shipped(tmp_path / name), attestations=(tmp_path / "x",) if has else ())
        for name, has in zip(("a.whl", "b.whl", "c.whl"), signed, strict=True)
    )
    release = release_of(replace(distribution(tmp_path, "demo"), files=files))
    made = plan.make_plan(release, HERE, {"demo": Listing(project="demo", now=NOW)})
    found = [text for text in conflicts.warnings(made) if "attestation;" in text]
    assert found == ([words] if words else [])
