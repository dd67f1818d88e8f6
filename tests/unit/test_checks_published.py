"""The files of a release on an index against those that were built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.rows import rows
from wheelkit.publish.model import ReleaseId
from wheelkit.publish.verify_published import built_files
from wheelkit.verification.checks.published import PublishedFiles, as_built, yanked

ONE, OTHER = "a" * 64, "b" * 64


def found(**fields: Any) -> list[tuple[str, str, str]]:
    files = PublishedFiles(**{"index": "pypi", "distribution": "demo", "published": {}, "built": {}} | fields)
    return [
        (item.code, item.what, item.file or item.where or "") for item in (*as_built(files), *yanked(files))
    ]


STRANGE = ("WK903", "it is on pypi, but in no manifest", "new.whl")
CHANGED = ("WK901", f"its sha256 is {ONE[:12]}… on pypi, but {OTHER[:12]}… in the manifest", "a.whl")
GONE = ("WK902", "a.whl is in the manifest, but not on pypi", "demo")
CASES: list[tuple[dict[str, str], dict[str, str], list[tuple[str, str, str]]]] = [
    ({"a.whl": ONE}, {"a.whl": ONE}, []),
    ({"a.whl": ""}, {"a.whl": ONE}, []),
    ({"a.whl": ONE}, {}, []),
    ({"a.whl": ONE}, {"a.whl": OTHER}, [CHANGED]),
    ({"a.whl": ONE, "new.whl": ONE}, {"a.whl": ONE}, [STRANGE]),
    ({}, {"a.whl": ONE}, [GONE]),
    ({"new.whl": ONE}, {"a.whl": ONE}, [STRANGE, GONE]),
]


@rows(("published", "built", "expected"), CASES)
def test_what_the_index_has_is_what_was_built(
    published: dict[str, str], built: dict[str, str], expected: list[tuple[str, str, str]]
) -> None:
    assert found(published=published, built=built) == expected


def test_a_yanked_file_is_told_once() -> None:
    assert found(yanked=("a.whl", "b.whl")) == [("WK904", "pypi marks it as yanked", "a.whl")]
    assert found() == []


def test_no_folder_has_built_nothing(tmp_path: Path) -> None:
    identity = ReleaseId(distribution="demo", version="1.0")
    assert built_files((), identity) == built_files((tmp_path,), identity) == {}
