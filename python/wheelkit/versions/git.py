"""What git knows of versions: tags by a distribution's template, the branch, and whether anything is uncommitted."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.errors import ProjectError
from wheelkit.leftovers import left_by_builds
from wheelkit.process import Command, query
from wheelkit.versions.bump import Part, bumped
from wheelkit.versions.model import Tagged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit.process import Completed


DEFAULT_TEMPLATE = "v{version}"
_SLOW = 60.0


class Repository(Struct, frozen=True, kw_only=True):
    """Git's view of a folder; every answer is empty where there is no repository."""

    folder: Path

    def ask(self, *words: str, seconds: float = 30.0) -> Completed:
        """Ask git one question; never raises for its answer."""
        return query(Command(argv=("git", "-C", str(self.folder), "-c", "core.quotePath=false", *words)), timeout=seconds)

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
        inside = (path.resolve().relative_to(here) for path in projects if path.resolve().is_relative_to(here))
        folders = dict.fromkeys(os.fsencode(path).decode(errors="replace") for path in (Path(), *inside))
        prefixes = [f"{top}{folder}/".replace("/./", "/").removeprefix("./") for folder in folders]
        return tuple(
            path for path in self._status() if not any(path.startswith(one) and left_by_builds(path.removeprefix(one)) for one in prefixes)
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
        if "safe.directory" in self.ask("rev-parse", "--verify", "HEAD").output:  # in git's advice, whatever the language of its words
            top = next((folder for folder in (self.folder, *self.folder.parents) if (folder / ".git").exists()), self.folder)
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


def version_in(tag: str, template: str) -> str | None:
    """Read the version out of a tag by its template; None where the tag is not of that form."""
    from packaging.version import InvalidVersion, Version

    before, _, after = template.partition("{version}")
    match = re.fullmatch(f"{re.escape(before)}(?P<version>.+){re.escape(after)}", tag)
    try:
        return str(Version(match["version"])) if match else None
    except InvalidVersion:
        return None


def tagged(folder: Path, template: str) -> Tagged | None:
    """Compute the version that tags give a folder: the newest tag's, or a development version of the next patch after it.

    That is how setuptools-scm and hatch-vcs compute it as well, less the local part.
    """
    from packaging.version import Version

    repository = Repository(folder=folder)
    found = [(version, tag) for tag in repository.lines("tag", "--merged", "HEAD") if (version := version_in(tag, template))]
    if not found:
        repository.require_trusted()
        return None
    version, tag = max(found, key=lambda pair: Version(pair[0]))
    commits = int(next(iter(repository.lines("rev-list", "--count", f"{tag}..HEAD")), "0"))
    changed = commits or any(repository.lines("status", "--porcelain", "--untracked-files=no"))
    computed = f"{bumped(version, Part.PATCH)}.dev{commits}" if changed else version
    return Tagged(tag=tag, version=computed, commits=commits)
