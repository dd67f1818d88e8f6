"""What of a folder gets into its sdist, with real git and without any build backend."""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

from wheelkit.builders import sdist
from wheelkit.builders.sdist import make_sdist
from wheelkit.errors import MissingToolError, ToolFailedError
from wheelkit.machine.git import Repository
from wheelkit.machine.process import Command, Completed, LoggedRun
from wheelkit.machine.progress import Progress
from wheelkit.machine.workspace import Workspace
from wheelkit.project.read import read

PYPROJECT = '[build-system]\nbuild-backend = "mesonpy"\n[project]\nname = "m"\nversion = "1.0"\n'
PKG_INFO = "Metadata-Version: 2.4\nName: m\nVersion: 1.0\n"


@pytest.fixture
def scratch(tmp_path: Path) -> Workspace:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return Workspace(
        folder=folder, log=tmp_path / "log", run=LoggedRun(log=tmp_path / "log"), progress=Progress()
    )


def write(folder: Path, *names: str, text: str = "x") -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(PYPROJECT if name.endswith("pyproject.toml") else text)
    return folder


def commit(folder: Path, *, force: bool = False) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false")
    if not (folder / ".git").exists():
        subprocess.run(["git", "init", "--quiet", folder], check=True)
    subprocess.run(["git", "-C", folder, "add", "--all", *(["--force"] if force else [])], check=True)
    subprocess.run(["git", "-C", folder, *identity, "commit", "--quiet", "-m", "x"], check=True)


def snapshot(folder: Path, scratch: Workspace) -> set[str]:
    """List the files that meson would find committed."""
    copy = sdist._snapshot(folder, Repository(folder=folder).checkout(), scratch)
    listed = subprocess.run(
        ["git", "-C", copy, "ls-tree", "-r", "--name-only", "HEAD"],
        capture_output=True,
        text=True,
        check=True,
    )
    names = set(listed.stdout.split())
    assert {
        path.relative_to(copy).as_posix()
        for path in copy.rglob("*")
        if path.is_file() and ".git" not in path.parts
    } >= names
    return names


def test_a_clean_tree_has_its_commit_and_no_changes(tmp_path: Path) -> None:
    commit(write(tmp_path, "pyproject.toml", "core.c"))
    state = Repository(folder=tmp_path).checkout()
    assert (len(state.commit), state.changed, state.tracked) == (40, (), True)


def test_what_differs_from_the_commit_is_named(tmp_path: Path) -> None:
    commit(write(tmp_path, "pyproject.toml", "core.c", "gone.c"))
    write(tmp_path, "core.c", text="y")
    write(tmp_path, "new/né w.c")
    (tmp_path / "gone.c").unlink()
    assert {name.strip('"') for name in Repository(folder=tmp_path).checkout().changed} == {
        "core.c",
        "new/né w.c",
        "gone.c",
    }


@pytest.mark.parametrize(
    "left",
    [
        "dist/x.whl",
        "wheelhouse/x.whl",
        "build/x.o",
        ".venv/bin/python",
        "pkg/__pycache__/x.pyc",
        "m.egg-info/PKG-INFO",
        "src/m.egg-info/x",
    ],
)
def test_what_builds_leave_behind_is_no_change(tmp_path: Path, left: str) -> None:
    commit(write(tmp_path, "pyproject.toml", "pkg/__init__.py", "src/m.py"))
    write(tmp_path, left)
    assert Repository(folder=tmp_path).checkout().changed == ()


@pytest.mark.parametrize("kept", ["pkg/build/core.c", "src/dist/x.py", "pkg/wheelhouse.py"])
def test_a_source_with_a_name_like_an_output_is_a_change_and_gets_into_the_snapshot(
    tmp_path: Path, kept: str, scratch: Workspace
) -> None:
    folder = write(tmp_path / "project", "pyproject.toml", "pkg/__init__.py", "src/m.py")
    commit(folder)
    write(folder, kept)
    assert Repository(folder=folder).checkout().changed == (kept,)
    assert kept in snapshot(folder, scratch)


