"""Where the cases of a smoke test run: a folder and a log for each."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import threading
from collections import deque
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from wheelkit.machine.process import LoggedRun
from wheelkit.machine.redaction import Redactor
from wheelkit.smoke.install import InstallTarget
from wheelkit.smoke.model import FAMILY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.machine.interpreters import Python
    from wheelkit.machine.process import Run
    from wheelkit.machine.workspace import Workspace
    from wheelkit.smoke.model import InstallMode


# How many environments may stand when their cases are done. To remove them while others are made makes those slow: file systems do not
# give out again at once what was just freed, and search beyond it (ext4: for five seconds). Large ones are not to fill the disk, either.
_STANDING = 12
# How many smoke tests can run at a time with folders at known places; more of them get any.
_PLACES = 64


class Environment(Struct, frozen=True, kw_only=True):
    """Where one case runs, and what writes its log."""

    place: InstallTarget
    log: Path
    run: Run


class Environments(Struct, frozen=True, kw_only=True):
    """All rooms of a run, in one folder; ``at_a_time`` is how many cases run at a time, and ``stop`` ends all of them."""

    folder: Path
    shop: Workspace
    secrets: tuple[str, ...]
    at_a_time: int
    stop: threading.Event = field(default_factory=threading.Event)
    _done: deque[Path] = field(default_factory=deque)

    def room(self, label: str, how: InstallMode, python: Python) -> Environment:
        """Open the room of a case."""
        name = _name(label, how, python)
        log = self.shop.log.with_name(f"{self.shop.log.stem}-{name}.log")
        redact = Redactor(self.secrets)
        run = LoggedRun(
            log=log,
            echo=self.shop.progress.command,
            redact=redact,
            stop=self.stop.is_set,
            scratch=self.shop.folder,
        )
        return Environment(place=InstallTarget(folder=self.folder / name), log=log, run=run)

    def leave(self, room: Environment, *, others: bool) -> None:
        """Let a room be removed when no ``others`` are to be made any more, or when many stand."""
        self._done.append(room.place.folder)
        with suppress(IndexError):  # another thread may take it
            while len(self._done) > (_STANDING if others else 0):
                remove(self._done.popleft())


@contextmanager
def environments(
    shop: Workspace, *, at_a_time: int, keep: bool = False, secrets: tuple[str, ...] = ()
) -> Iterator[Environments]:
    """Open the rooms of one run; whatever runs in them ends with it, and they are removed, unless they are to be kept."""
    folder = Path(tempfile.mkdtemp(prefix="wheelkit-smoke-")) if keep else own_folder()
    opened = Environments(folder=folder, shop=shop, secrets=secrets, at_a_time=at_a_time)
    try:
        yield opened
    finally:
        if keep:
            with suppress(OSError):
                folder.rmdir()  # where nothing came into it
        else:
            remove(folder)


def remove(folder: Path) -> None:
    """Remove a folder of the run with all that is in it, as far as that can be done.

    An environment has a thousand files, and shutil.rmtree takes half as long again: it guards against others, whom these folders keep out.
    """
    try:
        _remove(str(folder))
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)


def _remove(folder: str) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                _remove(entry.path)
            else:
                os.unlink(entry.path)  # noqa: PTH108 - a thousand times for each environment
    os.rmdir(folder)  # noqa: PTH106 - as above


def own_folder() -> Path:
    """Make a folder that no other run has, at the same place whenever that is free.

    uv remembers what the interpreter of an environment told it by the environment's path; where that is always a new one, asking again
    takes longer than installing.
    """
    parent = Path(tempfile.gettempdir()).resolve()
    for number in range(_PLACES):
        with suppress(OSError):
            place = parent / f"wheelkit-smoke-{number}"
            place.mkdir(mode=0o700)
            return place
    return Path(tempfile.mkdtemp(prefix="wheelkit-smoke-", dir=parent))


def _name(label: str, how: InstallMode, python: Python) -> str:
    # No distribution is called so: normalised names hold no underscores.
    member = "the_family" if label == FAMILY else label
    return re.sub(r"[^\w]+", "-", f"{member}-{python.interpreter}-{how}-{python.version}")
