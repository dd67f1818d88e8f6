from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from support.command import OTHERS_FOLDER, git_commit
from support.publishing import CountingClock, MemoryClient, MemoryIndex, Notes, completed
from support.releases import CLI, CORE, FAMILY, META, Member, Project, make_family, write_manifest
from wheelkit import config, manifest, matrix
from wheelkit.config import Config
from wheelkit.errors import CheckFailedError, ProjectError, UsageError
from wheelkit.machine.process import Command, Completed
from wheelkit.machine.redaction import Secrets
from wheelkit.project import family
from wheelkit.project.family import Family
from wheelkit.publish import Index, PublishSession, PublishTerms, require_publishable
from wheelkit.publish.release import collect_release

PUBLIC = Index(
    name="public", upload="http://h.invalid/legacy/", simple="http://h.invalid/simple/", public=True
)
STAGING = Index(
    name="staging", upload="http://h.invalid/legacy/", simple="http://h.invalid/simple/", staging=True
)
PRIVATE = Index(name="private", upload="http://h.invalid/legacy/", simple="http://h.invalid/simple/")


def loaded(project: Project) -> tuple[Config, Family]:
    read = config.load(project.root, validators=(matrix.validate,))
    return read, family.discover(read)


def fine(command: Command) -> Completed:
    names = command.argv[command.argv.index("check") + 1 :]
    return completed(*(f"Checking {name}: PASSED" for name in names), code=0)


def session_on(index: MemoryIndex, run: object = fine) -> PublishSession:
    return PublishSession(
        run=run,  # type: ignore[arg-type]  # a stand-in for twine
        client=MemoryClient(index.get, clock=index.clock),
        secrets=Secrets({}),
        progress=Notes(),
        environ={},
        state=Path("not-used"),
    )


def required(
    project: Project, *indexes: Index, run: object = fine, on: MemoryIndex | None = None, **terms: float
) -> None:
    read, members = loaded(project)
    require_publishable(
        collect_release(project.dist, members),
        indexes,
        PublishTerms(config=read, family=members, **terms),
        session_on(on or MemoryIndex(clock=CountingClock()), run),
    )


def refusal(
    project: Project, *indexes: Index, run: object = fine, on: MemoryIndex | None = None, **terms: float
) -> CheckFailedError:
    with pytest.raises(CheckFailedError) as caught:
        required(project, *indexes, run=run, on=on, **terms)
    assert caught.value.hint
    return caught.value


def test_production_needs_a_clean_tree_and_a_tag(tmp_path: Path) -> None:
    project = make_family(tmp_path, (CLI,))
    error = refusal(project, PUBLIC)
    assert "need a tag" in error.message
    assert "v1.0 does not exist" in error.detail
    required(project, PUBLIC, tag_later=True)
    required(project, STAGING)
    project.tag()
    required(project, PUBLIC, STAGING)


def test_a_tag_on_another_commit(tmp_path: Path) -> None:
    project = make_family(tmp_path, (CLI,))
    (project.root / "more").write_text("")
    git_commit(project.root)
    project.tag()
    assert "v1.0 is on" in refusal(project, PUBLIC).detail
    assert "v1.0 is on" in refusal(project, PUBLIC, tag_later=True).detail


def test_uncommitted_changes_and_no_version_control(tmp_path: Path) -> None:
    dirty = make_family(tmp_path / "a", (CLI,), dirty=True)
    assert "built with uncommitted changes" in refusal(dirty, STAGING).message
    assert "--allow-dirty" in refusal(dirty, STAGING).hint
    assert "--allow-dirty" not in refusal(dirty, PUBLIC).hint
    required(dirty, STAGING, allow_dirty=True)
    loose = make_family(tmp_path / "b", (CLI,), git=False)
    assert "outside version control" in refusal(loose, STAGING).message
    with pytest.raises(UsageError, match="--allow-dirty is for staging indexes, and private is not one"):
        required(loose, PRIVATE, allow_dirty=True)


def test_a_missing_cell_is_refused_even_if_this_machine_cannot_build_it(tmp_path: Path) -> None:
    project = make_family(tmp_path, (CORE,), git=False)
    text = (project.root / "wheelkit.toml").read_text()
    (project.root / "wheelkit.toml").write_text(
        text.replace('["manylinux_2_40_x86_64"]', '["manylinux_2_40_x86_64", "win_amd64"]')
    )
    error = refusal(project, STAGING, allow_dirty=True)
    assert "verification failed with 1 finding" in error.message
    assert error.detail == "WK801  win_amd64 has no wheel; users there would build from the sdist"


def without(project: Project, *names: str) -> Project:
    """Remove members from the dist."""
    for name in names:
        for path in [*project.dist.glob(f"{name.replace('-', '_')}-*")]:
            path.unlink()
    return project


def test_a_family_member_that_was_not_built_and_is_not_on_the_index(tmp_path: Path) -> None:
    project = without(make_family(tmp_path, git=False), "gyro-cli")
    error = refusal(project, STAGING, allow_dirty=True)
    assert error.message == "staging lacks gyro-cli, which this release needs; nothing was uploaded"
    assert error.detail == "gyro 1.0 requires gyro-cli<99,>=1; staging has no file of gyro-cli"
    assert "wheelkit build gyro-cli" in error.hint


def test_a_part_waits_for_siblings_that_another_run_publishes(tmp_path: Path) -> None:
    project = without(make_family(tmp_path, (Member(name="gyro-core"), CLI), git=False), "gyro-core")
    index = MemoryIndex(clock=CountingClock(), lag=70.0)
    index.keep("gyro_core-1.0.tar.gz", "0" * 64)
    error = refusal(project, STAGING, on=index, allow_dirty=True, wait=60.0)
    assert "staging lacks gyro-core" in error.message
    assert index.clock.now() == pytest.approx(60.0)
    required(project, STAGING, on=index, allow_dirty=True, wait=60.0)
    assert 70.0 <= index.clock.now() < 80.0


