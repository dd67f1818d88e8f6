"""The comparison with an earlier release, as text, Markdown and JSON."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from support.comparisons import compared, release, wheel
from wheelkit.verification.checks.losses import losses
from wheelkit.verification.comparison.compare import compare
from wheelkit.verification.comparison.facts import Contents, Declared
from wheelkit.verification.comparison.model import Change, Comparison
from wheelkit.verification.model import Report
from wheelkit.verification.report.changes import cell_word, oldest
from wheelkit.verification.report.json import to_json
from wheelkit.verification.report.markdown import to_markdown
from wheelkit.verification.report.text import Screen, render

SCHEMA = json.loads(files("wheelkit").joinpath("data/report.schema.json").read_text(encoding="utf-8"))
OLD = (
    wheel("cp310-cp310-manylinux_2_17_x86_64", size=1_000_000),
    wheel("cp311-cp311-manylinux_2_17_x86_64", size=1_000_000),
    wheel("cp310-cp310-win_amd64", size=800_000),
    wheel("cp311-cp311-win_amd64", size=800_000),
    wheel("cp27-cp27m-win_amd64", size=800_000),
    wheel("cp311-cp311-macosx_10_9_universal2", size=2_000_000),
)
NEW = (
    wheel("cp310-cp310-manylinux_2_28_x86_64", version="2.0", size=1_250_000),
    wheel("cp311-cp311-manylinux_2_28_x86_64", version="2.0", size=1_000_000),
    wheel("cp312-cp312-manylinux_2_28_x86_64", version="2.0", size=1_000_000),
    wheel("cp311-cp311-win_amd64", version="2.0", size=700_000),
    wheel("cp311-cp311-macosx_11_0_arm64", version="2.0", size=1_000_000),
)
EXAMPLE = compared(OLD, NEW)


def reporting(*comparisons: Comparison, uncompared: tuple[str, ...] = ()) -> Report:
    findings = tuple(item for comparison in comparisons for item in losses(comparison))
    return Report(
        rows=(),
        findings=findings,
        wheels=5,
        sdists=1,
        seconds=0.1,
        comparisons=comparisons,
        uncompared=uncompared,
    )


def shown(report: Report, width: int | None = 120, encoding: str = "utf-8") -> list[str]:
    return render(report, Screen(width=width, encoding=encoding)).splitlines()


def test_the_table() -> None:
    lines = shown(reporting(EXAMPLE))
    assert lines[: lines.index("")] == [
        "demo 2.0 against 1.0 (pypi)",
        "                    cp310  cp311  cp312   oldest system          size",
        "  manylinux_x86_64   +25%      =    new   glibc 2.28, was 2.17   3.2 MB, was 2.0 MB",
        "  macosx_x86_64             gone          was macOS 10.9         was 2.0 MB",
        "  macosx_arm64              -50%          macOS 11.0             1.0 MB, was 2.0 MB",
        "  win_amd64          gone   -12%                                 700 kB, was 1.6 MB",
        "  wheels           5 (5.0 MB), was 6 (6.4 MB)",
        "  not compared     1 wheel for other interpreters: cp27",
        "  not compared     requirements, extras, entry points, modules: the files were not read (--deep)",
    ]


@pytest.mark.parametrize("width", [200, 120, 100, 80, 72, 60, 50])
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    lines = shown(replace(reporting(EXAMPLE), findings=()), width)
    assert max(map(len, lines)) <= width
    assert "demo 2.0 against 1.0 (pypi)" in lines


def test_narrow_terminals_lose_the_sizes_then_the_columns_of_interpreters() -> None:
    heads = {width: shown(reporting(EXAMPLE), width)[1].split() for width in (90, 70, 60, 40)}
    assert heads == {
        90: ["cp310", "cp311", "cp312", "oldest", "system", "size"],
        70: ["cp310", "cp311", "cp312", "oldest", "system"],
        60: ["cp310-cp312", "oldest", "system"],
        40: ["cp310-cp312"],
    }
    lines = shown(reporting(EXAMPLE), 60)
    assert lines[2].split()[:2] == ["manylinux_x86_64", "^^+"]
    assert "  = kept  + new  - gone  ^ newer systems only  . none" in lines


# In narrow tables a mark with its colour, and what the legend says of it.
MARKS = {
    Change.KEPT: ("=", "2", "kept"),
    Change.NEW: ("+", "32", "new"),
    Change.GONE: ("-", "33", "gone"),
    Change.RAISED: ("^", "33", "newer systems only"),
    Change.EXCLUDED: ("s", "2", "stay on the old one"),
    Change.PURE: ("p", "33", "pure instead of native"),
    Change.NATIVE: ("n", "32", "native instead of pure"),
    Change.NONE: (".", "2", "none"),
}


@pytest.mark.parametrize("change", Change)
def test_each_change_has_a_mark_a_colour_and_a_word(change: Change) -> None:
    cells = tuple(replace(cell, change=change, before=None) for row in EXAMPLE.rows for cell in row.cells)[:3]
    comparison = replace(EXAMPLE, rows=(replace(EXAMPLE.rows[0], cells=cells),))
    mark, colour, word = MARKS[change]
    assert f"  {mark} {word}" in shown(reporting(comparison), 40)
    coloured = render(reporting(comparison), Screen(width=40, colour=True)).splitlines()[2]
    assert f"\x1b[{colour}m{mark * 3}" in coloured
    wide = render(reporting(comparison), Screen(width=200, colour=True)).splitlines()[2]
    assert wide.count(f"\x1b[{colour}m") >= (2 if change is Change.NONE else 3)
    assert to_markdown(reporting(comparison))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-manylinux_2_28_x86_64", "glibc 2.28, was 2.17"),
        ("cp311-cp311-manylinux_2_28_x86_64", "cp311-cp311-manylinux_2_17_x86_64", "glibc 2.17, was 2.28"),
        ("cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-manylinux2014_x86_64", "glibc 2.17"),
        ("cp311-cp311-manylinux_2_17_x86_64", "cp312-cp312-manylinux_2_28_x86_64", "glibc 2.28"),
        ("cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-linux_x86_64", "any, was glibc 2.17"),
        ("cp311-cp311-linux_x86_64", "cp311-cp311-manylinux_2_17_x86_64", "glibc 2.17, was any"),
        ("cp311-cp311-win_amd64", "cp311-cp311-win_amd64", ""),
        ("py3-none-any", "cp311-cp311-manylinux_2_17_x86_64", "glibc 2.17"),
    ],
)
def test_the_oldest_system(before: str, after: str, expected: str) -> None:
    assert oldest(compared([before], [after]).rows[0]) == expected


def test_several_oldest_systems_are_a_range() -> None:
    old = "cp311-cp311-macosx_10_9_x86_64", "cp314-cp314-macosx_10_15_x86_64"
    assert oldest(compared(old, old).rows[0]) == "macOS 10.9-10.15"
    # An interpreter that is new has another oldest system of its own.
    assert oldest(compared(old[:1], old).rows[0]) == "macOS 10.9-10.15"
    assert oldest(compared(old, []).rows[0]) == "was macOS 10.9-10.15"


def test_sizes_that_the_index_does_not_state() -> None:
    tags = "cp311-cp311-win_amd64"
    lines = shown(reporting(compared([wheel(tags, size=0)], [wheel(tags, version="2.0", size=0)])))
    assert lines[1:4] == ["             cp311", "  win_amd64   kept", "  wheels           1"]


def test_losses_are_yellow_and_what_is_new_is_green() -> None:
    tags = {name: f"cp311-cp311-{name}" for name in ("win_amd64", "win_arm64", "win32")}
    comparison = compared([tags["win_amd64"], tags["win32"]], [tags["win_arm64"], tags["win32"]])
    for width in (200, 30):
        text = render(reporting(comparison), Screen(width=width, colour=True))
        colours = {
            line.split()[0]: line.partition("\x1b[")[2].partition("m")[0]
            for line in text.splitlines()
            if line.startswith("  win")
        }
        assert colours == {"win_amd64": "33", "win_arm64": "32", "win32": "2"}


def test_ascii_terminals() -> None:
    assert all(line.isascii() for line in shown(reporting(EXAMPLE), None, "ascii"))


FACTS = compare(
    release(
        wheel(
            "cp39-abi3-win_amd64",
            declared=Declared(requirements=("a>=1", "b"), extras=("docs",)),
            contents=Contents(
                entry_points=frozenset({"console_scripts: demo"}),
                modules=frozenset({"demo"}),
                members={},
                needs={"win_amd64": "an old system"},
            ),
        ),
        python=">=3.9",
    ),
    release(
        wheel(
            "cp310-abi3-win_amd64",
            version="2.0",
            declared=Declared(requirements=("a>=2", "c", "d; extra == 'x'"), extras=()),
            contents=Contents(
                entry_points=frozenset(),
                modules=frozenset({"demo", "demo2"}),
                members={},
                needs={"win_amd64": "a new system"},
            ),
        ),
        version="2.0",
        python=">=3.10",
    ),
)


def test_further_facts() -> None:
    lines = shown(reporting(FACTS))
    assert lines[3:11] == [
        "  wheels           1 (1.0 MB)",
        "  Requires-Python  >=3.10, was >=3.9; users of Python 3.9 stay on 1.0",
        "  stable ABI       cp310-abi3, was cp39-abi3",
        "  binaries need    win_amd64 a new system (was an old system)",
        "  requirements     new: c; gone: b; changed: a>=2 (was a>=1); of extras: 1 new",
        "  extras           gone: docs",
        "  entry points     gone: console_scripts: demo",
        "  modules          new: demo2",
    ]


def test_what_has_no_earlier_release_is_a_line() -> None:
    gap = "demo 1.0 was not compared: pypi has no earlier release of it"
    assert gap in shown(reporting(uncompared=(gap,)))
    assert gap in to_markdown(reporting(uncompared=(gap,)))
    assert to_json(reporting(uncompared=(gap,)))["uncompared"] == [gap]


def test_markdown() -> None:
    lines = to_markdown(reporting(EXAMPLE)).splitlines()
    assert lines[:6] == [
        "#### demo 2.0 against 1.0 (pypi)",
        "",
        "| platform | cp310 | cp311 | cp312 | oldest system | size |",
        "|---|--:|--:|--:|---|--:|",
        (
            "| `manylinux_x86_64` | 1.2 MB +25% | 1.0 MB | 1.0 MB new | glibc 2.28, was 2.17 "
            "| 3.2 MB, was 2.0 MB |"
        ),
        "| `macosx_x86_64` |  | gone |  | was macOS 10.9 | was 2.0 MB |",
    ]
    assert "- wheels: 5 (5.0 MB), was 6 (6.4 MB)" in lines


def test_markup_from_an_index_stays_text() -> None:
    odd = replace(
        FACTS, requirements=replace(FACTS.requirements or EXAMPLE.extras, added=("<b>x</b> @ http://y",))
    )
    assert "<b>" not in to_markdown(reporting(odd))
    assert "\x1b" not in "".join(shown(reporting(replace(odd, origin="\x1b[2J"))))


@pytest.mark.parametrize("comparison", [EXAMPLE, FACTS, compared([], []), compared(NEW, OLD)])
def test_json_matches_the_schema(comparison: Comparison) -> None:
    document = json.loads(json.dumps(to_json(reporting(comparison, uncompared=("x",)))))
    jsonschema.validate(document, SCHEMA)


@pytest.mark.parametrize("change", [{"comparisons": [{}]}, {"uncompared": [1]}])
def test_the_schema_refuses_other_documents(change: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(to_json(reporting(EXAMPLE)) | change, SCHEMA)


def test_the_schema_names_every_change() -> None:
    assert SCHEMA["$defs"]["cell_change"]["properties"]["change"]["enum"] == [str(one) for one in Change]


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        (1000, 1000, "="), (1000, 1004, "="), (1000, 1006, "+1%"), (1000, 996, "="), (1000, 994, "-1%"),
        (1000, 1250, "+25%"), (100, 1000, "+900%"), (100, 1099, "+999%"),
        (100, 1100, "x11"), (100, 2000, "x20"),
        (1000, 10, "-99%"), (0, 1000, "kept"), (1000, 0, "kept"),
    ],
)  # fmt: skip
def test_how_much_a_wheel_grew(before: int, after: int, word: str) -> None:
    (row, *_) = EXAMPLE.rows
    kept = next(cell for cell in row.cells if cell.change is Change.KEPT or (cell.before and cell.after))
    assert kept.before is not None
    assert kept.after is not None
    cell = replace(
        kept,
        change=Change.KEPT,
        before=replace(kept.before, size=before),
        after=replace(kept.after, size=after),
    )
    assert cell_word(cell) == word
