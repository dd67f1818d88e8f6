"""Plan first: what is built here, what elsewhere, by which builder and in which order."""

from __future__ import annotations

from wheelkit.plan.make import Request, make, patterns
from wheelkit.plan.model import Builder, NativeStep, Plan, TargetRow, to_json

__all__ = ["Builder", "NativeStep", "Plan", "Request", "TargetRow", "make", "patterns", "to_json"]
