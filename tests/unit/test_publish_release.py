from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from pathlib import Path

import pytest

from support import wheels
from support.releases import CLI, CORE, Member, Project, make_family, write_manifest
from wheelkit import config, manifest, matrix
from wheelkit.config import Config
from wheelkit.errors import CheckFailedError, UsageError
from wheelkit.project import family
from wheelkit.project.family import Family
from wheelkit.publish import Release
from wheelkit.publish.release import collect_release


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


def test_the_meta_comes_last_even_if_it_could_come_earlier(tmp_path: Path) -> None:
    alone = Member(name="gyro-web")
    meta = Member(name="a-meta", needs=("gyro-core",), meta=True)
    release = gathered(make_family(tmp_path, (CORE, meta, alone), git=False))
    assert [one.key for one in release.distributions] == ["gyro-core", "gyro-web", "a-meta"]


def test_the_digest_depends_on_the_bytes(tmp_path: Path) -> None:
    one, same, other = (
        gathered(make_family(tmp_path / name, (CLI,), version=version, git=False))
        for name, version in (("a", "1.0"), ("b", "1.0"), ("c", "1.1"))
    )
    assert one.digest == same.digest
    assert one.digest != other.digest


def test_a_file_that_changed_after_verification(project: Project) -> None:
    path = project.files()[0]
    path.write_bytes(path.read_bytes() + b"\n")
    assert f"{path.name} was changed after it was built and verified" in problems(project)


def test_a_missing_and_an_unlisted_file(project: Project) -> None:
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
    release = gathered(project)
    assert release.left_out == ("gyro-cli 1.1",)
    assert not any("1.1" in file.name for file in release.files)


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


def test_an_unknown_distribution_and_two_commits(project: Project) -> None:
    path = next(project.dist.glob("gyro_cli-1.0-any*.json"))
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "commit": "abc"}))
    wheel = wheels.write_wheel(project.dist, wheels.PURE)
    write_manifest(project, Member(name="demo"), "any", [wheel], "pure")
    text = problems(project)
    assert "demo is not a distribution of this project (gyro-core, gyro-cli, gyro)" in text
    assert "the files of gyro-cli were built from 2 commits: none, abc" in text


def test_no_folder_and_no_manifest(project: Project) -> None:
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
def test_attestations_for_other_files(project: Project, other: dict[str, object], words: str) -> None:
    path = project.dist / "gyro_cli-1.0.tar.gz"
    statement(path, name="Gyro.CLI-1.0.tar.gz")
    assert gathered(project)
    statement(path, **other)
    assert f"{path.name}.publish.attestation {words}" in problems(project)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"envelope": {"statement": "="}}', '{"envelope": {"statement": "e30="}}']
)
def test_invalid_attestations(project: Project, text: str) -> None:
    (project.dist / "gyro_cli-1.0.tar.gz.publish.attestation").write_text(text)
    assert "gyro_cli-1.0.tar.gz.publish.attestation is not an attestation (PEP 740)" in problems(project)


def test_attestations_are_found_beside_their_files(project: Project) -> None:
    statement(project.dist / "gyro_cli-1.0.tar.gz")
    signed = {one.name: len(one.attestations) for one in gathered(project).files}
    assert signed["gyro_cli-1.0.tar.gz"] == 1
    assert sum(signed.values()) == 1


def test_other_versions_in_the_folder_are_left_out(tmp_path: Path) -> None:
    project = make_family(tmp_path, (CLI,), git=False)
    old = make_family(tmp_path / "old", (CLI,), version="0.9", git=False)
    for path in old.dist.iterdir():
        path.rename(project.dist / path.name)
    (project.dist / "gyro_cli-0.8.tar.gz").write_text("by hand")
    into = tmp_path / "copies"
    into.mkdir()
    release = collect_release(project.dist, loaded(project)[1], into)
    assert [file.name for file in release.files] == ["gyro_cli-1.0-py3-none-any.whl", "gyro_cli-1.0.tar.gz"]
    assert release.left_out == ("gyro-cli 0.9",)
    copied = {path.name for path in into.iterdir() if not path.name.endswith(manifest.SUFFIX)}
    assert copied == {file.name for file in release.files}
    # A file of the same version that nobody built is another matter.
    (project.dist / "gyro_cli-1.0-1-py3-none-any.whl").write_text("by hand")
    assert "gyro_cli-1.0-1-py3-none-any.whl is in no manifest" in problems(project)
