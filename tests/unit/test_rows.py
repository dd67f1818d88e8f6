"""A table that one test tries loses no row: each that fails is named, and none sees what another left."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from support import rows as module
from support.depth import part_of
from support.rows import rows, try_rows

NAMES = ("text", "size")
TABLE = [("a", 1), ("bb", 2), ("ccc", 5), ("dddd", 9)]


def check(text: str, size: int) -> None:
    assert len(text) == size


def failures(test: Callable[..., None], table: list[tuple[str, int]]) -> list[str]:
    with pytest.raises(BaseExceptionGroup) as caught:
        try_rows(test, NAMES, table, {})
    return [note for error in caught.value.exceptions for note in error.__notes__]


def test_every_row_that_fails_is_named() -> None:
    assert failures(check, TABLE) == ["row: ('ccc', 5)", "row: ('dddd', 9)"]


def test_the_twin_fine_rows_pass() -> None:
    try_rows(check, NAMES, TABLE[:2], {})


def test_an_expected_error_that_does_not_come_fails_its_row() -> None:
    def expect(text: str, size: int) -> None:
        with pytest.raises(ValueError, match=text):
            int("5" * size)

    assert failures(expect, TABLE[:1]) == ["row: ('a', 1)"]


def test_only_chosen_rows_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "chosen", "ddd")
    assert failures(check, TABLE) == ["row: ('dddd', 9)"]
    monkeypatch.setattr(module, "chosen", "no such row")
    with pytest.raises(pytest.skip.Exception):
        try_rows(check, NAMES, TABLE, {})


@rows("name", ["first", "second", "third"])
def test_each_row_has_its_own_folder_variables_and_output(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "x").touch()
    assert "WHEELKIT_TEST_ROW" not in os.environ
    monkeypatch.setenv("WHEELKIT_TEST_ROW", name)
    print(name)
    assert capsys.readouterr().out == f"{name}\n"
    print("left unread")


@pytest.mark.parametrize("share", [2, 7, 100])
def test_ci_tries_all_and_others_a_share(share: int, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = range(100)
    monkeypatch.setattr("support.depth.IN_CI", True)
    assert part_of(cases, share) == cases
    monkeypatch.setattr("support.depth.IN_CI", False)
    assert 100 // share <= len(part_of(cases, share)) <= 100 // share + 1
