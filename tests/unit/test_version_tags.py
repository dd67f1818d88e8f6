"""Git tags of a release: which, where, and what stops them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from support.command import git_commit
from support.sample_families import CLI, CORE, SCM, opened, put
from wheelkit.__main__ import main
from wheelkit.errors import CheckFailedError, MissingToolError, ProjectError, UsageError
from wheelkit.machine.git import Repository
from wheelkit.versions import tags
from wheelkit.versions.change import plan_change
from wheelkit.versions.check import check

TEMPLATES: dict[str, Any] = {"distributions": ["*"], "distribution": {"cli": {"tag": "cli-v{version}"}}}


def family(root: Path, cli: str = CLI, core: str = CORE, **more: str) -> Path:
    return put(root, {"core/pyproject.toml": core, "cli/pyproject.toml": cli, **more})


def problems(root: Path, document: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    return [(problem.distribution, problem.what) for problem in check(*opened(root, document or TEMPLATES))]


@pytest.fixture
def released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("GIT_AUTHOR", "GIT_COMMITTER"):
        monkeypatch.setenv(f"{name}_NAME", "test")
        monkeypatch.setenv(f"{name}_EMAIL", "test@localhost")
    root = family(tmp_path / "family")
    git_commit(root)
    return root


def planned(root: Path, **options: Any) -> list[tuple[str, bool]]:
    return [
        (tag.name, tag.exists) for tag in tags.plan_tags(*opened(root, TEMPLATES), tags.TagRequest(**options))
    ]


def test_each_distribution_is_tagged_by_its_template(released: Path) -> None:
    config, state = opened(released, TEMPLATES)
    tags.make_tags(state, tags.plan_tags(config, state, tags.TagRequest()))
    repository = Repository(folder=released)
    assert repository.lines("tag") == ("cli-v1.0.0", "v2.3.0")
    assert repository.commit_of("v2.3.0") == repository.head
    assert planned(released) == [("v2.3.0", True), ("cli-v1.0.0", True)]
    tags.make_tags(state, tags.plan_tags(config, state, tags.TagRequest()))
    assert planned(released, members=("cli",)) == [("cli-v1.0.0", True)]


def test_one_tag_names_all_that_share_it(released: Path) -> None:
    family(released, cli=CLI.replace('"1.0.0"', '"2.3.0"'))
    git_commit(released)
    (tag,) = tags.plan_tags(*opened(released, {"distributions": ["*"]}), tags.TagRequest())
    assert (tag.name, tag.distributions) == ("v2.3.0", ("core", "cli"))


def test_a_dirty_tree_is_refused_with_its_files(released: Path) -> None:
    put(released, {"core/new.py": "", "core/pyproject.toml": CORE + "# x\n"})
    with pytest.raises(CheckFailedError, match="2 files differ from the last commit") as caught:
        planned(released)
    assert caught.value.detail.split() == ["core/pyproject.toml", "core/new.py"]


def test_build_leftovers_are_no_change(released: Path) -> None:
    put(released, {"dist/x.whl": "", "core/dist/core.whl": "", "core/src/core.egg-info/PKG-INFO": ""})
    assert planned(released)
    put(released, {"core/src/dist/new.py": ""})
    with pytest.raises(CheckFailedError, match="1 file differs from the last commit") as caught:
        planned(released)
    assert caught.value.detail == "core/src/dist/new.py"


@pytest.mark.parametrize(
    ("move", "expected"),
    [
        (("switch", "-qc", "feature"), 'the branch is "feature"'),
        (("checkout", "-q", "--detach"), "no branch"),
    ],
)
def test_a_wrong_branch_is_refused(released: Path, move: tuple[str, ...], expected: str) -> None:
    assert Repository(folder=released).run(*move).returncode == 0
    with pytest.raises(CheckFailedError, match=expected):
        planned(released)
    assert planned(released, any_branch=True)


def test_configured_branches_replace_the_usual_ones(released: Path) -> None:
    config, state = opened(released, {**TEMPLATES, "version": {"branches": ["stable/*"]}})
    with pytest.raises(CheckFailedError, match=r'tagged on stable/\*, but the branch is "main"'):
        tags.plan_tags(config, state, tags.TagRequest())
    Repository(folder=released).run("switch", "-qc", "stable/2")
    assert tags.plan_tags(config, state, tags.TagRequest())


def test_a_tag_on_another_commit_is_refused_here_and_on_the_remote(released: Path, tmp_path: Path) -> None:
    repository = Repository(folder=released)
    old = repository.head
    repository.run("tag", "cli-v1.0.0")
    put(released, {"README": ""})
    git_commit(released)
    with pytest.raises(CheckFailedError, match="1 tag is already on another commit") as caught:
        planned(released)
    assert caught.value.detail == f"cli-v1.0.0  on {old[:12]}, here"
    assert repository.run("init", "--bare", "-q", str(tmp_path / "remote")).returncode == 0
    repository.run("remote", "add", "origin", str(tmp_path / "remote"))
    assert repository.run("push", "-q", "origin", "cli-v1.0.0").returncode == 0
    repository.run("tag", "--delete", "cli-v1.0.0")
    with pytest.raises(CheckFailedError, match="1 tag is already") as caught:
        planned(released)
    assert caught.value.detail == f"cli-v1.0.0  on {old[:12]}, at origin"
    assert planned(released, ask_remote=False)
    assert planned(released, members=("core",)) == [("v2.3.0", False)]


def test_an_annotated_tag_on_the_remote_is_the_commit_that_it_names(released: Path, tmp_path: Path) -> None:
    config, state = opened(released, TEMPLATES)
    tags.make_tags(state, tags.plan_tags(config, state, tags.TagRequest()))
    repository = Repository(folder=released)
    repository.run("init", "--bare", "-q", str(tmp_path / "remote"))
    repository.run("remote", "add", "origin", str(tmp_path / "remote"))
    assert repository.run("push", "-q", "origin", "--tags").returncode == 0
    assert planned(released) == [("v2.3.0", True), ("cli-v1.0.0", True)]


def test_a_remote_that_does_not_answer_is_a_missing_service(released: Path, tmp_path: Path) -> None:
    Repository(folder=released).run("remote", "add", "origin", str(tmp_path / "nowhere"))
    with pytest.raises(MissingToolError, match="origin does not answer") as caught:
        planned(released)
    assert "--no-remote" in caught.value.hint


def test_versions_that_disagree_are_not_tagged(released: Path) -> None:
    family(released, cli=CLI.replace(">=2.3.0", ">=2.4"))
    git_commit(released)
    with pytest.raises(CheckFailedError, match="have problems"):
        planned(released)
    assert planned(released, members=("core",)) == [("v2.3.0", False)]


def test_outside_git_there_is_nothing_to_tag(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="is not under git"):
        planned(family(tmp_path))


def test_a_folder_of_another_user_is_not_taken_for_one_without_tags(
    released: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Containers often have checkouts of other users; a variable for git's own tests simulates that."""
    family(
        released,
        core=CORE.replace('version = "2.3.0"', 'dynamic = ["version"]\n[tool.hatch.version]\nsource = "vcs"'),
    )
    git_commit(released)
    assert "have no version tag" in check(*opened(released))[0].what
    for name, value in (
        ("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1"),
        ("GIT_CONFIG_GLOBAL", os.devnull),
        ("GIT_CONFIG_NOSYSTEM", "1"),
    ):
        monkeypatch.setenv(name, value)
    with pytest.raises(ProjectError, match="the folder belongs to another user") as caught:
        opened(released)
    assert f"git config --global --add safe.directory {released}" in caught.value.hint


