"""Output for people and programs: results on standard output, everything else on standard error."""

from __future__ import annotations

import os
import sys
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Any

import click

from wheelkit.text import wrap

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO


_WIDEST = 120
_JSON_CHUNKS = 10_000
_AGE_UNITS = (("days", 86400, 2), ("h", 3600, 1), ("min", 60, 1))


def show_error(message: str, *, detail: str = "", hint: str = "") -> None:
    """Print an error to standard error: what happened, the lines that show it, and what to do next."""
    program = "wheelkit:"
    text = fit(f"{program} {message}", sys.stderr)
    show(f"{_style(program, fg='red', bold=True)}{text.removeprefix(program)}\n", err=True)
    for line in detail.splitlines():
        show(f"{fit(line, sys.stderr, indent=2)}\n", err=True)
    for line in hint.splitlines():
        show(f"{_style(fit(line, sys.stderr, indent=2), fg='cyan')}\n", err=True)


def note(text: str) -> None:
    """Print something that the user should know to standard error, dimmed."""
    for line in text.splitlines():
        show(f"{dimmed(fit(line, sys.stderr, indent=2))}\n", err=True)


def result(text: str) -> None:
    """Print a result to standard output; a single line is wrapped on a terminal, tables and diffs are not."""
    show((text if "\n" in text else fit(text, sys.stdout)) + "\n")


def result_json(document: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
    """Print plain data and structs as JSON to standard output, in chunks: a large one takes little memory."""
    import json

    from msgspec import to_builtins

    chunks = json.JSONEncoder(indent=2, default=to_builtins).iterencode(document)
    while piece := "".join(islice(chunks, _JSON_CHUNKS)):
        show(piece)
    show("\n")


def show(text: str, *, err: bool = False) -> None:
    """Print text unchanged, but for colours, which only terminals get."""
    click.echo(text, nl=False, err=err)


def fit(text: str, stream: TextIO, indent: int = 0) -> str:
    """Indent a line, and on a terminal wrap it at words to the terminal's width, at most 120 columns.

    A line that starts with a space is preformatted, for example compiler output, and stays whole.
    """
    margin = " " * indent
    if text.startswith(" ") or not stream.isatty():
        return margin + text
    import shutil

    width = min(shutil.get_terminal_size().columns, _WIDEST) - indent
    return "\n".join(margin + line for line in wrap(text, width))


def _style(text: str, *, fg: str | None = None, bold: bool = False, dim: bool = False) -> str:
    return click.style(text, fg=fg, bold=bold, dim=dim) if color_enabled(sys.stderr) else text


def dimmed(text: str) -> str:
    """Dim text on a terminal."""
    return _style(text, dim=True)


def failed(text: str) -> str:
    """Colour text red on a terminal."""
    return _style(text, fg="red")


def color_enabled(stream: TextIO) -> bool:
    """Return whether a stream takes colour: it is a terminal and NO_COLOR is not set (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def age(seconds: float) -> str:
    """Format how long ago something was: ``3 h ago``."""
    for unit, length, fewest in _AGE_UNITS:
        if seconds >= length * fewest:
            return f"{seconds / length:.0f} {unit} ago"
    return "just now"


def columns(rows: Iterable[tuple[str, ...]], *, indent: int = 2, gap: int = 2) -> str:
    """Align rows in columns as wide as their longest cell."""
    table = list(rows)
    widths = [max(map(len, column)) for column in zip_longest(*table, fillvalue="")]
    lines = (
        (" " * gap).join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)) for row in table
    )
    return "\n".join(" " * indent + line.rstrip() for line in lines)
