"""Several steps at a time on a screen that shows one, and in a log that stays readable."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec.structs import replace

from wheelkit.errors import InterruptedByUserError
from wheelkit.process import Completed, LoggedRun

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wheelkit.build.progress import Progress
    from wheelkit.build.workshop import Workshop
    from wheelkit.process import Command


class Board:
    """Hands the progress of parallel steps on, one call at a time: each step's end is told, and one that still runs stays live."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self._running: list[str] = []
        self.stopped = threading.Event()
        """Set when the steps that still run are to end."""

    @contextmanager
    def step(self, label: str) -> Iterator[None]:
        """Time the block as one step."""
        started = time.monotonic()
        self._begin(label)
        ok = interrupted = False
        try:
            yield
            ok = True
        except (KeyboardInterrupt, InterruptedByUserError):
            interrupted = True
            raise
        finally:
            self._end(label, time.monotonic() - started, ok=ok, interrupted=interrupted)

    def note(self, text: str) -> None:
        """Hand a remark on."""
        with self._lock:
            self._progress.note(text)

    def command(self, line: str) -> None:
        """Hand a command line on."""
        with self._lock:
            self._progress.command(line)

    def _begin(self, label: str) -> None:
        with self._lock:
            if not self._running:
                self._progress.begin(label)
            self._running.append(label)

    def _end(self, label: str, seconds: float, *, ok: bool, interrupted: bool) -> None:
        with self._lock:
            self._running.remove(label)
            self._progress.end(label, seconds, ok=ok, interrupted=interrupted)
            if self._running:
                self._progress.begin(self._running[0])


class SharedLog:
    """Runs commands as the workshop does, into a log of their own, and adds each whole to the common one when it has ended."""

    def __init__(self, shop: Workshop, board: Board, log: Path) -> None:
        self._shop = shop
        self._own = log
        self._run = LoggedRun(log, echo=board.command, stop=board.stopped.is_set)

    def __call__(self, command: Command, /) -> Completed:
        """Run the command to its end."""
        self._own.unlink(missing_ok=True)
        try:
            done = self._run(replace(command, env={**self._shop.env, **command.env}))
        finally:
            if self._own.is_file():
                with _appending, self._shop.log.open("ab") as log:
                    log.write(self._own.read_bytes())
        return replace(done, log=self._shop.log)


_appending = threading.Lock()
