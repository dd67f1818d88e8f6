"""The sdist that everything else is built from, so that an incomplete one shows at once."""

from __future__ import annotations

import shutil
import sys
import tarfile
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from wheelkit import manifest, project
from wheelkit.build.compiler import complaints, require_compiler
from wheelkit.build.progress import step
from wheelkit.build.workshop import find_tool
from wheelkit.errors import MissingToolError, ToolFailedError
from wheelkit.process import Command, checked, failure, query

if TYPE_CHECKING:
    from wheelkit.build.workshop import Workshop
    from wheelkit.project import Distribution

# Who the snapshot's commit is from does not matter: it lives in a scratch folder.
_IDENTITY = ("-c", "user.name=wheelkit", "-c", "user.email=wheelkit@localhost", "-c", "commit.gpgsign=false")
_QUIET = ("-c", "core.hooksPath=", "-c", "core.autocrlf=false", "-c", "init.defaultBranch=main", "-c", "advice.addEmbeddedRepo=false")
# What builds leave at the top of a project folder, and anywhere in it. Deeper down a folder named build may well be a source.
_OUTPUTS = ("dist", "wheelhouse", "build")
_LEFTOVERS = (".venv", "__pycache__", "*.egg-info")


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceDist:
    """An sdist, what it says of itself, and the state of version control that it came from."""

    path: Path
    distribution: Distribution
    sha256: str
    commit: str
    dirty: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkout:
    """Git's view of a folder: its commit (empty: none yet, or no git) and the files that differ from it."""

    commit: str
    changed: tuple[str, ...]

    @property
    def tracked(self) -> bool:
        """Whether the folder is under git with at least one commit."""
        return bool(self.commit)


def checkout(folder: Path) -> Checkout:
    """Ask git about a folder; outside version control both answers are empty."""
    head = query(Command(argv=("git", "-C", str(folder), "rev-parse", "HEAD")))
    inside = query(Command(argv=("git", "-C", str(folder), "ls-files", "--error-unmatch", "pyproject.toml")))
    if head.returncode != 0 or inside.returncode != 0:
        return Checkout(commit="", changed=())
    ours = [f":(exclude){name}" for name in _OUTPUTS] + [f":(exclude,glob)**/{name}/**" for name in _LEFTOVERS]
    readable = ("-c", "core.quotePath=false")
    status = query(Command(argv=("git", "-C", str(folder), *readable, "status", "--porcelain", "--untracked-files=all", "--", ".", *ours)))
    return Checkout(commit=head.output, changed=tuple(line[3:] for line in status.output.splitlines()))


def make_sdist(item: Distribution, shop: Workshop) -> SourceDist:
    """Make the distribution's sdist, or take the one that was given; read back what it says of itself.

    Raises MissingToolError without a compiler where meson needs one, ToolFailedError when the backend refuses.
    """
    if item.from_sdist:
        return SourceDist(path=item.source, distribution=item, sha256=manifest.sha256(item.source), commit="", dirty=False)
    state = checkout(item.source)
    with step(shop.progress, f"sdist {item.name} {item.version or ''}".rstrip()):
        path = _built(item, state, shop)
    stated = project.read(path)
    if state.changed:
        count = len(state.changed)
        names = ", ".join(state.changed[:3]) + (", …" if count > 3 else "")  # noqa: PLR2004 - a glimpse is enough
        shop.progress.note(f"built with {count} uncommitted change{'s' if count > 1 else ''} ({names}); publish will refuse it")
    return SourceDist(path=path, distribution=stated, sha256=manifest.sha256(path), commit=state.commit, dirty=bool(state.changed))


