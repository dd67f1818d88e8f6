"""Plan first: what is built here, what elsewhere, by which builder and in which order."""

from __future__ import annotations

from wheelkit.plan.make import Request, make, patterns, promise
from wheelkit.plan.model import Builder, NativeStep, Plan, TargetRow, only, to_json

__all__ = ["Builder", "NativeStep", "Plan", "Request", "TargetRow", "make", "only", "patterns", "promise", "to_json"]
