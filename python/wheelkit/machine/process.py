"""The only module that runs programs.

Commands are argument lists, never shell lines. ``LoggedRun`` echoes a command, runs it in a process group of
its own, and appends its output to a log file; ``query`` returns the output of a short command.
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from wheelkit.errors import (
    InterruptedByUserError,
    MissingToolError,
    OutputError,
    ToolFailedError,
    WheelkitError,
    says_disk_full,
)
from wheelkit.inputs import encoded
from wheelkit.machine import windows
from wheelkit.machine.program_output import Answer, Tail, output_lines, redact_line
from wheelkit.machine.signals import at_end, deferred, hurried, interrupted, require_running

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from io import BufferedWriter

    from wheelkit.machine.signals import Cleanup


# How long a program has to exit after SIGINT, and then after SIGTERM, before it is killed.
_GRACE_SECONDS = (1.0, 0.5)
_GRACE_STEP_SECONDS = 0.01
# Exit statuses as in a shell: timeout(1), and a program that does not exist.
_FAILED, _TIMED_OUT, _NOT_FOUND = 1, 124, 127
_SIGKILL = 9
_WINDOWS = sys.platform == "win32"
# Backends write the permissions of files into archives.
_UMASK = 0o022
_TEMPORARY_FOLDER = ("TMPDIR", "TEMP", "TMP") if _WINDOWS else ("TMPDIR",)
# uv brings its own certificates. Behind a TLS proxy whose authority only the system knows, it needs this
# variable (uv's documentation, "TLS").
_SYSTEM_CERTS = "UV_SYSTEM_CERTS"
_UNKNOWN_ISSUER = "invalid peer certificate: UnknownIssuer"
_USERINFO = re.compile(r"://[^/@\s]+@")
# Set for every later program once uv has failed without it.
_learned: dict[str, str] = {}


class Command(Struct, frozen=True, kw_only=True):
    """A program to run: its arguments, environment and working directory.

    ``env`` is added to the environment, ``unset`` removed from it, and ``prefix_path`` put in front of PATH.
    The program inherits the file descriptors ``pass_fds``, so a lock on one of them is held until the program
    has ended as well. With ``timeout``, in seconds, the program is ended when the time is over, and
    everything that it left running is ended with it.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    cwd: Path | None = None
    prefix_path: tuple[str, ...] = ()
    pass_fds: tuple[int, ...] = ()
    timeout: float | None = None

    def __str__(self) -> str:
        """Return the equivalent shell line, without passwords in URLs."""
        return " ".join(self._shell_words())

    def script(self) -> str:
        """Return the equivalent shell line with each variable on a line of its own."""
        return " \\\n".join(self._shell_words())

    def _shell_words(self) -> list[str]:
        env = {name: _USERINFO.sub("://***@", value) for name, value in self.env.items()}
        return [*(f"{name}={shlex.quote(value)}" for name, value in env.items()), shlex.join(self.argv)]

    def environment(self) -> dict[str, str]:
        """Return the whole environment of the program."""
        env = {name: value for name, value in {**_learned, **os.environ}.items() if name not in self.unset}
        env.update(self.env)
        if self.prefix_path:
            env["PATH"] = os.pathsep.join([*self.prefix_path, env.get("PATH", os.defpath)])
        return env


class Completed(Struct, frozen=True, kw_only=True):
    """How a program ended: its exit status, the end of its output, and the log file with all of it.

    The exit status is 124 for a program that ``timed_out``, as in a shell; ``limit`` is its time in seconds.
    """

    returncode: int
    output: str
    log: Path | None = None
    timed_out: bool = False
    limit: float | None = None

    @property
    def cut_off(self) -> bool:
        """Whether a signal or the time limit ended the program, so that its output answers nothing."""
        return self.timed_out or self.returncode < 0

    @property
    def met_full_disk(self) -> bool:
        """Whether the program says that no space is left, which it mostly does where it fails."""
        return says_disk_full(self.output)

    @property
    def ending(self) -> str:
        """How the program ended; completes "it …"."""
        if self.timed_out:
            return f"did not end within {self.limit:.0f} s" if self.limit else "timed out"
        if self.returncode < 0:
            return f"was ended by {_signal_name(-self.returncode)}"
        return f"failed with exit status {self.returncode}"

    @property
    def advice(self) -> str:
        """What to do about how the program ended; empty where its own output has to say it."""
        if self.met_full_disk:
            return "free some space on the disk, then run it again"
        if self.timed_out:
            return "find out what it waits for, or run it again when the machine or the network is less busy"
        if self.returncode == -_SIGKILL:
            return "mostly the system does that when memory runs out: free some memory, then run it again"
        if self.returncode < 0:
            return "run it again; if it happens again, install the program again"
        return "" if self.output.strip() else "it printed nothing; run it by hand to find out why"


Run = Callable[[Command], Completed]
"""Runs a command and returns how it ended. Raises MissingToolError when the program does not exist."""


