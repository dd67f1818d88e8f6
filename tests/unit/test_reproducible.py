"""The same sources give the same bytes: the time of files, sdists, and what programs inherit."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from support.rows import rows
from wheelkit.builders.normal_sdist import normalise_sdist
from wheelkit.builders.source_date import epoch_of, require_valid, set_epoch, variables
from wheelkit.builders.source_folder import map_away, unpack_source
from wheelkit.command_line import main
from wheelkit.errors import OutputError, UsageError
from wheelkit.machine.process import Command, start_process
from wheelkit.project.read import Distribution, read

TIME = 1_700_000_000


@rows(("text", "expected"), [("", None), ("0", 0), (str(TIME), TIME), ("4294967295", 4294967295)])
def test_a_time_that_is_set(text: str, expected: int | None) -> None:
    assert set_epoch({"SOURCE_DATE_EPOCH": text}) == expected
    assert set_epoch({}) is None


@rows("text", ["abc", "-5", "5000000000", "1.5", "٣", " 1", "9" * 5000])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="SOURCE_DATE_EPOCH is not a time"):
        require_valid({"SOURCE_DATE_EPOCH": text})


def test_the_command_refuses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "abc")
    assert main(["build", str(tmp_path)]) == 2
    assert "SOURCE_DATE_EPOCH is not a time: abc" in capsys.readouterr().err


def project(folder: Path) -> Distribution:
    (folder / "pyproject.toml").write_text('[project]\nname = "demo"\nversion = "1.0"\n')
    return read(folder)


def test_the_time_is_that_of_the_commit_unless_it_is_set(tmp_path: Path) -> None:
    demo = project(tmp_path)
    assert epoch_of(demo, {}) is None
    env = {**os.environ, "GIT_COMMITTER_DATE": f"{TIME} +0000"}
    author = ("-c", "user.name=a", "-c", "user.email=a@b.example")
    for words in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "x"]):
        subprocess.run(["git", *words], cwd=tmp_path, env=env, check=True)
    assert epoch_of(demo, {}) == TIME
    assert epoch_of(demo, {"SOURCE_DATE_EPOCH": "5"}) == 5
    assert variables(5) == {"SOURCE_DATE_EPOCH": "5"}
    assert variables(None) == {}


def test_the_time_of_a_member_is_that_of_the_last_commit_to_its_folder(tmp_path: Path) -> None:
    members = {}
    for number, name in enumerate(("first", "second")):
        (tmp_path / "origin" / name).mkdir(parents=True)
        members[name] = project(tmp_path / "origin" / name)
        env = {**os.environ, "GIT_COMMITTER_DATE": f"{TIME + number} +0000"}
        author = ("-c", "user.name=a", "-c", "user.email=a@b.example")
        for words in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "x"]):
            subprocess.run(["git", *words], cwd=tmp_path / "origin", env=env, check=True)
    assert [epoch_of(member, {}) for member in members.values()] == [TIME, TIME + 1]
    # A shallow clone has only the last commit.
    clone = ["git", "clone", "-q", "--depth", "1", f"file://{tmp_path}/origin", tmp_path / "shallow"]
    subprocess.run(clone, check=True)
    assert epoch_of(read(tmp_path / "shallow/first"), {}) == TIME + 1


def write_sdist(path: Path, *, mtime: int, uid: int, mask: int, backwards: bool = False) -> None:
    files = {
        "demo-1.0/PKG-INFO": b"Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n",
        "demo-1.0/a.c": b"int a;\n",
        "demo-1.0/run.sh": b"#!/bin/sh\n",
        "demo-1.0/ünïcode.txt": b"",
    }
    names = sorted(files, reverse=backwards)
    with tarfile.open(path, "w:gz") as archive:
        for name in ["demo-1.0", *names]:
            info = tarfile.TarInfo(name)
            info.type = tarfile.DIRTYPE if name == "demo-1.0" else tarfile.REGTYPE
            info.size = len(files.get(name, b""))
            info.mode = (0o777 if info.isdir() or name.endswith(".sh") else 0o666) & ~mask
            info.mtime, info.uid, info.uname = mtime, uid, f"user{uid}"
            archive.addfile(info, io.BytesIO(files.get(name, b"")))
        link = tarfile.TarInfo("demo-1.0/link")
        link.type, link.linkname, link.mtime = tarfile.SYMTYPE, "a.c", mtime
        archive.addfile(link)


def test_sdists_that_differ_in_order_times_owners_and_modes_become_equal(tmp_path: Path) -> None:
    one, two = tmp_path / "one.tar.gz", tmp_path / "two.tar.gz"
    write_sdist(one, mtime=1_600_000_000, uid=0, mask=0o022)
    write_sdist(two, mtime=1_650_000_000, uid=1000, mask=0o077, backwards=True)
    for source in (one, two):
        normalise_sdist(source, source.with_suffix(".new"), TIME)
    first = one.with_suffix(".new").read_bytes()
    assert first == two.with_suffix(".new").read_bytes()
    assert first[4:8] == bytes(4)  # no time in the header of gzip
    with tarfile.open(one) as before, tarfile.open(one.with_suffix(".new")) as after:
        contents = {member.name: before.extractfile(member) for member in before if member.isreg()}
        assert {member.name for member in after} == {member.name for member in before}
        for member in after:
            file = after.extractfile(member) if member.isreg() else None
            source_file = contents.get(member.name)
            assert (file.read() if file else None) == (source_file.read() if source_file else None)
            assert (member.mtime, member.uid, member.uname) == (TIME, 0, "")
        modes = {member.name.rpartition("/")[2]: member.mode for member in after}
        assert (modes["a.c"], modes["run.sh"], modes["demo-1.0"]) == (0o644, 0o755, 0o755)
        assert after.getmember("demo-1.0/link").linkname == "a.c"


def test_without_a_time_members_keep_theirs(tmp_path: Path) -> None:
    source, target = tmp_path / "a.tar.gz", tmp_path / "b.tar.gz"
    write_sdist(source, mtime=1_600_000_000, uid=0, mask=0)
    normalise_sdist(source, target, None)
    with tarfile.open(target) as archive:
        assert {member.mtime for member in archive} == {1_600_000_000}


def test_what_is_no_archive_is_one_message(tmp_path: Path) -> None:
    source = tmp_path / "a.tar.gz"
    source.write_bytes(gzip.compress(b"no tar" * 200))
    with pytest.raises(OutputError):
        normalise_sdist(source, tmp_path / "b.tar.gz", TIME)


def test_compilers_leave_out_the_folder_that_an_sdist_is_unpacked_in(tmp_path: Path) -> None:
    sdist, folder = tmp_path / "a.tar.gz", tmp_path / "folder"
    write_sdist(sdist, mtime=TIME, uid=0, mask=0)
    folder.mkdir()
    source = unpack_source(sdist, folder)
    assert source == folder / "demo-1.0"
    assert (source / "a.c").read_text() == "int a;\n"
    assert map_away(source, {}) == {"CPPFLAGS": f"-ffile-prefix-map={source}=."}
    assert map_away(source, {"CPPFLAGS": "-Dx"})["CPPFLAGS"].startswith("-Dx -ffile-prefix-map=")
    broken = tmp_path / "broken.tar.gz"
    broken.write_bytes(b"no archive")
    assert unpack_source(broken, tmp_path / "none") == broken
    assert map_away(broken, {}) == {}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no umask")
def test_programs_write_files_with_the_usual_permissions(tmp_path: Path) -> None:
    code = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text('')"
    before = os.umask(0o077)
    try:
        process = start_process(Command(argv=(sys.executable, "-c", code, str(tmp_path / "file"))))
        process.communicate()
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644
