"""Start the command line; an interruption while its modules are imported ends it without a traceback."""

from __future__ import annotations

import gc
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType


_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line in this process and return its exit code."""
    from wheelkit import command_line

    return command_line.main(arguments)


def run() -> NoReturn:
    """Run the command line and exit with its code; the ``wheelkit`` script calls this."""
    # Programs that a shell starts in the background ignore SIGINT, and go on doing so.
    interruptible = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if interruptible:
        signal.signal(signal.SIGINT, _leave)
    from wheelkit import command_line

    code = command_line.main(catch_interrupts=interruptible)
    if interruptible:
        signal.signal(signal.SIGINT, _leave)
    # At its end Python looks for unused cycles among all objects, which takes a tenth of the time of one
    # small wheel. It leaves frozen objects out; handlers of atexit run as ever.
    gc.freeze()
    sys.exit(code)


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    """End the process at once: nothing was begun yet, or all is done."""
    os.write(2, b"\nwheelkit: interrupted\n")
    os._exit(_INTERRUPTED)


if __name__ == "__main__":
    run()