class LoggedRun(Struct, frozen=True, kw_only=True):
    """Runs commands and appends their command lines and output to one log file.

    ``echo`` gets each command line and ``tee`` each line of output, both redacted. ``stop`` ends the running
    command as soon as it returns true; it is for threads, which no signal reaches. Programs put their
    temporary files into ``scratch``, so what they leave behind is removed together with that folder.
    """

    log: Path
    echo: Callable[[str], None] = lambda _line: None
    redact: Callable[[bytes], bytes] = lambda line: line
    stop: Callable[[], bool] = lambda: False
    scratch: Path | None = None
    tee: Callable[[bytes], None] = lambda _data: None

    def __call__(self, command: Command, /) -> Completed:
        """Run the command and wait for it; an interrupt ends its process group."""
        line = self.redact(encoded(str(command))).decode(errors="replace")
        self.echo(line)
        try:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            with self.log.open("ab") as log:
                log.write(f"$ {line}\n".encode())
                environment = command.environment()
                completed = self._run(command, log)
                if _needs_system_certs(environment, completed):
                    log.write(f"[again with {_SYSTEM_CERTS}=1]\n".encode())
                    completed = self._run(command, log)
                status = f"exit status {completed.returncode}{', timed out' if completed.timed_out else ''}"
                log.write(f"[{status}]\n\n".encode())
        except OSError as error:
            raise OutputError.of(error, self.log) from error
        return completed

    def _run(self, command: Command, log: BufferedWriter) -> Completed:
        if self.scratch is not None:
            scratch = dict.fromkeys(_TEMPORARY_FOLDER, str(self.scratch))
            command = replace(command, env={**scratch, **command.env})
        deadline = math.inf if command.timeout is None else time.monotonic() + command.timeout
        tail = Tail()
        timed_out = False
        end: Cleanup | None = None
        try:
            with deferred():
                process = start_process(command)
                end = at_end(lambda: self._end(process, command))
            assert process.stdout is not None  # noqa: S101 - start_process() always opens a pipe
            for output in output_lines(process.stdout, lambda: process.poll() is not None):
                if self.stop():
                    raise InterruptedByUserError("ended, because something else failed or was interrupted")
                if timed_out := time.monotonic() > deadline:
                    break
                if output:
                    line = redact_line(output, self.redact)
                    log.write(line)
                    log.flush()
                    tail.add(line)
                    self.tee(line)
            status = _TIMED_OUT if timed_out else process.wait()
        finally:
            if end is not None:
                end()
        return Completed(
            returncode=status, output=tail.text(), log=self.log, timed_out=timed_out, limit=command.timeout
        )

    def _end(self, process: subprocess.Popen[bytes], command: Command) -> None:
        """End a program; what it left running ends too, unless it ended by itself and had no time limit."""
        end_process_group(process)
        if not _WINDOWS and (command.timeout is not None or interrupted() or self.stop()):
            _signal_group(process, signal.SIGKILL)


class PendingCommand:
    """A short command that runs in the background until its result is needed."""

    def __init__(self, command: Command) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._start_error = ""
        self.timed_out = False
        self._answers: list[Answer] = []
        try:
            environment = command.environment()
            with deferred():
                self._process = process = subprocess.Popen(  # noqa: S603 - an argument list, never a shell
                    _arguments(command, environment),
                    env=environment,
                    cwd=command.cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                )
                # It must not hold this object, whose end kills the program.
                self._end = at_end(lambda: _kill(process))
        except (OSError, ValueError) as error:  # ValueError for a NUL in an argument
            self._start_error = str(error)
            return
        kill = process.kill
        pipes = (process.stdout, process.stderr)
        self._answers = [Answer(pipe, kill) for pipe in pipes if pipe is not None]

    def wait_for_bytes(self, timeout: float = 30.0) -> tuple[int, bytes]:
        """Wait for the end; return the exit status and stdout, followed by stderr if the command failed."""
        if self._process is None:
            return _NOT_FOUND, self._start_error.encode()
        deadline = time.monotonic() + timeout
        try:
            code = self._process.wait(timeout)
            out, err = (answer.wait(deadline - time.monotonic()) for answer in self._answers)
        except subprocess.TimeoutExpired:
            self.timed_out = True
            return _TIMED_OUT, b""
        finally:
            self._end()
        if any(answer.too_long for answer in self._answers):
            return _FAILED, b"it printed far more than any answer has"
        return code, out if code == 0 else out + err

    def wait(self, timeout: float = 30.0) -> Completed:
        """Wait for the end and return the result, as ``query`` does."""
        return self.completed(*self.wait_for_bytes(timeout), timeout)

    def completed(self, code: int, data: bytes, timeout: float) -> Completed:
        """Return what ``wait_for_bytes`` returned as a result."""
        output = data.decode(errors="replace").rstrip()
        return Completed(returncode=code, output=output, timed_out=self.timed_out, limit=timeout)

    def __del__(self) -> None:
        """Kill a program whose result was never needed."""
        if self._process is not None:
            self._end()


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def query(command: Command, *, timeout: float = 30.0) -> Completed:
    """Run a short command and return what it printed on stdout; never raises.

    As in a shell, the exit status is 127 without the program, and 124 after ``timeout`` seconds.
    """
    environment = command.environment()
    completed = PendingCommand(command).wait(timeout)
    if _needs_system_certs(environment, completed):
        return PendingCommand(command).wait(timeout)
    return completed


