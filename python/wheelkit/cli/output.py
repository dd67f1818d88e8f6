"""Output for people and programs: results on standard output, everything else on standard error."""

from __future__ import annotations

import errno
import os
import re
import sys
from contextlib import suppress
from io import TextIOBase, TextIOWrapper
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Any

import click

from wheelkit.errors import OutputError, ReaderGoneError
from wheelkit.text import printable, printable_lines, wrap

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO


_WIDEST = 120
_JSON_CHUNKS = 10_000
# An escaped backslash, a pair of surrogates or a lone one, in JSON's ASCII form. Python writes lone ones for
# file names that are not UTF-8, and other parsers refuse them.
_SURROGATES = r"\\(?:\\|ud[89ab]..\\ud[c-f]..|(?P<lone>ud[89a-f]..))"
_SETTING = re.compile(r"\[tool\.wheelkit(?:\.([^\]\n]+))?\]")
_AGE_UNITS = (("days", 86400, 2), ("h", 3600, 1), ("min", 60, 1))


class _Written:
    """What this command has printed and completed so far."""

    def __init__(self) -> None:
        self.completed: list[str] = []
        self.reset()

    def reset(self) -> None:
        """Begin a command: nothing is printed yet."""
        self.completed.clear()
        self.lost_messages: OSError | None = None
        self.has_json = False
        self.color = "auto"
        self.own_file = ""
        self.left, self.next = "no unfinished files were left behind", ""


_written = _Written()


class _ClosedStream(TextIOBase):
    """Takes the place of a standard stream that is closed, and refuses to write."""

    def write(self, _text: str, /) -> int:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def prepare_streams() -> None:
    """Open the missing ones of the three standard streams, so that no other file takes their numbers.

    A closed stream refuses to write. Both print ``?`` for characters that they cannot encode, as in pipes on
    Windows or an ASCII locale.
    """
    _written.reset()
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # it takes the lowest number that is free
    if sys.stdout is None:
        sys.stdout = _ClosedStream()
    if sys.stderr is None:
        sys.stderr = _ClosedStream()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def require_output() -> None:
    """Raise OutputError if standard output cannot be written."""
    try:
        sys.stdout.write("")
        sys.stdout.flush()
    except OSError as error:
        raise lost_output(error) from error


def require_messages() -> None:
    """Raise OutputError if a message could not be written to standard error."""
    error = _written.lost_messages
    if error is not None:
        raise OutputError(f"standard error cannot be written: {error.strerror or error}; messages were lost")


def completed(text: str) -> None:
    """Remember a sentence about what the command has done, for a message that has to say what is so."""
    _written.completed.append(text)


def what_is_completed() -> str:
    """Return the sentences about what the command has done, one a line."""
    return "\n".join(_written.completed)


def if_interrupted(left: str, hint: str) -> None:
    """Set what the message about an interruption says while nothing is completed, and what to do next."""
    _written.left, _written.next = left, hint


def show_interruption(message: str, detail: str) -> None:
    """Print that a signal came: what is completed, or else what is left behind."""
    if sys.stderr.isatty():
        show("\n", err=True)  # the terminal shows ^C at the start of the line
    done = "\n".join(filter(None, (what_is_completed(), detail)))
    show_error(message if done else f"{message}; {_written.left}", detail=done, hint=_written.next)


def _abandon(stream: TextIO) -> None:
    """Send what a stream still holds to nowhere, or Python reports it again when it closes the stream."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def show_error(message: str, *, detail: str = "", hint: str = "") -> None:
    """Print an error to standard error: what happened, the lines that show it, and what to do next.

    If messages cannot be written there, it goes to standard output, unless that has a JSON document.
    """
    program = "wheelkit:"
    text = fit(printable(f"{program} {message}"), sys.stderr)
    lines = [f"{_style(program, fg='red', bold=True)}{text.removeprefix(program)}"]
    lines += [printable_lines(fit(line, sys.stderr, indent=2)) for line in _lines(detail)]
    lines += [_style(fit(line, sys.stderr, indent=2), fg="cyan") for line in _lines(hint)]
    shown = "\n".join([*lines, ""])
    write(shown, err=True)
    if _written.lost_messages and not _written.has_json:
        with suppress(OutputError):
            write(shown)


def note(text: str) -> None:
    """Print something that the user should know to standard error, dimmed."""
    for line in _lines(text):
        write(f"{dimmed(fit(line, sys.stderr, indent=2))}\n", err=True)


def configured_in(file: str) -> None:
    """Set the name of the project's own configuration file, in whose form messages name settings."""
    _written.own_file = file


