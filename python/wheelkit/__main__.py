"""Start the command line; from its first line on, an interrupt ends it without a traceback.

Before that Python starts, and an interrupt ends in a traceback as for every program in Python. So the package
and this file import nothing first that Python has not loaded by then: not ``signal``, which loads ``enum``,
nor ``typing`` or ``__future__``.
"""

import _signal as signals  # type: ignore[import-not-found] # typeshed knows only signal
import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType
    from typing import NoReturn


_INTERRUPTED = 130
_SIGNALS = "SIGINT", "SIGTERM", "SIGHUP"
# Programs that a shell starts in the background ignore SIGINT, those of nohup SIGHUP, and go on doing so.
_DEFAULTS = signals.default_int_handler, signals.SIG_DFL


def main(arguments: "Sequence[str] | None" = None) -> int:
    """Run the command line in this process and return its exit code."""
    from wheelkit import command_line

    return command_line.main(arguments)


def run() -> "NoReturn":
    """Run the command line and exit with its code; the ``wheelkit`` script calls this."""
    caught = [number for number in map(_number_of, _SIGNALS) if signals.getsignal(number) in _DEFAULTS]
    for number in caught:
        signals.signal(number, _leave)
    from wheelkit import command_line

    code = command_line.run()
    for number in caught:
        signals.signal(number, signals.SIG_IGN)
    if code == _INTERRUPTED:
        os._exit(code)  # threads may still wait for an index
    # At its end Python looks for unused cycles among all objects, which takes a tenth of the time of one
    # small wheel. It leaves frozen objects out; handlers of atexit run as ever.
    gc.freeze()
    sys.exit(code)


def _number_of(name: str) -> int:
    number: int = getattr(signals, name, signals.SIGINT)  # Windows has no SIGHUP
    return number


def _leave(_number: int, _frame: "FrameType | None") -> "NoReturn":
    """End the process at once: nothing was begun yet."""
    for name in _SIGNALS:
        signals.signal(_number_of(name), signals.SIG_IGN)  # one message is enough
    os.write(2, b"wheelkit: interrupted; nothing was begun\n")
    os._exit(_INTERRUPTED)


if __name__ == "__main__":
    run()
