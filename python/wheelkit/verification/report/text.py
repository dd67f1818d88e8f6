"""The report for a terminal: the matrix, the findings, and a line of summary."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.text import encodable, plural, printable, wrap
from wheelkit.verification.model import Cover, Severity
from wheelkit.verification.report.columns import UNLIMITED, Line
from wheelkit.verification.report.groups import counted_files, grouped, remarks
from wheelkit.verification.report.table import Look, tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.verification.model import Report
    from wheelkit.verification.report.groups import Group


_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "dim"}
MARKS = {Cover.WHEEL: "●", Cover.SDIST: "○", Cover.MISSING: "○", Cover.ELSEWHERE: "·", Cover.UNPROMISED: "∅"}
_ASCII_MARKS = {
    Cover.WHEEL: "x",
    Cover.SDIST: "-",
    Cover.MISSING: "-",
    Cover.ELSEWHERE: ".",
    Cover.UNPROMISED: "_",
}
_MARGIN = 6
_GAP = 2
_LINES_PER_CHUNK = 200


class Screen(Struct, frozen=True, kw_only=True):
    """How the report is shown: the width in characters (None for a pipe), colours, encoding, with fixes."""

    width: int | None = None
    colour: bool = False
    encoding: str = "utf-8"
    fixes: bool = True


def render(report: Report, screen: Screen) -> str:
    """Return the report as text."""
    return "".join(render_chunks(report, screen))


def render_chunks(report: Report, screen: Screen) -> Iterator[str]:
    """Yield the text of ``render`` in chunks: that of thousands of wheels takes much memory."""
    lines = (_encoded(line, screen) for line in _lines(report, screen))
    while chunk := "".join(f"{line}\n" for line in islice(lines, _LINES_PER_CHUNK)):
        yield chunk


def _lines(report: Report, screen: Screen) -> Iterator[Line]:
    width = screen.width or UNLIMITED
    severities = {finding.code: finding.severity for finding in report.findings}
    look = Look(width=width, marks=_marks(screen.encoding), severities=severities)
    for release in tables(report.rows, look):
        yield from release
        yield Line.of()
    yield from _comparisons(report, width)
    for group in grouped(report):
        yield from _finding(group, width, fixes=screen.fixes)
    if report.findings:
        yield Line.of()
    for text in remarks(report):
        yield from (Line.of((line, "dim")) for line in wrap(printable(text), width))
    yield _summary(report)


def _comparisons(report: Report, width: int) -> Iterator[Line]:
    if report.comparisons:
        from wheelkit.verification.report.changes_table import comparison_lines

        for comparison in report.comparisons:
            yield from comparison_lines(comparison, width)
            yield Line.of()


def _encoded(line: Line, screen: Screen) -> str:
    plain = encodable(printable(line.plain), screen.encoding)
    return plain if plain != line.plain or not screen.colour else line.styled()


def _marks(encoding: str) -> dict[Cover, str]:
    marks = "".join(MARKS.values())
    return MARKS if encodable(marks, encoding) == marks else _ASCII_MARKS


def _finding(group: Group, width: int, *, fixes: bool) -> Iterator[Line]:
    finding = group.finding
    indent = _MARGIN + len(finding.code) + _GAP
    accepted = "dim" if finding.accepted else ""
    first, *rest = wrap(printable(finding.what), width - indent)
    code_style = accepted or _STYLES[finding.severity]
    yield Line.of((" " * _MARGIN, ""), (finding.code, code_style), (" " * _GAP, ""), (first, accepted))
    for line in rest:
        yield Line.of((" " * indent, ""), (line, ""))
    for detail in _details(group, fixes=fixes):
        lines = wrap(printable(detail), width - indent)
        # A file name that is too long for the terminal keeps its preposition.
        for line in lines if lines[0] != "in" else [" ".join(lines)]:
            yield Line.of((" " * indent, ""), (line, "dim"))


def _details(group: Group, *, fixes: bool) -> Iterator[str]:
    yield from group.places()
    if group.finding.accepted:
        yield f"accepted: {group.finding.accepted}"
    elif fixes:
        yield f"{group.finding.fix} · wheelkit explain {group.finding.code}"


def _summary(report: Report) -> Line:
    facts = {(item.code, item.what, item.accepted): item for item in report.findings}.values()
    accepted = sum(bool(item.accepted) for item in facts)
    notes = sum(item.severity is Severity.NOTE and not item.accepted for item in facts)
    count = len(facts) - accepted - notes
    counts = [plural(count, "finding") if count else "no findings"]
    counts += [plural(notes, "note")] if notes else []
    counts += [plural(accepted, "accepted finding")] if accepted else []
    style = "green" if report.ok and count == 0 else "yellow" if report.ok else "red"
    if report.names_only and style == "green":
        style = ""  # of the contents, nothing is known
    seconds = f" · {report.seconds:.2f} s"
    return Line.of((", ".join(counts), style), (f" in {counted_files(report)}", ""), (seconds, "dim"))