def as_configured(text: str) -> str:
    """Return a text with ``[tool.wheelkit.NAME]`` as the project's file writes it: ``[NAME]`` of its own."""
    if not _written.own_file:
        return text
    return _SETTING.sub(
        lambda match: f"{_written.own_file}: [{match[1]}]" if match[1] else _written.own_file, text
    )


def _lines(text: str) -> list[str]:
    text = as_configured(text)
    return printable_lines(text.replace("\r\n", "\n").replace("\r", "\n")).splitlines()


def result(text: str) -> None:
    """Print a result to standard output; a single line is wrapped on a terminal, tables and diffs are not."""
    show((text if "\n" in text else fit(printable(text), sys.stdout)) + "\n")


def result_json(document: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
    """Print plain data and structs as JSON to standard output, in chunks: a large one takes little memory."""
    import json

    from msgspec import to_builtins

    _written.has_json = True
    chunks = map(_harmless_json, json.JSONEncoder(indent=2, default=to_builtins).iterencode(document))
    while piece := "".join(islice(chunks, _JSON_CHUNKS)):
        write(piece)
    write("\n")


def _harmless_json(chunk: str) -> str:
    """Return a piece of ASCII JSON, which may be a string, without lone surrogates and workflow commands."""
    if "\\ud" in chunk:
        chunk = re.sub(_SURROGATES, lambda match: "\\ufffd" if match["lone"] else match[0], chunk)
    return chunk.replace("##", "#\\u0023")


def show(text: str, *, err: bool = False) -> None:
    """Print lines, with everything escaped that a terminal or the log of a CI service acts on."""
    write(printable_lines(text), err=err)


def write(text: str, *, err: bool = False) -> None:
    """Print text that is escaped already, unchanged but for colours, which only terminals get.

    Raises OutputError where standard output cannot be written, with what is done. For messages that cannot be
    written, ``require_messages`` does so at the end.
    """
    stream = sys.stderr if err else sys.stdout
    try:
        click.echo(text, nl=False, file=stream, color=True if color_enabled(stream) else None)
    except OSError as error:
        if not err:
            raise lost_output(error) from error
        _abandon(stream)
        _written.lost_messages = error


def lost_output(error: OSError) -> OutputError:
    """Return the error for a standard output that cannot be written; what it still holds is given up."""
    _abandon(sys.stdout)
    gone = isinstance(error, BrokenPipeError)
    hint = "the program that reads it has ended" if gone else "free some space, or send it somewhere else"
    what = f"standard output cannot be written: {error.strerror or error}"
    completed = what_is_completed()
    kind = ReaderGoneError if gone and not completed else OutputError
    return kind(what, detail=completed, hint=hint)


def fit(text: str, stream: TextIO, indent: int = 0) -> str:
    """Indent a line, and on a terminal wrap it at words to the terminal's width, at most 120 columns.

    A line that starts with a space is preformatted, for example compiler output, and stays whole.
    """
    margin = " " * indent
    if text.startswith(" ") or not stream.isatty():
        return margin + text
    import shutil

    width = min(shutil.get_terminal_size().columns, _WIDEST) - indent
    # A line may now begin with what was harmless in the middle.
    return "\n".join(margin + printable(line) for line in wrap(text, width))


def _style(text: str, *, fg: str | None = None, bold: bool = False, dim: bool = False) -> str:
    return click.style(text, fg=fg, bold=bold, dim=dim) if color_enabled(sys.stderr) else text


def dimmed(text: str, stream: TextIO | None = None) -> str:
    """Dim text on a terminal, by default that of standard error."""
    if stream is not None:
        return click.style(text, dim=True) if color_enabled(stream) else text
    return _style(text, dim=True)


def failed(text: str) -> str:
    """Colour text red on a terminal."""
    return _style(text, fg="red")


def color_enabled(stream: TextIO) -> bool:
    """Return whether a stream takes colour.

    ``--color`` decides, then NO_COLOR and FORCE_COLOR (no-color.org, force-color.org), and then whether it is
    a terminal.
    """
    if _written.color != "auto":
        return _written.color == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or stream.isatty()


def set_color(when: str) -> None:
    """Colour the output of this command ``always``, ``never`` or as ``auto`` decides."""
    _written.color = when


def age(seconds: float) -> str:
    """Format how long ago something was: ``3 h ago``."""
    for unit, length, fewest in _AGE_UNITS:
        if seconds >= length * fewest:
            return f"{seconds / length:.0f} {unit} ago"
    return "just now"


def columns(rows: Iterable[tuple[str, ...]], *, indent: int = 2, gap: int = 2) -> str:
    """Align rows in columns as wide as their longest cell."""
    table = [tuple(map(printable, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip_longest(*table, fillvalue="")]
    lines = (
        (" " * gap).join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)) for row in table
    )
    return "\n".join(" " * indent + line.rstrip() for line in lines)
