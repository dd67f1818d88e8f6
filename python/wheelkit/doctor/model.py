"""A line of the doctor: what was looked at, how it is, and the command that mends it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class LineState(StrEnum):
    """How a thing is: fine; usable, but look at it; or missing for what the project needs."""

    FINE = "fine"
    WARNING = "warning"
    MISSING = "missing"


class CheckLine(Struct, frozen=True, kw_only=True):
    """One thing that was looked at. ``mend`` is a command or a setting, empty where nothing is wrong; ``detail`` never holds a secret."""

    topic: str
    name: str
    state: LineState
    detail: str
    mend: str = ""


def fine(topic: str, name: str, detail: str) -> CheckLine:
    """Make a line for something that is as it should be."""
    return CheckLine(topic=topic, name=name, state=LineState.FINE, detail=detail)


def warning(topic: str, name: str, detail: str, mend: str) -> CheckLine:
    """Make a line for something to look at."""
    return CheckLine(topic=topic, name=name, state=LineState.WARNING, detail=detail, mend=mend)


def missing(topic: str, name: str, detail: str, mend: str) -> CheckLine:
    """Make a line for something without which the project cannot be built or released here."""
    return CheckLine(topic=topic, name=name, state=LineState.MISSING, detail=detail, mend=mend)
