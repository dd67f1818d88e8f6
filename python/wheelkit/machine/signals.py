"""SIGINT, SIGTERM and SIGHUP: the only place that handles them.

The first one raises InterruptedByUserError in the main thread, wherever it is, as Ctrl-C raises
KeyboardInterrupt. Later ones raise nothing, so they cannot break the cleanup; they only make it kill programs
instead of asking them to end. A ``deferred`` block is not interrupted, and what ``at_end`` registers runs
once, even if the code that should have called it was interrupted.
"""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, NoReturn

from wheelkit.errors import InterruptedByUserError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType


_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
# An interrupt that Python lost, because it came in a destructor, comes again after this time.
_AGAIN_SECONDS = 0.02


class _State:
    """The first signal (0: none yet), how many came, and what is still to be undone at the end."""

    def __init__(self) -> None:
        self.cleanups: dict[int, Callable[[], object]] = {}
        self.keys = count()
        self.begin()

    def begin(self) -> None:
        self.first = self.count = self.depth = 0
        self.caught = self.raised = self.ended = False


_state = _State()


def catch() -> None:
    """Handle the signals from now on, except for ignored ones: nohup and shells want them ignored."""
    _state.begin()
    _state.caught = True
    sys.unraisablehook = _on_unraisable
    for name in _NAMES:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _on_signal)


def interrupted() -> bool:
    """Return whether a signal has come, so that everything is to end."""
    return _state.first != 0


def require_running() -> None:
    """Raise InterruptedByUserError if the command has ended: a thread that is left must not go on."""
    if _state.ended:
        raise InterruptedByUserError("the command has ended")


def hurried() -> bool:
    """Return whether more than one signal has come, so that programs are killed and not asked to end."""
    return _state.count > 1


def _on_signal(number: int, _frame: FrameType | None) -> None:
    _state.count += 1
    if _state.first or _state.ended:
        return
    _state.first = number
    if not _state.depth:
        _raise()


def _raise() -> NoReturn:
    _state.raised = True
    name = signal.Signals(_state.first).name
    raise InterruptedByUserError("interrupted" if name == "SIGINT" else f"stopped by {name}")


def _on_unraisable(problem: sys.UnraisableHookArgs) -> None:
    """Send the signal again if its exception was lost: Python only prints what a destructor raises."""
    if not isinstance(problem.exc_value, InterruptedByUserError):
        sys.__unraisablehook__(problem)
        return
    number, thread = _state.first, threading.main_thread().ident
    _state.first, _state.raised = 0, False
    _state.count -= 1

    def send_again() -> None:
        if hasattr(signal, "pthread_kill") and thread is not None:
            signal.pthread_kill(thread, number)
        else:
            signal.raise_signal(number)

    timer = threading.Timer(_AGAIN_SECONDS, send_again)
    timer.daemon = True
    timer.start()


class deferred:  # noqa: N801 - read as a statement: ``with deferred():``
    """Defers the interruption to the end of the block; blocks in other threads are never interrupted.

    The block has to be short, or to end soon after a signal.
    """

    def __enter__(self) -> None:
        """Begin the block."""
        if threading.current_thread() is threading.main_thread():
            _state.depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the block, and raise InterruptedByUserError if a signal came meanwhile."""
        if threading.current_thread() is threading.main_thread():
            _state.depth -= 1
            if _state.first and not (_state.depth or _state.raised or _state.ended):
                _raise()


class Cleanup:
    """A function that runs once: when it is called, or else before the process ends."""

    def __init__(self, function: Callable[[], object]) -> None:
        self._key = next(_state.keys)
        _state.cleanups[self._key] = function

    def __call__(self) -> None:
        """Run the function, unless it has run; signals do not interrupt it."""
        with deferred():
            function = _state.cleanups.pop(self._key, None)
            if function is not None:
                function()

    def cancel(self) -> None:
        """Do not run the function."""
        _state.cleanups.pop(self._key, None)


def at_end(function: Callable[[], object]) -> Cleanup:
    """Register a function that has to run before the process ends; inside a ``deferred`` block."""
    return Cleanup(function)


def finish() -> None:
    """Ignore signals from now on, and run what is registered, the last one first; the command has ended.

    Does nothing in a process that does not handle signals here.
    """
    if not _state.caught:
        return
    _state.ended = True
    while _state.cleanups:
        _, function = _state.cleanups.popitem()
        with suppress(Exception):
            function()
