"""Git's view of a folder; the only module that runs git."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.errors import ProjectError
from wheelkit.inputs import number
from wheelkit.machine.folders import is_build_leftover
from wheelkit.machine.process import Command, PendingCommand, query, require_answer, tool_error
from wheelkit.machine.time_limits import GIT, REMOTE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from wheelkit.machine.process import Completed


# Commands of hints. Without a message, git opens an editor.
FIRST_COMMIT = 'git init && git add --all && git commit --message "First commit"'
_MOST_NAMED = 5
UNTRUSTED = "git refuses to read this folder, because the folder belongs to another user"
# Variables that would direct git to another repository, as in a hook.
_UNSET = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
# One of these files makes a folder a project.
_PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg")
# The number of words before the path in a line of status --porcelain=v2, by the line's first letter
# (git-status(1)).
_STATUS_WORDS = {"1": 8, "u": 10, "?": 1}
# The advice of git that names the command (safe.directory in git-config(1)); it is the same in every
# language.
_TRUST_COMMAND = re.compile(r"^\s*(git config --global --add safe\.directory .+)$", re.MULTILINE)
# Where git has nothing to say about a folder, and does not fail in saying so (its setup.c, with LC_ALL=C).
_NO_REPOSITORY = ("not a git repository", "must be run in a work tree")
_NO_GIT = 127


def git_command(*words: str, cwd: Path | None = None) -> Command:
    """Return a git command with English messages and unquoted paths, which ignores GIT_DIR and the like."""
    options = ("--no-optional-locks", "-c", "core.quotePath=false")
    return Command(argv=("git", *options, *words), cwd=cwd, env={"LC_ALL": "C"}, unset=_UNSET)


def commit_command(paths: Sequence[str], folder: Path) -> str:
    """Return the command that commits files, named from the repository's top, when it runs in ``folder``."""
    at_top = not Repository(folder=folder).line("rev-parse", "--show-cdup")
    names = [path if at_top else f":/{path}" for path in paths]
    # "." takes what is below the folder, and ":/" everything.
    words = names if len(names) <= _MOST_NAMED else ["." if at_top else ":/"]
    return f'git add -- {shlex.join(words)} && git commit --message "Prepare the release"'


