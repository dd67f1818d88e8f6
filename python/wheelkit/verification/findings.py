"""The table of all findings: code, title, severity, why it matters and how to mend it (data/findings.toml)."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit import data
from wheelkit.verification.model import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping


class Entry(Struct, frozen=True, kw_only=True):
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


def entries() -> Mapping[str, Entry]:
    """Every kind of finding by its code, in the order of the codes."""
    return {code: entry(code) for code in sorted(_texts())}


@cache
def entry(code: str) -> Entry:
    """One kind of finding; raises KeyError for a code that is none."""
    import tomllib

    row = tomllib.loads(_texts()[code])
    return Entry(
        code=code,
        title=row["title"],
        severity=Severity(row["severity"]),
        why=row["why"].strip(),
        fix=row["fix"].strip(),
        tools={name: row[name] for name in TOOLS if name in row},
    )


@cache
def _texts() -> Mapping[str, str]:
    """Cut the table into its entries: to read all of it takes longer than to prove a small wheel, and few are needed at a time."""
    table = data.text("findings.toml")
    _, *parts = re.split(r"^\[(WK\d+)\]$", table, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def finding(  # noqa: PLR0913 (a finding has that many parts, all named at the call)
    code: str, *, what: str, fix: str = "", file: str = "", member: str = "", where: str = ""
) -> Finding:
    """Make a finding with the severity of its code; ``fix`` falls back on the table's general one."""
    kind = entry(code)
    return Finding(
        code=code,
        severity=kind.severity,
        what=what,
        fix=fix or kind.fix,
        file=file,
        member=member,
        where=where,
    )
