from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from support.sample_families import put
from wheelkit.project.read import Kind, read
from wheelkit.project.requirements import StatedMetadata, setup_cfg, setup_py, stated_metadata

CFG = """[metadata]
name = x
[options]
packages =
    core
install_requires =
    core >=2,<3   # the core
    # nothing
    requests ; python_version < "4"
setup_requires = built
[options.extras_require]
fast = speed
all =
    more
    most
[options.entry_points]
console_scripts =
    core = core.cli:main
"""
SETUP = """# -*- coding: utf-8 -*-
import setuptools
umlaut = "\u00e4\u00f6\u00fc"; dependencies = ["core>=2", r'other']
extras = {"all": dependencies + ["late"], "some:python_version<'4'": ("one",), "\u00df": ["two" "three", "fo\\x75r"]}
setuptools.setup(name=name, install_requires=dependencies + ["last"], extras_require=extras, packages=["core"])
"""


def texts(found: list[StatedMetadata]) -> list[tuple[str, str]]:
    return [(one.extra, one.text) for one in found]


def test_setup_cfg_says_what_is_needed_and_nothing_else() -> None:
    for text in (CFG, CFG.replace("\n", "\r\n")):
        found = list(setup_cfg(text))
        assert texts(found) == [
            ("", "core >=2,<3"),
            ("", 'requests ; python_version < "4"'),
            ("", "built"),
            ("fast", "speed"),
            ("all", "more"),
            ("all", "most"),
        ]
        assert all(text[one.start or 0 :].startswith(one.text) for one in found)
        assert [one.text for one in found if not one.published] == ["built"]


def test_setup_py_says_what_it_writes_literally() -> None:
    found = list(setup_py(SETUP))
    assert [one.text for one in found if not one.extra] == ["core>=2", "other", "last"]
    assert [(one.extra, one.text) for one in found if one.extra] == [
        ("all", "core>=2"),
        ("all", "other"),
        ("all", "late"),
        ("some", "one"),
        ("\u00df", "twothree"),
        ("\u00df", "four"),
    ]
    assert [one.text for one in found if one.start is None] == ["twothree", "four"]
    assert all(SETUP[one.start :].startswith(one.text) for one in found if one.start is not None)


@pytest.mark.parametrize(
    "text",
    ["setup(install_requires=read())", "setup(install_requires=[", "setup(install_requires=a)\na = a\n", ""],
)
def test_what_setup_py_computes_is_not_guessed(text: str) -> None:
    assert list(setup_py(text)) == []


def test_a_dictionary_of_arguments_counts_too() -> None:
    assert texts(list(setup_py("kw = {'install_requires': ['core']}\nsetup(**kw)\n"))) == [("", "core")]


POETRY = """
[tool.poetry]
name = "x"
version = "1.0"
[tool.poetry.dependencies]
python = "^3.9"
core = "^2.3"
fast = { version = "~1.2", optional = true, extras = ["a"] }
near = { path = "../near", develop = true }
twice = [{ version = "^1", python = "<3.12" }, { version = "^2", python = ">=3.12" }]
[tool.poetry.extras]
quick = ["fast"]
[tool.poetry.group.dev.dependencies]
tool = "*"
"""


def test_poetry_says_it_in_tables(tmp_path: Path) -> None:
    found = list(stated_metadata(tomllib.loads(POETRY), lambda _: None))
    assert [(one.requirement, one.text, one.extra, one.published) for one in found] == [
        ("core", "^2.3", "", True),
        ("fast[a]", "~1.2", "quick", True),
        ("near", "path ../near", "", True),
        ("twice", "^1", "", True),
        ("twice", "^2", "", True),
        ("tool", "*", "", False),
    ]
    assert [one.key for one in found][3] == ("tool", "poetry", "dependencies", "twice", 0, "version")
    item = read(put(tmp_path, {"pyproject.toml": POETRY}))
    assert (item.name, item.version, item.requires_python) == ("x", "1.0", ">=3.9,<4")
    assert item.dependencies == ("core", "near", "twice", "twice")
    assert item.extras == {"quick": ("fast[a]",)}


def test_a_project_table_overrules_all_but_the_groups(tmp_path: Path) -> None:
    text = '[project]\nname = "y"\nversion = "2"\ndependencies = ["mine"]\n' + POETRY
    item = read(put(tmp_path, {"pyproject.toml": text, "setup.cfg": CFG}))
    assert (item.name, item.version, item.dependencies, item.extras) == ("y", "2", ("mine",), {})
    assert [one.text for one in stated_metadata(tomllib.loads(text), lambda _: None)] == ["*"]
    dynamic = text.replace('dependencies = ["mine"]', 'dynamic = ["dependencies"]')
    assert read(put(tmp_path, {"pyproject.toml": dynamic})).dependencies[:2] == (
        "core >=2,<3",
        'requests ; python_version < "4"',
    )


def test_a_file_that_setuptools_reads_says_it_line_by_line(tmp_path: Path) -> None:
    text = '[project]\nname = "y"\ndynamic = ["dependencies"]\n[tool.setuptools.dynamic]\ndependencies = { file = ["a.txt", "b.txt"] }\n'
    lines = "# first\n-r other.txt\n--hash=x\n  core>=2 # yes\nhttps://example.org/x.whl\nnear @ https://example.org/near.whl\n"
    item = read(put(tmp_path, {"pyproject.toml": text, "a.txt": lines}))
    assert item.dependencies == ("core>=2", "near @ https://example.org/near.whl")


def test_poetry_takes_its_version_from_git_where_it_is_told_so(tmp_path: Path) -> None:
    dynamic = POETRY + "[tool.poetry-dynamic-versioning]\nenable = true\n"
    assert read(put(tmp_path, {"pyproject.toml": dynamic})).version is None
    assert read(put(tmp_path, {"pyproject.toml": dynamic.replace("true", "false")})).version == "1.0"


@pytest.mark.parametrize(
    ("name", "text"), [("setup.cfg", CFG), ("setup.py", SETUP), ("pyproject.toml", POETRY)]
)
def test_a_meta_distribution_is_known_by_its_needs_wherever_they_stand(
    tmp_path: Path, name: str, text: str
) -> None:
    put(tmp_path, {name: text})
    assert read(tmp_path).kind is Kind.META
    put(tmp_path, {"x/__init__.py": ""})
    assert read(tmp_path).kind is Kind.PURE
