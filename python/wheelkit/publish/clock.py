"""Time as the transaction sees it, so that tests need not wait and the machine's own clock may be wrong."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


_FIRST_PAUSE, _GROWTH, _LONGEST_PAUSE = 0.1, 1.6, 10.0


class Clock(Protocol):
    """Measures spans of time, in seconds."""

    def now(self) -> float:
        """Tell the time since some fixed moment; it never jumps."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's monotonic clock."""

    def now(self) -> float:
        """Tell the time since some fixed moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def pauses(first: float = _FIRST_PAUSE, longest: float = _LONGEST_PAUSE) -> Iterator[float]:
    """Yield how long to wait before each further attempt: growing, up to a limit."""
    pause = first
    while True:
        yield pause
        pause = min(pause * _GROWTH, longest)
