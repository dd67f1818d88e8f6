from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidName, canonicalize_name
from packaging.version import InvalidVersion, Version

from support.rows import rows
from wheelkit import fast_packaging

SPECIFIERS = (
    "", ">=3.9", ">= 3.9", ">=3.9,<4", ">=3.8, !=3.9.*", "~=3.9", "~=3.10.2", "==3.11.*", "==3.11",
    "!=3.12.99", ">3.11", "<=3.12", "<3.12.0", ">=3", "<3", ">3.12.98", ">=2.7,!=3.0.*,!=3.1.*,<5",
    "!=3.11.99.0.*",
)  # fmt: skip
NOT_PLAIN = (
    ">=3.9,",
    "3.9",
    "~=3",
    "===3.9",
    ">=3.9rc1",
    ">=03.9",
    ">=3.*",
    ">=3.9 <4",
    "=>3",
    ">=",
    "<",
    ">= ",
    ">=3.9;",
    ">=\u0663.9",
    "!=3.*.1",
)
REQUIREMENTS = (
    "numpy", "numpy>=1.2", "numpy >=1.2,<2", "numpy (>=1.2)", "numpy[a]", "numpy[a, b-c]>=1 ; extra == 'x'",
    "a.b_c==1.*", 'pytest; extra == "dev"', 'x; python_version < "3.11" and extra == "t"',
    "x ; sys_platform != 'win32' or os_name == 'nt'", 'x~=1.4;platform_machine == "arm64"',
    'x ; (os_name == "nt" and (extra == "a" or extra == "b")) and extra == "c"',
    "x ; (os_name == \"nt\") and extra == 'dev'",
)  # fmt: skip
CANNOT = (
    "", "-x", "x-", "x @ https://x.y", "x[", "x[]y", "x[-]", "x >=", "x; ", 'x; extra "a"', 'x; extra == "a',
    'x; and extra == "a"', 'x; extra == """ and', 'x; extra == "a" extra == "b"', 'x; nonsense == "1"',
    'x; "a" == extra', "x y", "x; extra == 'a\"", 'x; extra == "\\"', "x;", 'x; extra == "a" and', 'x; "a"',
    "x>=1 2", "x(>=1", "x>=1)", 'x; extra === "a"', "ü", 'x; extra == "a" xor extra == "b"', "x; extra",
    "x;\textra == 'a'", "x>=1\n", "x; (extra == 'a'", "x; (extra == 'a'))", "x; ()", "x; (extra) == 'a'",
    "x; extra == 'a')", "x; and", "x; operand", "x; operand and extra == 'a'",
)  # fmt: skip


def packaging_reads(kind: type[object], text: str) -> bool:
    try:
        kind(text)  # type: ignore[call-arg]  # a class of packaging
    except (InvalidRequirement, InvalidSpecifier, InvalidVersion):
        return False
    return True


@given(st.text(alphabet="aZ9-_.", max_size=8))
def test_names_are_normalised_and_known_as_by_packaging(name: str) -> None:
    assert fast_packaging.normalise(name) == canonicalize_name(name)
    try:
        canonicalize_name(name, validate=True)
    except InvalidName:
        assert not fast_packaging.is_name(name)
    else:
        assert fast_packaging.is_name(name)


@pytest.mark.parametrize("name", ["ü", "a b", "a\n", "a+b", "²", "a²b"])
def test_what_is_no_name(name: str) -> None:
    assert not fast_packaging.is_name(name)


@pytest.mark.parametrize("text", ["0", "1", "1.0", "2024.10.0", "10.0.0.1"])
def test_a_release_is_read_as_by_packaging(text: str) -> None:
    assert fast_packaging.release(text) == Version(text).release
    assert str(Version(text)) == text


@rows("text", ["", ".", "1.", "01", "1.0rc1", "1.0+x", "1!1", "v1", "1.0 ", "²", "\u0661", "1_0", "9" * 5000])
def test_what_is_no_release_in_normal_form(text: str) -> None:
    assert fast_packaging.release(text) is None


@rows("required", SPECIFIERS)
def test_plain_ranges_admit_what_packaging_admits(required: str) -> None:
    assert fast_packaging.specifiers(required) is not None
    admitted = SpecifierSet(required)
    for version in product((2, 3, 4), (0, 1, 9, 10, 11, 12, 13), (0, 2, 99)):
        assert fast_packaging.admits(required, version) == admitted.contains(".".join(map(str, version)))


@rows("required", NOT_PLAIN)
def test_other_ranges_are_left_to_packaging(required: str) -> None:
    assert fast_packaging.specifiers(required) is None
    if packaging_reads(SpecifierSet, required):
        assert fast_packaging.admits(required, (3, 11, 0)) == SpecifierSet(required).contains("3.11.0")
    else:
        with pytest.raises(InvalidSpecifier):
            fast_packaging.admits(required, (3, 11, 0))


@rows("text", REQUIREMENTS)
def test_plain_requirements_are_known(text: str) -> None:
    assert fast_packaging.is_requirement(text)
    assert packaging_reads(Requirement, text)


@rows("text", CANNOT)
def test_other_requirements_are_left_to_packaging(text: str) -> None:
    assert not fast_packaging.is_requirement(text)


def slips(texts: Sequence[str], marks: Sequence[str], seed: int) -> Iterator[str]:
    """Yield the texts with one to three slips: something left out, or one of the marks put in.

    The same ones each time.
    """
    chance = random.Random(seed)  # noqa: S311 - the same slips each time
    for _ in range(20_000):
        text = list(chance.choice(texts))
        for _ in range(chance.randint(1, 3)):
            place = chance.randint(0, len(text))
            text[place : place + chance.randint(0, 2)] = chance.choice(marks)
        yield "".join(text)


def test_no_slip_makes_a_plain_requirement_of_what_packaging_refuses() -> None:
    accepted = 0
    for slip in slips(
        REQUIREMENTS + CANNOT, ("", *" ;,[]()\"'=<>~!.*-_a1\\@", " and ", " or ", "extra", '""'), seed=1
    ):
        if fast_packaging.is_requirement(slip):
            accepted += 1
            assert packaging_reads(Requirement, slip), slip
    assert accepted > 300


def test_no_slip_makes_a_plain_range_of_what_packaging_reads_otherwise() -> None:
    accepted = 0
    for slip in slips(SPECIFIERS + NOT_PLAIN, ("", *" ,=<>~!.*0123a+", ">=", "!=", "~="), seed=2):
        if fast_packaging.specifiers(slip) is not None:
            accepted += 1
            assert packaging_reads(SpecifierSet, slip), slip
            for version in ((3, 9, 99), (3, 11, 0), (3, 12, 99), (4, 0, 0)):
                assert fast_packaging.admits(slip, version) == SpecifierSet(slip).contains(
                    ".".join(map(str, version))
                ), (slip, version)
    assert accepted > 300
