"""The table of findings (data/findings.toml): the code, title, severity, reason and fix of each kind."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit import data
from wheelkit.verification.model import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

# What an attacker wrote may be longer than any reader wants to know.
_LONGEST = 2000
TOOLS = ("meson", "setuptools", "cmake", "cibuildwheel")


class FindingKind(Struct, frozen=True, kw_only=True):
    """One kind of finding, with the general fix, and the fix in a build tool's terms by its name."""

    code: str
    title: str
    severity: Severity
    why: str
    fix: str
    tools: Mapping[str, str]


_TABLE = "findings.toml"


@cache
def finding_kinds() -> Mapping[str, FindingKind]:
    """Return every kind of finding by its code, sorted by code."""
    table = data.table(_TABLE)
    return {code: _kind(code, table[code]) for code in sorted(table)}


@cache
def finding_kind(code: str) -> FindingKind:
    """Return one kind of finding, without reading the others."""
    return _kind(code, data.section(_TABLE, code))


def _kind(code: str, row: Mapping[str, str]) -> FindingKind:
    return FindingKind(
        code=code,
        title=row["title"],
        severity=Severity(row["severity"]),
        why=row["why"].strip(),
        fix=row["fix"].strip(),
        tools={name: row[name] for name in TOOLS if name in row},
    )


def finding(  # noqa: PLR0913 (the fields of a finding, by name)
    code: str, what: str, *, fix: str = "", member: str = "", file: str = "", where: str = ""
) -> Finding:
    """Return a finding of a kind, by default with its general fix; the runner adds the file it checks."""
    kind = finding_kind(code)
    if len(what) > _LONGEST:
        what = f"{what[:_LONGEST]}…"
    facts = {"what": what, "fix": fix or kind.fix, "file": file, "member": member, "where": where}
    return Finding(code=code, severity=kind.severity, **facts)
