"""The plan of a build: what is built here, what elsewhere, by which builder and in which order."""

from __future__ import annotations

from wheelkit.plan.make import PlanRequest, exclude_patterns, make_plan, promised_matrix
from wheelkit.plan.model import Builder, NativeStep, Plan, TargetRow, only, to_json

__all__ = [
    "Builder",
    "NativeStep",
    "Plan",
    "PlanRequest",
    "TargetRow",
    "exclude_patterns",
    "make_plan",
    "only",
    "promised_matrix",
    "to_json",
]
