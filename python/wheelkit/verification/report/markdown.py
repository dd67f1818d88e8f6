"""The report as Markdown, for a job summary or a comment on a pull request (GitHub Flavored Markdown)."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from wheelkit.text import plural, printable, size
from wheelkit.verification.model import Severity
from wheelkit.verification.report.changes import (
    cell_word,
    facts,
    oldest,
    row_size,
    title,
)
from wheelkit.verification.report.groups import count, counted_files, grouped, remarks
from wheelkit.verification.report.text import MARKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from wheelkit.verification.comparison.model import Comparison, PlatformChange
    from wheelkit.verification.model import Report, Row
from wheelkit.verification.report.groups import Group

_TITLES = {Severity.ERROR: "Errors", Severity.WARNING: "Warnings", Severity.NOTE: "Notes"}
# What begins markup, a formula or a link, or ends a cell, and must not do so in text from the files.
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~&@$]|:(?=//)|(?<=www)\.")


def to_markdown(report: Report, *, fixes: bool = True) -> str:
    """Return tables of the matrix, lists of the findings, and a line of summary."""
    releases = groupby(report.rows, key=lambda row: (row.distribution, row.version))
    blocks = [_matrix(list(rows)) for _, rows in releases]
    blocks += map(_comparison, report.comparisons)
    groups = list(grouped(report))
    by_severity = {
        severity: [
            group for group in groups if group.finding.severity is severity and not group.finding.accepted
        ]
        for severity in Severity
    }
    sections = {severity: items for severity, items in by_severity.items() if items}
    blocks += [_list(_TITLES[severity], items, fixes=fixes) for severity, items in sections.items()]
    accepted = [group for group in groups if group.finding.accepted]
    if accepted:
        blocks.append(_list("Accepted", accepted, fixes=False))
    blocks += map(_plain, remarks(report))
    counts = [plural(count(items), severity) for severity, items in sections.items()]
    blocks.append(f"{', '.join(counts) or 'no findings'} in {counted_files(report)}")
    return "\n\n".join(blocks)


def _matrix(rows: Sequence[Row]) -> str:
    tags = [cell.interpreter for cell in rows[0].cells]
    return "\n".join([
        f"### {_plain(rows[0].distribution)} {_plain(rows[0].version)}".rstrip(),
        "",
        _line(["target", "", *tags, "needs", "size", "verdict"]),
        "|" + "|".join(["---", "---", *(":-:" for _ in tags), "---", "--:", "---"]) + "|",
        *(_line(_cells(row)) for row in rows),
    ])  # fmt: skip


def _cells(row: Row) -> Iterator[str]:
    yield from (f"`{row.target}`", _plain(row.served))
    yield from (MARKS[cell.cover] for cell in row.cells)
    yield from (_plain(row.needs), size(row.size) if row.size else "", " ".join(row.codes) or row.verdict)


def _comparison(comparison: Comparison) -> str:
    lines = [f"#### {_plain(title(comparison))}", ""]
    if comparison.rows:
        tags = [cell.interpreter for cell in comparison.rows[0].cells]
        lines += [
            _line(["platform", *tags, "oldest system", "size"]),
            "|" + "|".join(["---", *("--:" for _ in tags), "---", "--:"]) + "|",
            *(_line(_changes(comparison, row)) for row in comparison.rows),
            "",
        ]
    return "\n".join([*lines, *(f"- {name}: {_plain(text)}" for name, text in facts(comparison))])


def _changes(comparison: Comparison, row: PlatformChange) -> Iterator[str]:
    yield f"`{comparison.name(row.platform)}`"
    for cell in row.cells:
        changed = cell_word(cell)
        if cell.after and cell.after.size:
            changed = f"{size(cell.after.size)} {'' if changed == '=' else changed}".rstrip()
        yield _plain(changed)
    yield from (_plain(oldest(row)), _plain(row_size(row)))


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _list(title: str, groups: Sequence[Group], *, fixes: bool) -> str:
    lines = "\n".join(_group(group, fixes=fixes) for group in groups)
    return f"#### {title} ({count(groups)})\n\n{lines}"


def _group(group: Group, *, fixes: bool) -> str:
    finding = group.finding
    lines = [f"- **{finding.code}** {_plain(finding.what)}", *map(_plain, group.places())]
    if finding.accepted:
        lines.append(f"accepted: {_plain(finding.accepted)}")
    elif fixes:
        lines.append(f"*{_plain(finding.fix)}*")
    return "<br>\n  ".join(lines)


def _plain(text: str) -> str:
    """Return text with all markup escaped."""
    return _SPECIAL.sub(r"\\\g<0>", printable(text))
