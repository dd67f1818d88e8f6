"""The CI runner that builds a target natively: dated data, which the configuration can override."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit import data

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from wheelkit.matrix import Target


class Runner(Struct, frozen=True, kw_only=True):
    """A hosted CI machine by its label; ``ends`` is the last day of the label, if it is announced."""

    label: str
    ends: date | None = None

    def __str__(self) -> str:
        """Return the label and its end: ``macos-15-intel  until Aug 2027``."""
        return f"{self.label}  until {self.ends:%b %Y}" if self.ends else self.label


class HostedMachine(Struct, frozen=True, kw_only=True):
    """The machine behind one of the hosted labels, with the system and architecture of its builds."""

    system: str
    arch: str
    ends: date | None = None


def runner_for(target: Target, overrides: Mapping[str, str]) -> Runner | None:
    """Return the runner for a target; None if no hosted runner has its architecture.

    ``overrides`` maps targets or glob patterns to labels, as in ``[tool.wheelkit.runner]``.
    """
    for pattern, label in overrides.items():
        if fnmatchcase(target.tag, pattern):
            machine = hosted_machines().get(label)
            return Runner(label=label, ends=machine.ends if machine else None)
    for patterns, runner in _shipped():
        if any(fnmatchcase(target.tag, pattern) for pattern in patterns):
            return runner
    return None


@cache
def hosted_machines() -> Mapping[str, HostedMachine]:
    """Return the machines of the hosting service by their labels, those included that have ended."""
    return {
        label: HostedMachine(system=row["system"], arch=row["arch"], ends=row.get("ends"))
        for row in data.table("runners.toml")["machine"]
        for label in row["labels"]
    }


@cache
def _shipped() -> tuple[tuple[tuple[str, ...], Runner], ...]:
    rows = data.table("runners.toml")["runner"]
    machines = hosted_machines()
    return tuple(
        (tuple(row["targets"]), Runner(label=row["label"], ends=machines[row["label"]].ends)) for row in rows
    )
