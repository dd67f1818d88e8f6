"""The report as Markdown, for a job's summary or a pull request's comment (GitHub Flavored Markdown)."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from wheelkit.text import printable, size
from wheelkit.verification.model import Cover, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wheelkit.verification.model import Finding, Report, Row


_MARKS = {Cover.WHEEL: "●", Cover.SDIST: "○", Cover.MISSING: "○", Cover.ELSEWHERE: "·"}
# What begins markup or ends a cell; text from files that anybody may have made must not.
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~&@]")


def to_markdown(report: Report, *, fixes: bool = True) -> str:
    """Write tables of the matrix, the findings as a list, and one line of summary."""
    blocks = [
        _matrix(list(rows))
        for _, rows in groupby(report.rows, key=lambda row: (row.distribution, row.version))
    ]
    for title, severity in (
        ("Wrong", Severity.ERROR),
        ("Worth a look", Severity.WARNING),
        ("Notes", Severity.NOTE),
    ):
        some = [item for item in report.findings if item.severity is severity and not item.accepted]
        if some:
            blocks.append(f"#### {title}\n\n" + "\n".join(_finding(item, fixes=fixes) for item in some))
    accepted = [item for item in report.findings if item.accepted]
    if accepted:
        blocks.append("#### Accepted\n\n" + "\n".join(_finding(item, fixes=False) for item in accepted))
    return "\n\n".join([*blocks, _summary(report)])


def _matrix(rows: Sequence[Row]) -> str:
    tags = [cell.interpreter for cell in rows[0].cells]
    heads = ["target", "", *tags, "needs", "size", "verdict"]
    lines = [f"### {_plain(rows[0].distribution)} {_plain(rows[0].version)}", "", _line(heads)]
    lines.append("|" + "|".join(["---", "---", *(":-:" for _ in tags), "---", "--:", "---"]) + "|")
    return "\n".join([*lines, *(_line(list(_cells(row))) for row in rows)])


def _cells(row: Row) -> Iterator[str]:
    yield from (f"`{row.target}`", _plain(row.served))
    yield from (_MARKS[cell.cover] for cell in row.cells)
    verdict = " ".join(row.codes) if row.codes else "fine" if row.files else ""
    yield from (_plain(row.needs), size(row.size) if row.size else "", verdict)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _finding(finding: Finding, *, fixes: bool) -> str:
    lines = [f"- **{finding.code}** {_plain(finding.what)}"]
    if finding.file:
        lines.append(f"in {_plain(finding.file)}")
    if finding.accepted:
        lines.append(f"accepted: {_plain(finding.accepted)}")
    elif fixes:
        lines.append(f"*{_plain(finding.fix)}*")
    return "<br>\n  ".join(lines)


def _summary(report: Report) -> str:
    counts = [
        sum(item.severity is severity and not item.accepted for item in report.findings)
        for severity in Severity
    ]
    words = [
        f"{count} {name}{'' if count == 1 else 's'}"
        for count, name in zip(counts, Severity, strict=True)
        if count
    ]
    files = f"{report.wheels} wheel{'' if report.wheels == 1 else 's'}"
    if report.sdists:
        files += f" and {report.sdists} sdist{'' if report.sdists == 1 else 's'}"
    if report.cross:
        files += f", {report.cross} of them cross-built and never run"
    return f"{', '.join(words) or 'no findings'} in {files}"


def _plain(text: str) -> str:
    """Write text so that none of it is markup."""
    return _SPECIAL.sub(lambda match: f"\\{match[0]}", printable(text))