def test_a_version_from_tags_has_to_be_given(released: Path) -> None:
    family(
        released,
        core=CORE.replace('version = "2.3.0"', 'dynamic = ["version"]\n[tool.hatch.version]\nsource = "vcs"'),
    )
    git_commit(released)
    with pytest.raises(UsageError, match="the new tag decides it"):
        planned(released)
    assert planned(released, version="2.9.0", members=("core",)) == [("v2.9.0", False)]


def test_a_local_version_is_not_tagged(released: Path) -> None:
    family(released, core=CORE.replace("2.3.0", "2.3.0+cpu"))
    git_commit(released)
    with pytest.raises(UsageError, match="has a local part"):
        planned(released)


@pytest.mark.parametrize("distribution", [{}, {name: {"tag": "v{version}"} for name in ("core", "cli")}])
def test_one_template_for_two_versions_stops_the_tags_of_both_and_of_no_other(
    released: Path, distribution: dict[str, Any]
) -> None:
    put(released, {"own/pyproject.toml": CORE.replace('"core"', '"own"').replace("2.3.0", "0.1")})
    git_commit(released)
    document = {"distributions": ["*"], "distribution": {**distribution, "own": {"tag": "own-v{version}"}}}
    assert problems(released, document) == [("cli", 'cli 1.0.0 and core 2.3.0 are both tagged "v{version}"')]
    for members in ((), ("core",), ("cli",)):
        with pytest.raises(CheckFailedError, match="have problems"):
            tags.plan_tags(*opened(released, document), tags.TagRequest(members=members))
    (tag,) = tags.plan_tags(*opened(released, document), tags.TagRequest(members=("own",)))
    assert tag.name == "own-v0.1"


