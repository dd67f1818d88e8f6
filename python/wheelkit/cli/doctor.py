"""``wheelkit doctor``: check whether this machine and this project are ready."""

from __future__ import annotations

import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelkit.cli.options import config_option, json_option, open_project
from wheelkit.cli.output import result_json, show
from wheelkit.doctor import DoctorContext, LineState, run_checks
from wheelkit.errors import WheelkitError
from wheelkit.text import wrap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wheelkit.doctor import CheckLine


_NARROWEST = 30
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
    lines = run_checks(_context(config_file, online=not offline))
    if as_json:
        result_json({"schema": 1, "lines": lines})
    else:
        _show(lines)
    return 1 if any(line.state is LineState.MISSING for line in lines) else 0


def _context(config_file: Path | None, *, online: bool) -> DoctorContext:
    now, folder = datetime.now(UTC), Path.cwd()
    try:
        project = open_project((), config_file)
    except WheelkitError as error:
        return DoctorContext(folder=folder, now=now, trouble=error, online=online)
    return DoctorContext(folder=folder, now=now, config=project.config, family=project.family, online=online)


def _show(lines: Sequence[CheckLine]) -> None:
    width = max(len(line.name) for line in lines)
    topic = ""
    for line in lines:
        if line.topic != topic:
            topic = line.topic
            show(f"{topic}\n")
        for text in _texts(line, width):
            show(f"{text}\n")
    show(f"{_verdict(lines)}\n")


def _texts(line: CheckLine, name_width: int) -> Iterator[str]:
    """Render a line; the command that fixes it stays in one piece, so that it can be copied."""
    margin = " " * (_STATE_WIDTH + name_width + 6)
    first, *others = _wrapped(line.detail, len(margin))
    yield f"  {_state(line.state)}  {line.name.ljust(name_width)}  {first}"
    yield from (margin + text for text in others)
    if line.fix:
        yield margin + line.fix


def _wrapped(text: str, margin: int) -> list[str]:
    if not sys.stdout.isatty():
        return [text]
    return wrap(text, max(shutil.get_terminal_size().columns - margin, _NARROWEST))


def _state(state: LineState) -> str:
    text = state.value.ljust(_STATE_WIDTH)
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return click.style(text, fg=_COLOURS[state]) if colour else text


def _verdict(lines: Sequence[CheckLine]) -> str:
    counts = {state: sum(line.state is state for line in lines) for state in _VERDICTS}
    parts = [f"{count} {_VERDICTS[state]}" for state, count in counts.items() if count]
    return ", ".join(parts) or "everything is fine"
