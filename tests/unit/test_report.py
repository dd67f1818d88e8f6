import json
import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from support.reports import REPORT, note, row, shown
from support.rows import rows
from wheelkit.verification import findings as findings_module
from wheelkit.verification.findings import finding_kind, finding_kinds
from wheelkit.verification.model import Cover, Finding, Report, Severity
from wheelkit.verification.report.json import to_json
from wheelkit.verification.report.markdown import to_markdown

CROSSED = replace(
    REPORT,
    rows=(
        replace(REPORT.rows[0], cross=REPORT.rows[0].files),
        REPORT.rows[1],
        replace(REPORT.rows[2], label="2 wheels", files=("a.whl", "b.whl"), cross=("b.whl",)),
    ),
)


def test_the_matrix_and_the_findings() -> None:
    assert shown(REPORT).splitlines() == [
        "daggerml 0.4.0                        cp311  cp312  cp313  cp314   needs          size   verdict",
        "  manylinux_2_28_x86_64   abi3 wheel    ●      ●      ●      ●     glibc 2.17    84 kB   fine",
        "  macosx_10_13_x86_64     missing       ○      ○      ○      ○                           WK801",
        "  win_amd64               abi3 wheel    ●      ●      ●      ●     python3.dll   84 kB   WK402",
        "",
        "      WK801  macosx_10_13_x86_64 has no wheel; users there would build from the sdist",
        (
            "             build it on macos-15-intel:  python -m wheelkit build --native · wheelkit "
            "explain WK801"
        ),
        (
            "      WK402  daggerml/_core.pyd imports PyType_GetName, in the stable ABI since 3.12, "
            "but the tag promises 3.11"
        ),
        "             in daggerml-0.4.0-cp311-abi3-win_amd64.whl",
        "             raise the floor to cp312, or avoid the call · wheelkit explain WK402",
        "",
        "2 findings in 2 wheels and 1 sdist · 0.21 s",
    ]


@rows("width", [200, 120, 100, 90, 80, 72, 60, 56])
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    lines = shown(REPORT, width).splitlines()
    assert max(map(len, lines)) <= width
    text = " ".join(" ".join(lines).split())
    assert "the tag promises 3.11" in text
    assert "verdict" in text


def test_narrow_terminals_lose_the_dim_columns_first() -> None:
    heads = {width: shown(REPORT, width).splitlines()[0] for width in (120, 90, 80, 60)}
    assert "size" in heads[120]
    assert "size" not in heads[90]
    assert "needs" in heads[90]
    assert "needs" not in heads[80]
    assert "cp312" in heads[80]
    assert "cp311-cp314" in heads[60]


NEEDY = replace(
    REPORT,
    rows=tuple(
        replace(
            row,
            floor=row.needs and "manylinux_2_27",
            needs=row.needs and "manylinux_2_27: glibc 2.27, libz.so.1",
        )
        for row in REPORT.rows
    ),
)


def test_narrow_terminals_lose_the_reasons_first() -> None:
    shown_at = {width: shown(NEEDY, width) for width in (None, 140, 116, 110, 98, 80)}
    for width in (None, 140):
        assert "manylinux_2_27: glibc 2.27, libz.so.1   84 kB" in shown_at[width]
    assert "manylinux_2_27: glibc 2.27, libz.so.1   fine" in shown_at[116]
    assert "manylinux_2_27   84 kB   fine" in shown_at[110]
    assert "manylinux_2_27   fine" in shown_at[98]
    assert "manylinux_2_27" not in shown_at[80]
    assert "| manylinux\\_2\\_27: glibc 2.27, libz.so.1 |" in to_markdown(NEEDY)
    for width in range(56, 150):
        assert max(map(len, shown(NEEDY, width).splitlines())) <= width


def test_of_names_alone_nothing_is_fine() -> None:
    rows = tuple(replace(row, names_only=bool(row.files)) for row in REPORT.rows)
    report = replace(REPORT, rows=rows, findings=())
    for text in (shown(report), to_markdown(report)):
        assert "fine" not in text
        assert text.count("names only") == 2
        assert text.split("in 2 wheels")[1].startswith(" and 1 sdist, names only")
    assert "fine" in shown(REPORT)
    assert "\x1b[32mno findings" not in shown(report, colour=True)
    assert "\x1b[32mno findings" in shown(replace(REPORT, findings=()), colour=True)
    document = json.loads(json.dumps(to_json(report)))
    jsonschema.validate(document, SCHEMA)
    assert [row["names_only"] for row in document["matrix"]] == [True, False, True]


