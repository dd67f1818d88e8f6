"""Tables whose rows are tried by one test: thousands of small tests take longer to report than to run.

    @rows(("text", "expected"), [("a", 1), ("b", 2)])
    def test_a_table(text: str, expected: int, tmp_path: Path) -> None: ...

is like ``pytest.mark.parametrize``, but is one test. It tries all rows, and its failure names and shows each
that fails. ``--row TEXT`` tries only the rows whose name contains a text.
"""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

# What is chosen with --row.
chosen = ""


def rows(
    names: str | tuple[str, ...], table: Collection[Any], *, parts: int = 1
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that calls a test with each row of a table.

    Each row gets a ``tmp_path`` and a ``monkeypatch`` of its own, and a ``capsys`` that has captured nothing;
    other fixtures serve all rows. A row of text is named by it, others by their representation. ``parts``
    spreads a long table over several tests, which workers run at the same time.
    """
    arguments = (names,) if isinstance(names, str) else names

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(test)
        assert set(arguments) < {*signature.parameters, ""}, "the test takes what a row has"
        fixtures = [one for name, one in signature.parameters.items() if name not in arguments]

        def try_all(part: int = 0, **given: Any) -> None:
            try_rows(test, arguments, list(table)[part::parts], given)

        try_all.__name__, try_all.__qualname__ = test.__name__, test.__qualname__
        try_all.__module__, try_all.__doc__ = test.__module__, test.__doc__
        try_all.pytestmark = list(getattr(test, "pytestmark", ()))  # type: ignore[attr-defined]  # a pytest mark
        if parts > 1:
            fixtures.append(inspect.Parameter("part", inspect.Parameter.KEYWORD_ONLY))
        try_all.__signature__ = inspect.Signature(fixtures)  # type: ignore[attr-defined]  # for pytest
        return pytest.mark.parametrize("part", range(parts))(try_all) if parts > 1 else try_all

    return decorate


def try_rows(
    test: Callable[..., None], arguments: tuple[str, ...], table: list[Any], given: Mapping[str, Any]
) -> None:
    """Call a test with each row; raise a group with the error of each that fails."""
    named = [(row_name(row), row) for row in table]
    tried = [(name, row) for name, row in named if chosen in name]
    if not tried:
        pytest.skip("no row has the name that was chosen")
    failed: dict[str, BaseException] = {}
    for number, (name, row) in enumerate(tried):
        values = (row,) if len(arguments) == 1 else row
        try:
            with own(given, number) as fixtures:
                test(**dict(zip(arguments, values, strict=True)), **fixtures)
        except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - reported below with its row
            error.add_note(f"row: {name}")
            failed[f"{number}: {name}"] = error
    if failed:
        message = f"{len(failed)} of {len(tried)} rows fail ({', '.join(failed)})"
        raise BaseExceptionGroup(message, list(failed.values()))


def row_name(row: object) -> str:
    """Return what a row is called in reports."""
    return row if isinstance(row, str) else repr(row)


@contextmanager
def own(given: Mapping[str, Any], number: int) -> Iterator[Mapping[str, Any]]:
    """Provide fixtures of a whole test as if they were those of one row; its folder stays if it fails."""
    fixtures = dict(given)
    folder: Path | None = None
    if "tmp_path" in given:
        folder = fixtures["tmp_path"] = given["tmp_path"] / f"row{number}"
        folder.mkdir()
    if "capsys" in given:
        given["capsys"].readouterr()
    with pytest.MonkeyPatch.context() as monkeypatch:
        if "monkeypatch" in given:
            fixtures["monkeypatch"] = monkeypatch
        yield fixtures
    if folder:
        shutil.rmtree(folder, ignore_errors=True)
