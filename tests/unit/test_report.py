import json
import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from support.rows import rows
from wheelkit.verification import findings as findings_module
from wheelkit.verification.findings import finding_kind, finding_kinds
from wheelkit.verification.model import CellCover, Cover, Finding, Report, Row, Severity
from wheelkit.verification.report.github import to_github
from wheelkit.verification.report.json import to_json
from wheelkit.verification.report.markdown import to_markdown
from wheelkit.verification.report.text import Screen, render

TAGS = ("cp311", "cp312", "cp313", "cp314")


def row(
    target: str,
    label: str = "abi3 wheel",
    cover: Cover = Cover.WHEEL,
    needs: str = "glibc 2.17",
    codes: tuple[str, ...] = (),
) -> Row:
    files_of = (f"daggerml-0.4.0-cp311-abi3-{target}.whl",) if cover is Cover.WHEEL else ()
    cells = tuple(CellCover(interpreter=tag, cover=cover, file="".join(files_of) or None) for tag in TAGS)
    size = 84_000 if files_of else 0
    return Row(
        distribution="daggerml",
        version="0.4.0",
        target=target,
        label=label,
        cells=cells,
        files=files_of,
        needs=needs if files_of else "",
        size=size,
        codes=codes,
    )


MISSING = Finding(
    code="WK801",
    severity=Severity.ERROR,
    where="macosx_10_13_x86_64",
    distribution="daggerml",
    what="macosx_10_13_x86_64 has no wheel; users there would build from the sdist",
    fix="build it on macos-15-intel:  python -m wheelkit build --native",
)
ABI = Finding(
    code="WK402",
    severity=Severity.ERROR,
    file="daggerml-0.4.0-cp311-abi3-win_amd64.whl",
    member="daggerml/_core.pyd",
    what="daggerml/_core.pyd imports PyType_GetName, in the stable ABI since 3.12, but the tag promises 3.11",
    fix="raise the floor to cp312, or avoid the call",
)
REPORT = Report(
    rows=(
        row("manylinux_2_28_x86_64"),
        row("macosx_10_13_x86_64", "missing", Cover.SDIST, codes=("WK801",)),
        row("win_amd64", needs="python3.dll", codes=("WK402",)),
    ),
    findings=(MISSING, ABI),
    wheels=2,
    sdists=1,
    seconds=0.214,
)


CROSSED = replace(
    REPORT,
    rows=(
        replace(REPORT.rows[0], cross=REPORT.rows[0].files),
        REPORT.rows[1],
        replace(REPORT.rows[2], label="2 wheels", files=("a.whl", "b.whl"), cross=("b.whl",)),
    ),
)


def shown(
    report: Report,
    width: int | None = 120,
    *,
    encoding: str = "utf-8",
    colour: bool = False,
    fixes: bool = True,
) -> str:
    return render(report, Screen(width=width, colour=colour, encoding=encoding, fixes=fixes))


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


