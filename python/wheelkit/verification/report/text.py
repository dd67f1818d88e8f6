"""The report for a person: the matrix, the findings, one line of summary."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.text import encodable, plural, printable, wrap
from wheelkit.verification.model import Cover, Severity
from wheelkit.verification.report.line import Line
from wheelkit.verification.report.table import UNLIMITED, Look, tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit.verification.model import Finding, Report


_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "dim"}
_MARGIN = 6
_GAP = 2
_FILES_SHOWN = 2
_ALIKE_SHOWN = 3
# How many lines are written at a time.
_PIECE = 200


class Screen(Struct, frozen=True, kw_only=True):
    """Where the report is shown: the width in characters (None for a pipe: every column), whether it takes colour, and its encoding."""

    width: int | None = None
    colour: bool = False
    encoding: str = "utf-8"
    fixes: bool = True


def render(report: Report, screen: Screen) -> str:
    """Write a report for a person; without ``fixes`` the findings come without what to do about them."""
    return "".join(pieces(report, screen))


def pieces(report: Report, screen: Screen) -> Iterator[str]:
    """Write it like render, a screenful at a time: the whole text for thousands of wheels takes more memory than their facts."""
    lines = (_encoded(line, screen) for line in _lines(report, screen))
    while piece := "".join(f"{line}\n" for line in islice(lines, _PIECE)):
        yield piece


def _lines(report: Report, screen: Screen) -> Iterator[Line]:
    look = Look(
        width=screen.width or UNLIMITED,
        marks=_marks(screen.encoding),
        severities=_severities(report.findings),
    )
    for release in tables(report.rows, look):
        yield from release
        yield Line.of()
    lines = list(_findings(report.findings, look.width, fixes=screen.fixes))
    if lines:
        yield from lines
        yield Line.of()
    yield _summary(report)


def _encoded(line: Line, screen: Screen) -> str:
    plain = encodable(line.plain, screen.encoding)
    return plain if plain != line.plain or not screen.colour else line.styled()


def _marks(encoding: str) -> dict[Cover, str]:
    fancy = {Cover.WHEEL: "●", Cover.SDIST: "○", Cover.MISSING: "○", Cover.ELSEWHERE: "·"}
    try:
        "".join(fancy.values()).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return {Cover.WHEEL: "x", Cover.SDIST: "-", Cover.MISSING: "-", Cover.ELSEWHERE: "."}
    return fancy


def _severities(findings: Iterable[Finding]) -> dict[str, Severity]:
    return {finding.code: finding.severity for finding in findings}


class _Group(Struct, frozen=True, kw_only=True):
    """The same fact about one or several files; ``alike`` counts further facts of the same kind that are not spelled out."""

    finding: Finding
    files: tuple[str, ...]
    alike: int = 0


def _groups(findings: Iterable[Finding]) -> list[_Group]:
    """Put findings together: the same fact about several files is told once, and of many alike that fail nothing only the first."""
    same: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        # A fix may name the file, so for what is about a file the fact alone decides.
        same.setdefault(
            (finding.code, finding.what, finding.accepted, "" if finding.file else finding.fix), []
        ).append(finding)
    groups = [
        _Group(finding=group[0], files=tuple(dict.fromkeys(item.file for item in group if item.file)))
        for group in same.values()
    ]
    kinds: dict[tuple[str, str], list[_Group]] = {}
    for group in groups:
        kinds.setdefault((group.finding.code, group.finding.accepted), []).append(group)
    return [item for kind in kinds.values() for item in _shortened(kind)]


def _shortened(kind: list[_Group]) -> list[_Group]:
    if kind[0].finding.fails or len(kind) <= _ALIKE_SHOWN:
        return kind
    return [replace(kind[0], alike=len(kind) - 1)]


def _findings(findings: Iterable[Finding], width: int, *, fixes: bool) -> Iterator[Line]:
    for group in _groups(findings):
        yield from _finding(group, width, fixes=fixes)


def _finding(group: _Group, width: int, *, fixes: bool) -> Iterator[Line]:
    finding = group.finding
    indent = _MARGIN + len(finding.code) + _GAP
    style = "dim" if finding.accepted else _STYLES[finding.severity]
    first, *rest = wrap(printable(finding.what), width - indent)
    yield Line.of(
        (" " * _MARGIN, ""),
        (finding.code, style),
        (" " * _GAP, ""),
        (first, "dim" if finding.accepted else ""),
    )
    details = [*((line, "") for line in rest)]
    details += [(line, "dim") for line in _where(group, width - indent)]
    if group.alike:
        details.append((f"and {group.alike} more like it, told by --json", "dim"))
    if finding.accepted:
        details += [
            (line, "dim") for line in wrap(f"accepted: {printable(finding.accepted)}", width - indent)
        ]
    elif fixes:
        details += [
            (line, "dim")
            for line in wrap(f"{printable(finding.fix)} · wheelkit explain {finding.code}", width - indent)
        ]
    for line, line_style in details:
        yield Line.of((" " * indent, ""), (line, line_style))


def _where(group: _Group, width: int) -> list[str]:
    shown = group.files[:_FILES_SHOWN] if len(group.files) > _FILES_SHOWN + 1 else group.files
    lines = [line for name in shown for line in wrap(f"in {printable(name)}", width)]
    more = len(group.files) - len(shown)
    return [*lines, f"and {more} more"] if more else lines


def _summary(report: Report) -> Line:
    facts = {(item.code, item.what, item.accepted): item for item in report.findings}.values()
    open_ones = [item for item in facts if not item.accepted]
    notes = sum(item.severity is Severity.NOTE for item in open_ones)
    accepted = len(facts) - len(open_ones)
    count = len(open_ones) - notes
    words = "no findings" if count == 0 else plural(count, "finding")
    for number, name in ((notes, "note"), (accepted, "accepted finding")):
        if number:
            words += f", {plural(number, name)}"
    files = plural(report.wheels, "wheel")
    if report.sdists:
        files += f" and {plural(report.sdists, 'sdist')}"
    if report.cross:
        files += f", {report.cross} of them cross-built and never run"
    style = "green" if report.ok and count == 0 else "yellow" if report.ok else "red"
    return Line.of((words, style), (f" in {files}", ""), (f" · {report.seconds:.2f} s", "dim"))
