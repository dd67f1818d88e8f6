"""The findings as people read them: one cause once, whatever the number of files, and many alike counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.text import plural, shorten_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wheelkit.verification.model import Finding, Report


# Of more files than this and one, or more findings of one code, only the first are shown.
_FILES_SHOWN = 2
_ALIKE_SHOWN = 3


class Group(Struct, frozen=True, kw_only=True):
    """The same finding in one or more files; ``alike`` counts findings of the code that are not shown."""

    finding: Finding
    files: tuple[str, ...]
    alike: int = 0

    def places(self) -> Iterator[str]:
        """Yield the first files, and how many more files and findings there are."""
        shown = self.files if len(self.files) <= _FILES_SHOWN + 1 else self.files[:_FILES_SHOWN]
        yield from (f"in {name}" for name in shown)
        if len(self.files) > len(shown):
            yield f"and {len(self.files) - len(shown)} more"
        if self.alike:
            yield f"and {self.alike} more (--json lists all)"


def grouped(report: Report) -> Iterator[Group]:
    """Combine the same finding of several files, and reduce many that fail nothing to the first of a code."""
    by_code: dict[tuple[str, str], list[Group]] = {}
    for group in _same(report.findings):
        by_code.setdefault((group.finding.code, group.finding.accepted), []).append(group)
    for groups in by_code.values():
        if report.fails(groups[0].finding) or len(groups) <= _ALIKE_SHOWN:
            yield from groups
        else:
            yield replace(groups[0], alike=len(groups) - 1)


def _same(findings: Sequence[Finding]) -> Iterator[Group]:
    same: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        # The fix of a finding about a file may contain the file's name.
        fix = "" if finding.file else finding.fix
        same.setdefault((finding.code, finding.what, finding.accepted, fix), []).append(finding)
    for members in same.values():
        files = tuple(dict.fromkeys(member.file for member in members if member.file))
        yield Group(finding=members[0], files=files)


def count(groups: Sequence[Group]) -> int:
    """Return how many findings groups stand for, with those that are not shown."""
    return sum(1 + group.alike for group in groups)


def counted_files(report: Report) -> str:
    """Return how many files a report is about: ``4 wheels and 1 sdist``."""
    files = plural(report.wheels, "wheel")
    if report.sdists:
        files += f" and {plural(report.sdists, 'sdist')}"
    if report.cross:
        files += f", {report.cross} of them cross-built and never run"
    if report.names_only:
        files += ", names only"
    return files


def remarks(report: Report) -> Iterator[str]:
    """Yield what the SBOMs name, and what was not judged or compared, and why."""
    if report.components:
        components = plural(sum(count for _, count in report.components), "component")
        yield f"SBOMs in {len(report.components)} of {plural(report.wheels, 'wheel')} name {components}"
    if coverage := _unjudged_coverage(report):
        yield coverage
    yield from report.uncompared


def _unjudged_coverage(report: Report) -> str:
    """Return the sentence that says whose missing wheels were not looked for; empty if all were."""
    if not report.unjudged:
        return ""
    of = f" of {shorten_list(report.unjudged)}" if report.judged else ""
    why = "there is no support matrix" if report.whole else "only single files were given"
    return f"coverage{of} was not judged: {why}"
