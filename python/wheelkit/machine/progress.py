"""How a build tells what it is doing; the command line decides how that looks."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from wheelkit.errors import InterruptedByUserError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Progress(Protocol):
    """Receives what happens during a build, in order."""

    def begin(self, label: str) -> None:
        """Hear that a step starts."""

    def end(self, label: str, seconds: float, *, ok: bool, interrupted: bool = False) -> None:
        """Hear that a step ended, after how long, and whether well; one that was interrupted did not fail by itself."""

    def command(self, line: str) -> None:
        """Hear which command runs now, as it would be typed."""

    def output(self, data: bytes) -> None:
        """Hear a line that a command of this thread's step prints."""

    def builder(self, script: str) -> None:
        """Hear the one command of a step that makes the wheel, as a script: what the user would have typed without wheelkit."""

    def kept(self, name: str, built: float, seconds: float) -> None:
        """Hear that a file came from the cache: when it was built, in seconds since 1970, and how long that had taken."""

    def note(self, text: str) -> None:
        """Hear something that the user should know, one sentence."""


class Silent:
    """Progress for nobody."""

    def begin(self, label: str) -> None:
        """Ignore it."""

    def end(self, label: str, seconds: float, *, ok: bool, interrupted: bool = False) -> None:
        """Ignore it."""

    def command(self, line: str) -> None:
        """Ignore it."""

    def output(self, data: bytes) -> None:
        """Ignore it."""

    def builder(self, script: str) -> None:
        """Ignore it."""

    def kept(self, name: str, built: float, seconds: float) -> None:
        """Ignore it."""

    def note(self, text: str) -> None:
        """Ignore it."""


@contextmanager
def step(progress: Progress, label: str) -> Iterator[None]:
    """Time the block as one step."""
    started = time.monotonic()
    progress.begin(label)
    ok = interrupted = False
    try:
        yield
        ok = True
    except (KeyboardInterrupt, InterruptedByUserError):
        interrupted = True
        raise
    finally:
        progress.end(label, time.monotonic() - started, ok=ok, interrupted=interrupted)


class ParallelProgress:
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