def test_a_tag_belongs_to_all_whose_version_it_is(released: Path) -> None:
    put(released, {"scm/pyproject.toml": SCM.replace("core", "scm"), "cli/pyproject.toml": CLI})
    git_commit(released)
    assert {tag.name: set(tag.distributions) for tag in plan(released)} == {
        "v2.3.0": {"core", "scm"},
        "cli-v1.0.0": {"cli"},
    }
    for members, version in ((("scm",), None), (("scm",), "2.3.0"), (("core",), None)):
        (tag,) = plan(released, members=members, version=version)
        assert (tag.name, set(tag.distributions)) == ("v2.3.0", {"core", "scm"})


def plan(root: Path, **options: Any) -> tuple[tags.ReleaseTag, ...]:
    return tags.plan_tags(*opened(root, TEMPLATES), tags.TagRequest(**options))


def test_the_proposed_tag_is_free_and_the_one_that_is_there_is_found(released: Path) -> None:
    family(released, core=SCM)
    git_commit(released)
    repository = Repository(folder=released)
    with pytest.raises(UsageError) as caught:
        plan(released, members=("core",))
    assert caught.value.hint == "wheelkit version tag core --as 0.1.0"
    repository.run("tag", "v1.2.3")
    assert [tag.exists for tag in plan(released, members=("core",))] == [True]
    put(released, {"README": ""})
    git_commit(released)
    repository.run("switch", "-qc", "release/2")
    repository.run("commit", "--allow-empty", "--message", "later")
    repository.run("tag", "v1.2.4")
    repository.run("switch", "-q", "main")
    with pytest.raises(UsageError) as caught:
        plan(released, members=("core",))
    assert caught.value.hint == "wheelkit version tag core --as 1.2.5"
    with pytest.raises(CheckFailedError, match="already on another commit") as refused:
        plan(released, members=("core",), version="1.2.4")
    assert refused.value.hint.splitlines()[1:] == ["wheelkit version tag core --as 1.2.5"]


@pytest.mark.parametrize("core", [SCM, CORE.replace("2.3.0", "2.3.0.dev5")])
def test_a_development_version_gets_no_tag(released: Path, core: str) -> None:
    family(released, core=core)
    git_commit(released)
    with pytest.raises(UsageError, match="is a development version, and those get no tag") as caught:
        plan(released, members=("core",), version="2.3.0.dev5")
    change = "tag core --as 2.3.0" if core == SCM else "set 2.3.0 core"
    assert caught.value.hint.splitlines()[0] == f"to release it:  wheelkit version {change}"


def test_an_open_range_that_the_project_accepts_is_accepted_by_all_commands(released: Path) -> None:
    family(released, cli=CLI.replace(">=2.3.0,<3.0.0", ">=2.1"))
    git_commit(released)
    accepting = {"tag": "cli-v{version}", "ignore": {"WK717": "its interface is stable"}}
    document = {"distributions": ["*"], "distribution": {"cli": accepting}}
    assert len(problems(released)) == 1
    assert problems(released, document) == []
    config, state = opened(released, document)
    assert len(tags.plan_tags(config, state, tags.TagRequest())) == 2
    assert [move.new for move in plan_change(config, state, {"core": "2.4.0"}).moves] == [">=2.4"]


# Development versions and commits.


