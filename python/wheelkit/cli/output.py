"""What a person sees: results on standard output, everything else on standard error, colour only on a terminal."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


_KILO = 1000
# How many pieces of JSON are written at a time.
_CHUNKS = 10_000


def show_error(message: str, *, detail: str = "", hint: str = "") -> None:
    """Print an error to standard error: what happened, the lines that show it, and what to do next."""
    show(f"{_style('wheelkit:', fg='red', bold=True)} {message}\n", err=True)
    for line in detail.splitlines():
        show(f"  {line}\n", err=True)
    for line in hint.splitlines():
        show(f"{_style(f'  {line}', fg='cyan')}\n", err=True)


def note(text: str) -> None:
    """Print something that the user should know, dim, to standard error."""
    for line in text.splitlines():
        show(f"{_style(f'  {line}', dim=True)}\n", err=True)


def result(text: str) -> None:
    """Print a result to standard output."""
    show(f"{text}\n")


def result_json(document: Any) -> None:  # noqa: ANN401 - plain data
    """Print a result as JSON to standard output."""
    import json
    from itertools import islice

    chunks = json.JSONEncoder(indent=2).iterencode(
        document
    )  # all of a large one take ten times the memory of the text
    while piece := "".join(islice(chunks, _CHUNKS)):
        show(piece)
    show("\n")


def show(text: str, *, err: bool = False) -> None:
    """Print text as it stands; what is not a plain matter of writing it, click does, which takes as long to load as much else."""
    stream = sys.stderr if err else sys.stdout
    # Windows' terminal has an encoding of its own, and codes for styles are for terminals alone.
    if (
        stream is not None
        and os.name != "nt"
        and stream.encoding == "utf-8"
        and (stream.isatty() or "\x1b" not in text)
    ):
        stream.write(text)
        stream.flush()
    else:
        import click

        click.echo(text, nl=False, err=err)


def _style(text: str, *, fg: str | None = None, bold: bool = False, dim: bool = False) -> str:
    if not color_enabled():
        return text
    import click

    return click.style(text, fg=fg, bold=bold, dim=dim)


def dimmed(text: str) -> str:
    """Write detail, dim where there is colour."""
    return _style(text, dim=True)


def failed(text: str) -> str:
    """Write what went wrong, red where there is colour."""
    return _style(text, fg="red")


def color_enabled() -> bool:
    """Tell whether standard error takes colour: a terminal, and NO_COLOR not set (no-color.org)."""
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")


def size(count: int) -> str:
    """Write a number of bytes for people: ``84 kB``, ``1.9 MB``."""
    value = float(count)
    for unit in ("B", "kB", "MB"):
        if value < _KILO:
            return f"{value:.0f} {unit}" if unit != "MB" else f"{value:.1f} MB"
        value /= _KILO
    return f"{value:.1f} GB"


def age(seconds: float) -> str:
    """Write how long ago something was: ``3 h ago``."""
    for unit, size_of_it in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size_of_it * (2 if unit == "days" else 1):
            return f"{seconds / size_of_it:.0f} {unit} ago"
    return "just now"


def columns(rows: Iterable[tuple[str, ...]], *, indent: int = 2, gap: int = 2) -> str:
    """Align rows of words in columns as wide as their longest word."""
    table = [tuple(row) for row in rows]
    widths = [
        max(len(row[index]) for row in table if index < len(row)) for index in range(max(map(len, table)))
    ]
    lines = (
        (" " * gap).join(word.ljust(width) for word, width in zip(row, widths, strict=False)).rstrip()
        for row in table
    )
    return "\n".join(" " * indent + line for line in lines)
