"""The entry point: parse, call one function, render, and turn every error into a message and an exit code."""

from __future__ import annotations

import gc
import os
import sys
from io import TextIOWrapper
from typing import TYPE_CHECKING, NoReturn

from wheelkit.errors import InterruptedByUserError, ToolFailedError, UsageError, WheelkitError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    import click


_INTERRUPTION = InterruptedByUserError("interrupted; nothing half-finished was left behind")
_USAGE = 2
# Python looks for garbage after every 700 objects. While modules load it finds none; what reads many METADATA files leaves some, of
# which so many objects have 4 MB at most.
_YOUNG_OBJECTS = 20_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; nothing that a user can cause ends in a traceback."""
    import signal

    from wheelkit.cli import quick

    signal.signal(signal.SIGTERM, _terminated)
    _never_choke()
    try:
        _require_folder()
        code = quick.run(sys.argv[1:] if arguments is None else arguments)
        return _by_click(arguments) if code is None else code
    except WheelkitError as error:
        return _report(error)
    except KeyboardInterrupt:
        print(file=sys.stderr)  # noqa: T201 - the terminal shows ^C at the line's beginning
        return _report(_INTERRUPTION)
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain once more while it closes the stream. It is no success, lest a gate
        # that reads only the first lines passes; click ends so too where it meets the closed pipe first.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _by_click(arguments: Sequence[str] | None) -> int:
    """Let click read the command line and run the command."""
    import click

    from wheelkit.cli.group import wheelkit

    try:
        outcome = wheelkit.main(args=arguments, prog_name="wheelkit", standalone_mode=False)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        return _misused(error)
    except click.Abort:
        return _report(_INTERRUPTION)
    return outcome if isinstance(outcome, int) else 0


def _misused(error: click.ClickException) -> int:
    """Say what is wrong with the command line; where it is empty, the overview says enough."""
    import click

    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return _USAGE
    context = getattr(error, "ctx", None)
    hint = f"{context.command_path} --help" if context else "wheelkit --help"
    return _say(error.format_message(), hint=hint, code=_USAGE)


def _never_choke() -> None:
    """Let a stream that cannot show a character show a question mark, as where Windows pipes or an ASCII locale are."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _require_folder() -> None:
    from pathlib import Path

    try:
        Path.cwd()
    except FileNotFoundError as error:
        raise UsageError("the current folder does not exist any more", hint="cd to the project, then run it again") from error


def _terminated(_number: int, _frame: FrameType | None) -> NoReturn:
    raise InterruptedByUserError("asked to stop (SIGTERM); nothing half-finished was left behind")


def _report(error: WheelkitError) -> int:
    log = error.log if isinstance(error, ToolFailedError) else None
    hint = "\n".join(filter(None, [error.hint, f"the whole log: {log}" if log else ""]))
    return _say(error.message, detail=error.detail, hint=hint, code=error.exit_code)


def _say(message: str, *, detail: str = "", hint: str = "", code: int) -> int:
    from wheelkit.cli.screen import complain

    complain(message, detail=detail, hint=hint)
    return code


def _load_msgspec() -> None:
    """Load msgspec without typing_extensions, which it takes where it is installed, and which takes a fifth of a short command's time.

    Python 3.11 has all that msgspec wants of it; here, in a process of our own, nobody misses the rest.
    """
    name = "typing_extensions"
    if name not in sys.modules:
        sys.modules[name] = None  # type: ignore[assignment]  # how Python is told that there is none
        try:
            import msgspec  # noqa: F401 - who imports it later finds it loaded
        finally:
            del sys.modules[name]


def run() -> NoReturn:
    """Exit with the command line's code; what the ``wheelkit`` script calls."""
    if sys.argv[1:] == ["--version"]:  # scripts ask this often; it needs no command line library
        from wheelkit import __version__

        print(f"wheelkit {__version__}")  # noqa: T201 - the one line that is printed without click
        sys.exit(0)
    gc.set_threshold(_YOUNG_OBJECTS)
    _load_msgspec()
    code = main()
    gc.freeze()  # Python would look through all objects once more before it ends, which is a tenth of a short command's time
    sys.exit(code)


if __name__ == "__main__":
    run()
