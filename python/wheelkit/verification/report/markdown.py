"""The report as Markdown, for a job summary or a comment on a pull request (GitHub Flavored Markdown)."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from wheelkit.text import plural, printable, size
from wheelkit.verification.model import Severity
from wheelkit.verification.report.text import MARKS, counted_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from wheelkit.verification.model import Finding, Report, Row


_TITLES = {Severity.ERROR: "Errors", Severity.WARNING: "Warnings", Severity.NOTE: "Notes"}
# What begins markup or ends a cell, and must not do so in text from the files.
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~&@]")


def to_markdown(report: Report, *, fixes: bool = True) -> str:
    """Return tables of the matrix, lists of the findings, and a line of summary."""
    releases = groupby(report.rows, key=lambda row: (row.distribution, row.version))
    blocks = [_matrix(list(rows)) for _, rows in releases]
    by_severity = {
        severity: [item for item in report.findings if item.severity is severity and not item.accepted]
        for severity in Severity
    }
    sections = [(severity, items) for severity, items in by_severity.items() if items]
    blocks += [_list(_TITLES[severity], items, fixes=fixes) for severity, items in sections]
    accepted = [item for item in report.findings if item.accepted]
    if accepted:
        blocks.append(_list("Accepted", accepted, fixes=False))
    counts = [plural(len(items), severity) for severity, items in sections]
    blocks.append(f"{', '.join(counts) or 'no findings'} in {counted_files(report)}")
    return "\n\n".join(blocks)


def _matrix(rows: Sequence[Row]) -> str:
    tags = [cell.interpreter for cell in rows[0].cells]
    return "\n".join([
        f"### {_plain(rows[0].distribution)} {_plain(rows[0].version)}",
        "",
        _line(["target", "", *tags, "needs", "size", "verdict"]),
        "|" + "|".join(["---", "---", *(":-:" for _ in tags), "---", "--:", "---"]) + "|",
        *(_line(_cells(row)) for row in rows),
    ])  # fmt: skip


def _cells(row: Row) -> Iterator[str]:
    yield from (f"`{row.target}`", _plain(row.served))
    yield from (MARKS[cell.cover] for cell in row.cells)
    verdict = " ".join(row.codes) if row.codes else "fine" if row.files else ""
    yield from (_plain(row.needs), size(row.size) if row.size else "", verdict)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _list(title: str, findings: Iterable[Finding], *, fixes: bool) -> str:
    return f"#### {title}\n\n" + "\n".join(_finding(finding, fixes=fixes) for finding in findings)


def _finding(finding: Finding, *, fixes: bool) -> str:
    lines = [f"- **{finding.code}** {_plain(finding.what)}"]
    if finding.file:
        lines.append(f"in {_plain(finding.file)}")
    if finding.accepted:
        lines.append(f"accepted: {_plain(finding.accepted)}")
    elif fixes:
        lines.append(f"*{_plain(finding.fix)}*")
    return "<br>\n  ".join(lines)


def _plain(text: str) -> str:
    """Return text with all markup escaped."""
    return _SPECIAL.sub(r"\\\g<0>", printable(text))