def _built(item: Distribution, state: Checkout, shop: Workshop) -> Path:
    folder = item.source
    if item.backend == "mesonpy":
        require_compiler()  # meson looks for one even to make an sdist
        if not state.tracked and (folder / "PKG-INFO").is_file():
            return _repacked(folder, shop)
        if not state.tracked or state.changed:
            folder = _snapshot(folder, state, shop)
    out = shop.fresh("sdist")
    command = Command(
        argv=(find_tool("uv"), "build", "--sdist", "--python", sys.executable, "--out-dir", str(out), str(folder)),
        unset=("VIRTUAL_ENV",),
    )
    done = shop.run(command)
    if done.returncode != 0:
        raise _refused(failure(done, f"building the sdist of {item.name}"), done.output)
    made = sorted(out.glob("*.tar.gz"))
    if len(made) != 1:
        raise ToolFailedError(f"building the sdist of {item.name} gave {len(made)} files, where one was expected")
    return made[0]


def _refused(error: ToolFailedError, output: str) -> ToolFailedError:
    error.detail = complaints(output) or error.detail
    if "ot inside a git" in output or "under version control" in output:
        error.hint = "put the project under git, or give an sdist"
    return error


def _snapshot(folder: Path, state: Checkout, shop: Workshop) -> Path:
    """Commit the folder as it lies, in a scratch clone: ``meson dist`` packs only what is committed, and people build what they see.

    The clone keeps tags and history, for versions that are computed from them; the user's own repository is not touched.
    """
    if shutil.which("git") is None:
        raise MissingToolError(
            "git was not found, and meson can only make an sdist from version control",
            hint="install git, or give an sdist (a .tar.gz)",
        )
    copy = shop.fresh("snapshot")
    if state.tracked:
        top = Path(query(Command(argv=("git", "-C", str(folder), "rev-parse", "--show-toplevel"))).output)
        _git(shop, "clone", "--quiet", "--shared", "--no-checkout", str(top), str(copy))
        _git(shop, "-C", str(copy), "read-tree", "HEAD")  # what is tracked stays, though a pattern ignores it
    else:
        top = folder
        _git(shop, "init", "--quiet", str(copy))
    (copy / ".git/info").mkdir(exist_ok=True)
    (copy / ".git/info/exclude").write_text(_ignored(folder.resolve().relative_to(top.resolve())), encoding="utf-8")
    inside = ("-C", str(copy), f"--work-tree={top}", f"--git-dir={copy / '.git'}")
    _git(shop, *inside, "add", "--all", ".", cwd=top)
    _git(shop, *_IDENTITY, *inside, "commit", "--quiet", "--allow-empty", "--no-verify", "-m", "the folder as it lies")
    _git(shop, "-C", str(copy), "checkout", "--quiet", "--force", "HEAD", "--", ".")
    return copy / folder.resolve().relative_to(top.resolve())


def _ignored(subfolder: Path) -> str:
    """Write git's ignore patterns for what builds leave at the top of the repository and of the project in it."""
    places = dict.fromkeys(("/", f"/{subfolder.as_posix()}/" if subfolder.parts else "/"))
    lines = [*(f"{place}{name}/" for place in places for name in _OUTPUTS), *(f"{name}/" for name in _LEFTOVERS)]
    return "".join(f"{line}\n" for line in lines)


def _git(shop: Workshop, *arguments: str, cwd: Path | None = None) -> None:
    command = Command(argv=("git", *_QUIET, *arguments), cwd=cwd, unset=("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"))
    checked(shop.run, command, "git")


def _repacked(folder: Path, shop: Workshop) -> Path:
    """Pack an unpacked sdist again: it is one already, and its files are exactly those that belong in it."""
    stated = project.read(folder)
    name = f"{stated.key.replace('-', '_')}-{stated.version}"
    path = shop.fresh("sdist") / f"{name}.tar.gz"

    def wanted(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        parts = Path(member.name).parts[1:]
        leftover = any(fnmatchcase(part, name) for part in parts for name in (".git", *_LEFTOVERS))
        return None if leftover or parts[:1] in {(name,) for name in _OUTPUTS} else member

    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        archive.add(folder, arcname=name, filter=wanted)
    return path