class Repository(Struct, frozen=True, kw_only=True):
    """Git's view of a folder; everything is empty where there is no repository."""

    folder: Path

    def command(self, *words: str) -> Command:
        """Return a git command for this folder."""
        return git_command("-C", str(self.folder), *words)

    def run(self, *words: str, timeout: float = GIT.seconds) -> Completed:
        """Run git and return what it printed; raise ToolFailedError if it was cut off before it answered."""
        return require_answer(query(self.command(*words), timeout=timeout), f"git {words[0]}")

    def lines(self, *words: str) -> tuple[str, ...]:
        """Run git and return the lines that it printed; none if it failed."""
        completed = self.run(*words)
        return tuple(completed.output.splitlines()) if completed.returncode == 0 else ()

    def line(self, *words: str) -> str:
        """Run git and return the first line that it printed; empty if it failed."""
        return next(iter(self.lines(*words)), "")

    @property
    def head(self) -> str:
        """The commit that is checked out; empty outside a repository."""
        return self.line("rev-parse", "--verify", "HEAD")

    @property
    def branch(self) -> str:
        """The branch that is checked out; empty if there is none."""
        return self.line("symbolic-ref", "--short", "--quiet", "HEAD")

    @property
    def shallow(self) -> bool:
        """Whether the clone has only the last commits, as in CI, so that older tags are not seen."""
        return self.line("rev-parse", "--is-shallow-repository") == "true"

    @property
    def modified(self) -> bool:
        """Whether a tracked file differs from the commit; raises ToolFailedError where git cannot tell."""
        completed = self.run("status", "--porcelain", "--untracked-files=no")
        if completed.returncode != 0:
            raise tool_error(completed, "git status")
        return bool(completed.output)

    def tags(self) -> tuple[str, ...]:
        """List the tags on the commit that is checked out and the commits before it."""
        return self.lines("tag", "--merged", "HEAD")

    def tags_here(self) -> tuple[str, ...]:
        """List the tags on the commit that is checked out."""
        return self.lines("tag", "--points-at", "HEAD")

    def branches(self) -> tuple[str, ...]:
        """List the local branches."""
        return self.lines("for-each-ref", "--format=%(refname:short)", "refs/heads")

    def commits_since(self, tag: str) -> int:
        """Return the number of commits after a tag."""
        return number(self.line("rev-list", "--count", f"{tag}..HEAD")) or 0

    def describe(self) -> str:
        """Return git's name for the folder's state: tag, commits since, commit, and whether it is dirty."""
        return self.line("describe", "--tags", "--long", "--always", "--dirty", "--abbrev=40")

    def commit_of(self, tag: str) -> str:
        """Return the commit of a tag; empty if there is no such tag."""
        return self.line("rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}")

    def remote(self) -> str:
        """Return the remote for tags: the one of the branch, else ``origin``, else the first one."""
        remotes = self.lines("remote")
        configured = self.line("config", "--get", f"branch.{self.branch}.remote")
        return next((name for name in (configured, "origin") if name in remotes), next(iter(remotes), ""))

    def remote_tags(self, remote: str) -> Completed:
        """List the tags of a remote, one ``commit<tab>refs/tags/name`` a line; peeled ones end in ``^{}``."""
        return self.run("ls-remote", "--tags", remote, timeout=REMOTE.seconds)

    def start_status(self, pathspec: str = ".") -> PendingStatus:
        """Start reading the state of the working tree; ``pathspec`` limits the changes that are listed."""
        return PendingStatus(Repository(folder=self.folder.resolve()), pathspec)

    def checkout(self) -> Checkout:
        """Return the state of the project in this folder."""
        return self.start_status().wait().checkout(self.folder)

    def changes(self, projects: Iterable[Path] = ()) -> tuple[str, ...]:
        """List the repository's files that differ from the commit, without what builds left in projects."""
        tree = self.start_status(":/").wait()
        folders = {tree.folder, *(path.resolve() for path in projects)}
        prefixes = [tree.prefix_of(folder) for folder in folders if folder.is_relative_to(tree.folder)]
        return tuple(
            path
            for path in tree.changed
            if not any(
                path.startswith(prefix) and is_build_leftover(path.removeprefix(prefix))
                for prefix in prefixes
            )
        )

    def require_trusted(self) -> None:
        """Raise ProjectError if git refuses to read a folder of another user, as in many containers."""
        command = _trust_command(self.run("rev-parse", "--verify", "HEAD").output)
        if command:
            raise ProjectError(f"{self.folder}: {UNTRUSTED}", hint=f"if you trust it:  {command}")


class Checkout(Struct, frozen=True, kw_only=True):
    """The state of a project: its commit and the files that differ from it.

    ``commit`` is empty outside git. ``trust_command`` makes git accept a folder that it refuses to read.
    """

    commit: str = ""
    changed: tuple[str, ...] = ()
    trust_command: str = ""

    @property
    def tracked(self) -> bool:
        """Whether the project is under git with at least one commit."""
        return bool(self.commit)


