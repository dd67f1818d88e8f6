"""The table of all findings: code, title, severity, why it matters and how to mend it (data/findings.toml)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from wheelkit.report.model import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One kind of finding, as ``wheelkit explain`` shows it; ``fix`` is the general way, a finding's own is concrete.

    ``tools`` says it in the words of a build tool, where that is more than the general way.
    """

    code: str
    title: str
    severity: Severity
    why: str
    fix: str
    tools: Mapping[str, str]


TOOLS = ("meson", "setuptools", "cmake", "cibuildwheel")


@cache
def entries() -> Mapping[str, Entry]:
    """Every kind of finding by its code, in the order of the codes."""
    import tomllib

    text = (Path(__file__).parents[1] / "data" / "findings.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)
    return {
        code: Entry(
            code=code,
            title=row["title"],
            severity=Severity(row["severity"]),
            why=row["why"].strip(),
            fix=row["fix"].strip(),
            tools={name: row[name] for name in TOOLS if name in row},
        )
        for code, row in sorted(rows.items())
    }


def found(  # noqa: PLR0913 (a finding has that many parts, all named at the call)
    code: str, *, what: str, fix: str = "", file: str = "", member: str = "", where: str = ""
) -> Finding:
    """Make a finding with the severity of its code; ``fix`` falls back on the table's general one."""
    entry = entries()[code]
    return Finding(code=code, severity=entry.severity, what=what, fix=fix or entry.fix, file=file, member=member, where=where)
