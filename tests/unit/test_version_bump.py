from __future__ import annotations

import pytest
from packaging.version import Version

from support.rows import rows
from wheelkit.errors import UsageError
from wheelkit.versions.bump import BumpPart, bumped, dev_version, for_cargo


@rows(
    ("old", "part", "new"),
    [
        ("1.2.3", "major", "2.0.0"),
        ("1.2.3", "minor", "1.3.0"),
        ("1.2.3", "patch", "1.2.4"),
        ("1.2.3", "pre", "1.2.4rc1"),
        ("1.2", "minor", "1.3"),
        ("1.2", "patch", "1.2.1"),
        ("1", "major", "2"),
        ("1", "minor", "1.1"),
        ("0.9.9", "minor", "0.10.0"),
        ("1.2.3.4", "patch", "1.2.4.0"),
        ("1!1.2.3", "minor", "1!1.3.0"),
        ("1.2.3.post1", "patch", "1.2.4"),
        ("1.2.3+local", "patch", "1.2.4"),
        ("1.3.0rc1", "pre", "1.3.0rc2"),
        ("1.3.0a4", "pre", "1.3.0a5"),
        ("1.3.0rc1", "final", "1.3.0"),
        ("1.3.0rc1", "minor", "1.3.0"),
        ("1.3.0rc1", "patch", "1.3.0"),
        ("1.3.0rc1", "major", "2.0.0"),
        ("1.3.1rc1", "minor", "1.4.0"),
        ("2.0.0.dev5", "major", "2.0.0"),
        ("1.2.4.dev20261120143000", "patch", "1.2.4"),
        ("1.2.4.dev20261120143000", "minor", "1.3.0"),
        ("1.2.4.dev20261120143000", "pre", "1.2.4rc1"),
        ("1.2.4rc2.dev1", "pre", "1.2.4rc2"),
        ("1.2.4.dev1", "final", "1.2.4"),
        ("1.2.3.post1", "final", "1.2.3"),
    ],
)
def test_a_bump_gives_the_version_that_follows(old: str, part: str, new: str) -> None:
    assert bumped(old, BumpPart(part)) == new
    assert str(Version(new)) == new
    assert Version(new) > Version(old) or part == "final"


def test_a_final_version_cannot_be_finished_again() -> None:
    with pytest.raises(UsageError, match=r"1\.2 is already final"):
        bumped("1.2", BumpPart.FINAL)


@pytest.mark.parametrize("text", ["", "one", "1.2.x", "v", "1..2"])
def test_an_invalid_version_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="is not a valid version") as caught:
        bumped(text, BumpPart.PATCH)
    assert "1.4.0" in caught.value.hint


@rows(
    ("old", "new"),
    [
        ("1.2.3", "1.2.4.dev7"),
        ("1.2.3+cu121", "1.2.4.dev7"),
        ("1.2.4.dev6", "1.2.4.dev7"),
        ("1.2.4.dev6+g123", "1.2.4.dev7"),
        ("1.3.0rc1", "1.3.0rc2.dev7"),
        ("1.3.0rc2.dev6", "1.3.0rc2.dev7"),
        ("1.2.3.post1", "1.2.4.dev7"),
        ("1.2.3.post1.dev6", "1.2.3.post1.dev7"),
        ("1.2", "1.2.1.dev7"),
    ],
)
def test_a_development_version_is_between_the_current_and_the_next_version(old: str, new: str) -> None:
    assert dev_version(old, "7") == new
    assert Version(new) > Version(old)
    assert Version(new).local is None


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.3", "1.3.0"),
        ("1.3.0rc1", "1.3.0-rc.1"),
        ("1.3a2", "1.3.0-alpha.2"),
        ("1.3b1.dev4", "1.3.0-beta.1.dev.4"),
        ("2.dev7", "2.0.0-dev.7"),
    ],
)
def test_cargo_reads_the_same_version_in_its_own_form(version: str, expected: str) -> None:
    assert for_cargo(version) == expected
    assert Version(expected) == Version(version)


@pytest.mark.parametrize("version", ["1!1.2.3", "1.2.3.4", "1.2.3.post1", "1.2.3+local"])
def test_a_version_that_cargo_cannot_express_is_refused(version: str) -> None:
    with pytest.raises(UsageError, match=r"cannot be written in Cargo\.toml"):
        for_cargo(version)
