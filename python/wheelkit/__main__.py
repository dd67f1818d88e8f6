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


def main(arguments: "Sequence[str] | None" = None) -> int:
    """Run the command line in this process and return its exit code."""
    from wheelkit import command_line

    return command_line.main(arguments)


def run() -> "NoReturn":
    """Run the command line and exit with its code; the ``wheelkit`` script calls this."""
    # Programs that a shell starts in the background ignore SIGINT, and go on doing so.
    interruptible = signals.getsignal(signals.SIGINT) is signals.default_int_handler
    if interruptible:
        signals.signal(signals.SIGINT, _leave)
    from wheelkit import command_line

    code = command_line.main(catch_interrupts=interruptible)
    if interruptible:
        signals.signal(signals.SIGINT, _leave)
    # At its end Python looks for unused cycles among all objects, which takes a tenth of the time of one
    # small wheel. It leaves frozen objects out; handlers of atexit run as ever.
    gc.freeze()
    sys.exit(code)


def _leave(_number: int, _frame: "FrameType | None") -> "NoReturn":
    """End the process at once: nothing was begun yet, or all is done."""
    os.write(2, b"\nwheelkit: interrupted\n")
    os._exit(_INTERRUPTED)


if __name__ == "__main__":
    run()
