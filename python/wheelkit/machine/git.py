"""Git's view of a folder, asked once: the commit, what differs from it, and which files an sdist made by git would hold."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.leftovers import left_by_builds
from wheelkit.process import Command, Question

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


# One of them makes a folder a project: tracked ones show that git knows it.
_OF_PROJECTS = ("pyproject.toml", "setup.py", "setup.cfg")
_UNSET = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
# How many words stand before the path in a line of status --porcelain=v2, by the line's first letter (git-status(1)).
_WORDS = {"1": 8, "2": 9, "u": 10, "?": 1}

__all__ = ["Asking", "Checkout", "View", "checkout", "describe", "untold"]


class Checkout(Struct, frozen=True, kw_only=True):
    """Git's view of a project: its commit (empty: none yet, or no git) and the files that differ from it."""

    commit: str
    changed: tuple[str, ...]
    refused: str = ""
    """The command that lets git answer where it refuses to, because the files belong to another user."""

    @property
    def tracked(self) -> bool:
        """Whether the project is under git with at least one commit."""
        return bool(self.commit)


class View(Struct, frozen=True, kw_only=True):
    """Git's answers about ``folder``; paths are relative to it, ``changed`` to the top of the repository, of which it is ``prefix``.

    ``pinned`` are tracked files of which git does not look at the working tree (assume-unchanged, skip-worktree).
    """

    folder: Path
    commit: str = ""
    prefix: str = ""
    tracked: frozenset[str] = frozenset()
    untracked: frozenset[str] = frozenset()
    pinned: bool = False
    changed: tuple[str, ...] = ()
    refused: str = ""

    def checkout(self, folder: Path, out: Path | None = None) -> Checkout:
        """Tell of a project in the folder; what is not under git there has no commit. Finished files in ``out`` are no change."""
        below = folder.resolve().relative_to(self.folder).as_posix()
        inside = "" if below == "." else f"{below}/"
        if self.refused:
            return Checkout(commit="", changed=(), refused=self.refused)
        if not self.commit or not any(f"{inside}{name}" in self.tracked for name in _OF_PROJECTS):
            return Checkout(commit="", changed=())
        finished = f"{self.prefix}{out.relative_to(self.folder).as_posix()}/" if out and out.is_relative_to(self.folder) else None
        return Checkout(commit=self.commit, changed=tuple(self._changes(self.prefix + inside, finished)))

    def _changes(self, prefix: str, finished: str | None) -> Iterator[str]:
        for path in self.changed:
            ours = finished and path.startswith(finished)
            if path.startswith(prefix) and not ours and not left_by_builds(path.removeprefix(prefix)):
                yield path


class Asking:
    """Git's answers on their way: it thinks while something else is done."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        git = ("git", "--no-optional-locks", "-C", str(folder))
        self._prefix = Question(Command(argv=(*git, "rev-parse", "--show-prefix"), unset=_UNSET))
        listing = ("ls-files", "-z", "-v", "--cached", "--others", "--exclude-standard")
        self._files = Question(Command(argv=(*git, *listing), unset=_UNSET))
        status = ("status", "--porcelain=v2", "--branch", "-z", "--untracked-files=all", "--", ".")
        self._status = Question(Command(argv=(*git, *status), env={"LC_ALL": "C"}, unset=_UNSET))

    def view(self) -> View:
        """Wait for the answers; outside version control all of them are empty."""
        code, status = self._status.raw()
        listed, files = self._files.raw()
        if code != 0 or listed != 0:
            return View(folder=self._folder, refused=_way_out(status))
        prefix = self._prefix.raw()[1].removesuffix(b"\n")
        tagged = [(line[:1], os.fsdecode(line[2:])) for line in files.split(b"\0") if line]
        commit, changed = _read_status(status)
        return View(
            folder=self._folder,
            commit=commit,
            prefix=os.fsdecode(prefix),
            tracked=frozenset(name for tag, name in tagged if tag != b"?"),
            untracked=frozenset(name for tag, name in tagged if tag == b"?"),
            pinned=any(tag not in {b"H", b"?"} for tag, _ in tagged),
            changed=changed,
        )


def _way_out(refusal: bytes) -> str:
    """Find, in what git says of a repository of another user (safe.directory in git-config(1)), the command that makes it answer."""
    found = re.search(r"^\s*(git config --global --add safe\.directory .+)$", os.fsdecode(refusal), re.MULTILINE)
    return found[1] if found else ""


def _read_status(data: bytes) -> tuple[str, tuple[str, ...]]:
    """Read the commit and the changed paths out of ``git status --porcelain=v2 --branch -z``."""
    commit, changed = "", []
    lines = iter(os.fsdecode(data).split("\0"))
    for line in lines:
        if line.startswith("# branch.oid "):
            commit = line.removeprefix("# branch.oid ")
        elif line[:1] in _WORDS:
            changed.append(line.split(" ", _WORDS[line[0]])[-1])
            if line[0] == "2":
                next(lines, None)  # the name before it was renamed
    return ("" if commit == "(initial)" else commit), tuple(changed)


def checkout(folder: Path) -> Checkout:
    """Ask git about a project's folder; outside version control both answers are empty."""
    folder = folder.resolve()
    return Asking(folder).view().checkout(folder)


def untold(checkout: Checkout) -> str:
    """Say what follows where git refuses to answer, and what to do."""
    return f"this folder belongs to another user, so git tells no commit; publish will refuse it. If you trust it:  {checkout.refused}"


def describe(folder: Path) -> str:
    """Give git's name for the state of a folder: tag, commits since, commit and whether it is dirty; empty without git."""
    argv = ("git", "--no-optional-locks", "-C", str(folder), "describe", "--tags", "--long", "--always", "--dirty", "--abbrev=40")
    done = Question(Command(argv=argv, unset=_UNSET)).answer()
    return done.output if done.returncode == 0 else ""