@pytest.fixture
def scm(released: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A member whose version comes from tags, and one that needs it."""
    tool = SCM.replace('["hatchling"]', '["hatchling", "hatch-vcs"]')
    family(released, core=tool, cli=CLI.replace(">=2.3.0,<3.0.0", ">=1.2,<1.3"))
    templates = '[distribution.cli]\ntag = "cli{version}"\n'
    put(released, {"wheelkit.toml": f'distributions = ["core", "cli"]\n{templates}'})
    git_commit(released)
    assert Repository(folder=released).run("tag", "v1.2.3").returncode == 0
    monkeypatch.chdir(released)
    return released


def test_a_version_from_tags_is_stamped_for_one_build_and_the_range_follows(
    scm: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["version", "dev", "--stamp", "20261120143000"]) == 0
    captured = capsys.readouterr()
    assert captured.err.splitlines()[-1].strip() == (
        "next: SETUPTOOLS_SCM_PRETEND_VERSION=1.2.4.dev20261120143000 wheelkit build"
    )
    assert "core>=1.2.4.dev20261120143000,<1.3" in (scm / "cli/pyproject.toml").read_text()
    assert Repository(folder=scm).tags() == ("v1.2.3",)


@pytest.mark.parametrize(
    ("requires", "named", "message"),
    [
        ("versioningit", ["core"], "takes none from outside"),
        ("hatch-vcs", ["core", "other"], "would both read SETUPTOOLS_SCM_PRETEND_VERSION"),
    ],
)
def test_a_stamp_that_no_build_can_be_given_changes_nothing(
    scm: Path, capsys: pytest.CaptureFixture[str], requires: str, named: list[str], message: str
) -> None:
    tool = SCM.replace('["hatchling"]', f'["hatchling", "{requires}"]')
    put(scm, {"other/pyproject.toml": tool.replace("core", "other"), "core/pyproject.toml": tool})
    put(
        scm,
        {"wheelkit.toml": 'distributions = ["*"]\n[distribution.other]\ntag = "other-{version}"\n'},
    )
    git_commit(scm)
    assert main(["version", "dev", "--stamp", "20261120143000", *named]) == 2
    assert message in capsys.readouterr().err
    assert not Repository(folder=scm).modified


def test_a_bump_commits_what_it_changed_and_nothing_else(
    released: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(released)
    put(released, {"wheelkit.toml": 'distributions = ["core", "cli"]\n', "README": "unfinished"})
    assert main(["version", "bump", "patch", "core", "--commit"]) == 0
    repository = Repository(folder=released)
    assert repository.lines("show", "--name-only", "--format=%s", "HEAD") == (
        "Release core 2.3.1",
        "",
        "cli/pyproject.toml",
        "core/pyproject.toml",
    )
    assert set(repository.changes()) == {"README", "wheelkit.toml"}
    put(released, {".git/hooks/pre-commit": "#!/bin/sh\necho no such day\nexit 1\n"})
    (released / ".git/hooks/pre-commit").chmod(0o755)
    assert main(["version", "bump", "patch", "core", "--commit"]) == 4
    assert "no such day" in capsys.readouterr().err


def test_many_that_share_a_template_are_one_problem(tmp_path: Path) -> None:
    names = ["a", "b", "c", "d", "e", "f"]
    more = {f"{name}/pyproject.toml": CORE.replace("core", name) for name in names}
    template = {
        "distribution": {name: {"tag": "v{version}"} for name in (*names, "core")},
        "distributions": ["*"],
    }
    put(tmp_path, {"core/pyproject.toml": CORE, **more})
    assert problems(tmp_path, template) == []
    put(tmp_path, {"b/pyproject.toml": more["b/pyproject.toml"].replace("2.3.0", "2.4.0")})
    assert problems(tmp_path, template) == [
        ("a", 'a 2.3.0, b 2.4.0, c 2.3.0, core 2.3.0 and 3 more are all tagged "v{version}"')
    ]


def test_a_bump_with_commit_tags_what_takes_its_version_from_tags(
    scm: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(scm, {"more/pyproject.toml": SCM.replace("core", "more")})
    put(scm, {"wheelkit.toml": 'distributions = ["core", "more"]\n'})
    git_commit(scm)
    assert main(["version", "bump", "patch"]) == 2
    assert "wheelkit version tag core --as 1.2.4" in capsys.readouterr().err
    assert main(["version", "bump", "minor", "--commit"]) == 0
    assert Repository(folder=scm).tags_here() == ("v1.3.0",)
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [["v1.3.0", "core,", "more"]]
    assert main(["version", "bump", "patch", "--commit"]) == 0
    assert Repository(folder=scm).tags_here() == ("v1.3.0", "v1.3.1")
