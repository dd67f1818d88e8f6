from __future__ import annotations

import pytest

from support.rows import rows
from wheelkit.versions.ranges import admits, bounded, closed, moved, range_in


@rows(
    ("text", "version", "expected"),
    [
        (">=2.3.0,<3.0.0", "2.4.0", ">=2.4.0,<3.0.0"),
        (">=2.3.0,<3.0.0", "3.0.0", ">=3.0.0,<4.0.0"),
        (">=2.3.0,<3", "3.1.2", ">=3.1.2,<4"),
        (">=0.4,<0.5", "0.5.0", ">=0.5,<0.6"),
        (">=0.4,<0.5", "0.4.1", ">=0.4.1,<0.5"),
        (">=0.4,<0.5", "1.0.0", ">=1.0,<1.1"),
        (">= 2.3.0 , < 3.0.0", "2.4.0", ">= 2.4.0 , < 3.0.0"),
        ("<3,>=2.3", "3.0.0", "<4,>=3.0"),
        (">=2.3,<3,!=2.3.5", "2.4.0", ">=2.4,<3,!=2.3.5"),
        (">=1.2,<1.3", "1.2.4.dev20261120143000", ">=1.2.4.dev20261120143000,<1.3"),
        (">=1.2.4.dev1,<1.3", "1.2.4", ">=1.2.4,<1.3"),
        (">=1.3rc1,<2", "1.3.0", ">=1.3,<2"),
        ("~=2.3", "2.4.1", "~=2.4"),
        ("~=2.3.0", "2.4.1", "~=2.4.1"),
        ("~=2.3", "2.4.0rc1", "~=2.4rc1"),
        ("==2.3.0", "2.4.0", "==2.4.0"),
        ("==2.3.*", "2.4.0", "==2.4.*"),
        ("===2.3.0", "2.4.0", "===2.4.0"),
        ("", "2.4.0", ""),
        (">=2.3", "2.4.0", ">=2.4"),
        (">= 2.3, !=2.3.1", "2.4.0", ">= 2.4, !=2.3.1"),
        (">2.3", "2.4.0", ">=2.4"),
        ("!=2.3.1", "2.4.0", "!=2.3.1"),
        ("<3", "3.0.0", "<4"),
        (">=2.3,<=2.9", "3.0.0", ">=3.0,<4.0"),
        (">=1!2.3,<1!3", "1!2.4", ">=1!2.4,<1!3"),
        ("<3,>=2", "2.4.0", "<3,>=2.4.0"),
        (">=2.3,<3", "2.4.0+local", ">=2.4,<3"),
        ("==2.3.0", "2.4.0+local", "==2.4.0"),
    ],
)
def test_a_range_keeps_its_shape_and_admits_the_new_version(text: str, version: str, expected: str) -> None:
    assert moved(text, version) == expected
    assert admits(expected, version)
    assert bounded(expected) is bounded(text)


@rows(
    ("text", "version", "expected"),
    [
        ("^2.3", "2.4.0", "^2.4"),
        ("^2.3", "3.0.1", "^3.0.1"),
        ("^2.3.0", "2.4.0rc1", "^2.4.0rc1"),
        ("~2.3", "2.4.1", "~2.4"),
        ("~ 2.3.0", "2.4.1", "~ 2.4.1"),
        ("2.3.*", "2.4.1", "2.4.*"),
        ("2.3", "2.4.1", "2.4.1"),
        ("=2.3", "2.4.1", "=2.4.1"),
        (">=2.3 <3", "3.1.0", ">=3.1 <4"),
        (">=2.3", "2.4.0", ">=2.4"),
        ("~=2.3", "2.4.1", "~=2.4"),
        ("*", "2.4.0", "*"),
    ],
)
def test_a_constraint_of_poetry_keeps_its_syntax(text: str, version: str, expected: str) -> None:
    assert moved(text, version, poetry=True) == expected
    assert admits(expected, version, poetry=True)
    assert bounded(expected, poetry=True) is bounded(text, poetry=True)


def test_alternatives_admit_what_one_of_them_admits() -> None:
    assert [admits("^1 || ^3", version, poetry=True) for version in ("1.4", "2.0", "3.9")] == [
        True,
        False,
        True,
    ]
    assert [bounded(text, poetry=True) for text in ("^1 || ^3", "^1 | >=3", "*")] == [True, False, False]


def test_a_policy_replaces_poetry_s_syntax() -> None:
    assert moved("^2.3", "2.4.0", "next-minor", poetry=True) == ">=2.4.0,<2.5.0"
    assert moved("*", "2.4.0", "exact", poetry=True) == "==2.4.0"


@pytest.mark.parametrize(
    ("text", "version", "expected"),
    [
        (">=2.1", "2.4.0", ">=2.1,<3.0"),
        (">=2.1,!=2.2", "2.4.0", ">=2.1,!=2.2,<3.0"),
        (">= 0.3", "0.4.1", ">= 0.3,<0.5"),
        ("", "2.4.0", ">=2.4.0,<3.0.0"),
        ("", "0.4.0", ">=0.4.0,<0.5.0"),
        ("!=2.2", "2.4.0", ">=2.4.0,<3.0.0,!=2.2"),
    ],
)
def test_an_open_range_gets_an_upper_bound_and_keeps_its_lower_bound(
    text: str, version: str, expected: str
) -> None:
    assert closed(text, version) == expected


@pytest.mark.parametrize(
    ("text", "policy", "expected"),
    [
        (">=2.3.0,<3.0.0", "next-minor", ">=2.4.0,<2.5.0"),
        (">=0.4,<0.5", "next-major", ">=2.4,<3.0"),
        ("~=2.3", "next-major", ">=2.4.0,<3.0.0"),
        ("==2.3.0", "next-minor", ">=2.4.0,<2.5.0"),
        (">=2.3,<3", "exact", "==2.4.0"),
        ("", "exact", "==2.4.0"),
    ],
)
def test_a_policy_decides_the_shape(text: str, policy: str, expected: str) -> None:
    assert moved(text, "2.4.0", policy) == expected


@rows(
    ("text", "expected"),
    [
        ("core>=1,<2", ">=1,<2"),
        ("core[a, b] >= 1 , <2 ; python_version > '3'", ">= 1 , <2"),
        (" core (>=1,<2) ; x == 'y'", ">=1,<2"),
        ("core", ""),
        ("core[a]", ""),
        ("core;python_version>'3'", ""),
        ("core @ file:///x.whl", None),
        ("core[a] @ https://h/x.whl ; python_version > '3'", None),
    ],
)
def test_the_range_is_found_among_extras_and_markers(text: str, expected: str | None) -> None:
    span = range_in(text)
    assert (text[span.start : span.end] if span else None) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", False),
        (">=1", False),
        (">1,!=3", False),
        ("<2", True),
        ("~=1.0", True),
        ("==1.*", True),
        ("===1.0", True),
    ],
)
def test_an_upper_bound_excludes_later_versions(text: str, expected: bool) -> None:  # noqa: FBT001 - a column of the table
    assert bounded(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"), [(">=1,<2", True), (">=1.3,<2", False), (">=1.2.dev1", True), ("no range", False)]
)
def test_a_range_admits_or_not(text: str, expected: bool) -> None:  # noqa: FBT001 - a column of the table
    assert admits(text, "1.2rc1") is expected
