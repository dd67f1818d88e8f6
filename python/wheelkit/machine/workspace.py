"""Where one command works: a scratch folder, a log file, and the runner that writes it."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from wheelkit.errors import OutputError
from wheelkit.machine.process import LoggedRun
from wheelkit.machine.progress import Progress, step
from wheelkit.machine.scratch import removed_at_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from wheelkit.machine.concurrency import Stop
    from wheelkit.machine.process import Command, Completed, Run


_MAX_LOGS = 100
# Programs create sockets among their temporary files. The path of a socket has at most 103 bytes (sun_path on
# macOS), of which multiprocessing uses 32.
_MAX_SCRATCH_LENGTH = 70


class Workspace(Struct, frozen=True, kw_only=True):
    """A scratch folder that is removed at the end, a log file that stays, and the runner that writes it.

    ``env`` is added to the environment of every command. ``make_run`` returns a runner for another log file.
    ``notes`` are those of one build, to be shown again when it comes from the cache.
    """

    folder: Path
    log: Path
    run: Run
    progress: Progress
    env: Mapping[str, str] = field(default_factory=dict)
    make_run: Callable[[Path, Stop], Run] | None = None
    notes: list[str] = field(default_factory=list)

    def new_folder(self, name: str) -> Path:
        """Create an empty folder in the scratch folder and return its path."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))

    def step(self, label: str) -> AbstractContextManager[None]:
        """Report the block as one step."""
        return step(self.progress, label)

    def note(self, text: str) -> None:
        """Show one sentence that the user should know, and keep it."""
        self.notes.append(text)
        self.progress.note(text)

    def silent(self) -> Workspace:
        """Return the workspace with nobody who is told of what happens in it."""
        return replace(self, progress=Progress())

    def for_job(self, name: str, stop: Stop | None) -> Workspace:
        """Return the workspace of one of several parallel jobs, with a log of its own and ended by ``stop``.

        Without ``stop`` nothing else runs, and the job shares this workspace.
        """
        if stop is None or self.make_run is None:
            return self
        log = self.log.with_name(f"{self.log.stem}-{name}.log")
        return replace(self, log=log, run=_run_with(self.make_run(log, stop), self.env))

    def with_env(self, env: Mapping[str, str]) -> Workspace:
        """Return the workspace with ``env`` added to the environment of every command."""
        return replace(self, run=_run_with(self.run, env), env={**self.env, **env})


def _run_with(run: Run, env: Mapping[str, str]) -> Run:
    def run_with_env(command: Command, /) -> Completed:
        return run(replace(command, env={**command.env, **env}))

    return run_with_env if env else run


@contextmanager
def open_workspace(progress: Progress, command: str) -> Iterator[Workspace]:
    """Open the workspace of a command, and remove its folder at the end. Raises OutputError."""
    log = _log_file(command)
    with removed_at_end(_new_scratch_folder) as folder:
        scratch = folder if _may_hold_temporary_files(folder, os.environ) else None

        def make_run(log: Path, stop: Stop = lambda: False) -> LoggedRun:
            return LoggedRun(log=log, echo=progress.command, tee=progress.output, stop=stop, scratch=scratch)

        path, run = folder.resolve(), make_run(log)
        yield Workspace(folder=path, log=log, run=run, progress=progress, make_run=make_run)


def _new_scratch_folder() -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix="wheelkit-"))
    except OSError as error:
        raise OutputError.of(error, tempfile.gettempdir()) from error


def _may_hold_temporary_files(folder: Path, environ: Mapping[str, str]) -> bool:
    """Return whether programs may put temporary files into a folder that is removed after the build.

    Programs leave some behind: uv a lock for every project that setuptools builds. But an sccache server that
    a build starts runs on, and needs its files; Meson starts one wherever sccache is on PATH.
    """
    if len(os.fsencode(folder)) > _MAX_SCRATCH_LENGTH or shutil.which("sccache", path=environ.get("PATH")):
        return False
    return not any(Path(word).stem == "sccache" for text in environ.values() for word in text.split())


def _log_file(command: str) -> Path:
    """Return a new path in the user's log folder, or else in the temporary folder; remove old logs."""
    from platformdirs import user_log_path

    folder = user_log_path("wheelkit", appauthor=False)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for log in sorted(folder.glob("*.log"))[:-_MAX_LOGS]:
            log.unlink(missing_ok=True)
    except OSError:
        folder = Path(tempfile.gettempdir())
    return folder / f"{stamp}-{os.getpid()}-{command}.log"
