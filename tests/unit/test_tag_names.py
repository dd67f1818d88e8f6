"""Which members of a family a release tag names."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.releases import CLI, META, Member, make_family
from support.rows import rows
from wheelkit import config, matrix
from wheelkit.__main__ import main
from wheelkit.errors import UsageError
from wheelkit.hints import push_tags
from wheelkit.project import family
from wheelkit.versions.tag_names import members_of_tag

OWN = '[distribution.gyro-cli]\ntag = "cli-v{version}"\n'
MEMBERS = (Member(name="gyro-core"), Member(name="gyro-cli", needs=("gyro-core",), version="1.5.0"), META)
NAMED = [
    ("v1.0", ("gyro-core", "gyro")),
    ("v1.0.0", ("gyro-core", "gyro")),
    ("cli-v1.5.0", ("gyro-cli",)),
    ("cli-v1.5", ("gyro-cli",)),
    ("v1.5.0", "that is not the version of any distribution in this checkout"),
    ("cli-v1.0", "that is not the version of any distribution in this checkout"),
    ("release-1.0", "no distribution of the family has such tags"),
    ("v", "no distribution of the family has such tags"),
    ("", "no distribution of the family has such tags"),
]


@rows(("tag", "expected"), NAMED)
def test_the_members_that_a_tag_names(tag: str, expected: tuple[str, ...] | str, tmp_path: Path) -> None:
    project = make_family(tmp_path / "gyro", MEMBERS, config=OWN, git=False)
    read = config.load(project.root, validators=(matrix.validate,))
    members = family.discover(read)
    if isinstance(expected, tuple):
        assert members_of_tag(read, members, tag) == expected
        return
    with pytest.raises(UsageError, match=expected) as caught:
        members_of_tag(read, members, tag)
    assert caught.value.hint


def test_only_what_a_tag_names_is_verified_and_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = make_family(tmp_path / "gyro", (Member(name="gyro-core"), CLI), config=OWN, git=False)
    for path in project.dist.glob("gyro_core-*"):
        path.unlink()
    monkeypatch.chdir(project.root)
    assert main(["verify-matrix", "dist", "--tag", "cli-v1.0"]) == 0
    assert main(["verify-matrix", "dist"]) == 1
    assert "WK804" in capsys.readouterr().out
    assert main(["publish", "dist", "--to", "testpypi", "--tag", "v1.0"]) == 1
    assert "dist has no manifest of gyro-core; nothing was uploaded" in capsys.readouterr().err
    assert main(["build", "gyro-cli", "--tag", "cli-v1.0"]) == 2
    assert "--tag and PROJECT both say what to build" in capsys.readouterr().err


def test_a_build_of_a_tag_that_names_nothing_of_this_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = make_family(tmp_path / "gyro", (Member(name="gyro-core"), CLI), config=OWN)
    monkeypatch.chdir(project.root)
    assert main(["build", "--native", "--tag", "cli-v1.0"]) == 0
    assert "there is nothing to do here for cli-v1.0" in capsys.readouterr().err
    assert main(["build", "--native", "gyro-cli"]) == 2


def test_tags_are_pushed_three_at_a_time() -> None:
    assert push_tags("origin", ["a", "b", "c"]) == "git push origin a b c"
    assert push_tags("up", ["a", "b", "c", "d", "e"]) == "git push up a b c && git push up d e"
