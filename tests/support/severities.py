"""The severity of each finding, decided by the harm and not by the product's table."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from msgspec import Struct

TABLE = Path(__file__).parents[1] / "golden" / "severities.tsv"


class Harm(Struct, frozen=True, kw_only=True):
    """What a finding means to those who use the file, and how severe that is."""

    severity: str
    what: str


@cache
def harms() -> dict[str, Harm]:
    """Read the table, by the code of the finding."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    cells = [line.split("\t") for line in lines if not line.startswith("#")]
    return {code: Harm(severity=severity, what=what) for code, severity, what in cells}
