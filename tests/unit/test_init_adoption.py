"""What init promises for a project's own settings of cibuildwheel is what cibuildwheel builds."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from support import cibuildwheel
from support.rows import rows
from wheelkit import init
from wheelkit.config import parse
from wheelkit.errors import ConfigError, ProjectError
from wheelkit.init import FileChange
from wheelkit.matrix import matrix_of, validate

PROJECT = """[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "momentum"
version = "1"
requires-python = ">=3.10"
"""
SETUP = "import setuptools\nsetuptools.setup(ext_modules=[setuptools.Extension('momentum', ['m.c'])])\n"
SETTINGS = {
    "defaults": 'build = "*"',
    "skip": 'skip = "cp311-win_amd64 pp*"',
    "skip list": 'skip = ["cp311-macosx_arm64", "cp312-manylinux_aarch64 *-musllinux*"]',
    "build": 'build = "cp31{1,2}-* cp314t-manylinux*"',
    "nothing of Windows": 'skip = "*-win*"',
    "enable": 'enable = ["pypy"]\nskip = "pp312-* *-win*"',
    "all groups": 'enable = "all"\nskip = "pp3??-* gp*-macosx* gp313*"',
    "archs": 'archs = "all"',
    "archs of a system": '[tool.cibuildwheel.linux]\narchs = ["x86_64", "i686", "riscv64"]',
    "auto and more": '[tool.cibuildwheel.linux]\narchs = "auto, ppc64le s390x"',
    "halves": '[tool.cibuildwheel.windows]\narchs = "auto32 ARM64"\n',
    "universal2": '[tool.cibuildwheel.macos]\narchs = "universal2"',
    "a system's own skip": 'skip = "pp*"\n[tool.cibuildwheel.linux]\nskip = "cp315*-musllinux*"',
    "a system's own skip, added": (
        'skip = "cp310-*"\n[tool.cibuildwheel.linux]\nskip = "cp315*"\ninherit.skip = "append"'
    ),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "setup.py").write_text(SETUP)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    return tmp_path


def promised(change: FileChange) -> set[str]:
    """The builds that a written configuration promises, by the code that every command uses."""
    table = tomllib.loads(change.text)["tool"]["wheelkit"]
    loaded = parse(table, source=None, root=change.path.parent, validators=(validate,))
    return set(matrix_of(loaded, ">=3.10").identifiers())


@rows("name", list(SETTINGS))
def test_the_promised_builds_are_those_of_cibuildwheel(project: Path, name: str) -> None:
    (project / "pyproject.toml").write_text(f"{PROJECT}[tool.cibuildwheel]\n{SETTINGS[name]}\n")
    change = init.adopt(project)
    theirs = cibuildwheel.on_usual_machines(project)
    assert promised(change) == theirs
    assert change.notes[0].startswith(
        f"{len(theirs)} wheels today ([tool.cibuildwheel], on the machines that"
    )
    assert change.notes[0].endswith(f", {len(theirs)} promised")


@rows(
    ("image", "targets"),
    [
        ('manylinux-x86_64-image = "manylinux2014"', ["manylinux_2_17_x86_64"]),
        ('manylinux-x86_64-image = "manylinux_2_34"', ["manylinux_2_34_x86_64"]),
        ('manylinux-x86_64-image = "quay.io/pypa/manylinux_2_31_x86_64:2026.1"', ["manylinux_2_31_x86_64"]),
        ('manylinux-x86_64-image = "registry.example/own:1"', ["manylinux_2_28_x86_64"]),
        (
            '[[tool.cibuildwheel.overrides]]\nselect = "cp311-*"\nmanylinux-x86_64-image = "manylinux2014"',
            ["manylinux_2_17_x86_64", "manylinux_2_28_x86_64"],
        ),
    ],
)
def test_the_image_decides_the_oldest_glibc(project: Path, image: str, targets: list[str]) -> None:
    own = f'[tool.cibuildwheel]\nbuild = "cp31{{1,2}}-manylinux_x86_64"\n{image}\n'
    (project / "pyproject.toml").write_text(PROJECT + own)
    change = init.adopt(project)
    assert tomllib.loads(change.text)["tool"]["wheelkit"]["matrix"]["targets"] == targets
    assert promised(change) == {"cp311-manylinux_x86_64", "cp312-manylinux_x86_64"}


@rows(
    ("environment", "build", "targets"),
    [
        ("", "cp31{0,1}-macosx_x86_64", ["macosx_10_9_x86_64"]),
        ("", "cp31{2,3}-macosx_x86_64", ["macosx_10_13_x86_64"]),
        (
            "",
            "cp3{11,12,14}-macosx_x86_64",
            ["macosx_10_9_x86_64", "macosx_10_13_x86_64", "macosx_10_15_x86_64"],
        ),
        ('MACOSX_DEPLOYMENT_TARGET = "10.13"', "cp31{1,2}-macosx_x86_64", ["macosx_10_13_x86_64"]),
        (
            'MACOSX_DEPLOYMENT_TARGET = "12.0"',
            "cp31{1,4}-macosx*",
            ["macosx_12_0_x86_64", "macosx_12_0_arm64"],
        ),
        ('MACOSX_DEPLOYMENT_TARGET = "10.9"', "cp31{2,3}-mac*", ["macosx_10_13_x86_64", "macosx_11_0_arm64"]),
    ],
)
def test_the_deployment_target_decides_the_oldest_macos(
    project: Path, environment: str, build: str, targets: list[str]
) -> None:
    own = f'[tool.cibuildwheel]\nbuild = "{build}"\n[tool.cibuildwheel.environment]\n{environment}\n'
    (project / "pyproject.toml").write_text(PROJECT + own)
    change = init.adopt(project)
    assert tomllib.loads(change.text)["tool"]["wheelkit"]["matrix"]["targets"] == targets
    assert promised(change) == cibuildwheel.on_usual_machines(project)


def test_a_wheel_for_the_stable_abi_promises_later_pythons_and_says_so(project: Path) -> None:
    own = '[tool.cibuildwheel]\nbuild = "cp313-win_amd64"\n'
    (project / "pyproject.toml").write_text(PROJECT + own)
    change = init.adopt(project)
    assert promised(change) == {"cp313-win_amd64", "cp314-win_amd64", "cp315-win_amd64"}
    guess = "one CPython alone is built, which stands for the stable ABI and later Pythons"
    assert f"{guess}, so these are promised, too: cp314, cp315" in change.notes


@rows(
    ("settings", "exclude", "notes"),
    [
        ('repair-wheel-command = "auditwheel repair -w {dest_dir} {wheel}"', {}, []),
        (
            (
                '[tool.cibuildwheel.linux]\nrepair-wheel-command = "auditwheel repair --exclude libtorch.so '
                '--exclude=libc10.so -w {dest_dir} {wheel}"'
            ),
            {"torch": ["libtorch.so", "libc10.so"]},
            [],
        ),
        (
            'repair-wheel-command = "delvewheel repair --exclude mystery.dll -w {dest_dir} {wheel}"',
            {"excluded": ["mystery.dll"]},
            ["exclude.excluded: rename it to the distribution that brings mystery.dll"],
        ),
        (
            'repair-wheel-command = ""',
            {},
            [
                (
                    "repair-wheel-command of [tool.cibuildwheel] is replaced by wheelkit's repair, "
                    "without the choice not to repair at all"
                )
            ],
        ),
        (
            'repair-wheel-command = ["python sign.py", "auditwheel repair --strip -w {dest_dir} {wheel}"]',
            {},
            [
                (
                    "repair-wheel-command of [tool.cibuildwheel] is replaced by wheelkit's repair, "
                    "without python sign.py '&&' --strip"
                )
            ],
        ),
        (
            'repair-wheel-command = "auditwheel repair --exclude libc.so.6 -w {dest_dir} {wheel}"',
            {},
            [
                (
                    "--exclude libc.so.6 of a repair command is left out: the pattern would exclude "
                    "libc.so.6, which belongs to the system; name only the provider's libraries"
                )
            ],
        ),
    ],
)
def test_what_repair_commands_exclude_is_on_the_exclude_list(
    project: Path, settings: str, exclude: dict[str, list[str]], notes: list[str]
) -> None:
    (project / "pyproject.toml").write_text(f"{PROJECT}[tool.cibuildwheel]\n{settings}\n")
    change = init.adopt(project)
    table = tomllib.loads(change.text)["tool"]["wheelkit"]
    parse(table, source=None, root=project, validators=(validate,))
    assert table.get("exclude", {}) == exclude
    assert list(change.notes[1:]) == notes


@rows(
    ("settings", "note"),
    [
        ('build = "cp38-* cp311-*"', "build names cp38-*, which cibuildwheel 4 no longer builds"),
        ('build = ["cp313t-*", "cp313-*"]', "build names cp313t-*, which cibuildwheel 4 no longer builds"),
        (
            'enable = "cpython-freethreading pypy"',
            (
                "enable names cpython-freethreading, which cibuildwheel 4 refuses; "
                "free-threaded builds need no group"
            ),
        ),
    ],
)
def test_words_of_earlier_versions_are_named(project: Path, settings: str, note: str) -> None:
    (project / "pyproject.toml").write_text(f"{PROJECT}[tool.cibuildwheel]\n{settings}\n")
    assert note in init.adopt(project).notes


def test_pythons_that_only_the_sdist_serves_are_named(project: Path) -> None:
    (project / "pyproject.toml").write_text(PROJECT.replace(">=3.10", ">=3.7"))
    note = "requires-python admits 3.7, 3.8, for which cibuildwheel 4 builds no wheels: sdist only"
    assert note in init.adopt(project).notes


@rows(
    ("old", "new", "message"),
    [
        ('name = "momentum"\n', "", "has a [project] table without a name"),
        ('requires-python = ">=3.10"', 'requires-python = "3.x"', "project.requires-python: "),
        (
            'requires-python = ">=3.10"',
            'requires-python = ">=3.13"\n[tool.cibuildwheel]\nbuild = "cp311-*"',
            "no wheel is left for momentum: what [tool.cibuildwheel] builds and skips contradicts",
        ),
        (
            'requires-python = ">=3.10"',
            '[tool.cibuildwheel]\nskip = "*"',
            "no wheel is left for momentum: what [tool.cibuildwheel] builds and skips contradicts",
        ),
        (
            'requires-python = ">=3.10"',
            "[tool.cibuildwheel]\nfree-threaded-support = true",
            "Option 'free-threaded-support' not supported in a config file",
        ),
        ('requires-python = ">=3.10"', "[tool.cibuildwheel]\nenable = 3", "[tool.cibuildwheel] or a CIBW_"),
        ('requires-python = ">=3.10"', "[tool.cibuildwheel]\nlinux = 3", "[tool.cibuildwheel] or a CIBW_"),
        (
            'requires-python = ">=3.10"',
            f"[tool.cibuildwheel]\nbuild = '{'{a,b}' * 30}'",
            "its braces stand for too many patterns",
        ),
    ],
)
def test_what_cannot_be_adopted_is_one_message(project: Path, old: str, new: str, message: str) -> None:
    (project / "pyproject.toml").write_text(PROJECT.replace(old, new))
    with pytest.raises((ProjectError, ConfigError)) as caught:
        init.adopt(project)
    assert message in f"{caught.value.message}\n{caught.value.detail}"
    assert caught.value.hint
