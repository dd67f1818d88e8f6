"""Builds the sdist, from which all wheels are built, so that an incomplete sdist is noticed at once."""

from __future__ import annotations

import shutil
import tarfile
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit import manifest
from wheelkit.builders.frontend import uv_build
from wheelkit.builders.normal_sdist import normalise_sdist
from wheelkit.errors import MissingToolError
from wheelkit.machine.compilers import require_compiler
from wheelkit.machine.folders import LEFTOVERS, OUTPUTS
from wheelkit.machine.git import Repository, git_command
from wheelkit.machine.process import run_checked
from wheelkit.project import read

if TYPE_CHECKING:
    from wheelkit.machine.git import Checkout
    from wheelkit.machine.workspace import Workspace
    from wheelkit.project.read import Distribution


# The snapshot's commit is never published, so its author does not matter.
_IDENTITY = ("-c", "user.name=wheelkit", "-c", "user.email=wheelkit@localhost", "-c", "commit.gpgsign=false")
_SETTINGS = (
    "-c", "core.hooksPath=", "-c", "core.autocrlf=false",
    "-c", "init.defaultBranch=main", "-c", "advice.addEmbeddedRepo=false",
)  # fmt: skip
_GIVE_SDIST = "put the project under git, or give an sdist"
# What backends say that compute the version from git.
_HINTS = (("ot inside a git", _GIVE_SDIST), ("under version control", _GIVE_SDIST))


class SourceDist(Struct, frozen=True, kw_only=True):
    """An sdist, and the distribution as read from it."""

    path: Path
    distribution: Distribution
    sha256: str


def make_sdist(
    distribution: Distribution,
    workspace: Workspace,
    state: Checkout | None = None,
    out: Path | None = None,
    epoch: int | None = None,
) -> SourceDist:
    """Build the distribution's sdist, or take the given one as it is.

    ``state`` is git's view of the folder if it is known already, and ``out`` the dist folder, which is not
    part of the sources. ``epoch`` is the time of the files, in seconds since 1970. Raises MissingToolError,
    when meson needs a compiler or git, and ToolFailedError.
    """
    if distribution.from_sdist:
        return SourceDist(
            path=distribution.source, distribution=distribution, sha256=manifest.sha256(distribution.source)
        )
    state = state or Repository(folder=distribution.source).checkout()
    with workspace.step(f"sdist {distribution.name} {distribution.version or ''}".rstrip()):
        built = _build(distribution, state, workspace, out)
        path = workspace.new_folder("sdist") / built.name
        normalise_sdist(built, path, epoch)
        return read_sdist(path)


def read_sdist(path: Path) -> SourceDist:
    """Read the distribution's metadata from an sdist."""
    return SourceDist(path=path, distribution=read.read(path), sha256=manifest.sha256(path))


def _build(distribution: Distribution, state: Checkout, workspace: Workspace, dist: Path | None) -> Path:
    folder = distribution.source
    backend = distribution.build_backend
    if backend.configures_for_sdist:
        require_compiler()
    if backend.packs_tracked_files:
        if not state.tracked and (folder / "PKG-INFO").is_file():
            return _repack(folder, workspace)
        if not state.tracked or state.changed:
            folder = _snapshot(folder, state, workspace, dist)
    return uv_build("sdist", folder, distribution, workspace, _HINTS)


def _snapshot(folder: Path, state: Checkout, workspace: Workspace, dist: Path | None = None) -> Path:
    """Commit the folder with all its changes in a scratch clone, and return the folder there.

    ``meson dist`` packs only what is committed. The clone keeps tags and history, for versions that are
    computed from them. The user's own repository is not touched.
    """
    if shutil.which("git") is None:
        raise MissingToolError(
            "git was not found, and meson can only make an sdist from version control",
            hint="install git, or give an sdist (a .tar.gz)",
        )
    clone = workspace.new_folder("snapshot")
    if state.tracked:
        top = Path(Repository(folder=folder).line("rev-parse", "--show-toplevel"))
        _git(workspace, "clone", "--quiet", "--shared", "--no-checkout", str(top), str(clone))
        # With the index of HEAD, files that are tracked stay although a pattern ignores them.
        _git(workspace, "-C", str(clone), "read-tree", "HEAD")
    else:
        top = folder
        _git(workspace, "init", "--quiet", str(clone))
    (clone / ".git/info").mkdir(exist_ok=True)
    (clone / ".git/info/exclude").write_text(_ignore_patterns(folder, top, dist), encoding="utf-8")
    inside = ("-C", str(clone), f"--work-tree={top}", f"--git-dir={clone / '.git'}")
    commit = ("commit", "--quiet", "--allow-empty", "--no-verify", "-m", "working tree")
    _git(workspace, *inside, "add", "--all", ".", cwd=top)
    _git(workspace, *_IDENTITY, *inside, *commit)
    _git(workspace, "-C", str(clone), "checkout", "--quiet", "--force", "HEAD", "--", ".")
    return clone / folder.resolve().relative_to(top.resolve())


def _ignore_patterns(folder: Path, top: Path, dist: Path | None) -> str:
    """Return git's ignore patterns for the dist folder and for build leftovers."""
    subfolder = folder.resolve().relative_to(top.resolve())
    roots = dict.fromkeys(("/", f"/{subfolder.as_posix()}/" if subfolder.parts else "/"))
    lines = [*(f"{root}{name}/" for root in roots for name in OUTPUTS), *(f"{name}/" for name in LEFTOVERS)]
    if dist is not None and dist.is_relative_to(top.resolve()) and dist != top.resolve():
        lines.append(f"/{dist.relative_to(top.resolve()).as_posix()}/")
    return "".join(f"{line}\n" for line in lines)


def _git(workspace: Workspace, *arguments: str, cwd: Path | None = None) -> None:
    run_checked(workspace.run, git_command(*_SETTINGS, *arguments, cwd=cwd), "copying the project with git")


def _repack(folder: Path, workspace: Workspace) -> Path:
    """Pack an unpacked sdist again, without build leftovers."""
    distribution = read.read(folder)
    name = f"{distribution.key.replace('-', '_')}-{distribution.version}"
    path = workspace.new_folder("sdist") / f"{name}.tar.gz"

    def keep(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        parts = Path(member.name).parts[1:]
        leftover = any(fnmatchcase(part, name) for part in parts for name in (".git", *LEFTOVERS))
        return None if leftover or (parts and parts[0] in OUTPUTS) else member

    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        archive.add(folder, arcname=name, filter=keep)
    return path
