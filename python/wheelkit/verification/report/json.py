"""The report as JSON, in the form that data/report.schema.json describes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wheelkit.verification.model import Finding, Report, Row


SCHEMA = 1


def to_json(report: Report) -> dict[str, Any]:
    """Give the report as plain values, ready for ``json.dumps``; empty fields of findings are left out."""
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
        "cells": [
            {"interpreter": cell.interpreter, "cover": str(cell.cover), "file": cell.file or None}
            for cell in row.cells
        ],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    always = {
        "code": finding.code,
        "severity": str(finding.severity),
        "what": finding.what,
        "fix": finding.fix,
    }
    fields = ("distribution", "file", "member", "where", "accepted")
    return always | {name: value for name in fields if (value := getattr(finding, name))}
