"""Where Windows finds the DLLs of a wheel.

CPython loads an extension module with LOAD_LIBRARY_SEARCH_DEFAULT_DIRS and LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR
(Python/dynload_win.c): Windows looks beside the module, beside python.exe, in System32 and in the folders of
os.add_dll_directory, for a file with exactly the name in the import table. PATH does not count. A DLL that is
loaded already, by its full path or not, serves whoever needs that name.
"""

from __future__ import annotations

import re
from posixpath import basename, dirname
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.analysis.claims import running_slices, system_of
from wheelkit.analysis.installed import installed_path
from wheelkit.analysis.libraries import of_windows
from wheelkit.matrix import System
from wheelkit.wheel.library_names import grafted, plain_name
from wheelkit.wheel.sources import read_sources

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from wheelkit._core import Slice
    from wheelkit.wheel import Binary, Wheel


# The C++, Fortran and OpenMP runtimes of Visual C++, LLVM, Intel and MinGW, which many projects need.
_SHARED_RUNTIME = (
    r"(?i)(?:msvcp|concrt|vccorlib|vcomp|vcamp|mfc)\d+u?(?:_[\w]+)?\.dll|libomp\d*(?:\.\w+)?\.dll|libiomp5md\.dll"
    r"|libgomp-1\.dll|lib(?:gcc_s_\w+|stdc\+\+|winpthread|gfortran|quadmath|atomic|ssp)-\d+\.dll|libc\+\+\.dll"
)
# The C runtime, which the interpreter has loaded before any module.
_C_RUNTIME = r"(?i)vcruntime\d+(?:_\d+)?\.dll|ucrtbase\.dll|api-ms-win-crt-[\w-]+\.dll"
# What code calls to add a folder, to load a DLL by its path, and to look for all files of a folder.
_ADDS = ("add_dll_directory", "AddDllDirectory", "SetDllDirectory")
_LOADS = ("CDLL", "WinDLL", "PyDLL", "OleDLL", "LoadLibrary", "cdll[", "dlopen")
_LISTS = ("glo", "walk(", "listdir", "scandir", "iterdir")
_ADDING_IMPORTS = frozenset(
    {"AddDllDirectory", "SetDllDirectoryW", "SetDllDirectoryA", "SetDefaultDllDirectories"}
)


class LostLibrary(Struct, frozen=True, kw_only=True):
    """A DLL that Windows does not find for some binaries, although the wheel has it in other folders.

    ``served`` tells whether a module beside it needs it too: once that is imported, the others find it.
    """

    name: str
    folders: tuple[str, ...]
    users: tuple[Binary, ...]
    served: bool


def dlls(wheel: Wheel) -> Mapping[str, list[str]]:
    """Map the file names of the PE files, in lower case, to their paths as they are installed."""
    paths: dict[str, list[str]] = {}
    for binary in wheel.binaries:
        if system_of(binary) is System.WINDOWS:
            path = installed_path(binary.member)
            paths.setdefault(basename(path).lower(), []).append(path)
    return paths


def windows_slices(wheel: Wheel) -> Iterator[tuple[Binary, Slice]]:
    """Yield the PE files that are loaded or run."""
    return running_slices(wheel, System.WINDOWS)


def other_name(library: str, files: Collection[str]) -> str:
    """Return the name of the file that the wheel has instead of a DLL, or "" if it has that DLL or none.

    The names differ in the hash of a repair tool. For a DLL that other machines can have, none is instead.
    """
    if library.lower() in files or of_windows(library) or shared_runtime(library):
        return ""
    plain = plain_name(library).lower()
    same = (name for name in files if plain_name(name) == plain)
    return next((name for name in same if grafted(name) or grafted(library)), "")


def lost_libraries(wheel: Wheel) -> list[LostLibrary]:
    """Return the DLLs in the wheel that are not beside a binary that needs them."""
    files = dlls(wheel)
    users: dict[str, dict[str, Binary]] = {}
    served = set()
    for binary, slice_ in windows_slices(wheel):
        folder = dirname(installed_path(binary.member))
        for library in slice_.needed:
            name = library.name.lower()
            paths = files.get(name, ()) if library.how == "required" else ()
            if paths and folder not in map(dirname, paths):
                users.setdefault(name, {})[binary.member] = binary
            elif paths and binary.extension:
                served.add(name)
    return [
        LostLibrary(
            name=name,
            folders=tuple(dict.fromkeys(map(dirname, files[name]))),
            users=tuple(binaries.values()),
            served=name in served,
        )
        for name, binaries in sorted(users.items())
    ]


class Hints(Struct, frozen=True, kw_only=True):
    """What the code of a wheel does about DLLs: the sources that load some, and if any adds a folder."""

    sources: tuple[tuple[str, str], ...]
    adds: bool
    imported: frozenset[str]
    """The extension modules, and the binaries that they need, directly or not."""

    def reach(self, library: LostLibrary) -> bool:
        """Return whether a source that adds folders or loads DLLs names this one, its folder or all files."""
        stem = plain_name(library.name).rpartition(".")[0].lower()
        names = [stem, *(basename(folder).lower() for folder in library.folders)]
        return any(
            dirname(path) in library.folders
            or any(name and name in text.lower() for name in names)
            or any(word in text for word in _LISTS)
            for path, text in self.sources
        )

    def load(self, library: LostLibrary) -> bool:
        """Return whether the wheel itself loads a user of a DLL; those that load plugins have it already."""
        stems = (plain_name(binary.name).rpartition(".")[0].lower() for binary in library.users)
        return any(binary.member in self.imported for binary in library.users) or any(
            stem in text.lower() for stem in stems for _, text in self.sources
        )


def _imported(wheel: Wheel) -> frozenset[str]:
    by_name: dict[str, list[Binary]] = {}
    for binary, _ in windows_slices(wheel):
        by_name.setdefault(binary.name.lower(), []).append(binary)
    reached: set[str] = set()
    waiting = [binary for binary in wheel.binaries if binary.extension]
    while waiting:
        binary = waiting.pop()
        if binary.member not in reached:
            reached.add(binary.member)
            needed = {library.name.lower() for slice_ in binary.slices for library in slice_.needed}
            waiting += [user for name in needed for user in by_name.get(name, ())]
    return frozenset(reached)


def _is_top_package(member: str) -> bool:
    return member.count("/") == 1 and member.endswith("/__init__.py")


def hints(wheel: Wheel, *, packages_only: bool = False) -> Hints:
    """Read the Python code of a wheel, and what its binaries import, for hints of where DLLs are searched.

    With ``packages_only`` only the ``__init__.py`` of top-level packages are read.
    """
    words = (*_ADDS, *_LOADS)
    found = read_sources(wheel, words, _is_top_package if packages_only else None)
    sources = tuple((installed_path(path), text) for path, text in found)
    by_code = any(word in text for _, text in sources for word in _ADDS)
    by_binary = any(
        symbol.name in _ADDING_IMPORTS for _, slice_ in windows_slices(wheel) for symbol in slice_.imports
    )
    return Hints(sources=sources, adds=by_code or by_binary, imported=_imported(wheel))


def shared_runtime(file: str) -> bool:
    """Return whether a file name is that of a runtime that other wheels in the process bring, too."""
    return re.fullmatch(_SHARED_RUNTIME, file) is not None


def c_runtime(file: str) -> bool:
    """Return whether a file name is that of a C runtime that every interpreter has loaded."""
    return re.fullmatch(_C_RUNTIME, file) is not None
