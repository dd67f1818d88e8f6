"""``smoke --tests``: a project's own tests, as cibuildwheel's options describe them, with real uv and pip."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.command import Wheelkit
from support.sample_families import put
from support.smoke_wheels import Index, make, served

TAG = f"cp3{sys.version_info[1]}"
PROJECT = """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "wk-core"
version = "1.0"
[project.optional-dependencies]
fast = ["wk-fast>=1"]
[dependency-groups]
test = ["wk-group>=1"]
[tool.cibuildwheel]
before-test = "echo before > note.txt"
test-command = "python tests/check.py {project}"
test-requires = ["wk-third>=1"]
test-groups = ["test"]
test-extras = ["fast"]
test-sources = ["tests", "data/answer.txt"]
test-environment = { WK_SETTING = "on $HOME" }
"""
CHECK = """import os, pathlib, sys
import wk_core, wk_third, wk_group, wk_fast
assert wk_core.version == "1.0", "the source was imported"
here = pathlib.Path.cwd()
assert pathlib.Path(sys.argv[1]) not in (here, *here.parents)
assert pathlib.Path("note.txt").read_text().strip() == "before"
assert pathlib.Path("data/answer.txt").read_text() == "42"
assert os.environ["WK_SETTING"] == "on " + os.environ["HOME"]
assert not pathlib.Path("wk_core").exists()
"""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    for name in ("wk-third", "wk-group", "wk-fast"):
        make(tmp_path / "index", name, "1.5")
    with served(tmp_path / "index") as running:
        yield running


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = put(
        tmp_path / "project",
        {
            "pyproject.toml": PROJECT,
            "wk_core/__init__.py": "version = 'source'\n",
            "tests/check.py": CHECK,
            "data/answer.txt": "42",
        },
    )
    make(root / "dist", "wk-core", needs=('wk-fast>=1; extra == "fast"',))
    return root


def smoke(wheelkit: Wheelkit, root: Path, *words: str) -> tuple[int, dict[str, Any], str]:
    done = wheelkit("smoke", "dist", "--tests", "--json", "--python", TAG, *words, cwd=root)
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr


@pytest.mark.parametrize("installer", [(), ("--pip",)])
def test_the_project_is_tested_away_from_its_sources(
    wheelkit: Wheelkit, project: Path, index: Index, installer: tuple[str, ...]
) -> None:
    code, document, errors = smoke(wheelkit, project, "--index", index.url, *installer)
    assert code == 0, errors
    assert [case["how"] for case in document["cases"]] == ["environment", "tests"]


@pytest.mark.parametrize(
    ("file", "old", "new", "what"),
    [
        ("tests/check.py", '"42"', '"43"', "exit status 1"),
        ("pyproject.toml", 'before-test = "echo', 'before-test = "exit 3; echo', "exit status 3"),
        ("pyproject.toml", 'test-groups = ["test"]', "test-groups = []", "wk_group"),
    ],
)
def test_what_fails_is_named_with_its_line(  # noqa: PLR0913, PLR0917 - the table and fixtures
    wheelkit: Wheelkit, project: Path, index: Index, file: str, old: str, new: str, what: str
) -> None:
    text = (project / file).read_text()
    assert old in text
    (project / file).write_text(text.replace(old, new))
    code, document, _ = smoke(wheelkit, project, "--index", index.url)
    assert code == 1
    (failure,) = document["cases"][1]["failures"]
    assert what in failure["what"], failure
    assert failure["check"].startswith(("python tests/check.py", "exit 3"))


def test_without_a_test_command_there_is_nothing_to_run(wheelkit: Wheelkit, project: Path) -> None:
    text = (project / "pyproject.toml").read_text()
    (project / "pyproject.toml").write_text(text.replace("test-command", "before-build"))
    code, _, errors = smoke(wheelkit, project, "--offline")
    assert code == 2
    assert "no distribution here has a test-command" in errors
