"""Git's view of a folder, asked once: the commit, what differs from it, and which files an sdist made by git would hold."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.errors import ProjectError
from wheelkit.machine.folders import is_build_leftover
from wheelkit.machine.process import Command, PendingCommand, query

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit.machine.process import Completed


# One of them makes a folder a project: tracked ones show that git knows it.
_OF_PROJECTS = ("pyproject.toml", "setup.py", "setup.cfg")
_UNSET = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
# How many words stand before the path in a line of status --porcelain=v2, by the line's first letter (git-status(1)).
_WORDS = {"1": 8, "2": 9, "u": 10, "?": 1}


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


class TreeState(Struct, frozen=True, kw_only=True):
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
        finished = (
            f"{self.prefix}{out.relative_to(self.folder).as_posix()}/"
            if out and out.is_relative_to(self.folder)
            else None
        )
        return Checkout(commit=self.commit, changed=tuple(self._changes(self.prefix + inside, finished)))

    def _changes(self, prefix: str, finished: str | None) -> Iterator[str]:
        for path in self.changed:
            ours = finished and path.startswith(finished)
            if path.startswith(prefix) and not ours and not is_build_leftover(path.removeprefix(prefix)):
                yield path


class PendingStatus:
    """Git's answers on their way: it thinks while something else is done."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        git = ("git", "--no-optional-locks", "-C", str(folder))
        self._prefix = PendingCommand(Command(argv=(*git, "rev-parse", "--show-prefix"), unset=_UNSET))
        listing = ("ls-files", "-z", "-v", "--cached", "--others", "--exclude-standard")
        self._files = PendingCommand(Command(argv=(*git, *listing), unset=_UNSET))
        status = ("status", "--porcelain=v2", "--branch", "-z", "--untracked-files=all", "--", ".")
        self._status = PendingCommand(Command(argv=(*git, *status), env={"LC_ALL": "C"}, unset=_UNSET))

    def wait(self) -> TreeState:
        """Wait for the answers; outside version control all of them are empty."""
        code, status = self._status.wait_for_bytes()
        listed, files = self._files.wait_for_bytes()
        if code != 0 or listed != 0:
            return TreeState(folder=self._folder, refused=_way_out(status))
        prefix = self._prefix.wait_for_bytes()[1].removesuffix(b"\n")
        tagged = [(line[:1], os.fsdecode(line[2:])) for line in files.split(b"\0") if line]
        commit, changed = _read_status(status)
        return TreeState(
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
    found = re.search(
        r"^\s*(git config --global --add safe\.directory .+)$", os.fsdecode(refusal), re.MULTILINE
    )
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
    return PendingStatus(folder).wait().checkout(folder)


def untrusted_note(checkout: Checkout) -> str:
    """Say what follows where git refuses to answer, and what to do."""
    return f"this folder belongs to another user, so git tells no commit; publish will refuse it. If you trust it:  {checkout.refused}"


def describe(folder: Path) -> str:
    """Give git's name for the state of a folder: tag, commits since, commit and whether it is dirty; empty without git."""
    argv = (
        "git",
        "--no-optional-locks",
        "-C",
        str(folder),
        "describe",
        "--tags",
        "--long",
        "--always",
        "--dirty",
        "--abbrev=40",
    )
    done = PendingCommand(Command(argv=argv, unset=_UNSET)).wait()
    return done.output if done.returncode == 0 else ""


_SLOW = 60.0


class Repository(Struct, frozen=True, kw_only=True):
    """Git's view of a folder; every answer is empty where there is no repository."""

    folder: Path

    def ask(self, *words: str, seconds: float = 30.0) -> Completed:
        """Ask git one question; never raises for its answer."""
        return query(
            Command(argv=("git", "-C", str(self.folder), "-c", "core.quotePath=false", *words)),
            timeout=seconds,
        )

    def lines(self, *words: str) -> tuple[str, ...]:
        """Give the lines of an answer, none where git refused."""
        done = self.ask(*words)
        return tuple(done.output.splitlines()) if done.returncode == 0 else ()

    @property
    def head(self) -> str:
        """The commit that is checked out, empty outside a repository."""
        return next(iter(self.lines("rev-parse", "--verify", "HEAD")), "")

    @property
    def branch(self) -> str:
        """The branch that is checked out, empty where HEAD is on none."""
        return next(iter(self.lines("symbolic-ref", "--short", "--quiet", "HEAD")), "")

    def changes(self, projects: Iterable[Path] = ()) -> tuple[str, ...]:
        """List files of the repository that differ from the commit, untracked ones too, but not what builds left in the projects."""
        # Git's own prefix is read, never its absolute paths: Python may read the folder's name otherwise than git writes it.
        top, here = next(iter(self.lines("rev-parse", "--show-prefix")), ""), self.folder.resolve()
        inside = (
            path.resolve().relative_to(here) for path in projects if path.resolve().is_relative_to(here)
        )
        folders = dict.fromkeys(os.fsencode(path).decode(errors="replace") for path in (Path(), *inside))
        prefixes = [f"{top}{folder}/".replace("/./", "/").removeprefix("./") for folder in folders]
        return tuple(
            path
            for path in self._status()
            if not any(path.startswith(one) and is_build_leftover(path.removeprefix(one)) for one in prefixes)
        )

    def _status(self) -> Iterator[str]:
        """Walk the paths that git status names, below the top of the repository; between NUL bytes, git quotes none of them."""
        done = self.ask("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all")
        if done.returncode == 0:
            yield from (entry[3:] for entry in done.output.split("\0") if entry)

    @property
    def shallow(self) -> bool:
        """Whether the clone holds only the last commits, as CI makes them, so that older tags are not seen."""
        return self.lines("rev-parse", "--is-shallow-repository") == ("true",)

    def require_trusted(self) -> None:
        """Raise ProjectError where git refuses to answer because the files belong to somebody else, as in many containers."""
        if (
            "safe.directory" in self.ask("rev-parse", "--verify", "HEAD").output
        ):  # in git's advice, whatever the language of its words
            top = next(
                (folder for folder in (self.folder, *self.folder.parents) if (folder / ".git").exists()),
                self.folder,
            )
            hint = f"if you trust it:  git config --global --add safe.directory {top}"
            raise ProjectError(f"git tells nothing of {top}: the folder belongs to another user", hint=hint)

    def commit_of(self, tag: str) -> str:
        """Give the commit that a tag names, empty where there is no such tag."""
        return next(iter(self.lines("rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}")), "")

    def remote(self) -> str:
        """Name the remote that tags are pushed to: the branch's own, else ``origin``, else the only one."""
        remotes = self.lines("remote")
        own = next(iter(self.lines("config", "--get", f"branch.{self.branch}.remote")), "")
        return own if own in remotes else "origin" if "origin" in remotes else remotes[0] if remotes else ""

    def remote_tags(self, remote: str) -> Completed:
        """List the remote's tags, ``commit<tab>refs/tags/name`` a line; peeled ones end in ``^{}``."""
        return self.ask("ls-remote", "--tags", remote, seconds=_SLOW)
