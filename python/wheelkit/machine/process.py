"""The only module that runs programs.

Commands are argument lists, echoed before they run; their output goes to a log file and its last lines are kept; secrets are
replaced before anything is written. A program runs in a process group of its own, and the group ends with us.
"""

from __future__ import annotations

import base64
import contextlib
import os
import re
import selectors
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote, quote_plus

from msgspec import Struct, field
from msgspec.structs import replace

from wheelkit.errors import InterruptedByUserError, MissingToolError, OutputError, ToolFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from io import BufferedWriter
    from pathlib import Path


_CHUNK = 65536
# So many that the first error of a long compilation, which the others follow from, is among them.
_TAIL_LINES = 20_000
# How long a program that is to end gets after SIGINT, and after SIGTERM; what it leaves behind is cleaned up by its caller.
_GRACE_SECONDS = (1.0, 0.5)
_TIMED_OUT = 124
_WINDOWS = sys.platform == "win32"


class Command(Struct, frozen=True, kw_only=True):
    """A program to run: its arguments, what it adds to the environment, what it must not see of it, and where it runs.

    ``keeps`` are open files, by descriptor, that it inherits: a lock on one of them holds until the program has ended as well. One with
    a ``timeout`` in seconds is ended when that is over, and so is all that it leaves running when it ends by itself.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    cwd: Path | None = None
    prefix_path: tuple[str, ...] = ()
    keeps: tuple[int, ...] = ()
    timeout: float | None = None

    def __str__(self) -> str:
        """Give the line that does the same in a shell."""
        settings = [f"{name}={shlex.quote(value)}" for name, value in self.env.items()]
        return " ".join([*settings, shlex.join(self.argv)])

    def script(self) -> str:
        """Give the same line with each setting on a line of its own, for people to read and to paste."""
        settings = [f"{name}={shlex.quote(value)}" for name, value in self.env.items()]
        return " \\\n".join([*settings, shlex.join(self.argv)])

    def environment(self) -> dict[str, str]:
        """Compute the whole environment that the program gets."""
        env = {name: value for name, value in os.environ.items() if name not in self.unset}
        env.update(self.env)
        if self.prefix_path:
            env["PATH"] = os.pathsep.join([*self.prefix_path, env.get("PATH", os.defpath)])
        return env


class Completed(Struct, frozen=True, kw_only=True):
    """How a program ended: its exit status, its last lines (standard output and error together), and the log that holds all of them.

    ``timed_out`` tells that it was ended because its time was over; the status is 124 then, as in a shell.
    """

    returncode: int
    output: str
    log: Path | None = None
    timed_out: bool = False


class Run(Protocol):
    """Runs a command and tells how it ended; raises MissingToolError when the program does not exist."""

    def __call__(self, command: Command, /) -> Completed:
        """Run the command to its end."""


class Redactor:
    """Replaces known secrets in text, so that no log, report or message can hold one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = sorted((secret.encode() for secret in secrets if secret), key=len, reverse=True)

    def __call__(self, line: bytes) -> bytes:
        """Return the line with every secret replaced by ``***``."""
        for secret in self._secrets:
            line = line.replace(secret, b"***")
        return line


class LoggedRun:
    """Runs commands with all they print in one log file, which every failure can name.

    ``stop`` is for threads, which no signal reaches: once it answers true, the running command is ended. ``scratch`` is where programs put
    their temporary files: what one leaves behind goes with that folder. ``tee`` gets every line that a program prints.
    """

    def __init__(  # noqa: PLR0913 - each is one way in which programs are watched
        self,
        log: Path,
        *,
        echo: Callable[[str], None] = lambda _line: None,
        redact: Redactor | None = None,
        stop: Callable[[], bool] = lambda: False,
        scratch: Path | None = None,
        tee: Callable[[bytes], None] = lambda _data: None,
    ) -> None:
        self.log = log
        self._tee = tee
        self._scratch = scratch
        self._echo = echo
        self._redact = redact or Redactor()
        self._stop = stop

    def __call__(self, command: Command, /) -> Completed:
        """Run the command to its end; an interrupt ends its whole process group first."""
        line = self._redact(str(command).encode()).decode()
        self._echo(line)
        try:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            with self.log.open("ab") as log:
                log.write(f"$ {line}\n".encode())
                done = self._watch(command, log)
                log.write(
                    f"[exit status {done.returncode}{', its time was over' if done.timed_out else ''}]\n\n".encode()
                )
        except OSError as error:
            raise OutputError.of(error, self.log) from error
        return done

    def _watch(self, command: Command, log: BufferedWriter) -> Completed:
        if self._scratch is not None:
            command = replace(command, env={"TMPDIR": str(self._scratch), **command.env})
        process = start(command)
        tail = _Tail()
        try:
            for line in _lines(process, _until(command.timeout, self._stop)):
                clean = self._redact(line)
                log.write(clean)
                log.flush()
                tail.add(clean)
                self._tee(clean)
            return Completed(returncode=process.wait(), output=tail.text(), log=self.log)
        except _TimeIsOverError:
            return Completed(returncode=_TIMED_OUT, output=tail.text(), log=self.log, timed_out=True)
        finally:
            end_group(process)
            if command.timeout is not None and not _WINDOWS:
                _send(process, signal.SIGKILL)


