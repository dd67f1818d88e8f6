"""Is this machine ready, and is the project: one line for each thing, with the command that mends it."""

from __future__ import annotations

from wheelkit.doctor.examine import DoctorContext, run_checks
from wheelkit.doctor.model import CheckLine, LineState

__all__ = ["CheckLine", "DoctorContext", "LineState", "run_checks"]
