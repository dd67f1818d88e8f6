"""The report for a terminal: the matrix, the findings, and a line of summary."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.text import encodable, plural, printable, wrap
from wheelkit.verification.model import Cover, Severity
from wheelkit.verification.report.table import UNLIMITED, Line, Look, tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit.verification.model import Finding, Report


_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "dim"}
MARKS = {Cover.WHEEL: "●", Cover.SDIST: "○", Cover.MISSING: "○", Cover.ELSEWHERE: "·"}
_ASCII_MARKS = {Cover.WHEEL: "x", Cover.SDIST: "-", Cover.MISSING: "-", Cover.ELSEWHERE: "."}
_MARGIN = 6
_GAP = 2
# Of more files than this and one, or more findings of one code, only the first are shown.
_FILES_SHOWN = 2
_ALIKE_SHOWN = 3
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
    for group in _groups(report.findings):
        yield from _finding(group, width, fixes=screen.fixes)
    if report.findings:
        yield Line.of()
    yield _summary(report)


def _encoded(line: Line, screen: Screen) -> str:
    plain = encodable(line.plain, screen.encoding)
    return plain if plain != line.plain or not screen.colour else line.styled()


def _marks(encoding: str) -> dict[Cover, str]:
    marks = "".join(MARKS.values())
    return MARKS if encodable(marks, encoding) == marks else _ASCII_MARKS


class _Group(Struct, frozen=True, kw_only=True):
    """The same finding in one or more files; ``alike`` counts findings of the code that are not shown."""

    finding: Finding
    files: tuple[str, ...]
    alike: int = 0


def _groups(findings: Iterable[Finding]) -> Iterator[_Group]:
    """Combine the same finding of several files, and reduce many that fail nothing to the first of a code."""
    same: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        # The fix of a finding about a file may contain the file's name.
        fix = "" if finding.file else finding.fix
        same.setdefault((finding.code, finding.what, finding.accepted, fix), []).append(finding)
    by_code: dict[tuple[str, str], list[_Group]] = {}
    for members in same.values():
        files = tuple(dict.fromkeys(member.file for member in members if member.file))
        key = members[0].code, members[0].accepted
        by_code.setdefault(key, []).append(_Group(finding=members[0], files=files))
    for groups in by_code.values():
        if groups[0].finding.fails or len(groups) <= _ALIKE_SHOWN:
            yield from groups
        else:
            yield replace(groups[0], alike=len(groups) - 1)


def _finding(group: _Group, width: int, *, fixes: bool) -> Iterator[Line]:
    finding = group.finding
    indent = _MARGIN + len(finding.code) + _GAP
    accepted = "dim" if finding.accepted else ""
    first, *rest = wrap(printable(finding.what), width - indent)
    code_style = accepted or _STYLES[finding.severity]
    yield Line.of((" " * _MARGIN, ""), (finding.code, code_style), (" " * _GAP, ""), (first, accepted))
    for line in rest:
        yield Line.of((" " * indent, ""), (line, ""))
    for detail in _details(group, fixes=fixes):
        for line in wrap(printable(detail), width - indent):
            yield Line.of((" " * indent, ""), (line, "dim"))


def _details(group: _Group, *, fixes: bool) -> Iterator[str]:
    finding, files = group.finding, group.files
    shown = files if len(files) <= _FILES_SHOWN + 1 else files[:_FILES_SHOWN]
    yield from (f"in {name}" for name in shown)
    if len(files) > len(shown):
        yield f"and {len(files) - len(shown)} more"
    if group.alike:
        yield f"and {group.alike} more (--json lists all)"
    if finding.accepted:
        yield f"accepted: {finding.accepted}"
    elif fixes:
        yield f"{finding.fix} · wheelkit explain {finding.code}"


def _summary(report: Report) -> Line:
    facts = {(item.code, item.what, item.accepted): item for item in report.findings}.values()
    accepted = sum(bool(item.accepted) for item in facts)
    notes = sum(item.severity is Severity.NOTE and not item.accepted for item in facts)
    count = len(facts) - accepted - notes
    counts = [plural(count, "finding") if count else "no findings"]
    counts += [plural(notes, "note")] if notes else []
    counts += [plural(accepted, "accepted finding")] if accepted else []
    style = "green" if report.ok and count == 0 else "yellow" if report.ok else "red"
    seconds = f" · {report.seconds:.2f} s"
    return Line.of((", ".join(counts), style), (f" in {counted_files(report)}", ""), (seconds, "dim"))


def counted_files(report: Report) -> str:
    """Return how many files a report is about: ``4 wheels and 1 sdist``."""
    files = plural(report.wheels, "wheel")
    if report.sdists:
        files += f" and {plural(report.sdists, 'sdist')}"
    if report.cross:
        files += f", {report.cross} of them cross-built and never run"
    return files
