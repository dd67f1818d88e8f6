"""The steps of a build: live lines on a terminal, folded sections in GitHub's logs, plain lines elsewhere.

Without a terminal, a line says that a step begins, and a heartbeat that it goes on: CI services end a job
that is silent for long.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from shutil import get_terminal_size
from textwrap import indent
from typing import TYPE_CHECKING

from wheelkit.cli.output import age, dimmed, failed, note, write
from wheelkit.machine.progress import Progress
from wheelkit.text import printable, printable_lines

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelkit.builders.cache.store import Times


_LABEL_WIDTH = 52
# A live line must not wrap, or it cannot be erased. The label gives way: this much stands beside it.
_NARROWEST_LABEL, _BESIDE_LABEL = 20, 33
_REDRAW_SECONDS = 0.2
_HEARTBEAT_SECONDS = 30.0
_LONGEST_LINE = 100
_SHORTEST_SAVED_SECONDS = 0.5
# A signal may have interrupted the thread that holds the lock; nothing is worth waiting longer for.
_JOIN_SECONDS = 1.0
# GitHub does not nest sections, so those that tools print become plain headings (its workflow commands,
# "Grouping log lines").
_SECTION = re.compile(rb"^::(?:endgroup::.*$\n?|group::)", re.MULTILINE)


class TerminalProgress(Progress):
    """Prints the steps of a build; steps that run in parallel have a line each.

    With ``verbose``, everything that programs print is printed too, while they run. With ``quiet``, only
    steps that fail are told.
    """

    def __init__(
        self,
        *,
        verbose: bool = False,
        quiet: bool = False,
        times: Times | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._verbose = verbose
        self._quiet = quiet
        self._times = times
        self._live = sys.stderr.isatty() and not quiet
        self._sections = environ.get("GITHUB_ACTIONS") == "true"
        self._open_section: str | None = None
        self._last_lines: dict[str, str] = {}
        self._labels: dict[int, str] = {}
        self._lock = threading.RLock()
        self._running: dict[str, float] = {}
        self._output: dict[int, list[bytes]] = {}
        self._drawn_lines = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, label: str) -> None:
        """Start the line of a step; the output of this thread's programs belongs to it from now on."""
        with self._lock:
            self._running[label] = time.monotonic()
            self._output[threading.get_ident()] = []
            self._labels[threading.get_ident()] = label
            self._begin_line(label)
            if not self._quiet and (self._thread is None or self._stop.is_set()):
                self._stop = threading.Event()
                target = self._redraw if self._live else self._beat
                self._thread = threading.Thread(target=target, args=(self._stop,), daemon=True)
                self._thread.start()

    def _begin_line(self, label: str) -> None:
        """Say that a step begins; on GitHub with --verbose, open its section if it runs alone."""
        if self._live or self._quiet:
            return
        if self._sections and self._verbose and len(self._running) == 1:
            self._open_section = label
            write(f"::group::{printable(label)}\n", err=True)
        else:
            write(f"  {printable(label)} ...\n", err=True)

    def end(self, label: str, seconds: float, *, ok: bool, interrupted: bool = False) -> None:
        """Replace the live line of a step by its final one."""
        with self._lock:
            self._running.pop(label, None)
            self._last_lines.pop(label, None)
            self._labels.pop(threading.get_ident(), None)
            output = self._output.pop(threading.get_ident(), [])
            if self._open_section == label:
                self._open_section = None
                write("::endgroup::\n", err=True)
            if ok:
                state = f"{seconds:6.1f} s{dimmed(self._last_time(label, digits=1))}"
            else:
                state = dimmed("  interrupted") if interrupted else failed("  failed")
            if not (self._quiet and ok):
                self._show_step(f"  {printable(label).ljust(_LABEL_WIDTH)} {state}", output)
            if self._times and ok and seconds > _SHORTEST_SAVED_SECONDS:
                self._times.save(label, seconds)
            if not self._running:
                self._stop.set()
        if self._thread is not None and self._stop.is_set():
            self._thread.join(_JOIN_SECONDS)

    def output(self, data: bytes) -> None:
        """Print what a program prints, or keep it for GitHub's log; the log file has all of it."""
        label = self._labels.get(threading.get_ident()) or next(reversed(self._running), "")
        text = printable_lines(data.decode(errors="replace").strip("\r\n")).strip()
        if text:
            self._last_lines[label] = text.splitlines()[-1]
        streamed = (
            self._verbose and not self._quiet and (not self._sections or self._open_section is not None)
        )
        if streamed:
            if text and not _SECTION.search(data):
                self._show(indent(text, "    "))
        elif self._sections and threading.get_ident() in self._output:
            self._output[threading.get_ident()].append(data)

    def command(self, line: str) -> None:
        """Print every command with --verbose."""
        if self._verbose:
            self.note(f"$ {line}")

    def reused(self, name: str, built: float, seconds: float) -> None:
        """Print that a file came from the cache."""
        if self._quiet:
            return
        text = f"cached, built {age(time.time() - built)}, {seconds:.1f} s saved"
        self._show(f"  {printable(name).ljust(_LABEL_WIDTH)} {dimmed(text)}")

    def note(self, text: str) -> None:
        """Print a note."""
        if self._quiet:
            return
        with self._lock:
            self._erase()
            note(text)

    def _show_step(self, line: str, output: list[bytes]) -> None:
        text = _SECTION.sub(b"", b"".join(output)).decode(errors="replace").rstrip()
        # What programs print may come from anywhere, and must not command the CI service.
        text = indent(printable_lines(text.replace("\r\n", "\n").replace("\r", "\n")), "  ")
        self._show(f"::group::{line.strip()}\n{text}\n::endgroup::" if text else line)

    def _show(self, line: str) -> None:
        with self._lock:
            self._erase()
            write(f"{line}\n", err=True)

    def _last_time(self, label: str, digits: int) -> str:
        seconds = self._times.last(label) if self._times else None
        return "" if seconds is None else f"   (last time {seconds:.{digits}f} s)"

    def _time_left(self, label: str, elapsed: float) -> str:
        """Return how long a step will take by its last time; that time itself once it is over."""
        last = self._times.last(label) if self._times else None
        if last is None or elapsed >= last:
            return self._last_time(label, digits=0)
        return f"   (about {last - elapsed:.0f} s left)"

    def _erase(self) -> None:
        """Remove the live lines from the terminal; the thread draws them again."""
        if self._drawn_lines:
            up = f"\033[{self._drawn_lines - 1}A" if self._drawn_lines > 1 else ""
            write(f"\r{up}\033[J", err=True)
            self._drawn_lines = 0

    def _draw(self) -> None:
        now, width = time.monotonic(), get_terminal_size().columns - 1
        label_width = min(_LABEL_WIDTH, max(_NARROWEST_LABEL, width - _BESIDE_LABEL))
        lines = []
        for label, started in self._running.items():
            name = printable(label)[:label_width].ljust(label_width)
            line = f"  {name} {now - started:6.0f} s{self._time_left(label, now - started)}"
            lines.append(dimmed(line[:width]))
        if lines:
            write("\n".join(lines), err=True)
        self._drawn_lines = len(lines)

    def _beat(self, stop: threading.Event) -> None:
        """Say from time to time which steps go on, and what their programs printed last."""
        while not stop.wait(_HEARTBEAT_SECONDS):
            with self._lock:
                now = time.monotonic()
                for label, started in self._running.items():
                    last = self._last_lines.get(label, "")[:_LONGEST_LINE]
                    line = f"  {printable(label)} ... {now - started:.0f} s{self._last_time(label, digits=0)}"
                    write(f"{line}{f': {printable(last)}' if last else ''}\n", err=True)

    def _redraw(self, stop: threading.Event) -> None:
        while not stop.wait(_REDRAW_SECONDS):
            with self._lock:
                self._erase()
                self._draw()
        with self._lock:
            self._erase()
