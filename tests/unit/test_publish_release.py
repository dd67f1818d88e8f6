from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from pathlib import Path

import pytest

from support import wheels
from support.command import OTHERS_FOLDER
from support.publishing import said
from support.releases import CLI, CORE, FAMILY, META, Member, Project, make_family, write_manifest
from wheelkit import config, matrix
from wheelkit.config import Config
from wheelkit.errors import CheckFailedError, ProjectError, UsageError
from wheelkit.machine.process import Command, Completed
from wheelkit.project import family
from wheelkit.project.family import Family
from wheelkit.publish import Index, PublishTerms, Release, require_publishable
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


def gathered(project: Project) -> Release:
    return collect_release(project.dist, loaded(project)[1])


def problems(project: Project) -> str:
    with pytest.raises(CheckFailedError, match="does not match its manifests") as caught:
        gathered(project)
    return caught.value.detail


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_family(tmp_path / "gyro", git=False)


def test_the_order_of_a_family(project: Project) -> None:
    release = gathered(project)
    assert [one.key for one in release.distributions] == ["gyro-core", "gyro-cli", "gyro"]
    assert [one.needs for one in release.distributions] == [(), ("gyro-core",), ("gyro-core", "gyro-cli")]
    assert [one.is_wheel for one in release.files] == [True, False] * 3
    assert len(release.digest) == 64


def test_the_meta_comes_last_even_where_nothing_makes_it(tmp_path: Path) -> None:
    alone = Member(name="gyro-web")
    meta = Member(name="a-meta", needs=("gyro-core",), meta=True)
    release = gathered(make_family(tmp_path, (CORE, meta, alone), git=False))
    assert [one.key for one in release.distributions] == ["gyro-core", "gyro-web", "a-meta"]


def test_the_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    one, same, other = (
        gathered(make_family(tmp_path / name, (CLI,), version=version, git=False))
        for name, version in (("a", "1.0"), ("b", "1.0"), ("c", "1.1"))
    )
    # The sdists hold the time at which they were packed only in their headers, which gzip writes.
    assert one.distributions[0].wheels[0].sha256 == same.distributions[0].wheels[0].sha256
    assert one.digest != other.digest


def test_a_file_that_was_changed_after_the_proof(project: Project) -> None:
    path = project.files()[0]
    path.write_bytes(path.read_bytes() + b"\n")
    assert f"{path.name} was changed after it was built and verified" in problems(project)


def test_a_file_that_is_missing_and_one_that_nobody_built(project: Project) -> None:
    gone = project.files()[0]
    gone.unlink()
    wheels.write_wheel(project.dist, "gyro_core-1.0-py3-none-any.whl")
    text = problems(project)
    assert f"{gone.name} is in the manifest, but not in the folder" in text
    assert "gyro_core-1.0-py3-none-any.whl is in no manifest" in text


def test_a_name_that_differs_only_in_its_spelling(project: Project) -> None:
    path = project.dist / "gyro_cli-1.0-py3-none-any.whl"
    path.rename(project.dist / "gyro-cli-1.0-py3-none-any.whl".replace("gyro-cli", "gyro.cli"))
    assert (
        "gyro.cli-1.0-py3-none-any.whl is in no manifest; the manifest has gyro_cli-1.0-py3-none-any.whl"
        in problems(project)
    )


def test_a_dist_with_two_versions(project: Project) -> None:
    wheel = wheels.write_wheel(project.dist, "gyro_cli-1.1-py3-none-any.whl")
    write_manifest(project, CLI, "any", [wheel], "pure", version="1.1")
    assert "gyro-cli has 2 versions: 1.0, 1.1" in problems(project)


def test_a_manifest_of_another_version_than_the_projects(project: Project) -> None:
    source = project.root / "packages" / "gyro-cli" / "pyproject.toml"
    source.write_text(source.read_text().replace('version = "1.0"', 'version = "1.1"'))
    assert "gyro-cli was built as 1.0, but the project's version is 1.1" in problems(project)


def test_a_file_in_the_wrong_manifest(project: Project) -> None:
    path = next(project.dist.glob("gyro_cli-1.0-any*.json"))
    document = json.loads(path.read_text())
    document["version"] = "1.1"
    path.write_text(json.dumps(document))
    assert (
        f"gyro_cli-1.0-py3-none-any.whl is in {path.name.replace('1.0', '1.1')}, which is about gyro-cli 1.1"
        in problems(project)
    )


def test_a_stranger_to_the_family_and_two_commits(project: Project) -> None:
    path = next(project.dist.glob("gyro_cli-1.0-any*.json"))
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "commit": "abc"}))
    wheel = wheels.write_wheel(project.dist, wheels.PURE)
    write_manifest(project, Member(name="demo"), "any", [wheel], "pure")
    text = problems(project)
    assert "demo is not a distribution of this project (gyro-core, gyro-cli, gyro)" in text
    assert "built from 2 commits: none, abc" in text


def test_no_dist_and_no_manifest(project: Project) -> None:
    with pytest.raises(UsageError, match="is not a folder"):
        collect_release(project.dist / "x", loaded(project)[1])
    for path in project.dist.glob("*.json"):
        path.unlink()
    with pytest.raises(CheckFailedError, match="has no manifest"):
        gathered(project)


