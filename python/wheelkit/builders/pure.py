"""The sdist that everything else is built from, so that an incomplete one shows at once."""

from __future__ import annotations

import shutil
import sys
import tarfile
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit import manifest
from wheelkit.builders.results import BuiltWheel
from wheelkit.errors import MissingToolError, ProjectError, ToolFailedError
from wheelkit.machine.compilers import compiler_errors, require_compiler
from wheelkit.machine.folders import LEFTOVERS, OUTPUTS
from wheelkit.machine.git import Checkout, Repository, git_command
from wheelkit.machine.process import Command, find_tool, run_checked, tool_error
from wheelkit.machine.progress import step
from wheelkit.project import read
from wheelkit.wheel.names import parse_file_name

if TYPE_CHECKING:
    from wheelkit.machine.workspace import Workspace
    from wheelkit.project.read import Distribution


# Who the snapshot's commit is from does not matter: it lives in a scratch folder.
_IDENTITY = ("-c", "user.name=wheelkit", "-c", "user.email=wheelkit@localhost", "-c", "commit.gpgsign=false")
_QUIET = (
    "-c",
    "core.hooksPath=",
    "-c",
    "core.autocrlf=false",
    "-c",
    "init.defaultBranch=main",
    "-c",
    "advice.addEmbeddedRepo=false",
)


class SourceDist(Struct, frozen=True, kw_only=True):
    """An sdist, what it says of itself, and the state of version control that it came from."""

    path: Path
    distribution: Distribution
    sha256: str
    commit: str
    dirty: bool


def make_sdist(
    item: Distribution, shop: Workspace, state: Checkout | None = None, out: Path | None = None
) -> SourceDist:
    """Make the distribution's sdist, or take the one that was given; read back what it says of itself.

    ``state`` is git's view of the folder where it is known already, ``out`` the folder of finished files, which are no sources. Raises
    MissingToolError without a compiler where meson needs one, ToolFailedError when the backend refuses.
    """
    if item.from_sdist:
        return SourceDist(
            path=item.source, distribution=item, sha256=manifest.sha256(item.source), commit="", dirty=False
        )
    state = Repository(folder=item.source).checkout() if state is None else state
    with step(shop.progress, f"sdist {item.name} {item.version or ''}".rstrip()):
        path = _built(item, state, shop, out)
    return read_sdist(path, state)


def read_sdist(path: Path, state: Checkout) -> SourceDist:
    """Read back what an sdist says of itself, made from a folder in that state."""
    return SourceDist(
        path=path,
        distribution=read.read(path),
        sha256=manifest.sha256(path),
        commit=state.commit,
        dirty=bool(state.changed),
    )


def _built(item: Distribution, state: Checkout, shop: Workspace, out_folder: Path | None) -> Path:
    folder = item.source
    if item.backend == "mesonpy":
        require_compiler()  # meson looks for one even to make an sdist
        if not state.tracked and (folder / "PKG-INFO").is_file():
            return _repacked(folder, shop)
        if not state.tracked or state.changed:
            folder = _snapshot(folder, state, shop, out_folder)
    out = shop.new_folder("sdist")
    command = Command(
        argv=(
            find_tool("uv"),
            "build",
            "--sdist",
            "--python",
            sys.executable,
            "--out-dir",
            str(out),
            str(folder),
        ),
        unset=(
            "VIRTUAL_ENV",
            "PYTHONDONTWRITEBYTECODE",
        ),  # without byte code each of its processes compiles all of Meson
    )
    done = shop.run(command)
    if done.returncode != 0:
        raise _refused(tool_error(done, f"building the sdist of {item.name}"), done.output)
    made = sorted(out.glob("*.tar.gz"))
    if len(made) != 1:
        raise ToolFailedError(
            f"building the sdist of {item.name} gave {len(made)} files, where one was expected"
        )
    return made[0]


def _refused(error: ToolFailedError, output: str) -> ToolFailedError:
    error.detail = compiler_errors(output) or error.detail
    if "ot inside a git" in output or "under version control" in output:
        error.hint = "put the project under git, or give an sdist"
    return error


