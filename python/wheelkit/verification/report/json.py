"""The report as JSON (data/report.schema.json)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import to_builtins

if TYPE_CHECKING:
    from wheelkit.verification.model import Report


SCHEMA = 1


def to_json(report: Report) -> dict[str, Any]:
    """Return the report as plain values; empty optional fields of findings are left out."""
    return {
        "schema": SCHEMA,
        "ok": report.ok,
        "fail_on": report.fail_on,
        "coverage": report.coverage,
        "wheels": report.wheels,
        "sdists": report.sdists,
        "seconds": round(report.seconds, 3),
        "matrix": to_builtins(report.rows),
        "findings": to_builtins(report.findings),
        "comparisons": to_builtins(report.comparisons),
        "uncompared": list(report.uncompared),
        "components": dict(report.components),
    }
