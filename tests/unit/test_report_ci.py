"""A report as Markdown and as annotations of GitHub."""

import pytest

from support.reports import REPORT, note, shown
from wheelkit.verification.model import Finding, Report, Severity
from wheelkit.verification.report.github import to_github
from wheelkit.verification.report.json import to_json
from wheelkit.verification.report.markdown import to_markdown

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
