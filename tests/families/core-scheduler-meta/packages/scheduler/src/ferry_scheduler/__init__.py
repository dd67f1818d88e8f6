"""Runs jobs in order."""

from ferry_scheduler._built_with import CORE

__all__ = ["CORE"]
