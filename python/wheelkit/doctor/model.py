"""A line of the doctor: what was checked, its state, and the command that fixes it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct, field


class LineState(StrEnum):
    """The state of a thing: fine, usable but worth a look, or missing although the project needs it."""

    FINE = "fine"
    WARNING = "warning"
    MISSING = "missing"


class CheckLine(Struct, frozen=True, kw_only=True):
    """One thing that was checked.

    ``fix`` is a command or a setting, empty if nothing is wrong; ``detail`` never contains a secret.
    """

    topic: str
    name: str
    state: LineState
    detail: str
    fix: str = field(default="", name="mend")


def fine(topic: str, name: str, detail: str) -> CheckLine:
    """Return a line for something that is as it should be."""
    return CheckLine(topic=topic, name=name, state=LineState.FINE, detail=detail)


def warning(topic: str, name: str, detail: str, fix: str) -> CheckLine:
    """Return a line for something worth a look."""
    return CheckLine(topic=topic, name=name, state=LineState.WARNING, detail=detail, fix=fix)


def missing(topic: str, name: str, detail: str, fix: str) -> CheckLine:
    """Return a line for something without which the project cannot be built or released here."""
    return CheckLine(topic=topic, name=name, state=LineState.MISSING, detail=detail, fix=fix)
