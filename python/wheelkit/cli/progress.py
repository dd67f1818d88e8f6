"""The steps of a build on the screen: live lines on a terminal, folded sections in GitHub's logs, plain lines elsewhere."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from typing import TYPE_CHECKING

from wheelkit.cli.output import age, dimmed, failed, note, show

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    class Times(Protocol):
        """How long steps took the last time."""

        def last(self, label: str) -> float | None:
            """Give the seconds of the last time, None where nobody knows."""

        def took(self, label: str, seconds: float) -> None:
            """Remember the seconds of this time."""


_LABEL_WIDTH = 52
# A live line has to fit: one that wraps is two, and could not be taken off the screen. What stands beside the label takes so much.
_NARROWEST, _BESIDE = 20, 33
_REDRAW_SECONDS = 0.2
_WORTH_REMEMBERING_SECONDS = 0.5
# GitHub folds no section inside another: those of the tools become headings (its workflow commands, "Grouping log lines").
_SECTION = re.compile(rb"^::(?:endgroup::.*$\n?|group::)", re.MULTILINE)


class NoDurations:
    """Nobody remembers."""

    def last(self, _label: str) -> float | None:
        """Know nothing."""
        return None

    def took(self, _label: str, _seconds: float) -> None:
        """Forget it."""


class TerminalProgress:
    """Shows the steps of a build, of which several may run at a time: one line for each, and nothing between two of them is mixed."""

    def __init__(
        self, *, verbose: bool = False, times: Times | None = None, environ: Mapping[str, str] = os.environ
    ) -> None:
        self._verbose = verbose
        self._times = times or NoDurations()
        self._live = sys.stderr.isatty()
        self._sections = environ.get("GITHUB_ACTIONS") == "true"
        self._lock = threading.RLock()
        self._running: dict[str, float] = {}
        self._printed: dict[int, list[bytes]] = {}
        self._drawn = 0
        self._stop: threading.Event | None = None
        self._thread: threading.Thread | None = None

    def begin(self, label: str) -> None:
        """Start the line of a step; what the programs of this thread print from now on belongs to it."""
        with self._lock:
            self._running[label] = time.monotonic()
            self._printed[threading.get_ident()] = []
            if self._live and (self._stop is None or self._stop.is_set()):
                self._stop = threading.Event()
                self._thread = threading.Thread(target=self._redraw, args=(self._stop,), daemon=True)
                self._thread.start()

    def end(self, label: str, seconds: float, *, ok: bool, interrupted: bool = False) -> None:
        """Replace the live line of a step by the finished one."""
        with self._lock:
            self._running.pop(label, None)
            last = self._times.last(label)
            before = f"   (last time {last:.1f} s)" if last is not None else ""
            amiss = dimmed("  interrupted") if interrupted else failed("  failed")
            state = f"{seconds:6.1f} s{dimmed(before)}" if ok else amiss
            self._section(
                f"  {label.ljust(_LABEL_WIDTH)} {state}", self._printed.pop(threading.get_ident(), [])
            )
            if ok and seconds > _WORTH_REMEMBERING_SECONDS:
                self._times.took(label, seconds)
            if self._stop is not None and not self._running:
                self._stop.set()
        if self._thread is not None and self._stop is not None and self._stop.is_set():
            self._thread.join()

    def output(self, data: bytes) -> None:
        """Take what a program prints; only GitHub's logs show it, folded, since the log file is gone there with the runner."""
        if self._sections and threading.get_ident() in self._printed:
            self._printed[threading.get_ident()].append(data)

    def command(self, line: str) -> None:
        """Show every command, where that was asked for."""
        if self._verbose:
            self.note(f"$ {line}")

    def builder_command(self, script: str) -> None:
        """Show the command that makes the wheel."""
        if not self._verbose:
            self.note("$ " + script.replace("\n", "\n    "))

    def reused(self, name: str, built: float, seconds: float) -> None:
        """Show that a file came from the cache."""
        said = f"cached, built {age(time.time() - built)}, {seconds:.1f} s saved"
        self._say(f"  {name.ljust(_LABEL_WIDTH)} {dimmed(said)}")

    def note(self, text: str) -> None:
        """Show a remark."""
        with self._lock:
            self._erase()
            note(text)

    def _section(self, line: str, printed: list[bytes]) -> None:
        from textwrap import indent

        text = _SECTION.sub(b"", b"".join(printed)).decode(errors="replace").rstrip()
        # Annotations of the tools keep their place at the start of the line, where GitHub looks for them.
        shown = indent(text, "  ", lambda one: not one.startswith("::"))
        self._say(f"::group::{line.strip()}\n{shown}\n::endgroup::" if text else line)

    def _say(self, line: str) -> None:
        with self._lock:
            self._erase()
            show(f"{line}\n", err=True)

    def _erase(self) -> None:
        """Take the live lines off the terminal; the thread draws them again."""
        if self._drawn:
            up = f"\033[{self._drawn - 1}A" if self._drawn > 1 else ""
            show(f"\r{up}\033[J", err=True)
            self._drawn = 0

    def _draw(self) -> None:
        from shutil import get_terminal_size

        now, width = time.monotonic(), get_terminal_size().columns - 1
        pad = min(_LABEL_WIDTH, max(_NARROWEST, width - _BESIDE))
        lines = []
        for label, started in self._running.items():
            last = self._times.last(label)
            before = f"   (last time {last:.0f} s)" if last is not None else ""
            lines.append(dimmed(f"  {label[:pad].ljust(pad)} {now - started:6.0f} s{before}"[:width]))
        if lines:
            show("\n".join(lines), err=True)
        self._drawn = len(lines)

    def _redraw(self, stop: threading.Event) -> None:
        while not stop.wait(_REDRAW_SECONDS):
            with self._lock:
                self._erase()
                self._draw()
        with self._lock:
            self._erase()
