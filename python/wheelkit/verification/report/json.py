"""The report as JSON (data/report.schema.json)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import to_builtins

if TYPE_CHECKING:
    from wheelkit.verification.model import Finding, Report, Row


SCHEMA = 1


def to_json(report: Report) -> dict[str, Any]:
    """Return the report as plain values; empty optional fields of findings are left out."""
    return {
        "schema": SCHEMA,
        "ok": report.ok,
        "wheels": report.wheels,
        "sdists": report.sdists,
        "seconds": round(report.seconds, 3),
        "matrix": [_row(row) for row in report.rows],
        "findings": [_finding(finding) for finding in report.findings],
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "distribution": row.distribution,
        "version": row.version,
        "target": row.target,
        "label": row.label,
        "needs": row.needs,
        "size": row.size,
        "files": list(row.files),
        "codes": list(row.codes),
        "cross": list(row.cross),
        "cells": [to_builtins(cell) | {"file": cell.file or None} for cell in row.cells],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    facts = to_builtins(finding)
    required = {"code", "severity", "what", "fix"}
    ordered = ("code", "severity", "what", "fix", "distribution", "file", "member", "where", "accepted")
    return {name: facts[name] for name in ordered if name in required or facts[name]}
