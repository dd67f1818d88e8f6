"""What a person sees: results on standard output, everything else on standard error, colour only on a terminal."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

_KILO = 1000


def complain(message: str, *, detail: str = "", hint: str = "") -> None:
    """Print an error to standard error: what happened, the lines that show it, and what to do next."""
    click.echo(f"{_style('wheelkit:', fg='red', bold=True)} {message}", err=True)
    for line in detail.splitlines():
        click.echo(f"  {line}", err=True)
    for line in hint.splitlines():
        click.echo(_style(f"  {line}", fg="cyan"), err=True)


def note(text: str) -> None:
    """Print something that the user should know, dim, to standard error."""
    for line in text.splitlines():
        click.echo(_style(f"  {line}", dim=True), err=True)


def result(text: str) -> None:
    """Print a result to standard output."""
    click.echo(text)


def result_json(document: Any) -> None:  # noqa: ANN401 - plain data
    """Print a result as JSON to standard output."""
    click.echo(json.dumps(document, indent=2))


def _style(text: str, *, fg: str | None = None, bold: bool = False, dim: bool = False) -> str:
    return click.style(text, fg=fg, bold=bold, dim=dim) if coloured() else text


def dimmed(text: str) -> str:
    """Write detail, dim where there is colour."""
    return _style(text, dim=True)


def failed(text: str) -> str:
    """Write what went wrong, red where there is colour."""
    return _style(text, fg="red")


def coloured() -> bool:
    """Tell whether standard error takes colour: a terminal, and NO_COLOR not set (no-color.org)."""
    import os

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
    widths = [max(len(row[index]) for row in table if index < len(row)) for index in range(max(map(len, table)))]
    lines = ((" " * gap).join(word.ljust(width) for word, width in zip(row, widths, strict=False)).rstrip() for row in table)
    return "\n".join(" " * indent + line for line in lines)
