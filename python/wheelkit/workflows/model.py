"""The parts of a GitHub workflow as YAML; data/actions.toml pins the actions."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from msgspec import Struct, field

from wheelkit import data
from wheelkit.workflows import user_blocks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelkit.workflows.user_blocks import UserLines


LINUX_RUNNER = "ubuntu-24.04"
READ_PERMISSIONS: Mapping[str, str] = {"contents: read": "to check out"}
# zizmor warns about machines of one's own, which the configuration has chosen.
_SELF_HOSTED = "self-hosted"
_CHOSEN = " # zizmor: ignore[self-hosted-runner] chosen in the configuration"
# YAML 1.2 plain scalars that a YAML 1.1 reader takes for strings, too, with the expressions that GitHub
# expands.
_PLAIN = re.compile(r"[A-Za-z/$][A-Za-z0-9_./ ${}=!'()|&,-]*")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_/-]*")
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_NOT_STRINGS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def scalar(value: str) -> str:
    """Return a text as a YAML value, quoted if a reader could take it for anything but a string."""
    if _PLAIN.fullmatch(value) and not value.endswith(" ") and value.lower() not in _NOT_STRINGS:
        return value
    return quoted(value)


def in_list(value: str) -> str:
    """Return a text as an item of a YAML list in brackets."""
    return value if _WORD.fullmatch(value) and value.lower() not in _NOT_STRINGS else quoted(value)


def quoted(value: str) -> str:
    """Return a text as a YAML string in double quotes.

    JSON's escapes are also YAML's, apart from pairs of surrogates, so that only what YAML does not allow or
    takes for the end of a line is escaped.
    """
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(value, ensure_ascii=False))


def _uses(action: str) -> str:
    row = data.table("actions.toml")[action]
    return f"{row['action']}@{row['commit']} # {row['version']}"


class WorkflowStep(Struct, frozen=True, kw_only=True):
    """One step: an action with options, or lines for bash.

    ``options`` and ``env`` may contain expressions, ``run`` never does: an expression in a script is an
    injection.
    """

    name: str
    run: tuple[str, ...] = ()
    action: str = ""
    options: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    condition: str = ""

    def lines(self, _user_lines: UserLines) -> tuple[str, ...]:
        """Return the step as YAML."""
        lines = [f"- name: {scalar(self.name)}"]
        lines += [f"  if: {self.condition}"] if self.condition else []
        lines += [f"  uses: {_uses(self.action)}"] if self.action else []
        lines += _mapping("  with", self.options)
        lines += _mapping("  env", self.env)
        if len(self.run) == 1 and scalar(self.run[0]) == self.run[0]:
            lines.append(f"  run: {self.run[0]}")
        elif len(self.run) == 1 and (self.run[0].startswith(" ") or _UNPRINTABLE.search(self.run[0])):
            lines.append(f"  run: {quoted(self.run[0])}")
        elif self.run:
            lines += ["  run: |", *(f"    {line}" for line in self.run)]
        return tuple(lines)


class UserBlock(Struct, frozen=True, kw_only=True):
    """A marked block for the user's own steps."""

    name: str

    def lines(self, user_lines: UserLines) -> tuple[str, ...]:
        """Return the block with the user's lines."""
        return user_blocks.block_lines(self.name, "steps between these lines are kept", user_lines)


class WorkflowJob(Struct, frozen=True, kw_only=True):
    """One job.

    With ``machines``, it runs once on each: a list of mappings with the same keys, of which ``runner`` is
    one. ``permissions`` maps each permission to its reason.
    """

    key: str
    name: str
    minutes: int
    steps: tuple[WorkflowStep | UserBlock, ...]
    machines: tuple[Mapping[str, str], ...] = ()
    permissions: Mapping[str, str] = field(default_factory=lambda: READ_PERMISSIONS)
    needs: tuple[str, ...] = ()
    condition: str = ""
    environment: str = ""

    def lines(self, user_lines: UserLines) -> tuple[str, ...]:
        """Return the job as YAML."""
        lines = [f"{self.key}:", f"  name: {scalar(self.name)}"]
        lines += [f"  needs: [{', '.join(self.needs)}]"] if self.needs else []
        lines += [f"  if: {self.condition}"] if self.condition else []
        runner = "${{ matrix.runner }}" if self.machines else LINUX_RUNNER
        runner += _CHOSEN if any(row["runner"] == _SELF_HOSTED for row in self.machines) else ""
        lines += [f"  runs-on: {runner}", f"  timeout-minutes: {self.minutes}"]
        lines += [f"  environment: {scalar(self.environment)}"] if self.environment else []
        lines += ["  permissions:", *(f"    {name} # {why}" for name, why in self.permissions.items())]
        if self.machines:
            lines += ["  strategy:", "    fail-fast: false", "    matrix:", "      include:"]
            lines += [line for machine in self.machines for line in _list_item(machine)]
        steps = [line for step in self.steps for line in user_blocks.indent(step.lines(user_lines), 4)]
        return (*lines, "  steps:", *steps)


def _list_item(mapping: Mapping[str, str]) -> list[str]:
    lines = [f"          {key}: {scalar(value)}" for key, value in mapping.items()]
    return [f"        - {lines[0].lstrip()}", *lines[1:]]


def _mapping(key: str, values: Mapping[str, str | tuple[str, ...]]) -> list[str]:
    if not values:
        return []
    lines = [f"{key}:"]
    for name, value in values.items():
        if isinstance(value, tuple):
            lines += [f"    {name}: |", *(f"      {line}" for line in value)]
        else:
            lines.append(f"    {name}: {scalar(value)}")
    return lines
