"""The place in which one build works: a scratch folder, a log file, and the tools that it runs."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
import tempfile
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from wheelkit.errors import MissingToolError, OutputError
from wheelkit.machine.process import Completed, LoggedRun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from wheelkit.machine.process import Command, Completed, Run
    from wheelkit.machine.progress import ParallelProgress, Progress


_KEPT_LOGS = 100
# Programs make sockets where temporary files go: their paths have 103 bytes at the most (sun_path on macOS), and multiprocessing takes 32.
_LONGEST_SCRATCH = 70


class Workspace(Struct, frozen=True, kw_only=True):
    """A scratch folder that vanishes afterwards, the log that stays, the runner that writes it, and who hears of progress.

    ``env`` is what the runner adds to every command's environment, for those who run commands into logs of their own;
    ``logging`` makes a runner for such a log, and a question that ends it.
    """

    folder: Path
    log: Path
    run: Run
    progress: Progress
    env: Mapping[str, str] = field(default_factory=dict)
    logging: Callable[[Path, Callable[[], bool]], Run] | None = None

    def fresh(self, name: str) -> Path:
        """Make a new empty folder in the scratch folder."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))

    def apart(self, name: str, stop: Callable[[], bool] | None) -> Workspace:
        """Give one of several builds that run together a log of its own beside this one; ``stop`` ends what it runs.

        Without ``stop`` nothing runs beside it, and all stays as it is.
        """
        if stop is None or self.logging is None:
            return self
        log = self.log.with_name(f"{self.log.stem}-{name}.log")
        run = self.logging(log, stop)

        def apart(command: Command, /) -> Completed:
            return run(replace(command, env={**self.env, **command.env}))

        return replace(self, log=log, run=apart)


@contextmanager
def workspace(progress: Progress, what: str) -> Iterator[Workspace]:
    """Open a workshop for one command (``what`` names its log); remove the scratch folder however it ends."""
    log = _log_file(what)
    try:
        scratch = tempfile.mkdtemp(prefix="wheelkit-")
    except OSError as error:
        raise OutputError.of(error, tempfile.gettempdir()) from error

    folder = Path(scratch).resolve()
    env = {"TMPDIR": scratch} if _may_vanish(scratch, os.environ) else {}

    def logging(path: Path, stop: Callable[[], bool] = lambda: False) -> LoggedRun:
        return LoggedRun(
            path,
            echo=progress.command,
            tee=progress.output,
            stop=stop,
            scratch=Path(scratch) if env else None,
        )

    try:
        yield Workspace(folder=folder, log=log, run=logging(log), progress=progress, env=env, logging=logging)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _may_vanish(folder: str, environ: Mapping[str, str]) -> bool:
    """Tell whether programs may put their temporary files into a folder that is removed when the build has ended.

    They leave some behind: uv a lock for every project that setuptools builds. But a server of sccache that a build starts outlives it,
    and would miss its folder; meson starts one wherever sccache is on PATH.
    """
    if len(os.fsencode(folder)) > _LONGEST_SCRATCH or shutil.which("sccache", path=environ.get("PATH")):
        return False
    return not any(Path(word).stem == "sccache" for text in environ.values() for word in text.split())


def _log_file(what: str) -> Path:
    from platformdirs import user_log_path

    folder = user_log_path("wheelkit", appauthor=False)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in sorted(folder.glob("*.log"))[:-_KEPT_LOGS]:
            old.unlink(missing_ok=True)
    except OSError:
        folder = Path(tempfile.gettempdir())
    return folder / f"{stamp}-{os.getpid()}-{what}.log"


def find_tool(name: str) -> str:
    """Find a program beside the running Python, where installers put wheelkit's own dependencies, or on PATH.

    Raises MissingToolError with the way to install it.
    """
    scripts = os.pathsep.join((sysconfig.get_path("scripts"), str(Path(sys.executable).parent)))
    found = shutil.which(name, path=scripts) or shutil.which(name)
    if found is None:
        raise MissingToolError(
            f"{name} was not found beside {sys.executable} nor on PATH", hint=f"pip install {name}"
        )
    return found


class SharedLog:
    """Runs commands as the workshop does, into a log of their own, and adds each whole to the common one when it has ended."""

    def __init__(self, shop: Workspace, board: ParallelProgress, log: Path) -> None:
        self._shop = shop
        self._own = log
        self._run = LoggedRun(log, echo=board.command, stop=board.stopped.is_set)

    def __call__(self, command: Command, /) -> Completed:
        """Run the command to its end."""
        self._own.unlink(missing_ok=True)
        try:
            done = self._run(replace(command, env={**self._shop.env, **command.env}))
        finally:
            if self._own.is_file():
                with _appending, self._shop.log.open("ab") as log:
                    log.write(self._own.read_bytes())
        return replace(done, log=self._shop.log)


_appending = threading.Lock()
