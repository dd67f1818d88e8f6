"""Read the command line, run a command, and turn errors into a message and an exit code."""

from __future__ import annotations

import errno
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelkit import __version__
from wheelkit.cli import COMMANDS
from wheelkit.cli.output import (
    lost_output,
    prepare_streams,
    require_messages,
    require_output,
    set_color,
    show,
    show_error,
    show_interruption,
)
from wheelkit.errors import (
    InterruptedByUserError,
    OutputError,
    ReaderGoneError,
    ToolFailedError,
    UsageError,
    WheelkitError,
)
from wheelkit.machine import signals

if TYPE_CHECKING:
    from collections.abc import Sequence


_USAGE = 2


class _Commands(click.Group):
    """A group that imports a command only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of the commands, in the order of their use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; for an unknown name, suggest the closest one."""
        if cmd_name == "help":
            return _help
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


@click.command("help", add_help_option=False)
@click.argument("names", nargs=-1)
@click.pass_context
def _help(context: click.Context, names: tuple[str, ...]) -> None:
    """Show the help of wheelkit, or of a command: what ``--help`` shows."""
    parent = context.parent or context
    shown: click.Command = parent.command
    for name in names:
        if not isinstance(shown, click.Group):
            parent.fail(f'"{parent.command_path}" has no command "{name}"')
        found = shown.get_command(parent, name)
        if found is None:
            parent.fail(f'"{parent.command_path}" has no command "{name}"')
        shown, parent = found, click.Context(found, info_name=name, parent=parent)
    show(f"{shown.get_help(parent)}\n")


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(
    __version__, "-V", "--version", message="wheelkit %(version)s", help="Show the version."
)
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="When to colour the output.",
)
def wheelkit(color: str) -> None:
    """Build, verify and publish the wheels of Python projects with a native core."""
    set_color(color)


def run() -> int:
    """Run the command line of this process, which SIGINT, SIGTERM and SIGHUP end; return its exit code.

    Afterwards signals do nothing.
    """
    signals.catch()
    try:
        return main()
    except InterruptedByUserError as error:  # right after the command, before the end of the signals
        return _report_interruption(error)
    finally:
        signals.finish()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; only bugs end in a traceback."""
    prepare_streams()
    try:
        _require_current_folder()
        return _run_command(arguments) or _report_lost_messages()
    except WheelkitError as error:
        return _report(error)
    except InterruptedByUserError as error:
        return _report_interruption(error)
    except KeyboardInterrupt:
        return _report_interruption(InterruptedByUserError("interrupted"))
    except (OSError, MemoryError) as error:
        return _report_system_error(error)


def _report_interruption(error: InterruptedByUserError) -> int:
    signals.finish()
    show_interruption(error.message, error.detail)
    return error.exit_code


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
    except click.Abort as error:
        raise InterruptedByUserError("interrupted") from error
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


def _report(error: WheelkitError) -> int:
    signals.finish()
    if isinstance(error, ReaderGoneError):
        return error.exit_code
    log = error.log if isinstance(error, ToolFailedError) else None
    hint = "\n".join(filter(None, [error.hint, f"full log: {log}" if log else ""]))
    show_error(error.message, detail=error.detail, hint=hint)
    return error.exit_code
