"""The plan of a build: what is built here, what elsewhere, by which builder and in which order."""

from __future__ import annotations

from wheelkit.plan.describe import details, identifiers, interpreters_on
from wheelkit.plan.make import PlanRequest, allowed_interpreters, exclude_patterns, make_plan
from wheelkit.plan.model import Builder, NativeStep, Plan, TargetRow, only, to_json

__all__ = [
    "Builder",
    "NativeStep",
    "Plan",
    "PlanRequest",
    "TargetRow",
    "allowed_interpreters",
    "details",
    "exclude_patterns",
    "identifiers",
    "interpreters_on",
    "make_plan",
    "only",
    "to_json",
]
