"""Findings about what users of an earlier release lose, each with the closest change that loses nothing."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from support.comparisons import compared, release, wheel
from wheelkit.verification.checks.losses import losses
from wheelkit.verification.comparison.compare import compare
from wheelkit.verification.comparison.facts import Contents, Declared, WheelFacts
from wheelkit.verification.comparison.model import Comparison
from wheelkit.verification.findings import finding_kind
from wheelkit.verification.model import CellCover, Cover, Row

LINUX, WINDOWS = "cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-win_amd64"


def found(comparison: Comparison, rows: Iterable[Row] = ()) -> dict[str, str]:
    return {item.code: item.what for item in losses(comparison, rows)}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            [LINUX, WINDOWS],
            [LINUX],
            {"WK805": "no wheel any more for win_amd64; users there would build from the sdist"},
        ),
        ([LINUX, WINDOWS], [WINDOWS, LINUX], {}),
        ([LINUX], [LINUX, WINDOWS], {}),
        (
            [LINUX, WINDOWS, "cp310-cp310-manylinux_2_17_x86_64", "cp310-cp310-win_amd64"],
            [LINUX, WINDOWS],
            {"WK805": "no wheel any more for cp310; users there would build from the sdist"},
        ),
        (
            [LINUX, WINDOWS, "cp310-cp310-win_amd64", "cp310-cp310-manylinux_2_17_x86_64"],
            [LINUX, WINDOWS, "cp310-cp310-win_amd64"],
            {
                "WK805": "no wheel any more for manylinux_x86_64 (cp310); "
                "users there would build from the sdist"
            },
        ),
        (
            ["cp39-abi3-win_amd64"],
            ["cp310-abi3-win_amd64"],
            {
                "WK805": "no wheel any more for cp39 (the stable ABI wheels begin at cp310-abi3, and "
                "began at cp39-abi3); users there would build from the sdist"
            },
        ),
        (["cp310-cp310-win_amd64", "cp311-cp311-win_amd64"], ["cp310-abi3-win_amd64"], {}),
        (
            ["py3-none-any"],
            ["cp39-abi3-win_amd64"],
            {
                "WK805": "no wheel any more for other systems; users there would build from the sdist",
            },
        ),
        (
            [LINUX],
            ["cp311-cp311-manylinux_2_28_x86_64"],
            {
                "WK807": "the oldest system is glibc 2.28 instead of glibc 2.17 for manylinux_x86_64; "
                "users of older ones would build from the sdist"
            },
        ),
        ([LINUX], ["cp311-cp311-manylinux_2_17_x86_64.manylinux_2_28_x86_64"], {}),
        (
            ["cp311-cp311-linux_armv7l"],
            ["cp311-cp311-manylinux_2_31_armv7l", "cp311-cp311-musllinux_1_2_armv7l"],
            {
                "WK807": "the oldest system is glibc 2.31 instead of any for manylinux_armv7l; "
                "musl 1.2 instead of any for musllinux_armv7l; users of older ones would build from the sdist"
            },
        ),
        (
            ["cp311-cp311-macosx_10_9_universal2"],
            ["cp311-cp311-macosx_11_0_universal2"],
            {
                "WK807": "the oldest system is macOS 11.0 instead of macOS 10.9 for macosx_x86_64; "
                "users of older ones would build from the sdist"
            },
        ),
        (
            [LINUX, WINDOWS],
            [LINUX, "py3-none-any"],
            {"WK809": "users of win_amd64 got a native wheel of 1.0, and get the pure one now"},
        ),
        ([LINUX, "py3-none-any"], [LINUX, "py3-none-any"], {}),
        (
            [LINUX, "py3-none-any"],
            ["cp311-cp311-manylinux_2_28_x86_64", "py3-none-any"],
            {
                "WK809": "the oldest system is glibc 2.28 instead of glibc 2.17 for manylinux_x86_64 "
                "(cp311); users of older ones got a native wheel of 1.0, and get the pure one now"
            },
        ),
    ],
)
def test_wheels_that_users_lose(before: list[str], after: list[str], expected: dict[str, str]) -> None:
    assert found(compared(before, after)) == expected


def test_without_an_sdist_it_is_an_error() -> None:
    effect = "users there get 1.0 or nothing, as there is no sdist"
    assert found(compared([LINUX, WINDOWS], [LINUX], sdist=False)) == {
        "WK806": f"no wheel any more for win_amd64; {effect}"
    }
    assert found(compared([LINUX, WINDOWS], [LINUX, WINDOWS], sdist=False)) == {}
    assert (finding_kind("WK805").severity, finding_kind("WK806").severity) == ("warning", "error")


def test_a_cell_that_the_matrix_misses_is_not_reported_again() -> None:
    comparison = compared([LINUX, WINDOWS], ["cp311-cp311-manylinux_2_28_x86_64"])
    assert set(found(comparison)) == {"WK805", "WK807"}
    rows = [missing("win_amd64"), missing("manylinux_2_17_x86_64")]
    assert found(comparison, rows) == {}
    assert set(found(comparison, [missing("win_amd64", judged=False)])) == {"WK805", "WK807"}


def missing(target: str, *, judged: bool = True) -> Row:
    return Row(
        distribution="demo",
        version="2.0",
        target=target,
        label="missing",
        needs="",
        size=0,
        files=(),
        cells=(CellCover(interpreter="cp311", cover=Cover.SDIST),),
        codes=(),
        judged=judged,
    )


@pytest.mark.parametrize(("after", "codes"), [(">=3.11", ["WK808"]), (">=3.10", []), (">=3.9", [])])
def test_requires_python_explains_what_is_gone(after: str, codes: list[str]) -> None:
    older = "cp310-cp310-win_amd64"
    before = release(WINDOWS, older, python=">=3.10")
    later = release(WINDOWS, *([older] if not codes else []), version="2.0", python=after)
    reasons = found(compare(before, later))
    assert list(reasons) == codes
    if codes:
        assert reasons["WK808"] == (
            "Requires-Python is >=3.11, and was >=3.10; users of Python 3.10 stay on 1.0"
        )


@pytest.mark.parametrize(("size", "codes"), [(1_300_000, ["WK604"]), (1_050_000, [])])
def test_growth_is_one_note(size: int, codes: list[str]) -> None:
    after = [wheel(tags, version="2.0", size=size + add) for add, tags in enumerate((WINDOWS, LINUX))]
    items = list(losses(compared([LINUX, WINDOWS], after)))
    assert [item.code for item in items] == codes
    for item in items:
        assert item.what == (
            f"the wheel is 1.3 MB, 30% more than demo-1.0-{LINUX}.whl; 1 other wheel grew by more than 10%"
        )
        assert (item.severity, item.file) == ("note", f"demo-2.0-{LINUX}.whl")


EVERYTHING = ("docs", "test"), {"console_scripts: demo", "demo.plugins: x"}, {"demo", "_demo"}


def reading(version: str, extras: Iterable[str], points: Iterable[str], modules: Iterable[str]) -> WheelFacts:
    return wheel(
        LINUX,
        version=version,
        declared=Declared(requirements=(), extras=tuple(extras)),
        contents=Contents(entry_points=frozenset(points), modules=frozenset(modules), members={}),
    )


def changed(extras: Iterable[str], points: Iterable[str], modules: Iterable[str]) -> Comparison:
    """Compare a wheel that has everything with one that has only this."""
    return compared([reading("1.0", *EVERYTHING)], [reading("2.0", extras, points, modules)])


def test_extras_entry_points_and_modules() -> None:
    extras, points, modules = EVERYTHING
    assert found(changed(*EVERYTHING)) == {}
    assert found(changed((*extras, "more"), {*points, "console_scripts: demo2"}, {*modules, "demo2"})) == {}
    assert found(changed((), {"demo.plugins: x"}, {"demo"})) == {
        "WK810": "extras of 1.0 that are gone: docs, test",
        "WK811": "entry point of 1.0 that is gone: console_scripts: demo",
        "WK812": "top-level module of 1.0 that is gone: _demo",
    }
