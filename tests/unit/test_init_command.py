"""``wheelkit init`` in a project that is there: what is asked, said and left alone."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest

from support.rows import rows
from wheelkit.__main__ import main

Capture = pytest.CaptureFixture[str]
PROJECT = """[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "momentum"
version = "1"
requires-python = ">=3.10"
"""
SETUP = "import setuptools\nsetuptools.setup(ext_modules=[setuptools.Extension('momentum', ['m.c'])])\n"
WHEELS = "  wheels: {runs-on: windows-2022, steps: [{uses: pypa/cibuildwheel@v4}]}\n"
PUBLISH = "  publish: {runs-on: ubuntu-latest, steps: [{uses: pypa/gh-action-pypi-publish@release/v1}]}\n"
OWN = ".github/workflows/wheels.yml"
RELEASE = ".github/workflows/release-python.yml"


class Terminal(io.StringIO):
    """Standard input of somebody who types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "setup.py").write_text(SETUP)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("wheelkit.publish.client.Clock.sleep", lambda *_: None)
    return tmp_path


def own_workflow(folder: Path, *jobs: str) -> None:
    (folder / OWN).parent.mkdir(parents=True)
    (folder / OWN).write_text("on: {push: {tags: ['v*']}}\njobs:\n" + "".join(jobs))


@rows(("answer", "written"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_no_is_an_answer_and_no_interruption(
    tmp_path: Path, answer: str, written: object, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (tmp_path / "setup.py").write_text(SETUP)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    assert main(["init", "--offline"]) == 0
    assert ("[tool.wheelkit" in (tmp_path / "pyproject.toml").read_text()) is written
    assert (tmp_path / RELEASE).exists() is written
    errors = capsys.readouterr().err
    assert ("nothing was written" in errors) is not written
    assert "interrupt" not in errors


def test_workflows_of_the_projects_own_stay_in_charge(project: Path, capsys: Capture) -> None:
    own_workflow(project, WHEELS, PUBLISH)
    before = (project / OWN).read_bytes()
    assert main(["init", "--offline", "--yes"]) == 0
    errors = capsys.readouterr().err
    assert f"your own {OWN} stays in charge of the wheels, so no workflows were written" in errors
    assert not (project / RELEASE).exists()
    assert (project / OWN).read_bytes() == before
    assert main(["doctor", "--offline"]) in {0, 1, 3}
    assert f"your own {OWN} (job publish) publishes" in capsys.readouterr().out


def test_a_second_workflow_for_the_same_tags_is_written_only_where_it_is_asked_for_and_told_of(
    project: Path, capsys: Capture
) -> None:
    own_workflow(project, WHEELS, PUBLISH)
    assert main(["init", "--offline", "--yes", "--workflows"]) == 0
    assert (project / RELEASE).exists()
    capsys.readouterr()
    told = f"{OWN} (job publish) publishes the same tags as {RELEASE}"
    assert main(["ci", "--check"]) == 0
    assert f"{told}; keep one of the two" in capsys.readouterr().err
    main(["doctor", "--offline"])
    assert told in " ".join(capsys.readouterr().out.split())
    (project / OWN).unlink()
    assert main(["ci", "--check"]) == 0
    assert "the same tags" not in capsys.readouterr().err


def test_the_identifiers_of_the_plan_are_those_of_the_workflow(project: Path, capsys: Capture) -> None:
    own_workflow(project, WHEELS)
    assert main(["init", "--offline", "--yes"]) == 0
    assert "16 wheels today (1 run of cibuildwheel in .github/workflows/wheels.yml), 16 promised" in (
        capsys.readouterr().err
    )
    assert main(["plan", "--identifiers"]) == 0
    builds = capsys.readouterr().out.split()
    assert len(builds) == 16
    assert {build.partition("-")[2] for build in builds} == {"win32", "win_amd64"}


def test_variables_that_only_a_workflow_sets_are_named(project: Path, capsys: Capture) -> None:
    job = WHEELS.replace("steps:", "env: {CIBW_BEFORE_ALL: make, CIBW_TEST_COMMAND_LINUX: pytest}, steps:")
    own_workflow(project, job)
    assert main(["init", "--offline", "--yes"]) == 0
    said = " ".join(capsys.readouterr().err.split())
    names = "CIBW_BEFORE_ALL, CIBW_TEST_COMMAND_LINUX; move them to [tool.cibuildwheel]"
    assert f"set in {OWN} only, so wheelkit's builds do not have them: {names}" in said


def test_a_broken_workflow_does_not_stop_adoption(project: Path, capsys: Capture) -> None:
    own_workflow(project, "a: [")
    assert main(["init", "--offline", "--yes"]) == 0
    assert f"{OWN} was left out: not valid YAML: line 3: " in capsys.readouterr().err


@rows(
    ("tags", "table"),
    [
        (["1.0", "1.1"], '\n[tool.wheelkit.distribution.momentum]\ntag = "{version}"\n'),
        (["v1.0", "v1.1"], ""),
        (["release-1.0"], '\n[tool.wheelkit.distribution.momentum]\ntag = "release-{version}"\n'),
    ],
)
def test_the_tag_template_comes_from_the_tags(
    tmp_path: Path, tags: list[str], table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "setup.py").write_text(SETUP)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    monkeypatch.chdir(tmp_path)
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b.c")
    for words in (("init", "-q"), ("add", "."), ("commit", "-qm", "first"), *(("tag", tag) for tag in tags)):
        subprocess.run([*git, *words], check=True)
    assert main(["init", "--offline", "--yes"]) == 0
    text = (tmp_path / "pyproject.toml").read_text()
    assert text.endswith(table)
    assert ("distribution.momentum" in text) is bool(table)


@rows(
    ("arguments", "message"),
    [
        (["--name", "class"], '"class" is not a valid name for a distribution and its module'),
        (["--name", "a b"], '"a b" is not a valid name for a distribution and its module'),
        (["--like", "momentum==1.0"], "has no project to promise the wheels of momentum==1.0"),
    ],
)
def test_what_cannot_be_in_an_empty_folder_is_one_message(
    tmp_path: Path, arguments: list[str], message: str, capsys: Capture
) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    assert main(["init", str(folder), *arguments]) == 2
    errors = capsys.readouterr().err
    assert message in errors
    assert errors.count("wheelkit: ") == 1
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--like", "momentum==1.0", "--offline"], 2, "--like and --offline exclude each other"),
        (["--like", "momentum", "--index", "nowhere"], 2, 'no index is named "nowhere"'),
        (["--like", "momentum", "--index", "http://127.0.0.1:9/legacy/"], 3, "127.0.0.1:9"),
    ],
)
def test_options_that_lead_nowhere_are_one_message(
    project: Path, arguments: list[str], code: int, message: str, capsys: Capture
) -> None:
    assert main(["init", "--yes", *arguments]) == code
    errors = capsys.readouterr().err
    assert message in errors
    assert errors.count("wheelkit: ") == 1
    assert (project / "pyproject.toml").read_text() == PROJECT


def test_an_index_that_is_down_is_said_and_adoption_goes_on(project: Path, capsys: Capture) -> None:
    own_workflow(project, WHEELS)
    assert main(["init", "--yes", "--index", "http://127.0.0.1:9/legacy/"]) == 0
    errors = capsys.readouterr().err
    assert "not compared with the last release: " in errors
    assert "16 wheels today" in errors
