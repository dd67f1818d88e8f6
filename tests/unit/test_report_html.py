"""The HTML report: what it shows, that names from files stay text, and that it stays small."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.html_pages import Page
from support.wheels import LINUX, PURE, metadata, write_wheel
from wheelkit.command_line import main
from wheelkit.verification.contents import Component, ContentsCollector, Part, WheelContents
from wheelkit.verification.contract import Contract
from wheelkit.verification.model import CellCover, Cover, Finding, Report, Row, Severity
from wheelkit.verification.report.html import to_html
from wheelkit.verification.report.html.family import MOST_BOXES, picture
from wheelkit.verification.report.html.treemap import tiles
from wheelkit.verification.run import verify

Capture = pytest.CaptureFixture[str]
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style><script>alert(1)</script>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "\x1b[31mred\x07\u202egpj",
]


def contents(name: str = "demo", *requires: str, parts: tuple[Part, ...] = ()) -> WheelContents:
    file = f"{name}-1.0-py3-none-any.whl"
    return WheelContents(
        file=file, distribution=name, version="1.0", size=1000, parts=parts, requires=requires
    )


def row(**changes: object) -> Row:
    cells = (
        CellCover(interpreter="cp311", cover=Cover.WHEEL, file="demo.whl"),
        CellCover(interpreter="cp312", cover=Cover.MISSING),
    )
    values: dict[str, object] = {
        "distribution": "demo", "version": "1.0", "target": "win_amd64", "label": "1 wheel",
        "needs": "python3.dll", "size": 1234, "files": ("demo.whl",), "cells": cells,
    }  # fmt: skip
    return Row(**{**values, **changes})  # type: ignore[arg-type]


def report(*rows: Row, findings: tuple[Finding, ...] = ()) -> Report:
    return Report(rows=rows, findings=findings, wheels=len(rows), sdists=0, seconds=0.1)


def test_the_matrix_the_findings_and_the_contents_are_shown(tmp_path: Path) -> None:
    write_wheel(tmp_path, LINUX, members={"demo/data.bin": "x" * 5000, "demo/sub/deep/a.py": "1\n"})
    write_wheel(tmp_path, PURE)
    collector = ContentsCollector()
    page = Page(to_html(verify([tmp_path], Contract(), observe=collector.add), collector.contents))
    assert "demo 1.0" in page.text
    assert LINUX in page.text
    tile = next(item for item in page.named("li") if item.get("title", "").startswith("demo, 5 kB"))
    assert tile["class"] == "other"
    assert "demo/sub, 2 B" in {item.get("title") for item in page.named("li")}


def test_a_finding_has_its_files_its_fix_and_its_reason_and_a_failing_one_is_open() -> None:
    finding = Finding(
        code="WK102", severity=Severity.ERROR, what="it differs", fix="build it again", file="a.whl"
    )
    accepted = Finding(
        code="WK106", severity=Severity.WARNING, what="a link", fix="no link", accepted="it is meant"
    )
    page = Page(to_html(report(row(codes=("WK102",)), findings=(finding, accepted))))
    assert {"it differs", "in a.whl", "build it again", "it is meant"} <= set(page.words)
    assert "RECORD contains the hash and size of every file" in page.text
    opened = [details.get("id") for details in page.named("details") if "open" in details]
    assert opened == ["WK102"]
    assert "#WK102" in {link["href"] for link in page.named("a")}
    assert "Failed" in page.words


def test_each_link_leads_to_a_part_of_the_page() -> None:
    finding = Finding(code="WK102", severity=Severity.NOTE, what="a", fix="b")
    page = Page(to_html(report(row(codes=("WK102",)), findings=(finding, finding))))
    names = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(names) == len(set(names))
    links = {link["href"] for link in page.named("a")}
    assert links <= {f"#{name}" for name in names}


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_files_stays_text(text: str) -> None:
    part = Part(name=text, kind="other", size=5)
    component = Component(name=text, version=text, files=(text,))
    wheel = WheelContents(
        file=text, distribution=text, version=text, size=1, parts=(part,), components=(component,),
        requires=("core",),
    )  # fmt: skip
    core = WheelContents(file="core", distribution="core", version="1", size=1, parts=(part,))
    finding = Finding(
        code="WK102", severity=Severity.ERROR, what=text, fix=text, file=text, member=text, distribution=text
    )
    hostile = row(distribution=text, version=text, target=text, label=text, needs=text, files=(text,))
    shown = to_html(report(hostile, findings=(finding,)), (wheel, core))
    page, plain = (
        Page(shown),
        Page(to_html(report(row(), findings=(finding,)), (contents("a", "core"), core))),
    )
    assert not {"script", "img", "iframe", "object"} & {name for name, _ in page.elements}
    for _, attributes in page.elements:
        assert not any(name.startswith("on") for name in attributes)
        assert not attributes.get("href", "#").startswith("javascript")
    assert {name for name, _ in page.elements} <= {name for name, _ in plain.elements} | {"table", "th", "td"}
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e]", shown)
    assert "49" not in page.words


def test_nothing_is_fetched() -> None:
    shown = to_html(report(row()), (contents(parts=(Part(name="a", kind="code", size=1),)),))
    assert not re.findall(r"(?:https?:)?//[\w.]", shown)
    policies = [meta["content"] for meta in Page(shown).named("meta") if "http-equiv" in meta]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]


def test_a_thousand_wheels_stay_below_five_megabytes() -> None:
    parts = tuple(
        Part(name=f"package/module_{number}.so", kind="code", size=10**6 // (number + 1))
        for number in range(80)
    )
    wheels = [contents(f"demo{number}", parts=parts) for number in range(1000)]
    rows = [row(distribution=f"demo{number}") for number in range(1000)]
    shown = to_html(report(*rows), wheels)
    assert len(shown.encode()) < 5 * 10**6
    assert shown.count('<li class="code"') == 1000 * 11
    assert "69 smaller parts" in shown


SIZES = st.lists(st.floats(min_value=1, max_value=1e9), min_size=1, max_size=60).map(
    lambda found: sorted(found, reverse=True)
)


@given(SIZES, st.floats(min_value=0.2, max_value=8))
def test_tiles_fill_the_map_in_proportion_and_without_overlap(found: list[float], aspect: float) -> None:
    placed = list(tiles(found, aspect))
    assert len(placed) == len(found)
    for size, tile in zip(found, placed, strict=True):
        assert tile.width * tile.height / 100 == pytest.approx(100 * size / sum(found), rel=1e-4, abs=1e-4)
        assert tile.left >= -1e-4
        assert tile.top >= -1e-4
        assert tile.left + tile.width <= 100 + 1e-4
        assert tile.top + tile.height <= 100 + 1e-4
    for number, one in enumerate(placed):
        for other in placed[number + 1 :]:
            across = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
            down = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
            assert min(across, down) < 1e-4


def test_a_map_of_equal_sizes_has_squares() -> None:
    shapes = {(round(tile.width), round(tile.height)) for tile in tiles([1, 1, 1, 1], 1.0)}
    assert shapes == {(50, 50)}
    assert list(tiles([], 3.0)) == []


def test_the_picture_has_each_distribution_below_what_it_requires() -> None:
    drawn = picture([contents("core"), contents("cli", "core", "click"), contents("all", "cli", "core")])
    assert drawn is not None
    heights = {box.name: box.y for box in drawn.boxes}
    assert heights["core"] < heights["cli"] < heights["all"]
    assert len(drawn.arrows) == 3
    assert drawn.text == "cli requires core; all requires cli, core"
    assert all(box.x >= 0 and box.x + box.width <= drawn.width for box in drawn.boxes)


def test_a_circle_is_drawn_and_strangers_or_too_many_are_not() -> None:
    circle = picture([contents("a", "b"), contents("b", "a")])
    assert circle is not None
    assert len(circle.arrows) == 2
    assert picture([contents("a"), contents("b")]) is None
    assert picture([contents("a", "click")]) is None
    many = [contents(f"p{number}", "p0") for number in range(MOST_BOXES + 1)]
    assert picture(many) is None


def test_the_contents_of_a_wheel_add_up_to_its_unpacked_bytes(tmp_path: Path) -> None:
    requires = metadata(
        "demo", "1.0", "Requires-Dist: Core.Lib>=1", 'Requires-Dist: x; extra == "y"', "Requires-Dist: (("
    )
    path = write_wheel(tmp_path, PURE, members={"demo/a.py": "a = 1\n", "{info}/METADATA": requires})
    collector = ContentsCollector()
    verify([path], Contract(), observe=collector.add)
    (found,) = collector.contents
    assert found.requires == ("core-lib",)
    assert {part.kind for part in found.parts} == {"python", "metadata"}
    assert [part.size for part in found.parts] == sorted((part.size for part in found.parts), reverse=True)


def test_the_command_prints_one_page(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_wheel(tmp_path, PURE)
    assert main(["verify-matrix", PURE, "--format", "html"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("<!doctype html>")
    assert shown.rstrip().endswith("</html>")
    assert main(["verify-matrix", PURE, "--format", "html", "--shallow"]) == 0
    assert "contents" not in {item.get("id") for item in Page(capsys.readouterr().out).named("section")}
