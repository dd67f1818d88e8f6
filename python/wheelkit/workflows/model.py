"""The actions that workflows use, pinned by commit: data/actions.toml."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct, field

from wheelkit import data
from wheelkit.workflows import user_blocks

if TYPE_CHECKING:
    from collections.abc import Mapping

    Kept = Mapping[str, tuple[str, ...]]


def uses(name: str) -> str:
    """Give the value of ``uses:`` for an action of the table, its version in a comment behind it."""
    row = _table()[name]
    return f"{row['action']}@{row['commit']} # {row['version']}"


@cache
def _table() -> dict[str, dict[str, str]]:
    table: dict[str, dict[str, str]] = data.table("actions.toml")
    return table


# YAML 1.2 plain scalars that no YAML 1.1 reader takes for something else, with the expressions that GitHub fills in.
_PLAIN = re.compile(r"[A-Za-z/$][A-Za-z0-9_./ ${}=!'()|&,-]*")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def scalar(value: str) -> str:
    """Write a text as one YAML value, quoted where a reader could take it for something else."""
    if _PLAIN.fullmatch(value) and not value.endswith(" ") and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)


class WorkflowStep(Struct, frozen=True, kw_only=True):
    """One step: an action with its options, or lines for bash. ``options`` and ``env`` may hold expressions, ``run`` never does."""

    name: str
    run: tuple[str, ...] = ()
    action: str = ""
    options: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    condition: str = ""

    def lines(self, _kept: Kept) -> tuple[str, ...]:
        """Write the step."""
        head = [f"- name: {scalar(self.name)}"]
        head += [f"  if: {self.condition}"] if self.condition else []
        head += [f"  uses: {uses(self.action)}"] if self.action else []
        head += _fields("  with", self.options)
        head += _fields("  env", self.env)
        if len(self.run) == 1 and _PLAIN.fullmatch(self.run[0]):
            return (*head, f"  run: {self.run[0]}")
        return (*head, *(["  run: |", *(f"    {line}" for line in self.run)] if self.run else []))


class UserBlock(Struct, frozen=True, kw_only=True):
    """A marked place for hand-written steps."""

    name: str

    def lines(self, kept: Kept) -> tuple[str, ...]:
        """Write the place, with what stood in it."""
        return user_blocks.user_block_marker(self.name, "steps between these lines are kept", kept)


class WorkflowJob(Struct, frozen=True, kw_only=True):
    """One job; ``permissions`` maps each to the reason for it, ``matrix`` is a list of the same keys."""

    key: str
    name: str
    runner: str
    minutes: int
    steps: tuple[WorkflowStep | UserBlock, ...]
    permissions: Mapping[str, str]
    needs: tuple[str, ...] = ()
    condition: str = ""
    environment: str = ""
    matrix: tuple[Mapping[str, str], ...] = ()

    def lines(self, kept: Kept) -> tuple[str, ...]:
        """Write the job."""
        head = [f"{self.key}:", f"  name: {scalar(self.name)}"]
        head += [f"  needs: [{', '.join(self.needs)}]"] if self.needs else []
        head += [f"  if: {self.condition}"] if self.condition else []
        head += [f"  runs-on: {scalar(self.runner)}", f"  timeout-minutes: {self.minutes}"]
        head += [f"  environment: {scalar(self.environment)}"] if self.environment else []
        head += ["  permissions:", *(f"    {name} # {why}" for name, why in self.permissions.items())]
        if self.matrix:
            head += ["  strategy:", "    fail-fast: false", "    matrix:", "      include:"]
            head += [line for row in self.matrix for line in _row(row)]
        steps = [line for step in self.steps for line in user_blocks.indent(step.lines(kept), 4)]
        return (*head, "  steps:", *steps)


def _row(row: Mapping[str, str]) -> list[str]:
    (first, value), *rest = row.items()
    return [
        f"        - {first}: {scalar(value)}",
        *(f"          {key}: {scalar(value)}" for key, value in rest),
    ]


def _fields(key: str, values: Mapping[str, str | tuple[str, ...]]) -> list[str]:
    if not values:
        return []
    lines = [f"{key}:"]
    for name, value in values.items():
        if isinstance(value, tuple):
            lines += [f"    {name}: |", *(f"      {line}" for line in value)]
        else:
            lines.append(f"    {name}: {scalar(value)}")
    return lines