def _snapshot(folder: Path, state: Checkout, shop: Workspace, out: Path | None = None) -> Path:
    """Commit the folder as it lies, in a scratch clone: ``meson dist`` packs only what is committed, and people build what they see.

    The clone keeps tags and history, for versions that are computed from them; the user's own repository is not touched.
    """
    if shutil.which("git") is None:
        raise MissingToolError(
            "git was not found, and meson can only make an sdist from version control",
            hint="install git, or give an sdist (a .tar.gz)",
        )
    copy = shop.new_folder("snapshot")
    if state.tracked:
        top = Path(Repository(folder=folder).line("rev-parse", "--show-toplevel"))
        _git(shop, "clone", "--quiet", "--shared", "--no-checkout", str(top), str(copy))
        _git(shop, "-C", str(copy), "read-tree", "HEAD")  # what is tracked stays, though a pattern ignores it
    else:
        top = folder
        _git(shop, "init", "--quiet", str(copy))
    (copy / ".git/info").mkdir(exist_ok=True)
    (copy / ".git/info/exclude").write_text(_ignored(folder, top, out), encoding="utf-8")
    inside = ("-C", str(copy), f"--work-tree={top}", f"--git-dir={copy / '.git'}")
    _git(shop, *inside, "add", "--all", ".", cwd=top)
    _git(
        shop,
        *_IDENTITY,
        *inside,
        "commit",
        "--quiet",
        "--allow-empty",
        "--no-verify",
        "-m",
        "the folder as it lies",
    )
    _git(shop, "-C", str(copy), "checkout", "--quiet", "--force", "HEAD", "--", ".")
    return copy / folder.resolve().relative_to(top.resolve())


def _ignored(folder: Path, top: Path, out: Path | None) -> str:
    """Write git's ignore patterns for what builds leave at the top of the repository and of the project in it, and for finished files."""
    subfolder = folder.resolve().relative_to(top.resolve())
    places = dict.fromkeys(("/", f"/{subfolder.as_posix()}/" if subfolder.parts else "/"))
    lines = [
        *(f"{place}{name}/" for place in places for name in OUTPUTS),
        *(f"{name}/" for name in LEFTOVERS),
    ]
    if out is not None and out.is_relative_to(top.resolve()) and out != top.resolve():
        lines.append(f"/{out.relative_to(top.resolve()).as_posix()}/")
    return "".join(f"{line}\n" for line in lines)


def _git(shop: Workspace, *arguments: str, cwd: Path | None = None) -> None:
    run_checked(shop.run, git_command(*_QUIET, *arguments, cwd=cwd), "git")


def _repacked(folder: Path, shop: Workspace) -> Path:
    """Pack an unpacked sdist again: it is one already, and its files are exactly those that belong in it."""
    stated = read.read(folder)
    name = f"{stated.key.replace('-', '_')}-{stated.version}"
    path = shop.new_folder("sdist") / f"{name}.tar.gz"

    def wanted(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        parts = Path(member.name).parts[1:]
        leftover = any(fnmatchcase(part, name) for part in parts for name in (".git", *LEFTOVERS))
        return None if leftover or parts[:1] in {(name,) for name in OUTPUTS} else member

    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        archive.add(folder, arcname=name, filter=wanted)
    return path


def build(item: Distribution, source: SourceDist, shop: Workspace) -> BuiltWheel:
    """Build the wheel of a distribution without native code.

    Raises ToolFailedError when the backend refuses, ProjectError when a platform wheel comes out.
    """
    out = shop.new_folder("pure")
    with step(shop.progress, f"wheel {item.name}"):
        argv = (
            find_tool("uv"),
            "build",
            "--wheel",
            "--python",
            sys.executable,
            "--out-dir",
            str(out),
            str(source.path),
        )
        run_checked(
            shop.run, Command(argv=argv, unset=("VIRTUAL_ENV",)), f"building the wheel of {item.name}"
        )
    made = sorted(out.glob("*.whl"))
    if len(made) != 1:
        raise ToolFailedError(f"building {item.name} gave {len(made)} wheels, where one was expected")
    if not parse_file_name(made[0].name).any_platform:
        raise ProjectError(
            f"{item.name} was taken for pure Python, but its wheel is for one platform: {made[0].name}",
            hint=f'say so:  [tool.wheelkit.distribution.{item.key}] kind = "native"   then:  wheelkit build --native',
        )
    return BuiltWheel(path=made[0], cells=("any",))


def is_actually_native(item: Distribution, wheel: str, output: str) -> ProjectError:
    """Make the error for a distribution that was to hold native code, and whose wheel is for every system.

    A build may pass over an extension that does not compile (setuptools: optional=True), so what compilers said in its ``output`` is shown.
    """
    return ProjectError(
        f"{item.name} was taken for native, but its wheel holds no binary: {wheel}",
        detail=compiler_errors(output),
        hint="look at what its build leaves out; or, if it is pure Python, say so:"
        f'  [tool.wheelkit.distribution.{item.key}] kind = "pure"   then:  wheelkit build --pure',
    )
