"""How a build reports what it is doing; the command line decides how to show it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wheelkit.errors import InterruptedByUserError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Progress:
    """Receives what happens during a build, and ignores it. Steps may run in parallel, each in a thread."""

    def begin(self, label: str) -> None:
        """Begin a step."""

    def end(self, label: str, seconds: float, *, ok: bool, interrupted: bool = False) -> None:
        """End a step: after how long, and whether it succeeded, failed or was interrupted."""

    def command(self, line: str) -> None:
        """Take the command that starts, as a shell line."""

    def output(self, data: bytes) -> None:
        """Take a line that a command of this thread's step printed."""

    def reused(self, name: str, built: float, seconds: float) -> None:
        """Take a file from the cache: when it was built, in seconds since 1970, and how long that took."""

    def note(self, text: str) -> None:
        """Take one sentence that the user should know."""


@contextmanager
def step(progress: Progress, label: str) -> Iterator[None]:
    """Report the block as one step, with the time that it takes."""
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
