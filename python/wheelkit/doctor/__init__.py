"""Check whether this machine and this project are ready: one line for each thing, with its fix."""

from __future__ import annotations

from wheelkit.doctor.examine import DoctorContext, run_checks
from wheelkit.doctor.model import CheckLine, LineState

__all__ = ["CheckLine", "DoctorContext", "LineState", "run_checks"]
