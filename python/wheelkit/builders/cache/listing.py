"""The sources of a distribution by the digests of their bytes: every file that its sdist would hold, known without building it.

What a backend packs is its own affair, so the list may hold more than the sdist, and never less: a wheel too many is built, and no wrong
one is taken. meson-python packs what git tracks, or will once wheelkit's snapshot of the folder is made; of other backends all files count
but for what builds, caches and version control leave. Only bytes, names and the executable bit decide.
"""

from __future__ import annotations

import os
import re
import stat
from fnmatch import fnmatchcase
from hashlib import sha256
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.machine.folders import LEFTOVERS, OUTPUTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit.machine.git import TreeState
    from wheelkit.project.read import Distribution


# Never sources, wherever they lie. Folders that hold CACHEDIR.TAG (bford.info/cachedir) or pyvenv.cfg are left out as well.
_SKIPPED = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        ".jj",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
        ".hypothesis",
        ".tox",
        ".nox",
        ".eggs",
        "node_modules",
    }
)
_MARKERS = ("CACHEDIR.TAG", "pyvenv.cfg")
# What may name files outside the project: a readme two floors up, a crate beside it, a folder that hatchling is forced to include.
_SPEAKING = frozenset(
    {
        "pyproject.toml",
        "setup.py",
        "setup.cfg",
        "meson.build",
        "hatch_build.py",
        "CMakeLists.txt",
        "Cargo.toml",
        "build.rs",
    }
)
_OUTSIDE = re.compile(rb"""["'](\.\./[^"'\n]*)["']""")
# What makes an sdist's content depend on more than its files: the state of version control. Looked for at the top, and in Meson's files.
_ASKING_GIT = re.compile(
    rb"vcs_tag|add_dist_script|setuptools[-_]scm|hatch[-_]vcs|versioneer|versioningit|dunamai|miniver|vcs-versioning|"
    rb"export-subst|git (describe|rev-parse|log)|[\"']git[\"']"
)
_CHUNK = 1 << 20


class Sources(Struct, frozen=True, kw_only=True):
    """The digests of a distribution's files by path, and whether what is made of them depends on git's state too."""

    files: dict[str, str]
    asks_git: bool = False


def list_sources(item: Distribution, view: TreeState, ignored: Iterable[Path] = ()) -> Sources:
    """Read and digest the sources of a distribution; ``ignored`` are folders of finished files, wherever they lie."""
    if item.from_sdist:
        return Sources(files={item.source.name: _digest_of(item.source)[0]})
    folder = item.source.resolve()
    left_out = frozenset(map(str, ignored))
    files: dict[str, str] = {}
    asks_git = False
    below = f"{folder}{os.sep}"
    for name in sorted(_names(item, folder, view, left_out)):
        digest, data = _read(below + name)
        if digest:
            files[name] = digest
        base = name.rpartition("/")[2]
        if base in _SPEAKING and b"../" in data:
            files.update(_outside(folder / name, folder, data))
        asks_git = asks_git or (
            ("/" not in name or base in {"meson.build", ".gitattributes"})
            and _ASKING_GIT.search(data) is not None
        )
    return Sources(files=files, asks_git=asks_git or item.version is None)


def _names(item: Distribution, folder: Path, view: TreeState, left_out: frozenset[str]) -> set[str]:
    """Name the files, relative to the folder."""
    below = folder.relative_to(view.folder).as_posix() if folder.is_relative_to(view.folder) else ""
    prefix = "" if below in {"", "."} else f"{below}/"
    tracked = (
        {name[len(prefix) :] for name in view.tracked if name.startswith(prefix)} if view.commit else set()
    )
    if item.backend != "mesonpy" or "pyproject.toml" not in tracked:
        return tracked | set(_walk(folder, left_out))
    news = {name[len(prefix) :] for name in view.untracked if name.startswith(prefix)}
    places = tuple(f"{place}/" for place in left_out)
    return {
        name for name in news if not _left_behind(name) and not f"{folder}/{name}".startswith(places)
    } | tracked


def _left_behind(name: str) -> bool:
    parts = name.split("/")
    return parts[0] in OUTPUTS or any(fnmatchcase(part, pattern) for part in parts for pattern in LEFTOVERS)


def _walk(folder: Path, left_out: frozenset[str], prefix: str = "") -> Iterator[str]:
    """Name all files below a folder but for what is never a source."""
    try:
        entries = sorted(os.scandir(folder), key=lambda one: one.name)
    except OSError:
        return
    names = {one.name for one in entries}
    if prefix and not names.isdisjoint(_MARKERS):
        return
    project = "pyproject.toml" in names or "setup.py" in names
    for one in entries:
        if one.is_dir(follow_symlinks=False):
            output = project and one.name in OUTPUTS
            if (
                output
                or one.path in left_out
                or one.name in _SKIPPED
                or any(fnmatchcase(one.name, name) for name in LEFTOVERS)
            ):
                continue
            yield from _walk(Path(one.path), left_out, f"{prefix}{one.name}/")
        elif not one.name.endswith((".pyc", ".pyo")) and (
            one.is_symlink() or one.is_file()
        ):  # a pipe would never end
            yield f"{prefix}{one.name}"


def _read(path: str | Path) -> tuple[str, bytes]:
    """Digest a file with its executable bit, or a link with what it leads to; gives the first megabyte of its bytes too."""
    try:
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            return _linked(Path(path)), b""
        if stat.S_ISDIR(mode):
            return tree_digest(
                Path(path)
            ), b""  # a submodule is one name to git, and so is a repository inside this one
        return _digest_of(path)
    except (FileNotFoundError, NotADirectoryError):
        return "", b""  # tracked, and not there
    except PermissionError:
        return "unreadable", b""


def _digest_of(path: str | Path) -> tuple[str, bytes]:
    with FileIO(path) as stream:  # hundreds of files are read at every start, so without what Path adds
        status = os.fstat(stream.fileno())
        first = data = stream.read(_CHUNK)
        digest = sha256(data)
        while len(first) < status.st_size and data:
            data = stream.read(_CHUNK)
            digest.update(data)
    return digest.hexdigest() + ("+x" if status.st_mode & stat.S_IXUSR else ""), first


def _linked(path: Path) -> str:
    """Digest a link's words, and what stands there: some backends pack links, others what they lead to."""
    words = f"link {path.readlink()}"
    if path.is_file():
        return f"{words} {_digest_of(path)[0]}"
    return f"{words} {tree_digest(path.resolve())}" if path.is_dir() else words


def _outside(file: Path, folder: Path, data: bytes) -> Iterator[tuple[str, str]]:
    """Digest what a project's file names outside the project's folder."""
    for match in _OUTSIDE.finditer(data):
        place = Path(os.path.normpath(file.parent / os.fsdecode(match[1])))
        # Above the folder lies the project again, and everything else on the disk.
        if place.is_relative_to(folder) or folder.is_relative_to(place):
            continue
        if place.is_file():
            yield os.path.relpath(place, folder), _read(place)[0]
        elif place.is_dir():
            yield os.path.relpath(place, folder), tree_digest(place)


def tree_digest(folder: Path) -> str:
    """Digest all files of a folder by their bytes, less what builds and caches leave in it."""
    digest = sha256()
    for name in _walk(folder, frozenset()):
        path = folder / name
        content = f"link {path.readlink()}" if path.is_symlink() else _read(path)[0]
        digest.update(f"{name}\0{content}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()
