"""The findings as workflow commands, which annotate a run ("Workflow commands for GitHub Actions")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.text import printable
from wheelkit.verification.model import Severity
from wheelkit.verification.report.groups import grouped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.verification.model import Report
    from wheelkit.verification.report.groups import Group


_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def to_github(report: Report, *, fixes: bool = True) -> Iterator[str]:
    """Yield one annotation for each cause that the project has not accepted, the worst first.

    GitHub shows ten annotations of a step, so the same finding in many files is one.
    """
    return (_annotation(group, fixes=fixes) for group in grouped(report) if not group.finding.accepted)


def _annotation(group: Group, *, fixes: bool) -> str:
    finding = group.finding
    title = f"{finding.code} {finding.file or finding.where or finding.distribution}".rstrip()
    properties = {"file": finding.file, "title": title}
    named = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    # The title names a single file already.
    places = list(group.places()) if len(group.files) > 1 or group.alike else []
    message = "\n".join([finding.what, *places, *([finding.fix] if fixes else [])])
    return f"::{_COMMANDS[finding.severity]} {named}::{_message(message)}"


def _message(text: str) -> str:
    """Escape what would end the command, or begin another on a line of its own."""
    lines = (printable(line) for line in text.replace("\r", "\n").split("\n"))
    return "%0A".join(line.replace("%", "%25") for line in lines)


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
