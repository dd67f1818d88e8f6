"""CI workflows generated from the configuration: what each runner builds, and the text of each file."""

from __future__ import annotations

from wheelkit.workflows.files import PROVIDERS, Drift, GeneratedFile, Provider, compare, generate, write
from wheelkit.workflows.jobs import Blueprint, NativeJob, blueprint, matrix_json, plan_anywhere
from wheelkit.workflows.labels import unknown_labels
from wheelkit.workflows.runner_ends import RetiringRunner, retiring_runners

__all__ = [
    "PROVIDERS",
    "Blueprint",
    "Drift",
    "GeneratedFile",
    "NativeJob",
    "Provider",
    "RetiringRunner",
    "blueprint",
    "compare",
    "generate",
    "matrix_json",
    "plan_anywhere",
    "retiring_runners",
    "unknown_labels",
    "write",
]
