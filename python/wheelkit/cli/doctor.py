"""``wheelkit doctor``: check whether this machine and this project are ready."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from wheelkit.cli.options import config_option, current_folder, json_option, open_project
from wheelkit.cli.output import as_configured, color_enabled, fit, result_json, show, write
from wheelkit.doctor import DoctorContext, LineState, run_checks
from wheelkit.errors import WheelkitError
from wheelkit.text import printable, printable_lines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wheelkit.doctor import CheckLine


_COLOURS = {LineState.FINE: "green", LineState.WARNING: "yellow", LineState.MISSING: "red"}
_VERDICTS = {LineState.MISSING: "missing", LineState.WARNING: "to look at"}
_STATE_WIDTH = max(map(len, LineState))


@click.command("doctor")
@click.option("--offline", is_flag=True, help="Do not connect to the index.")
@config_option
@json_option
def command(offline: bool, config_file: Path | None, as_json: bool) -> int:
    """Check this machine and this project.

    Each line is fine, a warning, or missing, with the command that fixes it.
    """
    lines = tuple(run_checks(_context(config_file, online=not offline)))
    if as_json:
        result_json({"schema": 1, "lines": lines})
    else:
        _show(lines)
    return 1 if any(line.state is LineState.MISSING for line in lines) else 0


def _context(config_file: Path | None, *, online: bool) -> DoctorContext:
    context = DoctorContext(folder=current_folder(), now=datetime.now(UTC), online=online)
    try:
        project = open_project((), config_file)
    except WheelkitError as error:
        return replace(context, trouble=error)
    return replace(context, config=project.config, family=project.family)


def _show(lines: Sequence[CheckLine]) -> None:
    width = max(len(line.name) for line in lines)
    topic = ""
    for line in lines:
        if line.topic != topic:
            topic = line.topic
            show(f"{topic}\n")
        write(f"{_text(line, width)}\n")
    show(f"{_verdict(lines)}\n")


def _text(line: CheckLine, name_width: int) -> str:
    """Render a line; the command that fixes it stays in one piece, so that it can be copied."""
    indent = _STATE_WIDTH + name_width + 6
    state, name = line.state.value.ljust(_STATE_WIDTH), printable(line.name).ljust(name_width)
    if color_enabled(sys.stdout):
        state = click.style(state, fg=_COLOURS[line.state])
    text = f"  {state}  {name}  {fit(printable_lines(line.detail), sys.stdout, indent).lstrip()}"
    return f"{text}\n{' ' * indent}{printable_lines(as_configured(line.fix))}" if line.fix else text


def _verdict(lines: Sequence[CheckLine]) -> str:
    counts = {state: sum(line.state is state for line in lines) for state in _VERDICTS}
    parts = [f"{count} {_VERDICTS[state]}" for state, count in counts.items() if count]
    return ", ".join(parts) or "everything is fine"
