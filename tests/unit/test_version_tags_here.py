"""``version check`` about tags: shallow clones, and tags on this commit that state another version."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.command import git_commit
from support.rows import rows
from support.sample_families import CLI, CORE, opened, put
from wheelkit.machine.git import Repository
from wheelkit.versions.check import check

TEMPLATES = {"distributions": ["*"], "distribution": {"cli": {"tag": "cli-v{version}"}}}
FROM_TAGS = CORE.replace('version = "2.3.0"', 'dynamic = ["version"]\n[tool.hatch.version]\nsource = "vcs"')


def tagged(root: Path, *tags: str, core: str = CORE) -> Path:
    put(root, {"core/pyproject.toml": core, "cli/pyproject.toml": CLI})
    git_commit(root)
    for tag in tags:
        Repository(folder=root).run("tag", tag)
    return root


def clone(whole: Path, *options: str) -> Path:
    part = whole.with_name(f"{whole.name}-part")
    Repository(folder=whole.parent).run("clone", "--quiet", *options, whole.as_uri(), str(part))
    return part


def found(root: Path) -> list[tuple[str, str]]:
    problems = check(*opened(root, TEMPLATES))
    return [(problem.what, problem.fix) for problem in problems if problem.where == "git tags"]


@rows(
    ("tags", "expected"),
    [
        ((), None),
        (("v2.3.0", "cli-v1.0.0"), None),
        (("v2.4.0",), "this commit has the tag v2.4.0, but the version is 2.3.0"),
        # The release's own tag counts, whatever else is on its commit.
        (("v2", "v2.3", "v2.3.0"), None),
        # The name of the tag is looked for before the upload: v2.3 is not v2.3.0.
        (("v2.3",), "this commit has the tag v2.3, but the version is 2.3.0"),
        # By the template of cli, and by none.
        (("cli-v1.0.1",), "this commit has the tag cli-v1.0.1, but the version is 1.0.0"),
        (("nightly", "core-9.9", "version-2"), None),
    ],
)
def test_a_tag_on_this_commit_is_held_against_the_version(
    tags: tuple[str, ...], expected: str | None, tmp_path: Path
) -> None:
    whole = tagged(tmp_path / "all", *tags)
    assert [what for what, _ in found(whole)] == ([expected] if expected else [])
    put(whole, {"more": ""})
    git_commit(whole)
    assert found(whole) == []


@pytest.mark.parametrize("options", [("--depth", "1"), ("--depth", "1", "--branch", "v2.4.0"), ()])
def test_a_clone_as_in_ci_tells_the_same(tmp_path: Path, options: tuple[str, ...]) -> None:
    part = clone(tagged(tmp_path / "all", "v2.4.0"), *options)
    ((what, fix),) = found(part)
    assert what == "this commit has the tag v2.4.0, but the version is 2.3.0"
    assert fix.splitlines() == [
        "wheelkit version set 2.4.0 core --commit",
        "or, if the tag is not public, delete it:  git tag --delete v2.4.0",
    ]


def test_a_shallow_clone_is_named_as_the_reason_for_missing_tags(tmp_path: Path) -> None:
    whole = tagged(tmp_path / "all", "v2.2.0", core=FROM_TAGS)
    put(whole, {"more": ""})
    git_commit(whole)
    assert found(whole) == []
    assert found(clone(whole, "--depth", "1")) == [
        (
            "its version comes from git tags, and this shallow clone has none: older commits are missing",
            "git fetch --unshallow --tags\nin CI, with actions/checkout:  fetch-depth: 0",
        )
    ]


def test_a_whole_clone_without_tags_needs_one(tmp_path: Path) -> None:
    whole = tagged(tmp_path / "all", core=FROM_TAGS)
    ((what, fix),) = found(whole)
    assert what.startswith("its version comes from git tags, but this commit and those before it have no")
    assert fix.startswith("wheelkit version tag core --as")


def test_the_tag_of_a_shallow_clone_of_that_tag_is_its_version(tmp_path: Path) -> None:
    whole = tagged(tmp_path / "all", "v2.4.0", core=FROM_TAGS)
    part = clone(whole, "--depth", "1", "--branch", "v2.4.0")
    assert found(part) == []
    assert opened(part, TEMPLATES)[1].members["core"].version == "2.4.0"
