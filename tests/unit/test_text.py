"""Text for people: short lists, sizes, wrapped lines with whole commands."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.rows import rows
from wheelkit.text import plural, shorten_list, size, wrap


def test_long_lists_are_shortened_where_that_saves_room() -> None:
    assert shorten_list("abcd") == "a, b, c, d"
    assert shorten_list("abcde") == "a, b, c and 2 more"


def test_plural_counts_a_noun() -> None:
    assert plural(1, "wheel") == "1 wheel"
    assert plural(0, "wheel") == "0 wheels"
    assert plural(2, "wheel is", "wheels are") == "2 wheels are"


@rows(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (84_400, "84 kB"),
        (999_600, "1.0 MB"),
        (12_345_678, "12.3 MB"),
        (99_940_000, "99.9 MB"),
        (99_960_000, "100 MB"),
        (123_456_789, "123 MB"),
        (10**9, "1.0 GB"),
        (10**13, "10000 GB"),
    ],
)
def test_sizes_have_decimal_units(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("one two three four five six", ["one two three four", "five six"]),
        ("build it: python -m wheelkit build --native", ["build it:", "python -m wheelkit build --native"]),
        ("run `uv python install 3.14` and try again", ["run", "`uv python install 3.14`", "and try again"]),
        ("first:  wheelkit version bump; then build", ["first:", "wheelkit version bump;", "then build"]),
        ("a_word_that_is_longer_than_a_line", ["a_word_that_is_longer_than_a_line"]),
    ],
)  # fmt: skip
def test_lines_wrap_at_words_and_keep_commands_whole(text: str, lines: list[str]) -> None:
    assert wrap(text, 20) == lines


@given(st.text(alphabet="ab -.\t\n\x0b\xa0\u2003", max_size=24), st.integers(min_value=20, max_value=24))
def test_a_line_that_fits_stays_as_the_standard_library_has_it(text: str, width: int) -> None:
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    assert wrap(text, width) == (lines or [""])
