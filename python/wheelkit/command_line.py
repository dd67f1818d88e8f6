"""Read the command line, run a command, and turn errors into a message and an exit code."""

from __future__ import annotations

import errno
import signal
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from wheelkit import __version__
from wheelkit.cli import COMMANDS
from wheelkit.cli.output import (
    lost_output,
    prepare_streams,
    require_messages,
    require_output,
    show,
    show_error,
)
from wheelkit.errors import InterruptedByUserError, OutputError, ToolFailedError, UsageError, WheelkitError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType


_INTERRUPTION = InterruptedByUserError("interrupted; no unfinished files were left behind")
_USAGE = 2


class _Commands(click.Group):
    """A group that imports a command only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of the commands, in the order of their use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; for an unknown name, suggest the closest one."""
        if cmd_name not in COMMANDS:
            from difflib import get_close_matches

            close = get_close_matches(cmd_name, COMMANDS, n=1)
            hint = f'; did you mean "{close[0]}"?' if close else ""
            ctx.fail(f'there is no command "{cmd_name}"{hint}')
        module = import_module(f"wheelkit.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="wheelkit %(version)s", help="Show the version.")
def wheelkit() -> None:
    """Build, verify and publish the wheels of Python projects with a native core."""


def main(arguments: Sequence[str] | None = None, *, catch_interrupts: bool = False) -> int:
    """Run the command line and return its exit code; only bugs end in a traceback.

    With ``catch_interrupts``, SIGINT becomes KeyboardInterrupt here, which ends in a message.
    """
    signal.signal(signal.SIGTERM, _on_sigterm)
    prepare_streams()
    try:
        if catch_interrupts:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        _require_current_folder()
        return _run_command(arguments) or _report_lost_messages()
    except WheelkitError as error:
        return _report(error)
    except KeyboardInterrupt:
        show("\n", err=True)  # the terminal shows ^C at the start of the line
        return _report(_INTERRUPTION)
    except (OSError, MemoryError) as error:
        return _report_system_error(error)


def _report_system_error(error: OSError | MemoryError) -> int:
    """Report what the operating system refused, and where standard output is at fault, that alone."""
    try:
        require_output()
    except OutputError as broken:
        return _report(broken)
    if isinstance(error, MemoryError):
        return _report(ToolFailedError("there is not enough memory", hint="free some, then run it again"))
    return _report(OutputError.unexpected(error))


def _report_lost_messages() -> int:
    """Return the exit code of a command that succeeded: not 0 if its messages did not reach anyone."""
    try:
        require_messages()
    except OutputError as error:
        return _report(error)
    return 0


def _run_command(arguments: Sequence[str] | None) -> int:
    try:
        code = wheelkit.main(args=arguments, prog_name="wheelkit", standalone_mode=False)
    except SystemExit as error:  # click ends so when it prints help to a reader that is gone
        raise lost_output(BrokenPipeError(errno.EPIPE, "Broken pipe")) from error
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        return _report_usage(error)
    except click.Abort:
        return _report(_INTERRUPTION)
    return code if isinstance(code, int) else 0


def _report_usage(error: click.ClickException) -> int:
    """Report a mistake in the command line; print the help if it is empty."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        show(f"{error.format_message()}\n", err=True)
        return _USAGE
    context = getattr(error, "ctx", None)
    program = context.command_path if context else "wheelkit"
    show_error(error.format_message(), hint=f"{program} --help")
    return _USAGE


def _require_current_folder() -> None:
    try:
        Path.cwd()
    except FileNotFoundError as error:
        raise UsageError(
            "the current folder no longer exists", hint="cd to the project, then run the command again"
        ) from error


def _on_sigterm(_number: int, _frame: FrameType | None) -> NoReturn:
    raise InterruptedByUserError("stopped by SIGTERM; no unfinished files were left behind")


def _report(error: WheelkitError) -> int:
    log = error.log if isinstance(error, ToolFailedError) else None
    hint = "\n".join(filter(None, [error.hint, f"full log: {log}" if log else ""]))
    show_error(error.message, detail=error.detail, hint=hint)
    return error.exit_code
