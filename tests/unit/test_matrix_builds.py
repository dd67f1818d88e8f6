"""The builds and selectors of cibuildwheel, held against the installed cibuildwheel."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from itertools import product

import pytest
from cibuildwheel.selector import BuildSelector, EnableGroup, selector_matches
from hypothesis import given
from hypothesis import strategies as st

from wheelkit.matrix import (
    Interpreter,
    System,
    Target,
    build_identifier,
    offered_builds,
    offered_interpreters,
)
from wheelkit.matrix import builds as matrix_builds
from wheelkit.matrix.targets import ARCHS, WINDOWS_ARCHS
from wheelkit.plan import cibuildwheel

TABLE = (files("cibuildwheel") / "resources" / "build-platforms.toml").read_text(encoding="utf-8")
THEIRS = {
    system: tuple(row["identifier"] for row in section["python_configurations"])
    for system, section in tomllib.loads(TABLE).items()
}
ALL = [identifier for identifiers in THEIRS.values() for identifier in identifiers]
VERSIONS = {"manylinux": "2_28", "musllinux": "1_2", "macosx": "11_0", "ios": "13_0", "android": "24"}
TARGETS = [
    *(f"{kind}_{version}_{arch}" for kind, version in VERSIONS.items() for arch in ARCHS[kind]),
    *WINDOWS_ARCHS,
    *(f"pyemscripten_{year}_0_wasm32" for year in range(2024, 2028)),
]


def test_the_builds_are_those_of_the_installed_cibuildwheel() -> None:
    assert {system.value: found for system, found in offered_builds().items()} == THEIRS


def test_a_table_in_another_layout_is_read_as_toml() -> None:
    rows = [f"[[linux.python_configurations]]\n\"identifier\" = '{name}'" for name in THEIRS["linux"]]
    assert matrix_builds.identifiers_in("\n".join(rows))[System.LINUX] == THEIRS["linux"]
    assert matrix_builds.identifiers_in(TABLE)[System.LINUX] == THEIRS["linux"]


def test_a_cell_yields_each_build_of_cibuildwheel_and_no_other() -> None:
    cells = {
        build_identifier(Interpreter.parse(tag), target)
        for target in map(Target.parse, TARGETS)
        for tag in offered_interpreters(target)
    }
    assert cells == set(ALL)


def test_each_abi_of_pyodide_belongs_to_one_python() -> None:
    years = {
        year: offered_interpreters(Target.parse(f"pyemscripten_{year}_0_wasm32")) for year in (2025, 2026)
    }
    assert years == {2025: ("cp313",), 2026: ("cp314",)}


def test_an_architecture_that_cibuildwheel_does_not_know_has_no_builds() -> None:
    assert offered_interpreters(Target.parse("manylinux_2_39_loongarch64")) == ()


_PIECES = st.sampled_from([
    "cp", "pp", "31", "1", "39", "t", "-", "_", "*", "?", "[0-9]", "[!p]", "manylinux", "win", "x86_64",
    "arm64", "{", "}", ",", "{1,2}", "{09..11}", "{a,{b,1}}", " ", "macosx", "gp312_250",
])  # fmt: skip


@given(st.lists(_PIECES, max_size=9).map("".join), st.sampled_from(ALL))
def test_selectors_match_as_in_cibuildwheel(selector: str, identifier: str) -> None:
    assert matrix_builds.selects(selector, identifier) == selector_matches(selector, identifier)


@pytest.mark.parametrize(
    ("selector", "count"),
    [
        ("*", len(ALL)),
        ("pp*-win_amd64", 4),
        ("cp31{3,4}-ios_*", 6),
        ("gp312_250-macosx_{arm64,x86_64}", 2),
        ("cp38-*", 0),
    ],
)
def test_common_selectors(selector: str, count: int) -> None:
    ours = [identifier for identifier in ALL if matrix_builds.selects(selector, identifier)]
    assert len(ours) == count
    assert ours == [identifier for identifier in ALL if selector_matches(selector, identifier)]


@pytest.mark.parametrize(
    ("selector", "problem"),
    [
        ("cp{1..99999}-*", "too many"),
        ("{a,b}" * 30, "too many"),
        ("{" * 900, "too deeply"),
        ("[" * 100_000, "too long"),
    ],
)
def test_a_pattern_that_would_take_all_time_or_memory_is_refused(selector: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        matrix_builds.selects(selector, "cp311-win32")
    assert matrix_builds.selects("cp{310..312}-*", "cp311-win32")


def test_a_whole_target_tells_two_of_one_build_apart() -> None:
    older, newer = Target.parse("manylinux_2_17_x86_64"), Target.parse("manylinux_2_28_x86_64")
    python = Interpreter.parse("cp39")
    pairs = list(product(["*-manylinux_x86_64", "cp39-manylinux_2_17_x86_64", "*2_17*"], [older, newer]))
    assert [matrix_builds.selects_cell(selector, python, target) for selector, target in pairs] == [
        True, True, True, False, False, False,
    ]  # fmt: skip


def test_the_enabled_groups_are_those_that_cibuildwheel_needs() -> None:
    def builds(identifier: str, groups: str) -> bool:
        enable = EnableGroup.parse_option_value(groups)
        return BuildSelector(build_config="*", skip_config="", enable=enable)(identifier)

    for identifier in (*ALL, "cp316-manylinux_x86_64"):
        group = cibuildwheel.group_of(identifier)
        assert builds(identifier, group)
        assert bool(group) == (not builds(identifier, ""))