def statement(path: Path, **other: object) -> None:
    """Write an attestation as far as it can be read without keys."""
    subject = {
        "name": path.name,
        "digest": {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()},
        **other,
    }
    envelope = {"statement": b64encode(json.dumps({"subject": [subject]}).encode()).decode()}
    path.with_name(f"{path.name}.publish.attestation").write_text(json.dumps({"envelope": envelope}))


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"name": "gyro_cli-1.1.tar.gz"}, "is for gyro_cli-1.1.tar.gz"),
        ({"name": "x"}, "is for x"),
        ({"digest": {"sha256": "ab" * 32}}, "is for other bytes: sha256 abababababab…"),
        ({"digest": "ab"}, "is not an attestation (PEP 740)"),
    ],
)
def test_attestations_of_something_else(project: Project, other: dict[str, object], words: str) -> None:
    path = project.dist / "gyro_cli-1.0.tar.gz"
    statement(path, name="Gyro.CLI-1.0.tar.gz")
    assert gathered(project)
    statement(path, **other)
    assert f"{path.name}.publish.attestation {words}" in problems(project)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"envelope": {"statement": "="}}', '{"envelope": {"statement": "e30="}}']
)
def test_attestations_that_are_none(project: Project, text: str) -> None:
    (project.dist / "gyro_cli-1.0.tar.gz.publish.attestation").write_text(text)
    assert "gyro_cli-1.0.tar.gz.publish.attestation is not an attestation (PEP 740)" in problems(project)


def test_attestations_are_found_beside_their_files(project: Project) -> None:
    statement(project.dist / "gyro_cli-1.0.tar.gz")
    signed = {one.name: len(one.attestations) for one in gathered(project).files}
    assert signed["gyro_cli-1.0.tar.gz"] == 1
    assert sum(signed.values()) == 1


def fine(_command: Command) -> Completed:
    return said("Checking x: PASSED", code=0)


def required(project: Project, *indexes: Index, run: object = fine, **terms: bool) -> None:
    read, members = loaded(project)
    require_publishable(
        collect_release(project.dist, members),
        indexes,
        PublishTerms(folder=project.dist, config=read, family=members, **terms),
        run,
    )  # type: ignore[arg-type]  # terms as the case wants them


def refusal(project: Project, *indexes: Index, run: object = fine, **terms: bool) -> CheckFailedError:
    with pytest.raises(CheckFailedError) as caught:
        required(project, *indexes, run=run, **terms)
    assert caught.value.hint
    return caught.value


def test_production_wants_a_clean_tree_and_a_tag(tmp_path: Path) -> None:
    project = make_family(tmp_path, (CLI,))
    error = refusal(project, PUBLIC)
    assert "need a tag" in error.message
    assert "v1.0 does not exist" in error.detail
    required(project, PUBLIC, tag_later=True)
    required(project, STAGING)
    project.tag()
    required(project, PUBLIC, STAGING)


def test_a_tag_on_another_commit_is_no_tag(tmp_path: Path) -> None:
    from support.command import git_commit

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


def test_a_missing_cell_stops_it_even_where_this_machine_could_not_build_it(tmp_path: Path) -> None:
    project = make_family(tmp_path, (CORE,), git=False)
    text = (project.root / "wheelkit.toml").read_text()
    (project.root / "wheelkit.toml").write_text(
        text.replace('["manylinux_2_40_x86_64"]', '["manylinux_2_40_x86_64", "win_amd64"]')
    )
    error = refusal(project, STAGING, allow_dirty=True)
    assert "verification failed with 1 finding" in error.message
    assert error.detail == "WK801  win_amd64 has no wheel; users there would build from the sdist"


def test_a_family_member_that_was_not_built(tmp_path: Path) -> None:
    project = make_family(tmp_path, git=False)
    for path in [*project.dist.glob("gyro_cli-*")]:
        path.unlink()
    assert "WK804" in refusal(project, STAGING, allow_dirty=True).detail


def test_cross_built_wheels_need_a_policy(tmp_path: Path) -> None:
    assert (
        "1 wheel is cross-built"
        in refusal(make_family(tmp_path / "a", (CORE,), builder="cross"), STAGING).message
    )
    required(
        make_family(tmp_path / "b", (CORE,), builder="cross", config="[publish]\nallow-cross = true\n"),
        STAGING,
    )


def test_rules_of_public_indexes_hold_there_only(tmp_path: Path) -> None:
    project = make_family(tmp_path, (CLI,), version="1.0+local")
    error = refusal(project, PUBLIC, tag_later=True)
    assert "WK703" in error.detail
    assert "local versions are refused" in error.detail
    required(project, STAGING)


def test_two_sdists_and_one_whose_name_is_not_normal(tmp_path: Path) -> None:
    project = make_family(tmp_path, (CLI,))
    extra = project.dist / "gyro-cli-1.0.tar.gz"
    extra.write_bytes((project.dist / "gyro_cli-1.0.tar.gz").read_bytes())
    write_manifest(project, CLI, "sdist", [extra, project.dist / "gyro_cli-1.0.tar.gz"], "pure")
    error = refusal(project, PUBLIC, tag_later=True)
    assert "2 sdists" in error.detail
    assert "gyro-cli-1.0.tar.gz has to be named gyro_cli-1.0.tar.gz" in error.detail


def test_the_complaints_of_twine_check_are_shown(tmp_path: Path) -> None:
    project = make_family(tmp_path, (META,), git=False)
    output = (
        "Checking a.whl: PASSED",
        "Checking b.whl: \x1b[31mFAILED due to warnings\x1b[0m",
        "WARNING  `long_description` missing.",
    )
    error = refusal(project, STAGING, allow_dirty=True, run=lambda _command: said(*output))
    assert error.detail == "Checking b.whl: FAILED due to warnings\nWARNING  `long_description` missing."


def test_the_whole_family_passes(tmp_path: Path) -> None:
    project = make_family(tmp_path, FAMILY)
    project.tag()
    required(project, PUBLIC)


def test_tags_that_git_does_not_tell_are_not_taken_for_none(
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
