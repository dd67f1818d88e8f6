"""What a person sees: results on standard output, everything else on standard error, colour only on a terminal."""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

_LABEL_WIDTH = 52
_REDRAW_SECONDS = 0.2
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


def columns(rows: Iterable[tuple[str, ...]], *, indent: int = 2, gap: int = 2) -> str:
    """Align rows of words in columns as wide as their longest word."""
    table = [tuple(row) for row in rows]
    widths = [max(len(row[index]) for row in table if index < len(row)) for index in range(max(map(len, table)))]
    lines = ((" " * gap).join(word.ljust(width) for word, width in zip(row, widths, strict=False)).rstrip() for row in table)
    return "\n".join(" " * indent + line for line in lines)


class Steps:
    """Shows the steps of a build: one live line while one runs on a terminal, one plain line when it has ended."""

    def __init__(self, *, verbose: bool = False) -> None:
        self._verbose = verbose
        self._live = sys.stderr.isatty()
        self._stop: threading.Event | None = None
        self._thread: threading.Thread | None = None

    def begin(self, label: str) -> None:
        """Start the live line of a step."""
        if self._live:
            self._stop = threading.Event()
            self._thread = threading.Thread(target=self._redraw, args=(label, self._stop), daemon=True)
            self._thread.start()

    def end(self, label: str, seconds: float, *, ok: bool) -> None:
        """Replace the live line by the finished one."""
        if self._stop is not None and self._thread is not None:
            self._stop.set()
            self._thread.join()
            click.echo("\r\033[K", err=True, nl=False)
        state = f"{seconds:6.1f} s" if ok else _style("  failed", fg="red")
        click.echo(f"  {label.ljust(_LABEL_WIDTH)} {state}", err=True)

    def command(self, line: str) -> None:
        """Show every command, where that was asked for."""
        if self._verbose:
            note(f"$ {line}")

    def builder(self, script: str) -> None:
        """Show the command that makes the wheel."""
        if not self._verbose:
            note("$ " + script.replace("\n", "\n    "))

    def note(self, text: str) -> None:
        """Show a remark."""
        note(text)

    @staticmethod
    def _redraw(label: str, stop: threading.Event) -> None:
        started = time.monotonic()
        while not stop.wait(_REDRAW_SECONDS):
            elapsed = f"{time.monotonic() - started:6.0f} s"
            click.echo(f"\r  {label.ljust(_LABEL_WIDTH)} {_style(elapsed, dim=True)}", err=True, nl=False)