def query_checked(command: Command, task: str, *, timeout: float = 30.0) -> Completed:
    """Run a short command as ``query`` does; raise ToolFailedError, with the task, unless it succeeds."""
    completed = query(command, timeout=timeout)
    if completed.returncode != 0:
        raise tool_error(completed, task)
    return completed


def require_answer(completed: Completed, task: str) -> Completed:
    """Return how a program ended that may fail; raise ToolFailedError if it was cut off before its answer."""
    if completed.cut_off:
        raise tool_error(completed, task)
    return completed


def _needs_system_certs(environment: Mapping[str, str], completed: Completed) -> bool:
    """Return whether uv failed because only the system knows the issuer of a certificate.

    Later programs get the variable.
    """
    if completed.returncode == 0 or _UNKNOWN_ISSUER not in completed.output or _SYSTEM_CERTS in environment:
        return False
    _learned[_SYSTEM_CERTS] = "1"
    return True


def run_configured(run: Run, command: Command) -> Completed:
    """Run a configured command; as in a shell, the exit status is 127 if the program cannot be started."""
    try:
        return run(command)
    except MissingToolError as error:
        return Completed(returncode=_NOT_FOUND, output=error.message)


def run_checked(run: Run, command: Command, task: str) -> Completed:
    """Run the command; raise ToolFailedError, with the task and the last lines, unless it succeeds."""
    completed = run(command)
    if completed.returncode != 0:
        raise tool_error(completed, task)
    return completed


def tool_error(completed: Completed, task: str, *, lines: int = 25) -> ToolFailedError:
    """Return the error for a failed program: its task, how it ended, and its last ``lines`` lines."""
    return ToolFailedError(
        f"{task} {completed.ending}",
        detail="\n".join(completed.output.rstrip().splitlines()[-lines:]),
        hint=completed.advice,
        log=completed.log,
    )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # most real-time signals have no name
        return f"signal {number}"


def find_tool(name: str) -> str:
    """Return the path of a program: beside the running Python, where dependencies are, else on PATH.

    Raises MissingToolError.
    """
    path = find_program(name)
    if path is None:
        raise MissingToolError(
            f"{name} was not found beside {sys.executable} nor on PATH", hint=f"pip install {name}"
        )
    return path


def find_program(name: str) -> str | None:
    """Return the path of a program as ``find_tool`` does; None where it does not exist."""
    scripts = os.pathsep.join((sysconfig.get_path("scripts"), str(Path(sys.executable).parent)))
    if _WINDOWS:  # shutil.which would look into the current folder first
        path = os.pathsep.join((scripts, os.environ.get("PATH", "")))
        return windows.find_program(name, {**os.environ, "PATH": path})
    return shutil.which(name, path=scripts) or shutil.which(name)


def start_process(command: Command) -> subprocess.Popen[bytes]:
    """Start the command in a process group of its own, with stdout and stderr in one pipe."""
    require_running()
    env = command.environment()
    try:
        return subprocess.Popen(  # noqa: S603 - an argument list, never a shell
            _arguments(command, env),
            env=env,
            cwd=command.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=not _WINDOWS,
            umask=-1 if _WINDOWS else _UMASK,
            pass_fds=() if _WINDOWS else command.pass_fds,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    except OSError as error:
        if command.cwd is not None and not command.cwd.is_dir():
            raise OutputError.of(error, command.cwd) from error
        raise _start_error(command.argv[0], error) from error
    except ValueError as error:
        raise ToolFailedError(f"{command.argv[0]} could not be started: {error}") from error


def _arguments(command: Command, environment: Mapping[str, str]) -> Sequence[str] | str:
    return windows.arguments(command.argv, environment, command.cwd) if _WINDOWS else command.argv


def _start_error(program: str, error: OSError) -> WheelkitError:
    message = f"{program} could not be started: {error.strerror or error}"
    if isinstance(error, FileNotFoundError | PermissionError) or error.errno == errno.ENOEXEC:
        return MissingToolError(message, hint=f"install {program}, or put it on PATH")
    return ToolFailedError(message)


def end_process_group(process: subprocess.Popen[bytes]) -> None:
    """End a running program with everything that it started: SIGINT and SIGTERM first, then SIGKILL.

    The user who sends a second signal wants the last one at once.
    """
    if process.poll() is None:
        for number, grace in zip((signal.SIGINT, signal.SIGTERM), _GRACE_SECONDS, strict=True):
            _signal_group(process, number)
            deadline = time.monotonic() + grace
            while process.poll() is None and not hurried() and time.monotonic() < deadline:
                time.sleep(_GRACE_STEP_SECONDS)
        _kill_group(process)
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(OSError):
        if _WINDOWS:
            process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM))
        else:
            os.killpg(process.pid, number)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    if _WINDOWS:
        killing = Command(argv=("taskkill", "/F", "/T", "/PID", str(process.pid)))
        PendingCommand(killing).wait()
        process.kill()  # where there is no taskkill
    else:
        _signal_group(process, signal.SIGKILL)
