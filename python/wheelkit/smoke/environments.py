"""The folders in which the cases of a smoke test run, and their logs."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import threading
from collections import deque
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from wheelkit.errors import OutputError
from wheelkit.machine.process import Command, LoggedRun
from wheelkit.machine.redaction import Redactor
from wheelkit.machine.scratch import removed_at_end
from wheelkit.smoke.model import InstallMode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wheelkit.machine.workspace import Workspace
    from wheelkit.smoke.model import Case


_SCRIPTS = "Scripts" if sys.platform == "win32" else "bin"
_EXE = ".exe" if sys.platform == "win32" else ""
# Variables that can redirect an installer or an interpreter. Those for certificates, caches and timeouts are
# harmless.
_REDIRECTING = ("UV_", "PIP_", "PYTHON", "VIRTUAL_ENV", "CONDA_", "PIPX_", "__PYVENV")
_HARMLESS = frozenset({
    "UV_CACHE_DIR", "UV_HTTP_TIMEOUT", "UV_NATIVE_TLS", "UV_SYSTEM_CERTS", "UV_LINK_MODE",
    "PIP_CERT", "PIP_CACHE_DIR", "PIP_DEFAULT_TIMEOUT",
})  # fmt: skip
# Environments of finished cases are removed late, because file systems take longer to create files while many
# are deleted (on ext4, freed inodes are not reused for five seconds). The limit keeps large ones from filling
# the disk.
_MOST_FINISHED = 12
# The number of smoke tests that can run at the same time in folders with a fixed name.
_FIXED_FOLDERS = 64


def variables_to_unset(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return the environment variables that no program of a smoke test may see."""
    return tuple(name for name in environ if name.startswith(_REDIRECTING) and name not in _HARMLESS)


class Environment(Struct, frozen=True, kw_only=True):
    """The folder of one case: its virtual environment, an empty working directory and the constraints."""

    folder: Path

    @property
    def venv(self) -> Path:
        """The virtual environment, or the folder of uv's tools."""
        return self.folder / "env"

    @property
    def tools(self) -> Path:
        """The folder in which uv puts the scripts of tools."""
        return self.folder / "tools"

    @property
    def work(self) -> Path:
        """An empty folder, away from any sources."""
        return self.folder / "work"

    @property
    def constraints(self) -> Path:
        """The file that ties the family's names to its wheels."""
        return self.folder / "constraints.txt"

    @property
    def python(self) -> str:
        """The path of the environment's interpreter."""
        return str(self.venv / _SCRIPTS / f"python{_EXE}")

    def script(self, name: str, mode: InstallMode) -> str:
        """Return the path of an installed console script."""
        folder = self.tools if mode is InstallMode.TOOL else self.venv / _SCRIPTS
        return str(folder / f"{name}{_EXE}")

    def prepare(self, case: Case) -> None:
        """Create the folders and write the constraints; raises OutputError."""
        lines = (f"{package.pinned()}\n" for package in case.packages.values())
        try:
            self.work.mkdir(parents=True, exist_ok=True)
            self.constraints.write_text("".join(lines), encoding="utf-8")
        except OSError as error:
            raise OutputError.of(error, self.folder) from error

    def command(self, *argv: str, timeout: float) -> Command:
        """Build a command that runs in the empty folder as if the environment were activated."""
        return Command(
            argv=argv,
            cwd=self.work,
            env={"VIRTUAL_ENV": str(self.venv), "PYTHONNOUSERSITE": "1"},
            unset=variables_to_unset(),
            prefix_path=(str(self.venv / _SCRIPTS),),
            timeout=timeout,
        )


class Environments(Struct, frozen=True, kw_only=True):
    """All environments of a smoke test, in one folder; setting ``stop`` ends all programs in them."""

    folder: Path
    workspace: Workspace
    secrets: tuple[str, ...] = ()
    keep: bool = False
    stop: threading.Event = field(default_factory=threading.Event)
    _finished: deque[Path] = field(default_factory=deque)

    def environment(self, case: Case) -> Environment:
        """Return the environment of a case, which is still to be prepared."""
        return Environment(folder=self.folder / _folder_name(case))

    def logged_run(self, case: Case) -> LoggedRun:
        """Return a runner that writes the log of a case."""
        log = self.workspace.log
        return LoggedRun(
            log=log.with_name(f"{log.stem}-{_folder_name(case)}.log"),
            echo=self.workspace.progress.command,
            redact=Redactor(self.secrets),
            stop=self.stop.is_set,
            scratch=self.workspace.folder,
        )

    def finish(self, environment: Environment) -> None:
        """Release the environment of a finished case; the oldest ones are removed when there are many."""
        if self.keep:
            return
        self._finished.append(environment.folder)
        with suppress(IndexError):  # another thread may have taken it
            while len(self._finished) > _MOST_FINISHED:
                shutil.rmtree(self._finished.popleft(), ignore_errors=True)


def _folder_name(case: Case) -> str:
    # Normalized names contain no underscores, so no distribution is called the_family.
    member = case.distribution or "the_family"
    runtime = case.python.runtime
    platform = f"-{runtime.target}" if runtime else ""
    return re.sub(r"[^\w]+", "-", f"{member}-{case.interpreter}-{case.mode}-{case.python.version}{platform}")


@contextmanager
def open_environments(
    workspace: Workspace, *, keep: bool = False, secrets: tuple[str, ...] = ()
) -> Iterator[Environments]:
    """Create the folder of a smoke test's environments, and remove it at the end unless ``keep`` is set.

    Raises OutputError.
    """
    if not keep:
        with removed_at_end(fixed_folder) as folder:
            yield Environments(folder=folder, workspace=workspace, secrets=secrets)
        return
    folder = _new_folder(tempfile.gettempdir())
    try:
        yield Environments(folder=folder, workspace=workspace, secrets=secrets, keep=True)
    finally:
        with suppress(OSError):
            folder.rmdir()  # only if it is empty


def fixed_folder() -> Path:
    """Create a folder for this run alone, under the same path as for earlier runs whenever that is free.

    Raises OutputError.
    """
    # uv caches what it knows of an interpreter by its path; under a new one, installing takes twice as long.
    parent = Path(tempfile.gettempdir()).resolve()
    for number in range(_FIXED_FOLDERS):
        with suppress(OSError):
            folder = parent / f"wheelkit-smoke-{number}"
            folder.mkdir(mode=0o700)
            return folder
    return _new_folder(parent)


def _new_folder(parent: Path | str) -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix="wheelkit-smoke-", dir=parent))
    except OSError as error:
        raise OutputError.of(error, parent) from error