def note(number: int, severity: Severity = Severity.NOTE) -> Finding:
    return Finding(
        code="WK603",
        severity=severity,
        what=f"{number} kB of x are debug sections",
        fix="strip",
        file=f"{number}.whl",
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
    assert f"             in {name}" in shown(of(finding), 60).splitlines()


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


ODD = Finding(
    code="WK101",
    severity=Severity.WARNING,
    what="a|b <script>\n::error::x *bold* [link](y) 50%, \x1b[2J",
    fix="fix it, then: build",
    file="odd,name:1.whl",
)


def test_markdown() -> None:
    lines = to_markdown(REPORT).splitlines()
    assert lines[:4] == [
        "### daggerml 0.4.0",
        "",
        "| target |  | cp311 | cp312 | cp313 | cp314 | needs | size | verdict |",
        "|---|---|:-:|:-:|:-:|:-:|---|--:|---|",
    ]
    assert lines[4] == "| `manylinux_2_28_x86_64` | abi3 wheel | ● | ● | ● | ● | glibc 2.17 | 84 kB | fine |"
    assert (
        "- **WK402** daggerml/\\_core.pyd imports PyType\\_GetName, in the stable ABI since "
        "3.12, but the tag promises 3.11<br>"
    ) in lines
    assert lines[-1] == "2 errors in 2 wheels and 1 sdist"
    assert "raise the floor" not in to_markdown(REPORT, fixes=False)


def test_markdown_is_no_markup() -> None:
    text = to_markdown(Report(rows=(), findings=(ODD,), wheels=1, sdists=0, seconds=0.0))
    assert "a\\|b \\<script\\>" in text
    assert "\\*bold\\* \\[link\\](y)" in text
    assert "\x1b" not in text


def test_accepted_findings_in_markdown() -> None:
    known = Finding(
        code="WK101", severity=Severity.ERROR, what="odd", fix="y", file="f.whl", accepted="made by hand"
    )
    text = to_markdown(Report(rows=(), findings=(known,), wheels=1, sdists=0, seconds=0.0))
    assert "accepted: made by hand" in text
    assert text.endswith("no findings in 1 wheel")


def test_github_annotations() -> None:
    first, second = to_github(REPORT)
    assert first.startswith("::error title=WK801 macosx_10_13_x86_64::macosx_10_13_x86_64 has no wheel;")
    assert second.startswith(
        "::error file=daggerml-0.4.0-cp311-abi3-win_amd64.whl,title=WK402 "
        "daggerml-0.4.0-cp311-abi3-win_amd64.whl::"
    )
    assert second.endswith("%0Araise the floor to cp312, or avoid the call")


def same_in(*files: str, severity: Severity = Severity.WARNING) -> tuple[Finding, ...]:
    return tuple(
        Finding(code="WK202", severity=severity, what="not normalized", fix=f"rename {file}", file=file)
        for file in files
    )


def of(*findings: Finding, fail_on: Severity = Severity.ERROR) -> Report:
    return Report(rows=(), findings=findings, wheels=9, sdists=0, seconds=0.0, fail_on=fail_on)


def test_one_cause_is_one_item_and_one_annotation() -> None:
    report = of(*same_in("a.whl", "b.whl", "c.whl", "d.whl"))
    text = to_markdown(report)
    assert text.splitlines()[0] == "#### Warnings (1)"
    assert text.count("not normalized") == 1
    assert "in a.whl<br>\n  in b.whl<br>\n  and 2 more<br>" in text
    assert text.endswith("1 warning in 9 wheels")
    (line,) = to_github(report)
    assert line == (
        "::warning file=a.whl,title=WK202 a.whl::"
        "not normalized%0Ain a.whl%0Ain b.whl%0Aand 2 more%0Arename a.whl"
    )
    (alone,) = to_github(of(*same_in("a.whl")))
    assert alone == "::warning file=a.whl,title=WK202 a.whl::not normalized%0Arename a.whl"


def test_many_of_a_code_are_counted_everywhere() -> None:
    report = of(*map(note, range(9)))
    assert "and 8 more (--json lists all)" in to_markdown(report)
    assert to_markdown(report).splitlines()[0] == "#### Notes (9)"
    assert to_markdown(report).endswith("9 notes in 9 wheels")
    (line,) = to_github(report)
    assert "%0Aand 8 more (--json lists all)%0A" in line
    assert len(list(to_github(of(*map(note, range(3)))))) == 3


@pytest.mark.parametrize("severity", [Severity.WARNING, Severity.NOTE])
def test_what_fails_the_run_is_never_left_out(severity: Severity) -> None:
    findings = tuple(note(number, severity) for number in range(9))
    for fail_on in Severity:
        report = of(*findings, fail_on=fail_on)
        expected = 9 if severity in tuple(Severity)[: tuple(Severity).index(fail_on) + 1] else 1
        assert shown(report, 200).count("debug sections") == expected
        assert to_markdown(report).count("debug sections") == expected
        assert len(list(to_github(report))) == expected
        assert to_json(report)["ok"] is (expected == 1)
        assert to_json(report)["fail_on"] == fail_on


def test_github_annotations_cannot_be_broken_out_of() -> None:
    (line,) = to_github(Report(rows=(), findings=(ODD,), wheels=1, sdists=0, seconds=0.0))
    assert "\n" not in line
    assert "\x1b" not in line
    assert line.startswith("::warning file=odd%2Cname%3A1.whl,title=WK101 odd%2Cname%3A1.whl::")
    assert "50%25, " in line
    assert list(to_github(Report(rows=(), findings=(), wheels=1, sdists=0, seconds=0.0))) == []


def test_the_table_is_cut_where_toml_begins_its_entries() -> None:
    table = tomllib.loads(
        (Path(findings_module.__file__).parents[1] / "data" / "findings.toml").read_text(encoding="utf-8")
    )
    assert {code: (entry.title, entry.why, entry.fix) for code, entry in finding_kinds().items()} == {
        code: (row["title"], row["why"].strip(), row["fix"].strip()) for code, row in table.items()
    }