def test_without_git_or_without_a_commit_nothing_is_known(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml")
    assert Repository(folder=tmp_path).checkout().tracked is False
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    assert Repository(folder=tmp_path).checkout().tracked is False


def test_a_folder_that_git_does_not_track_belongs_to_no_commit(tmp_path: Path) -> None:
    commit(write(tmp_path, "readme.txt"))
    write(tmp_path, "vendor/x/pyproject.toml")
    assert Repository(folder=tmp_path / "vendor/x").checkout().tracked is False


def test_the_snapshot_is_the_folder_as_it_lies(tmp_path: Path, scratch: Workspace) -> None:
    folder = write(tmp_path / "project", "pyproject.toml", "core.c", "gone.c", "pkg/build/tracked.c")
    (folder / ".gitignore").write_text("*.log\n")
    commit(folder)
    before = subprocess.run(
        ["git", "-C", folder, "rev-parse", "HEAD"], capture_output=True, check=True
    ).stdout
    write(folder, "core.c", text="changed")
    write(
        folder,
        "new.c",
        "junk.log",
        "dist/old.whl",
        "build/x.o",
        "pkg/__pycache__/x.pyc",
        "m.egg-info/SOURCES.txt",
    )
    (folder / "gone.c").unlink()
    status = Repository(folder=folder).checkout().changed
    assert snapshot(folder, scratch) == {
        ".gitignore",
        "pyproject.toml",
        "core.c",
        "new.c",
        "pkg/build/tracked.c",
    }
    assert Repository(folder=folder).checkout().changed == status
    assert (
        subprocess.run(["git", "-C", folder, "rev-parse", "HEAD"], capture_output=True, check=True).stdout
        == before
    )


def test_what_is_tracked_stays_though_a_pattern_ignores_it(tmp_path: Path, scratch: Workspace) -> None:
    folder = write(tmp_path / "project", "pyproject.toml", "generated.c", "build/rules.mk")
    (folder / ".gitignore").write_text("generated.c\n")
    commit(folder, force=True)
    write(folder, "pyproject.toml")
    write(folder, "other.c")
    assert snapshot(folder, scratch) >= {"generated.c", "build/rules.mk", "other.c"}


def test_a_project_in_a_subfolder_is_found_again_in_the_snapshot(tmp_path: Path, scratch: Workspace) -> None:
    top = write(tmp_path / "top", "python/m/pyproject.toml", "python/m/build/keep.txt", "other/x.c")
    commit(top)
    write(top, "python/m/new.c", "python/m/dist/x.whl", "other/dist/kept.c")
    copy = sdist._snapshot(top / "python/m", Repository(folder=top / "python/m").checkout(), scratch)
    assert sorted(path.name for path in copy.iterdir()) == ["build", "new.c", "pyproject.toml"]
    assert (copy / "../../other/dist/kept.c").is_file()


def test_a_folder_outside_git_is_taken_whole(tmp_path: Path, scratch: Workspace) -> None:
    folder = write(
        tmp_path / "project", "pyproject.toml", "core.c", "dist/x.whl", "pkg/build/core.c", ".venv/x"
    )
    assert snapshot(folder, scratch) == {"pyproject.toml", "core.c", "pkg/build/core.c"}
    assert not (folder / ".git").exists()


def test_the_users_git_settings_and_hooks_do_not_matter(
    tmp_path: Path, scratch: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = write(tmp_path / "hooks", "pre-commit", text="#!/bin/sh\nexit 1\n")
    (hooks / "pre-commit").chmod(0o755)
    settings = tmp_path / "gitconfig"
    settings.write_text(f"[core]\nhooksPath = {hooks}\nautocrlf = true\n[commit]\ngpgsign = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    folder = write(tmp_path / "project", "pyproject.toml")
    (folder / "core.c").write_bytes(b"a\r\nb\r\n")
    copy = sdist._snapshot(folder, Repository(folder=folder).checkout(), scratch)
    assert (copy / "core.c").read_bytes() == b"a\r\nb\r\n"


def test_without_git_a_changed_meson_project_says_what_to_do(
    tmp_path: Path, scratch: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "pyproject.toml")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError, match="git was not found") as caught:
        sdist._snapshot(tmp_path, Repository(folder=tmp_path).checkout(), scratch)
    assert "give an sdist" in caught.value.hint


def test_an_unpacked_sdist_is_packed_again_without_what_builds_left(
    tmp_path: Path, scratch: Workspace
) -> None:
    folder = write(
        tmp_path / "m-1.0",
        "pyproject.toml",
        "core.c",
        "pkg/build/core.c",
        "dist/x.whl",
        "build/x",
        "pkg/__pycache__/x",
        "m.egg-info/x",
    )
    write(folder, "PKG-INFO", text=PKG_INFO)
    path = sdist._repack(folder, scratch)
    with tarfile.open(path) as archive:
        files = {member.name for member in archive if member.isfile()}
    assert files == {f"m-1.0/{name}" for name in ("PKG-INFO", "pyproject.toml", "core.c", "pkg/build/core.c")}
    assert read(path).version == "1.0"


def test_an_sdist_that_was_given_is_taken_as_it_is(tmp_path: Path, scratch: Workspace) -> None:
    folder = write(tmp_path / "m-1.0", "pyproject.toml")
    write(folder, "PKG-INFO", text=PKG_INFO)
    path = sdist._repack(folder, scratch)
    made = make_sdist(read(path), scratch)
    assert (made.path, len(made.sha256)) == (path, 64)
    assert not scratch.log.exists()


@dataclass
class Backend:
    """Stands in for ``uv build --sdist``."""

    makes: Callable[[Path], None] = lambda _out: None
    returncode: int = 0
    output: str = ""

    def __call__(self, command: Command, /) -> Completed:
        self.makes(Path(command.argv[command.argv.index("--out-dir") + 1]))
        return Completed(returncode=self.returncode, output=self.output)


def pure(tmp_path: Path) -> Path:
    folder = tmp_path / "pure"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        '[build-system]\nbuild-backend = "hatchling.build"\n[project]\nname = "p"\nversion = "1"\n'
    )
    return folder


def test_a_backend_that_refuses_is_quoted(tmp_path: Path, scratch: Workspace) -> None:
    item = read(pure(tmp_path))
    with pytest.raises(ToolFailedError, match="building the sdist of p failed with exit status 2") as caught:
        make_sdist(item, replace(scratch, run=Backend(returncode=2, output="ValueError: no files\n")))
    assert caught.value.detail == "ValueError: no files"


def test_no_sdist_or_several_are_reported_with_their_number(tmp_path: Path, scratch: Workspace) -> None:
    item = read(pure(tmp_path))
    with pytest.raises(ToolFailedError, match="produced 0 files"):
        make_sdist(item, replace(scratch, run=Backend()))

    def two(out: Path) -> None:
        (out / "a-1.tar.gz").touch()
        (out / "b-1.tar.gz").touch()

    with pytest.raises(ToolFailedError, match="produced 2 files"):
        make_sdist(item, replace(scratch, run=Backend(makes=two)))
