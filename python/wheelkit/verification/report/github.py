"""The findings as workflow commands, which annotate a run ("Workflow commands for GitHub Actions")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.text import printable
from wheelkit.verification.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.verification.model import Finding, Report


_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def to_github(report: Report, *, fixes: bool = True) -> Iterator[str]:
    """Yield one annotation for each finding that the project has not accepted, the worst first."""
    return (_annotation(finding, fixes=fixes) for finding in report.findings if not finding.accepted)


def _annotation(finding: Finding, *, fixes: bool) -> str:
    title = f"{finding.code} {finding.file or finding.where or finding.distribution}".rstrip()
    properties = {"file": finding.file, "title": title}
    named = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    message = f"{finding.what}\n{finding.fix}" if fixes else finding.what
    return f"::{_COMMANDS[finding.severity]} {named}::{_message(message)}"


def _message(text: str) -> str:
    """Escape what would end the command, or begin another on a line of its own."""
    lines = (printable(line) for line in text.replace("\r", "\n").split("\n"))
    return "%0A".join(line.replace("%", "%25") for line in lines)


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