@pytest.mark.parametrize(
    ("change", "sentence", "coverage"),
    [
        ({"judged": ("daggerml",)}, "", "judged"),
        ({"unjudged": ("daggerml",)}, "coverage was not judged: there is no support matrix", "not judged"),
        (
            {"unjudged": ("daggerml",), "whole": False},
            "coverage was not judged: only single files",
            "not judged",
        ),
        (
            {"judged": ("daggerml",), "unjudged": ("a", "b", "c")},
            "coverage of a, b, c was not judged: there is no support matrix",
            "partly judged",
        ),
    ],
)
def test_coverage_that_was_not_judged(change: dict[str, Any], sentence: str, coverage: str) -> None:
    report = replace(REPORT, **change)
    document = json.loads(json.dumps(to_json(report)))
    jsonschema.validate(document, SCHEMA)
    assert document["coverage"] == coverage
    for text in (shown(report), to_markdown(report)):
        assert ("was not judged" in text) is bool(sentence)
        assert sentence in text
    assert max(map(len, shown(report, 56).splitlines())) <= 56


def test_one_release_that_does_not_fit_narrows_all() -> None:
    other = row("win_amd64", label="a label that takes a good part of the width of a terminal")
    both = replace(REPORT, rows=(*REPORT.rows, replace(other, distribution="other")))
    heads = {
        one: [line for line in shown(one, 120).splitlines() if "verdict" in line] for one in (REPORT, both)
    }
    assert ["size" in line for line in heads[REPORT]] == [True]
    assert ["size" in line for line in heads[both]] == [False, False]
    assert ["size" in line for line in shown(both, None).splitlines() if "verdict" in line] == [True, True]


def test_a_pipe_gets_every_column_and_whole_lines() -> None:
    assert shown(REPORT, None) == shown(REPORT, 200)


def test_colour_says_fine_warning_and_wrong() -> None:
    text = shown(REPORT, colour=True)
    assert "\x1b[32mfine" in text
    assert "\x1b[31mWK402" in text
    assert "\x1b[" not in shown(REPORT)


def test_colours_take_no_room() -> None:
    for line, plain in zip(shown(REPORT, colour=True).splitlines(), shown(REPORT).splitlines(), strict=True):
        assert re.sub(r"\x1b\[\d+m", "", line) == plain


def test_fixes_can_be_left_out() -> None:
    text = shown(REPORT, fixes=False)
    assert "the tag promises 3.11" in text
    assert "raise the floor" not in text


def test_old_encodings_get_plain_marks() -> None:
    text = shown(Report(rows=REPORT.rows, findings=(), wheels=1, sdists=0, seconds=1.0), encoding="cp1252")
    assert "   x      x      x" in text


def test_square_brackets_are_no_markup() -> None:
    odd = Finding(
        code="WK101", severity=Severity.ERROR, what="[red]a[/red] is [b]odd", fix="y [tool.x]", file="f.whl"
    )
    assert "[red]a[/red] is [b]odd" in shown(
        Report(rows=(), findings=(odd,), wheels=1, sdists=0, seconds=0.0)
    )


def test_escapes_from_a_wheel_do_not_reach_the_terminal() -> None:
    odd = Finding(
        code="WK101", severity=Severity.ERROR, what="a\x1b[2J\x07b\udcff", fix="y", file="f\x1b.whl"
    )
    text = shown(Report(rows=(), findings=(odd,), wheels=1, sdists=0, seconds=0.0))
    assert "a\\x1b[2J\\x07b\\udcff" in text
    assert "\x1b" not in text


def test_an_ascii_output_gets_ascii() -> None:
    text = shown(REPORT, encoding="ascii")
    assert "avoid the call - wheelkit explain WK402" in text
    odd = Finding(code="WK101", severity=Severity.ERROR, what="größe", fix="y")
    assert "gr\\xf6\\xdfe" in shown(
        Report(rows=(), findings=(odd,), wheels=1, sdists=0, seconds=0.0), encoding="ascii"
    )


def report_of(*findings: Finding) -> str:
    return shown(Report(rows=(), findings=findings, wheels=3, sdists=0, seconds=0.5), 200)


def test_many_findings_of_a_code_are_shown_once() -> None:
    text = report_of(*map(note, range(9)))
    assert text.count("debug sections") == 1
    assert "and 8 more (--json lists all)" in text
    assert "no findings, 9 notes in 3 wheels" in text
    assert report_of(*map(note, range(3))).count("debug sections") == 3


def test_errors_are_always_shown() -> None:
    text = report_of(*(note(number, Severity.ERROR) for number in range(9)))
    assert text.count("debug sections") == 9
    assert "9 findings in 3 wheels" in text


def test_the_same_finding_in_many_files_is_shown_once() -> None:
    same = [
        Finding(
            code="WK202",
            severity=Severity.WARNING,
            what="not normalized",
            fix=f"f{number}",
            file=f"{number}.whl",
        )
        for number in range(4)
    ]
    text = report_of(*same)
    assert text.count("not normalized") == 1
    assert "in 1.whl" in text
    assert "and 2 more" in text


