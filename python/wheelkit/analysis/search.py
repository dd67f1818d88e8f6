"""Where the loader of Linux finds the libraries that the ELF files of a wheel need.

glibc (elf/dl-load.c, _dl_map_object) looks for a name among what is already loaded, then in DT_RPATH of the
file and of those that loaded it, unless the file has DT_RUNPATH, then in DT_RUNPATH of the file alone, and
last in the folders of the system. musl (ldso/dynlink.c, load_library) makes no difference between the two
paths.
"""

from __future__ import annotations

import re
from posixpath import basename, dirname, join, normpath
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.analysis.claims import targets
from wheelkit.analysis.installed import installed_path
from wheelkit.analysis.linux import linux_slices
from wheelkit.matrix import System

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from wheelkit._core import Slice
    from wheelkit.wheel import Binary, Wheel


# Where auditwheel and delocate put what they graft.
_GRAFT_FOLDER = r"(?:^|/)(?:[^/]+\.libs|\.dylibs|\.libs)/[^/]+"
# How a search path spells the folder of the file itself; $LIB and $PLATFORM do not occur in wheels.
_ORIGIN = r"\$(?:ORIGIN|\{ORIGIN\})(?=/|$)"
_RUNPATH = "runpath"


class ElfFile(Struct, frozen=True, kw_only=True):
    """An ELF file of a wheel that is loaded or run, and its path below site-packages."""

    binary: Binary
    slice_: Slice
    path: str

    @property
    def needed(self) -> Iterator[str]:
        """The names of the libraries without which it is not loaded."""
        return (library.name for library in self.slice_.needed if library.how == "required")


class Lost(Struct, frozen=True, kw_only=True):
    """A need that no search path leads to, although the wheel has the library: the file, and what it needs.

    ``root`` is the file that was loaded first. ``elsewhere`` tells whether loading another file of the wheel
    loads the library, which then serves all of the process.
    """

    user: Binary
    library: str
    root: Binary
    elsewhere: bool


class _Loaded(Struct, frozen=True, kw_only=True):
    file: ElfFile
    by: _Loaded | None


def in_graft_folder(path: str) -> bool:
    """Return whether a file is where repair tools put the libraries that they graft."""
    return re.search(_GRAFT_FOLDER, path) is not None


def search_path(slice_: Slice) -> tuple[str, ...]:
    """Return the folders that the loader searches, as written, with an empty text for the current folder.

    DT_RPATH counts only without DT_RUNPATH, and a path that is empty as a whole is none.
    """
    runpath = [rpath.path for rpath in slice_.rpaths if rpath.how == _RUNPATH]
    paths = runpath or [rpath.path for rpath in slice_.rpaths]
    folders = tuple(folder for path in paths for folder in path.split(":"))
    return () if folders == ("",) else folders


def lost_libraries(wheel: Wheel) -> Iterator[Lost]:
    """Yield the needs for a library of the wheel that the loader does not find, once for each user.

    Files are loaded as Python does it: each extension module by itself, and so are programs, and libraries
    that no other file of the wheel loads, which the project's code has to open. Grafted ones are not opened.
    """
    loader = loader_of(wheel)
    files = list(loader.files.values())
    if not any(basename(name) in loader.held for file in files for name in file.needed):
        return
    opened = [file for file in files if file.binary.extension or file.slice_.kind == "executable"]
    runs = {file.path: loader.load(file) for file in opened}
    served = {path for run in runs.values() for path in run.paths}
    plugins = [file for file in files if file.path not in served and not in_graft_folder(file.path)]
    runs |= {file.path: loader.load(file) for file in plugins}
    yield from _distinct(loader, runs)


def loader_of(wheel: Wheel) -> Loader:
    """Return a loader that only finds the files of a wheel."""
    files = (
        ElfFile(binary=binary, slice_=slice_, path=installed_path(binary.member))
        for binary, slice_ in linux_slices(wheel)
    )
    return Loader(
        files={file.path: file for file in files},
        held=wheel.held,
        musl={target.libc for target in targets(wheel, System.LINUX)} == {"musllinux"},
    )


def _distinct(loader: Loader, runs: Mapping[str, Run]) -> Iterator[Lost]:
    """Yield what was lost in each run, unless the user found it in another one."""
    seen: set[tuple[str, str]] = set()
    for path, run in runs.items():
        for user, library in run.lost:
            if (user.path, library) not in seen:
                seen.add((user.path, library))
                others = (other.names for root, other in runs.items() if root != path)
                yield Lost(
                    user=user.binary,
                    library=library,
                    root=loader.files[path].binary,
                    elsewhere=any(basename(library) in names for names in others),
                )


class Run(Struct, frozen=True, kw_only=True):
    """What loading one file loads: the names and paths of all files, and the needs that were not found."""

    names: frozenset[str]
    paths: frozenset[str]
    lost: Sequence[tuple[ElfFile, str]]


class Loader(Struct, frozen=True, kw_only=True):
    """The ELF files of a wheel by path, and the names under which it has libraries."""

    files: Mapping[str, ElfFile]
    held: frozenset[str]
    musl: bool

    def load(self, root: ElfFile) -> Run:
        """Load a file and what it needs, in the order of the loader: breadth first."""
        names = self._names(root)
        loaded = [_Loaded(file=root, by=None)]
        lost: list[tuple[ElfFile, str]] = []
        for user in loaded:  # grows while it is walked
            for name in user.file.needed:
                if name in names or basename(name) not in self.held:
                    continue
                found = self._find(user, name)
                if found is None:
                    lost.append((user.file, name))
                else:
                    names |= self._names(found) | {name}
                    loaded.append(_Loaded(file=found, by=user))
        paths = frozenset(one.file.path for one in loaded)
        return Run(names=frozenset(names), paths=paths, lost=lost)

    def _names(self, file: ElfFile) -> set[str]:
        """Return the names that a loaded file serves; only glibc compares sonames."""
        names = {basename(file.path)}
        return names if self.musl or not file.slice_.name else names | {file.slice_.name}

    def _find(self, user: _Loaded, name: str) -> ElfFile | None:
        if "/" in name:  # a path, which is not searched for
            return self._at(user.file, name)
        for place in self._search(user):
            found = self.files.get(normpath(join(place, name)))
            if found is not None:
                return found
        return None

    def _at(self, user: ElfFile, path: str) -> ElfFile | None:
        origin = re.match(_ORIGIN, path)
        inside = normpath(join(dirname(user.path), path[origin.end() :].lstrip("/"))) if origin else ""
        return self.files.get(inside)

    def _search(self, user: _Loaded) -> Iterator[str]:
        """Yield the folders of the wheel that are searched for the needs of a file."""
        loader: _Loaded | None = user
        while loader is not None:
            inherited = self.musl or not _has_runpath(loader.file.slice_)
            if loader is user or inherited:
                yield from _folders(loader.file)
            if _has_runpath(user.file.slice_) and not self.musl:
                return
            loader = loader.by


def _has_runpath(slice_: Slice) -> bool:
    return any(rpath.how == _RUNPATH for rpath in slice_.rpaths)


def _folders(file: ElfFile) -> Iterator[str]:
    for folder in search_path(file.slice_):
        origin = re.match(_ORIGIN, folder)
        if origin:
            yield normpath(join(dirname(file.path), folder[origin.end() :].lstrip("/")))
