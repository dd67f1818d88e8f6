from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from support.sample_families import put
from wheelkit.project.files import ProjectFiles
from wheelkit.project.kinds import Kind
from wheelkit.project.read import read
from wheelkit.project.requirements import (
    StatedRequirement,
    name_and_extras,
    requirement_name,
    setup_cfg,
    setup_py,
    stated_requirements,
)

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
extras = {"all": dependencies + ["late"],
    "some:python_version<'4'": ("one",), "\u00df": ["two" "three", "fo\\x75r"]}
setuptools.setup(
    name=name, install_requires=dependencies + ["last"], extras_require=extras, packages=["core"])
"""


def texts(requirements: list[StatedRequirement]) -> list[tuple[str, str]]:
    return [(requirement.extra, requirement.text) for requirement in requirements]


def from_toml(text: str) -> list[StatedRequirement]:
    files = ProjectFiles(document=tomllib.loads(text), read=lambda _: None)
    return list(stated_requirements(files))


def test_requirements_of_setup_cfg_are_found() -> None:
    for text in (CFG, CFG.replace("\n", "\r\n")):
        requirements = list(setup_cfg(text))
        assert texts(requirements) == [
            ("", "core >=2,<3"),
            ("", 'requests ; python_version < "4"'),
            ("", "built"),
            ("fast", "speed"),
            ("all", "more"),
            ("all", "most"),
        ]
        assert all(
            text[requirement.start or 0 :].startswith(requirement.text) for requirement in requirements
        )
        assert [requirement.text for requirement in requirements if not requirement.published] == ["built"]


def test_literal_requirements_of_setup_py_are_found() -> None:
    requirements = list(setup_py(SETUP))
    assert [requirement.text for requirement in requirements if not requirement.extra] == [
        "core>=2",
        "other",
        "last",
    ]
    assert [(requirement.extra, requirement.text) for requirement in requirements if requirement.extra] == [
        ("all", "core>=2"),
        ("all", "other"),
        ("all", "late"),
        ("some", "one"),
        ("\u00df", "twothree"),
        ("\u00df", "four"),
    ]
    assert [requirement.text for requirement in requirements if requirement.start is None] == [
        "twothree",
        "four",
    ]
    assert all(
        SETUP[requirement.start :].startswith(requirement.text)
        for requirement in requirements
        if requirement.start is not None
    )


@pytest.mark.parametrize(
    "text",
    ["setup(install_requires=read())", "setup(install_requires=[", "setup(install_requires=a)\na = a\n", ""],
)
def test_computed_requirements_of_setup_py_are_left_out(text: str) -> None:
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


def test_requirements_of_poetry_s_tables_are_found(tmp_path: Path) -> None:
    requirements = from_toml(POETRY)
    assert [
        (requirement.requirement, requirement.text, requirement.extra, requirement.published)
        for requirement in requirements
    ] == [
        ("core", "^2.3", "", True),
        ("fast[a]", "~1.2", "quick", True),
        ("near", "path ../near", "", True),
        ("twice", "^1", "", True),
        ("twice", "^2", "", True),
        ("tool", "*", "", False),
    ]
    assert [requirement.key for requirement in requirements][3] == (
        "tool",
        "poetry",
        "dependencies",
        "twice",
        0,
        "version",
    )
    distribution = read(put(tmp_path, {"pyproject.toml": POETRY}))
    assert (distribution.name, distribution.version, distribution.requires_python) == ("x", "1.0", ">=3.9,<4")
    assert distribution.dependencies == ("core", "near", "twice", "twice")
    assert distribution.extras == {"quick": ("fast[a]",)}


def test_a_project_table_overrides_all_but_the_groups(tmp_path: Path) -> None:
    text = '[project]\nname = "y"\nversion = "2"\ndependencies = ["mine"]\n' + POETRY
    distribution = read(put(tmp_path, {"pyproject.toml": text, "setup.cfg": CFG}))
    assert (distribution.name, distribution.version, distribution.dependencies, distribution.extras) == (
        "y",
        "2",
        ("mine",),
        {},
    )
    assert [requirement.text for requirement in from_toml(text)] == ["*"]
    dynamic = text.replace('dependencies = ["mine"]', 'dynamic = ["dependencies"]')
    assert read(put(tmp_path, {"pyproject.toml": dynamic})).dependencies[:2] == (
        "core >=2,<3",
        'requests ; python_version < "4"',
    )


def test_requirements_of_a_file_that_setuptools_reads_are_found(tmp_path: Path) -> None:
    text = (
        '[project]\nname = "y"\ndynamic = ["dependencies"]\n[tool.setuptools.dynamic]\n'
        'dependencies = { file = ["a.txt", "b.txt"] }\n'
    )
    lines = (
        "# first\n-r other.txt\n--hash=x\n  core>=2 # yes\nhttps://example.org/x.whl\n"
        "near @ https://example.org/near.whl\n"
    )
    distribution = read(put(tmp_path, {"pyproject.toml": text, "a.txt": lines}))
    assert distribution.dependencies == ("core>=2", "near @ https://example.org/near.whl")


def test_poetry_takes_its_version_from_git_if_configured(tmp_path: Path) -> None:
    dynamic = POETRY + "[tool.poetry-dynamic-versioning]\nenable = true\n"
    assert read(put(tmp_path, {"pyproject.toml": dynamic})).version is None
    assert read(put(tmp_path, {"pyproject.toml": dynamic.replace("true", "false")})).version == "1.0"


@pytest.mark.parametrize(
    ("name", "text"), [("setup.cfg", CFG), ("setup.py", SETUP), ("pyproject.toml", POETRY)]
)
def test_a_meta_distribution_is_recognised_wherever_its_requirements_are(
    tmp_path: Path, name: str, text: str
) -> None:
    put(tmp_path, {name: text})
    assert read(tmp_path).kind is Kind.META
    put(tmp_path, {"x/__init__.py": ""})
    assert read(tmp_path).kind is Kind.PURE


@pytest.mark.parametrize(
    ("text", "name", "extras"),
    [
        ("core", "core", ()),
        (" My.Core [a, b] >=1,<2", "my-core", ("a", "b")),
        ("core[]; python_version > '3'", "core", ()),
        ("core @ file:///x.whl", "core", ()),
        ("-r other.txt", "", ()),
        ("", "", ()),
    ],
)
def test_the_name_and_the_extras_of_a_requirement(text: str, name: str, extras: tuple[str, ...]) -> None:
    assert name_and_extras(text) == (name, extras)
    assert requirement_name(text) == name