class _TimeIsOverError(Exception):
    """A program's time is over."""


def _until(timeout: float | None, stop: Callable[[], bool]) -> Callable[[], bool]:
    """Make a ``stop`` that raises as well when the time is over, counted from now."""
    if timeout is None:
        return stop
    end = time.monotonic() + timeout

    def stopped() -> bool:
        if time.monotonic() > end:
            raise _TimeIsOverError
        return stop()

    return stopped


def start(command: Command) -> subprocess.Popen[bytes]:
    """Start the command in a process group of its own, standard output and error in one pipe."""
    env = command.environment()
    try:
        return subprocess.Popen(  # noqa: S603 - an argument list, never a shell
            command.argv,
            env=env,
            cwd=command.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=not _WINDOWS,
            pass_fds=() if _WINDOWS else command.keeps,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    except (FileNotFoundError, PermissionError) as error:
        program = command.argv[0]
        if command.cwd is not None and not command.cwd.is_dir():
            raise OutputError.of(error, command.cwd) from error
        message = f"{program} could not be started: {error.strerror}"
        raise MissingToolError(message, hint=f"install {program}, or put it on PATH") from error


class PendingCommand:
    """A short command that runs already; its answer is taken when it is wanted."""

    def __init__(self, command: Command) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._refusal = ""
        try:
            self._process = subprocess.Popen(  # noqa: S603 - an argument list, never a shell
                command.argv,
                env=command.environment(),
                cwd=command.cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except OSError as error:
            self._refusal = str(error)

    def raw(self, timeout: float = 30.0) -> tuple[int, bytes]:
        """Wait for the end; returns the exit status and the bytes of standard output, and of standard error too where it failed."""
        if self._process is None:
            return 127, self._refusal.encode()
        try:
            out, err = self._process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            return 124, b""
        except BaseException:
            self._process.kill()
            raise
        code = self._process.returncode
        return code, out if code == 0 else out + err

    def __del__(self) -> None:
        """End a program whose answer nobody wants any more."""
        process = self._process
        if process is not None and process.returncode is None:
            process.kill()
            process.communicate()

    def answer(self, timeout: float = 30.0) -> Completed:
        """Wait for the end and give what was printed, as ``query`` does."""
        code, data = self.raw(timeout)
        return Completed(returncode=code, output=data.decode(errors="replace").rstrip())


def query(command: Command, *, timeout: float = 30.0) -> Completed:
    """Run a short command and return what it printed on standard output; never raises for how it ended.

    A program that does not exist answers with status 127, one that takes longer than ``timeout`` seconds with 124, as in a shell.
    """
    return PendingCommand(command).answer(timeout)


def checked(run: Run, command: Command, what: str) -> Completed:
    """Run the command and raise ToolFailedError, with its last lines, unless it ended with 0."""
    done = run(command)
    if done.returncode != 0:
        raise failure(done, what)
    return done


def failure(done: Completed, what: str, *, lines: int = 25) -> ToolFailedError:
    """Make the error for a program that failed: what it was to do, how it ended, and its last ``lines`` lines."""
    if done.returncode < 0:
        ending = f"was ended by {signal.Signals(-done.returncode).name}"
    else:
        ending = f"failed with exit status {done.returncode}"
    detail = "\n".join(done.output.rstrip().splitlines()[-lines:])
    hint = (
        "free some space on the disk, then run it again" if "No space left on device" in done.output else ""
    )
    return ToolFailedError(f"{what} {ending}", detail=detail, hint=hint, log=done.log)


class _Tail:
    """The last lines of a stream."""

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque(maxlen=_TAIL_LINES)

    def add(self, line: bytes) -> None:
        self._lines.append(line)

    def text(self) -> str:
        return b"".join(self._lines).decode(errors="replace")


def _lines(process: subprocess.Popen[bytes], stop: Callable[[], bool]) -> Iterable[bytes]:
    """Yield lines until the program has ended, even where a daemon that it left behind keeps the pipe open."""
    pipe = process.stdout
    assert pipe is not None  # noqa: S101 - start() always makes one
    pending = b""
    for chunk in _chunks_threaded(process) if _WINDOWS else _chunks(process, pipe.fileno()):
        if stop():
            raise InterruptedByUserError("ended, because something else failed or was interrupted")
        pending += chunk
        *whole, pending = pending.split(b"\n")
        yield from (line + b"\n" for line in whole)
    if pending:
        yield pending + b"\n"


def _chunks(process: subprocess.Popen[bytes], descriptor: int) -> Iterable[bytes]:
    """Yield what arrives, and nothing ten times a second while nothing does, so that the reader can think of something else."""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while True:
            ended = process.poll() is not None
            if selector.select(timeout=0.0 if ended else 0.1):
                chunk = os.read(descriptor, _CHUNK)
                if not chunk:
                    return
                yield chunk
            elif ended:
                return
            else:
                yield b""


def _chunks_threaded(process: subprocess.Popen[bytes]) -> Iterable[bytes]:
    """Read a pipe where select() knows only sockets; the wait stays interruptible."""
    from queue import Empty, SimpleQueue

    pipe = process.stdout
    assert pipe is not None  # noqa: S101 - start() always makes one
    queue: SimpleQueue[bytes] = SimpleQueue()

    def pump() -> None:
        while chunk := os.read(pipe.fileno(), _CHUNK):
            queue.put(chunk)
        queue.put(b"")

    threading.Thread(target=pump, daemon=True).start()
    while True:
        try:
            chunk = queue.get(timeout=0.1)
        except Empty:
            if process.poll() is not None:
                return
            yield b""
            continue
        if not chunk:
            return
        yield chunk


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a program that is still running, with all that it started: politely first, then for good."""
    if process.poll() is None:
        for number, grace in zip((signal.SIGINT, signal.SIGTERM), _GRACE_SECONDS, strict=True):
            _send(process, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(grace)
                break
        _send(process, getattr(signal, "SIGKILL", signal.SIGTERM))
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _send(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        if _WINDOWS:
            process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM))
        else:
            os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError, OSError):
        return


# What tokens of the public indexes and JSON web tokens look like, for those that nobody told us of.
_TOKENS = re.compile(rb"pypi-[A-Za-z0-9_-]{16,}|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+")
_SHORTEST_SECRET = 4
# Variables of the environment that hold secrets which a child program may print.
_VARIABLES = (
    "TWINE_PASSWORD",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_RUNTIME_TOKEN",
    "GITHUB_TOKEN",
    "CI_JOB_TOKEN",
)


class Secrets(Redactor):
    """A redactor that learns secrets as they come up, and knows tokens by their looks."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__()
        self._known: set[str] = set()
        named = (
            environ[name]
            for name in (*_VARIABLES, *(one for one in environ if one.endswith("_ID_TOKEN")))
            if name in environ
        )
        self.add(*named)

    def add(self, *secrets: str, username: str = "__token__") -> None:
        """Learn secrets, with the forms that they take in headers, addresses and shell lines."""
        for secret in secrets:
            if len(secret) >= _SHORTEST_SECRET:
                self._known.update(_forms(secret, username))
        self._secrets = sorted((form.encode() for form in self._known), key=len, reverse=True)

    def __call__(self, line: bytes) -> bytes:
        """Return the line with every secret replaced by ``***``."""
        return _TOKENS.sub(b"***", super().__call__(line))

    def text(self, text: str) -> str:
        """Do the same to text."""
        return self(text.encode()).decode(errors="replace")


def _forms(secret: str, username: str) -> Iterable[str]:
    basic = base64.b64encode(f"{username}:{secret}".encode()).decode()
    return {
        secret,
        shlex.quote(secret),
        quote(secret),
        quote_plus(secret),
        repr(secret)[1:-1],
        basic,
        base64.b64encode(secret.encode()).decode(),
    }
