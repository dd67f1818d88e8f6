from __future__ import annotations

import re

import pytest

from wheelkit.patterns import pattern


def test_it_does_what_a_compiled_expression_does() -> None:
    ours, theirs = pattern(r"a(?P<b>b+)", re.IGNORECASE), re.compile(r"a(?P<b>b+)", re.IGNORECASE)
    for _ in range(2):
        assert [match["b"] if (match := one.fullmatch("ABb")) else None for one in (ours, theirs)] == [
            "Bb",
            "Bb",
        ]
        assert ours.search("x") is None
        assert ours.sub("-", "xABab") == theirs.sub("-", "xABab") == "x--"
        assert ours.pattern == theirs.pattern


def test_it_is_compiled_when_it_is_used() -> None:
    broken = pattern("(")
    with pytest.raises(re.error):
        broken.match("")


def test_what_it_has_not_is_told() -> None:
    with pytest.raises(AttributeError):
        _ = pattern("a").nothing  # type: ignore[attr-defined]  # what is not there
