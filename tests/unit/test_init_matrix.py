"""A matrix for any set of builds has exactly those cells, in few words."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from support.rows import rows
from wheelkit.config import parse
from wheelkit.init.as_matrix import MatrixTable, as_matrix
from wheelkit.init.todays_builds import Build
from wheelkit.matrix import System, Target, matrix_of, offered_builds, validate

VERSIONS = {"manylinux": "2_28", "musllinux": "1_2", "macosx": "11_0"}
DESKTOP = [build for system in list(System)[:3] for build in offered_builds()[system]]


def build(identifier: str, version: str = "") -> Build:
    suffix = identifier.partition("-")[2]
    kind, _, arch = suffix.partition("_")
    tag = f"{kind}_{version or VERSIONS[kind]}_{arch}" if kind in VERSIONS else suffix
    return Build(identifier=identifier, target=Target.parse(tag))


def cells(table: MatrixTable) -> set[tuple[str, str]]:
    loaded = parse({"matrix": table.document()}, source=None, root=Path(), validators=(validate,))
    matrix = matrix_of(loaded, None)
    return {
        (interpreter.tag, target.tag)
        for target in matrix.targets
        for interpreter in matrix.interpreters_on(target)
    }


@given(st.lists(st.sampled_from(DESKTOP), min_size=1, max_size=60, unique=True))
def test_any_set_of_builds_is_promised_exactly(identifiers: list[str]) -> None:
    builds = [build(identifier) for identifier in identifiers]
    expected = {(one.interpreter.tag, one.target.tag) for one in builds}
    assert cells(as_matrix(builds)) == expected


@given(
    st.dictionaries(
        st.sampled_from([one for one in DESKTOP if "manylinux_x86_64" in one or "macosx" in one]),
        st.sampled_from(["2_17", "2_28", "2_34"]),
        min_size=1,
    )
)
def test_targets_with_one_name_of_the_build_are_told_apart(versions: dict[str, str]) -> None:
    macos = {"2_17": "11_0", "2_28": "12_0", "2_34": "13_0"}
    builds = [build(name, macos[one] if "macosx" in name else one) for name, one in versions.items()]
    expected = {(one.interpreter.tag, one.target.tag) for one in builds}
    assert cells(as_matrix(builds)) == expected


def chosen(*patterns: str) -> list[Build]:
    from wheelkit.matrix import selects

    return [build(one) for one in DESKTOP if any(selects(pattern, one) for pattern in patterns)]


@rows(
    ("patterns", "skip", "override"),
    [
        (["cp31{1,2,3}-*_x86_64"], [], []),
        (["cp31{1,2}-*", "pp311-manylinux*"], ["pp311-macosx*", "pp311-win*"], []),
        (["cp31{1,2}-manylinux*", "cp311-musllinux*"], ["cp312-musllinux*"], []),
        (["cp31{1,2,3,4,5}-win_amd64", "cp315-win32"], [], [("*-win32", ["cp315"])]),
        (["cp31[1-4]-*", "cp314t-macosx*"], ["cp314t-manylinux*", "cp314t-musllinux*", "cp314t-win*"], []),
    ],
)
def test_the_words_are_those_that_a_person_would_use(
    patterns: list[str], skip: list[str], override: list[tuple[str, list[str]]]
) -> None:
    table = as_matrix(chosen(*patterns))
    assert sorted(table.skip) == sorted(skip)
    assert [(select, list(tags)) for select, tags in table.override] == override