class TreeState(Struct, frozen=True, kw_only=True):
    """The state of the working tree in ``folder``.

    ``prefix`` is the folder's path in the repository. ``tracked`` and ``untracked`` are relative to the
    folder, ``changed`` to the top of the repository. ``pinned`` is true if git does not look at some tracked
    files (assume-unchanged, skip-worktree).
    """

    folder: Path
    commit: str = ""
    prefix: str = ""
    tracked: frozenset[str] = frozenset()
    untracked: frozenset[str] = frozenset()
    pinned: bool = False
    changed: tuple[str, ...] = ()
    trust_command: str = ""

    def prefix_of(self, folder: Path) -> str:
        """Return a folder's path in the repository, with a slash at its end; empty for the top."""
        return self.prefix + self.path_below(folder)

    def path_below(self, folder: Path) -> str:
        """Return the path of a folder relative to this one, with a slash at its end; empty for this one."""
        path = folder.resolve().relative_to(self.folder).as_posix()
        return "" if path == "." else f"{path}/"

    def checkout(self, folder: Path, out: Path | None = None) -> Checkout:
        """Return the state of a project, without the finished files in ``out`` and what builds left."""
        inside = self.path_below(folder)
        if not self.commit or not any(f"{inside}{name}" in self.tracked for name in _PROJECT_FILES):
            return Checkout(trust_command=self.trust_command)
        prefix = self.prefix + inside
        finished = self.prefix_of(out) if out and out.is_relative_to(self.folder) else None
        changed = (
            path
            for path in self.changed
            if path.startswith(prefix)
            and not (finished and path.startswith(finished))
            and not is_build_leftover(path.removeprefix(prefix))
        )
        return Checkout(commit=self.commit, changed=tuple(changed))


class PendingStatus:
    """The state of a working tree that git reads in the background."""

    def __init__(self, repository: Repository, pathspec: str) -> None:
        self._folder = repository.folder
        options = ("--porcelain=v2", "--branch", "-z", "--no-renames", "--untracked-files=all")
        listing = ("-z", "-v", "--cached", "--others", "--exclude-standard")
        self._prefix = PendingCommand(repository.command("rev-parse", "--show-prefix"))
        self._files = PendingCommand(repository.command("ls-files", *listing))
        self._status = PendingCommand(repository.command("status", *options, "--", pathspec))

    def wait(self) -> TreeState:
        """Wait for git and return the state; everything is empty outside a repository.

        Raises ToolFailedError where git fails in a repository, or is ended before it answers.
        """
        try:
            status = _answer(self._status, "git status")
            files = _answer(self._files, "git ls-files")
            prefix = _answer(self._prefix, "git rev-parse")
        except _NoRepositoryError as error:
            return TreeState(folder=self._folder, trust_command=error.trust_command)
        tagged = [(line[:1], os.fsdecode(line[2:])) for line in files.split(b"\0") if line]
        commit, changed = _parse_status(os.fsdecode(status))
        return TreeState(
            folder=self._folder,
            commit=commit,
            prefix=os.fsdecode(prefix.removesuffix(b"\n")),
            tracked=frozenset(name for tag, name in tagged if tag != b"?"),
            untracked=frozenset(name for tag, name in tagged if tag == b"?"),
            pinned=any(tag not in {b"H", b"?"} for tag, _ in tagged),
            changed=changed,
        )


class _NoRepositoryError(Exception):
    """A folder is not in a repository, or git refuses to read it without ``trust_command``."""

    def __init__(self, trust_command: str) -> None:
        super().__init__(trust_command)
        self.trust_command = trust_command


def _answer(command: PendingCommand, task: str) -> bytes:
    """Return what git printed; raises _NoRepositoryError, and ToolFailedError where git itself failed."""
    code, data = command.wait_for_bytes(GIT.seconds)
    if code == 0:
        return data
    output = os.fsdecode(data)
    trust = _trust_command(output)
    if trust or code == _NO_GIT or any(text in output for text in _NO_REPOSITORY):
        raise _NoRepositoryError(trust)
    raise tool_error(command.completed(code, data, GIT.seconds), task)


def _trust_command(output: str) -> str:
    match = _TRUST_COMMAND.search(output)
    return match[1] if match else ""


def _parse_status(output: str) -> tuple[str, tuple[str, ...]]:
    """Parse ``git status --porcelain=v2 --branch -z --no-renames`` into the commit and the changed paths."""
    commit, changed = "", []
    for line in output.split("\0"):
        if line.startswith("# branch.oid "):
            commit = line.removeprefix("# branch.oid ")
        elif line[:1] in _STATUS_WORDS:
            changed.append(line.split(" ", _STATUS_WORDS[line[0]])[-1])
    return ("" if commit == "(initial)" else commit), tuple(changed)
