"""Repair: foreign libraries are copied into a wheel, excluded ones are left to their providers, and the name says the target."""

from __future__ import annotations

from wheelkit.repair.lines import TOOLS, Recipe, container_line, host_line, linux_line, matches, patterns_for_sonames, wheelkit_line
from wheelkit.repair.run import Repaired, needed, repair

__all__ = [
    "TOOLS",
    "Recipe",
    "Repaired",
    "container_line",
    "host_line",
    "linux_line",
    "matches",
    "needed",
    "patterns_for_sonames",
    "repair",
    "wheelkit_line",
]
