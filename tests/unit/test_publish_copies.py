from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from support.releases import CLI, Project, make_family
from wheelkit import config, matrix
from wheelkit.errors import CheckFailedError, OutputError
from wheelkit.project import family
from wheelkit.publish import Release, copies
from wheelkit.publish.copies import copy_files
from wheelkit.publish.release import collect_release


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_family(tmp_path / "gyro", (CLI,), git=False)


@pytest.fixture
def into(tmp_path: Path) -> Path:
    folder = tmp_path / "copies"
    folder.mkdir()
    return folder


def collected(project: Project, into: Path) -> Release:
    read = config.load(project.root, validators=(matrix.validate,))
    return collect_release(project.dist, family.discover(read), into)


def test_a_release_consists_of_copies_of_everything_that_is_uploaded(project: Project, into: Path) -> None:
    before = {path.name: path.read_bytes() for path in project.dist.iterdir()}
    release = collected(project, into)
    assert (release.folder, release.location) == (project.dist, into)
    for path in project.dist.iterdir():
        path.write_bytes(b"other bytes")
    assert {path.name: path.read_bytes() for path in into.iterdir()} == before
    assert all(file.path.parent == into for file in release.files)


def test_what_no_manifest_names_is_not_copied(project: Project, into: Path) -> None:
    (project.dist / "other-1.0-py3-none-any.whl").write_bytes(b"x")
    (project.dist / "notes.txt").write_bytes(b"x")
    with pytest.raises(CheckFailedError, match="does not match its manifests") as caught:
        collected(project, into)
    assert caught.value.detail == "other-1.0-py3-none-any.whl is in no manifest"
    assert not (into / "notes.txt").exists()
    assert not (into / "other-1.0-py3-none-any.whl").exists()


def test_errors_name_the_file_that_was_copied(project: Project, into: Path) -> None:
    record = next(project.dist.glob("*.wheelkit.json"))
    record.write_text("[]")
    with pytest.raises(CheckFailedError) as caught:
        collected(project, into)
    assert caught.value.message.startswith(f"{record} cannot be read as a manifest")


def test_a_file_that_cannot_be_read_is_told_by_name(tmp_path: Path, into: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    os.mkfifo(tmp_path / "b")
    problems = copy_files([tmp_path / "a", tmp_path / "b", tmp_path / "c"], into)
    assert problems == {
        "b": "cannot be read: it is a named pipe, not a file",
        "c": "cannot be read: No such file or directory",
    }
    assert [path.name for path in into.iterdir()] == ["a"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_no_space_for_the_copies(
    number: int, tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: Any) -> None:
        raise OSError(number, os.strerror(number))

    (tmp_path / "a").write_bytes(b"a")
    monkeypatch.setattr(copies.shutil, "copyfileobj", full)
    monkeypatch.setattr(copies, "_share_blocks", lambda *_files: False)
    with pytest.raises(
        OutputError, match="has no space for a copy of a, which is uploaded from there"
    ) as caught:
        copy_files([tmp_path / "a"], into)
    assert "TMPDIR" in caught.value.hint
    assert list(into.iterdir()) == []
