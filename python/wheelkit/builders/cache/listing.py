"""The source files of a distribution with their digests: every file that its sdist may contain.

Which files a backend packs is not known, so the list may contain more files than the sdist, but never fewer:
at worst a wheel is built again. meson-python packs the files that git tracks, and those that wheelkit's
snapshot of the folder adds. For other backends all files count, except those that builds, caches and version
control leave. Only contents, names and the executable bit matter.
"""

from __future__ import annotations

import os
import re
import stat
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.inputs import open_file
from wheelkit.machine.folders import LEFTOVERS, OUTPUTS, is_build_leftover

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit.machine.git import TreeState
    from wheelkit.project.read import Distribution


# Never sources, in any folder. Folders with a CACHEDIR.TAG (bford.info/cachedir) or a pyvenv.cfg are left out
# too.
_SKIPPED = frozenset((
    ".git", ".hg", ".svn", ".jj", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".tox",
    ".nox", ".eggs", "node_modules",
))  # fmt: skip
_MARKERS = ("CACHEDIR.TAG", "pyvenv.cfg")
# Files that may refer to files outside the project: a readme above it, a crate beside it, a folder that
# hatchling is told to include.
_PROJECT_FILES = frozenset((
    "pyproject.toml", "setup.py", "setup.cfg", "meson.build", "hatch_build.py", "CMakeLists.txt",
    "Cargo.toml", "build.rs",
))  # fmt: skip
_OUTSIDE = re.compile(rb"""["'](\.\./[^"'\n]*)["']""")
# What makes an sdist depend on the state of git, in files at the top and in Meson's files.
_GIT_USE = re.compile(
    rb"vcs_tag|add_dist_script|setuptools[-_]scm|hatch[-_]vcs|versioneer|versioningit|dunamai|miniver|"
    rb"vcs-versioning|export-subst|git (describe|rev-parse|log)|[\"']git[\"']"
)
_GIT_USERS = frozenset(("meson.build", ".gitattributes"))
_CHUNK = 1 << 20


class Sources(Struct, frozen=True, kw_only=True):
    """The digests of a distribution's files by path, and whether the sdist also depends on git."""

    files: dict[str, str]
    depends_on_git: bool = False


def list_sources(distribution: Distribution, tree: TreeState, ignored: Iterable[Path] = ()) -> Sources:
    """Read and digest the sources of a distribution; ``ignored`` are folders with finished files."""
    if distribution.from_sdist:
        return Sources(files={distribution.source.name: _digest_file(distribution.source)[0]})
    folder = distribution.source.resolve()
    files: dict[str, str] = {}
    depends_on_git = distribution.version is None
    for name in sorted(_file_names(distribution, folder, tree, frozenset(map(str, ignored)))):
        path = folder / name
        digest, start = _digest(path)
        if digest:
            files[name] = digest
        if path.name in _PROJECT_FILES and b"../" in start:
            files.update(_outside_digests(path, folder, start))
        if ("/" not in name or path.name in _GIT_USERS) and _GIT_USE.search(start):
            depends_on_git = True
    return Sources(files=files, depends_on_git=depends_on_git)


def _file_names(
    distribution: Distribution, folder: Path, tree: TreeState, ignored: frozenset[str]
) -> set[str]:
    """Return the names of the files, relative to the folder."""
    prefix = tree.path_below(folder) if folder.is_relative_to(tree.folder) else ""
    tracked = _names_below(prefix, tree.tracked) if tree.commit else set()
    if not distribution.build_backend.packs_tracked_files or "pyproject.toml" not in tracked:
        return tracked | set(_walk(folder, ignored))
    outputs = tuple(f"{path}/" for path in ignored)
    return tracked | {
        name
        for name in _names_below(prefix, tree.untracked)
        if not is_build_leftover(name) and not f"{folder}/{name}".startswith(outputs)
    }


def _names_below(prefix: str, names: Iterable[str]) -> set[str]:
    return {name.removeprefix(prefix) for name in names if name.startswith(prefix)}


def _walk(folder: Path, ignored: frozenset[str], prefix: str = "") -> Iterator[str]:
    """Yield the names of all files in a folder, except those that are never sources."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    names = {entry.name for entry in entries}
    if prefix and not names.isdisjoint(_MARKERS):
        return
    skipped = _SKIPPED.union(OUTPUTS) if names & {"pyproject.toml", "setup.py"} else _SKIPPED
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            leftover = any(fnmatchcase(entry.name, pattern) for pattern in LEFTOVERS)
            if not (leftover or entry.name in skipped or entry.path in ignored):
                yield from _walk(Path(entry.path), ignored, f"{prefix}{entry.name}/")
        elif not entry.name.endswith((".pyc", ".pyo")) and (entry.is_symlink() or entry.is_file()):
            yield f"{prefix}{entry.name}"


def _digest(path: Path) -> tuple[str, bytes]:
    """Digest a file, a link, or a folder that git lists as one file; return also the start of a file.

    The digest is empty for a tracked file that does not exist.
    """
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            return _digest_link(path), b""
        if stat.S_ISDIR(mode):
            return tree_digest(path), b""
        return _digest_file(path)
    except (FileNotFoundError, NotADirectoryError):
        return "", b""
    except OSError:  # forbidden, or a FIFO or device
        return "unreadable", b""


def _digest_file(path: Path) -> tuple[str, bytes]:
    """Digest a file's bytes and executable bit; return the digest and its first megabyte."""
    with open_file(path) as stream:
        start = stream.read(_CHUNK)
        digest = sha256(start)
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
        executable = os.fstat(stream.fileno()).st_mode & stat.S_IXUSR
    return digest.hexdigest() + ("+x" if executable else ""), start


def _digest_link(path: Path) -> str:
    """Digest a link and what it leads to: some backends pack the link, others its target."""
    link = f"link {path.readlink()}"
    if path.is_file():
        return f"{link} {_digest_file(path)[0]}"
    return f"{link} {tree_digest(path.resolve())}" if path.is_dir() else link


def _outside_digests(file: Path, folder: Path, text: bytes) -> Iterator[tuple[str, str]]:
    """Yield the path and digest of everything outside the project that one of its files refers to."""
    for match in _OUTSIDE.finditer(text):
        path = Path(os.path.normpath(file.parent / os.fsdecode(match[1])))
        # A folder above the project contains the project itself, and much that is unrelated.
        if path.is_relative_to(folder) or folder.is_relative_to(path):
            continue
        if path.is_file() or path.is_dir():
            yield os.path.relpath(path, folder), tree_digest(path) if path.is_dir() else _digest(path)[0]


def tree_digest(folder: Path) -> str:
    """Digest all files in a folder, except those that builds and caches leave."""
    digest = sha256()
    for name in _walk(folder, frozenset()):
        path = folder / name
        content = f"link {path.readlink()}" if path.is_symlink() else _digest(path)[0]
        digest.update(f"{name}\0{content}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()
