"""``wheelkit doctor``: is this machine ready, and is the project."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import to_builtins

from wheelkit.cli.options import config_option, json_option, open_project
from wheelkit.cli.output import result, result_json
from wheelkit.doctor import DoctorContext, LineState, run_checks
from wheelkit.errors import WheelkitError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wheelkit.doctor import CheckLine


_NARROWEST = 30
_COLOURS = {LineState.FINE: "green", LineState.WARNING: "yellow", LineState.MISSING: "red"}


@click.command("doctor")
@click.option("--offline", is_flag=True, help="Do not ask the index.")
@config_option
@json_option
def command(offline: bool, config_file: Path | None, as_json: bool) -> int:
    """Look at this machine and this project; each thing is fine, a warning, or missing, with the command that mends it."""
    lines = run_checks(_patient(config_file, online=not offline))
    if as_json:
        result_json({"schema": 1, "lines": to_builtins(lines)})
    else:
        _show(lines)
    return 1 if any(line.state is LineState.MISSING for line in lines) else 0


def _patient(config_file: Path | None, *, online: bool) -> DoctorContext:
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
            result(topic)
        for text in _texts(line, width):
            result(text)
    result(_verdict(lines))


def _texts(line: CheckLine, width: int) -> Iterator[str]:
    state = line.state.value.ljust(len(LineState.MISSING.value))
    margin = " " * (len(state) + width + len("      "))
    first, *others = _wrapped(line.detail, len(margin)) or [""]
    yield f"  {_coloured(state, _COLOURS[line.state])}  {line.name.ljust(width)}  {first}"
    yield from (f"{margin}{text}" for text in others)
    if line.mend:  # in one piece, so that it can be copied
        yield f"{margin}{line.mend}"


def _wrapped(text: str, margin: int) -> list[str]:
    """Break a text into lines that fit beside the margin on a terminal; a pipe gets it whole."""
    if not sys.stdout.isatty():
        return [text]
    room = max(shutil.get_terminal_size().columns - margin, _NARROWEST)
    return textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)


def _coloured(text: str, colour: str) -> str:
    return click.style(text, fg=colour) if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text


def _verdict(lines: Sequence[CheckLine]) -> str:
    counts = {
        state: sum(line.state is state for line in lines) for state in (LineState.MISSING, LineState.WARNING)
    }
    if not any(counts.values()):
        return "everything is fine"
    words = {LineState.MISSING: "missing", LineState.WARNING: "to look at"}
    return ", ".join(f"{count} {words[state]}" for state, count in counts.items() if count)
