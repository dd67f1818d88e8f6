"""Is this machine ready, and is the project: one line for each thing, with the command that mends it."""

from __future__ import annotations

from wheelkit.doctor.examine import Patient, examine
from wheelkit.doctor.model import Line, State

__all__ = ["Line", "Patient", "State", "examine"]
