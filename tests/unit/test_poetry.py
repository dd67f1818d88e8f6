from __future__ import annotations

import pytest

from support.rows import rows
from wheelkit.project.poetry import specifier


@rows(
    ("constraint", "expected"),
    [
        ("^1.2.3", ">=1.2.3,<2"),
        ("^0.3.1", ">=0.3.1,<0.4"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^0.0", ">=0.0,<0.1"),
        ("^0", ">=0,<1"),
        ("^1.2b1", ">=1.2b1,<2"),
        ("~1.2.3", ">=1.2.3,<1.3"),
        ("~1", ">=1,<2"),
        ("~=1.2", "~=1.2"),
        ("1.2.*", "==1.2.*"),
        ("1.2.3", "==1.2.3"),
        ("=1.2", "==1.2"),
        ("*", ""),
        (">=2.1 <3", ">=2.1,<3"),
        (" >= 2.1 , < 3, != 2.2 ", ">=2.1,<3,!=2.2"),
    ],
)
def test_a_constraint_is_converted_by_poetry_s_rules(constraint: str, expected: str) -> None:
    assert specifier(constraint) == expected


@pytest.mark.parametrize("constraint", ["^1 || ^2", "", "latest", "^", "(>=2)", "^1.2 and more"])
def test_alternatives_and_invalid_constraints_have_no_specifier(constraint: str) -> None:
    assert specifier(constraint) is None
