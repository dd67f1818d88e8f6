"""Git: a project's state, and folders that git refuses to read."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from support.command import OTHERS_FOLDER, git_commit
from support.publishing import Notes
from wheelkit import config, plan
from wheelkit.builders.results import Results
from wheelkit.machine.facts import Machine
from wheelkit.machine.git import Checkout, Repository
from wheelkit.matrix import System
from wheelkit.project import family

MESON = '[build-system]\nbuild-backend = "mesonpy"\n[project]\nname = "demo"\nversion = "1.0"\n'
PROJECT = """\
[build-system]
requires = []
build-backend = 'hatchling.build'
[project]
name = '{name}'
version = '1'
"""


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    for name in ("one", "two"):
        (tmp_path / "demo" / name).mkdir(parents=True)
        (tmp_path / "demo" / name / "pyproject.toml").write_text(PROJECT.format(name=name))
    (tmp_path / "demo" / "wheelkit.toml").write_text("distributions = ['*']\n")
    git_commit(tmp_path / "demo")
    return tmp_path / "demo"


def give_away(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in OTHERS_FOLDER.items():
        monkeypatch.setenv(name, value)


def checkouts_and_notes(folder: Path) -> tuple[list[Checkout], list[str]]:
    """Return the checkouts of both distributions, and the notes to the user."""
    loaded = config.load(folder)
    family_plan = plan.make_plan(
        loaded,
        family.discover(loaded),
        plan.PlanRequest(machine=Machine(system=System.LINUX, arch="x86_64"), out=folder / "dist"),
    )
    notes = Notes()
    results = Results(plan=family_plan, cache=None, progress=notes)
    return [results.checkout(item) for item in family_plan.family.distributions], notes.notes


def test_a_folder_of_ones_own_has_its_commit(demo: Path) -> None:
    checkouts, notes = checkouts_and_notes(demo)
    assert all(checkout.tracked and not checkout.trust_command for checkout in checkouts)
    assert notes == []


def test_a_project_without_pyproject_has_its_commit_too(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text("setup(name='x')\n")
    git_commit(tmp_path)
    assert Repository(folder=tmp_path).checkout().tracked
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "setup.py").write_text("setup(name='y')\n")
    assert not Repository(folder=tmp_path / "more").checkout().tracked


def test_a_folder_of_another_user_has_no_commit_and_is_reported_once(
    demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_away(monkeypatch)
    trust = f"git config --global --add safe.directory {demo}"
    checkouts, (note,) = checkouts_and_notes(demo)
    assert checkouts == [Checkout(trust_command=trust)] * 2
    assert note.endswith(trust)
    assert "publish will refuse" in note


def test_a_folder_without_a_repository_has_no_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give_away(monkeypatch)
    assert Repository(folder=tmp_path).checkout() == Checkout()


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = write(tmp_path / "sources", {"pyproject.toml": MESON, "src/a.c": "int a;"})
    git_commit(folder)
    return folder


def test_git_is_asked_for_commit_changes_and_subfolders(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "repo", {"pyproject.toml": MESON, "sub/pyproject.toml": MESON, "sub/ä b.py": "1"}
    )
    commit = git_commit(folder)
    assert (Repository(folder=folder).checkout().commit, Repository(folder=folder).checkout().changed) == (
        commit,
        (),
    )
    write(
        folder,
        {
            "sub/ä b.py": "2",
            "sub/new.py": "1",
            "dist/x.whl": "1",
            "sub/dist/x.whl": "1",
            "x.egg-info/PKG-INFO": "1",
        },
    )
    subprocess.run(["git", "-C", folder, "mv", "pyproject.toml", "moved.toml"], check=True)
    view = Repository(folder=folder).start_status().wait()
    assert set(view.checkout(folder / "sub").changed) == {"sub/ä b.py", "sub/new.py"}
    assert view.checkout(folder / "sub").commit == commit
    assert not view.checkout(folder).tracked  # its pyproject.toml is not under git any more
    assert not Repository(folder=tmp_path).checkout().tracked


def test_files_that_git_does_not_look_at_bind_to_the_commit(sources: Path) -> None:
    assert not Repository(folder=sources).start_status().wait().pinned
    subprocess.run(["git", "-C", sources, "update-index", "--assume-unchanged", "src/a.c"], check=True)
    assert Repository(folder=sources).start_status().wait().pinned