def test_a_long_file_name_keeps_its_preposition() -> None:
    name = f"demo-1.0-cp311-cp311-{'manylinux_2_28_x86_64.' * 3}whl"
    finding = Finding(code="WK202", severity=Severity.WARNING, what="not normalized", fix="f", file=name)
    assert (
        f"             in {name}"
        in shown(Report(rows=(), findings=(finding,), wheels=9, sdists=0, seconds=0.0), 60).splitlines()
    )


def test_accepted_findings_show_the_reason() -> None:
    known = Finding(
        code="WK101", severity=Severity.ERROR, what="odd", fix="y", file="f.whl", accepted="made by hand"
    )
    text = report_of(known)
    assert "accepted: made by hand" in text
    assert "no findings, 1 accepted finding in 3 wheels" in text


def test_cells_that_are_not_promised_have_a_mark_of_their_own() -> None:
    rows = (row("win_amd64"), row("win32", "1 wheel", Cover.UNPROMISED))
    report = Report(rows=rows, findings=(), wheels=1, sdists=0, seconds=0.0)
    assert shown(report).splitlines()[2].split() == ["win32", "1", "wheel", "∅", "∅", "∅", "∅"]
    assert "| ∅ | ∅ | ∅ | ∅ |" in to_markdown(report)
    document = json.loads(json.dumps(to_json(report)))
    jsonschema.validate(document, SCHEMA)
    assert document["matrix"][1]["cells"][0]["cover"] == "not promised"


def test_native_rows_elsewhere_are_dim_dots() -> None:
    rows = (row("win_amd64"), row("macosx_11_0_arm64", "elsewhere", Cover.ELSEWHERE))
    lines = shown(Report(rows=rows, findings=(), wheels=1, sdists=0, seconds=0.0)).splitlines()
    assert lines[2].split() == ["macosx_11_0_arm64", "elsewhere", "·", "·", "·", "·"]


SCHEMA = json.loads(files("wheelkit").joinpath("data/report.schema.json").read_text(encoding="utf-8"))


def test_cross_built_wheels_are_marked_everywhere() -> None:
    first, second, third = shown(CROSSED).splitlines()[1:4]
    assert "  abi3 wheel, cross  " in first
    assert "cross" not in second
    assert "  2 wheels, 1 cross  " in third
    assert "2 wheels and 1 sdist, 2 of them cross-built and never run · 0.21 s" in shown(CROSSED)
    assert "| abi3 wheel, cross |" in to_markdown(CROSSED)
    assert to_markdown(CROSSED).endswith("2 of them cross-built and never run")
    document = json.loads(json.dumps(to_json(CROSSED)))
    jsonschema.validate(document, SCHEMA)
    assert [row["cross"] for row in document["matrix"]] == [list(REPORT.rows[0].files), [], ["b.whl"]]
    assert "cross" not in shown(REPORT) + to_markdown(REPORT)


def test_json_fits_the_schema() -> None:
    document = json.loads(json.dumps(to_json(REPORT)))
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(document, SCHEMA)
    assert document["ok"] is False
    assert document["matrix"][1]["cells"][0] == {"interpreter": "cp311", "cover": "sdist", "file": None}
    assert document["findings"][1]["member"] == "daggerml/_core.pyd"
    assert "member" not in document["findings"][0]


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"ok": "yes"},
        {"more": 1},
        {"findings": [{"code": "X", "severity": "error", "what": "x", "fix": "y"}]},
    ],
)
def test_the_schema_refuses_other_documents(change: dict[str, object]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(to_json(REPORT) | change, SCHEMA)


def test_the_schema_names_every_cover_and_severity() -> None:
    assert SCHEMA["$defs"]["cell"]["properties"]["cover"]["enum"] == [str(cover) for cover in Cover]
    assert SCHEMA["$defs"]["finding"]["properties"]["severity"]["enum"] == [
        str(severity) for severity in Severity
    ]


def test_every_code_is_explained_and_every_explanation_is_used() -> None:
    package = Path(findings_module.__file__).parents[1]
    sources = [*(package / "verification").rglob("*.py"), package / "publish" / "provenance.py"]
    used = {
        code for source in sources for code in re.findall(r'"(WK\d{3})"', source.read_text(encoding="utf-8"))
    }
    assert used == set(finding_kinds())
    assert all(entry.title and entry.why and entry.fix for entry in finding_kinds().values())


def test_each_kind_is_read_alone_as_from_the_whole_table() -> None:
    assert {code: finding_kind(code) for code in finding_kinds()} == dict(finding_kinds())


def test_the_table_is_cut_where_toml_begins_its_entries() -> None:
    table = tomllib.loads(
        (Path(findings_module.__file__).parents[1] / "data" / "findings.toml").read_text(encoding="utf-8")
    )
    assert {code: (entry.title, entry.why, entry.fix) for code, entry in finding_kinds().items()} == {
        code: (row["title"], row["why"].strip(), row["fix"].strip()) for code, row in table.items()
    }