def test_a_part_without_what_needs_it(tmp_path: Path) -> None:
    project = without(make_family(tmp_path, git=False), "gyro", "gyro-cli")
    required(project, STAGING, allow_dirty=True)


def test_an_unchanged_member_whose_tag_is_on_an_older_commit(tmp_path: Path) -> None:
    tags = "".join(
        f'[distribution.{name}]\ntag = "{name}-{{version}}"\n' for name in ("gyro-core", "gyro-cli")
    )
    project = make_family(tmp_path, (Member(name="gyro-core"), CLI), config=tags)
    project.tag("gyro-core-1.0")
    (project.root / "more").write_text("")
    project = rebuilt(project)
    project.tag("gyro-cli-1.0")
    index = MemoryIndex(clock=CountingClock())
    assert "gyro-core-1.0 is on" in refusal(project, PUBLIC, on=index).detail
    for path in project.dist.glob("gyro_core-*.*"):
        index.keep(path.name, manifest.sha256(path))
    required(project, PUBLIC, on=index)
    required(project, PUBLIC, on=index, tag_later=True)
    # Other bytes are a conflict, which planning reports.
    index.keep(next(project.dist.glob("gyro_core-*.whl")).name, "0" * 64)
    assert "with other bytes" in refusal(project, PUBLIC, on=index).message


def rebuilt(project: Project) -> Project:
    """Commit what changed, and let the manifests be those of a build from there."""
    commit = git_commit(project.root)
    for path in project.dist.glob("*.wheelkit.json"):
        path.write_text(path.read_text().replace(project.commit, commit))
    return replace(project, commit=commit)


def test_files_of_two_commits(tmp_path: Path) -> None:
    project = make_family(tmp_path, (Member(name="gyro-core"), CLI))
    index = MemoryIndex(clock=CountingClock())
    for path in project.dist.glob("gyro_cli-*.json"):
        path.write_text(path.read_text().replace(project.commit, "f" * 40))
    error = refusal(project, STAGING, on=index)
    assert error.message == "the files were built from 2 commits; nothing was uploaded"
    assert f"gyro-cli 1.0  {'f' * 12}" in error.detail
    for path in project.dist.glob("gyro_core-*.*"):
        index.keep(path.name, manifest.sha256(path))
    required(project, STAGING, on=index)


def test_cross_built_wheels_need_a_policy(tmp_path: Path) -> None:
    assert (
        "1 wheel is cross-built"
        in refusal(make_family(tmp_path / "a", (CORE,), builder="cross"), STAGING).message
    )
    required(
        make_family(tmp_path / "b", (CORE,), builder="cross", config="[publish]\nallow-cross = true\n"),
        STAGING,
    )


def test_the_rules_of_public_indexes_apply_to_those_only(tmp_path: Path) -> None:
    project = make_family(tmp_path, (CLI,), version="1.0+local")
    error = refusal(project, PUBLIC, tag_later=True)
    assert "WK703" in error.detail
    assert "local versions are refused" in error.detail
    required(project, STAGING)


def test_a_requirement_with_a_url(tmp_path: Path) -> None:
    url, range_ = (
        Member(name="gyro-cli", third_parties=(text,)) for text in ("a @ https://h.invalid/a", "a<2")
    )
    error = refusal(make_family(tmp_path / "url", (url,)), PUBLIC, tag_later=True)
    assert "WK720" in error.detail
    assert "requirements with a URL are refused" in error.detail
    required(make_family(tmp_path / "range", (range_,)), PUBLIC, tag_later=True)


def test_two_sdists_and_a_name_that_is_not_normalised(tmp_path: Path) -> None:
    project = make_family(tmp_path, (CLI,))
    extra = project.dist / "gyro-cli-1.0.tar.gz"
    extra.write_bytes((project.dist / "gyro_cli-1.0.tar.gz").read_bytes())
    write_manifest(project, CLI, "sdist", [extra, project.dist / "gyro_cli-1.0.tar.gz"], "pure")
    error = refusal(project, PUBLIC, tag_later=True)
    assert "2 sdists" in error.detail
    assert (
        "gyro-cli-1.0.tar.gz: the file name is not normalized; it has to be gyro_cli-1.0.tar.gz"
        in error.detail
    )


def test_the_problems_that_twine_check_reports(tmp_path: Path) -> None:
    project = make_family(tmp_path, (META,), git=False)
    output = (
        "Checking a.whl: PASSED",
        "Checking b.whl: \x1b[31mFAILED\x1b[0m",
        "Checking c.whl: PASSED with warnings",
        "ERROR    `long_description` has syntax errors in markup and would not be rendered.",
    )
    error = refusal(project, STAGING, allow_dirty=True, run=lambda _command: completed(*output))
    assert error.detail == (
        "Checking b.whl: FAILED\n"
        "ERROR    `long_description` has syntax errors in markup and would not be rendered."
    )


def test_the_whole_family_passes(tmp_path: Path) -> None:
    project = make_family(tmp_path, FAMILY)
    project.tag()
    required(project, PUBLIC)


def test_tags_that_git_cannot_read_do_not_count_as_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_family(tmp_path, (CLI,))
    project.tag()
    required(project, PUBLIC, tag_later=True)
    for name, value in OTHERS_FOLDER.items():
        monkeypatch.setenv(name, value)
    for later in (False, True):
        with pytest.raises(ProjectError, match="belongs to another user") as caught:
            required(project, PUBLIC, tag_later=later)
        assert f"git config --global --add safe.directory {tmp_path}" in caught.value.hint
