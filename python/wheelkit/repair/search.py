"""Finds the external libraries that a wheel needs, also through the libraries that would be grafted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from wheelkit import _core
from wheelkit.analysis.claims import runs
from wheelkit.analysis.libraries import of_macos, of_windows
from wheelkit.analysis.policies import policy_for
from wheelkit.inputs import read_bytes, read_text
from wheelkit.matrix import System
from wheelkit.wheel.library_names import base_name
from wheelkit.wheel.model import python_dll

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wheelkit._core import Slice
    from wheelkit.matrix import Target
    from wheelkit.repair.commands import RepairRecipe
    from wheelkit.wheel import Wheel


# Each tool also searches the folders in its loader's environment variables.
_VARIABLES: Mapping[System, tuple[str, ...]] = {
    System.LINUX: ("LD_LIBRARY_PATH",),
    System.MACOS: ("DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"),
    System.WINDOWS: ("PATH",),
}
_LINUX_FOLDERS = ("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64")
_ORIGIN = ("$ORIGIN", "${ORIGIN}", "@loader_path")


class ExternalLibraries(Struct, frozen=True, kw_only=True):
    """The external libraries that a wheel needs, by file name.

    ``needed_by`` lists the members of the wheel, then the libraries, that need each. ``found`` maps the
    libraries that were found to their files, ``wrong_machine`` those of which only files for another machine
    were found to a description. ``searched`` are the folders, in order.
    """

    needed_by: dict[str, list[str]] = field(default_factory=dict)
    found: dict[str, Path] = field(default_factory=dict)
    wrong_machine: dict[str, str] = field(default_factory=dict)
    searched: dict[Path, None] = field(default_factory=dict)

    def excluded(self, recipe: RepairRecipe) -> tuple[str, ...]:
        """Return the needed libraries that the recipe leaves to their providers."""
        return tuple(sorted(filter(recipe.excludes, self.needed_by)))

    def describe(self, name: str) -> str:
        """Say which binaries need a library and where it was searched for."""
        needed_by = self.needed_by.get(name) or [
            binary
            for other, binaries in self.needed_by.items()
            if other.lower() == name.lower()
            for binary in binaries
        ]
        by = f" (needed by {', '.join(needed_by[:3])})" if needed_by else ""
        if name in self.wrong_machine:
            return f"{name}{by}: {self.wrong_machine[name]}"
        return f"{name}{by}: searched in {', '.join(map(str, self.searched)) or 'no folder'}"


class _Binary(Struct, frozen=True, kw_only=True):
    """One architecture of a binary whose needs are followed; ``folder`` is None inside the wheel."""

    name: str
    slice_: Slice
    format: str
    folder: Path | None = None


def find_external_libraries(
    wheel: Wheel, recipe: RepairRecipe, environ: Mapping[str, str] = os.environ
) -> ExternalLibraries:
    """Search for needed libraries outside the wheel; list excluded ones and the system's without search."""
    libraries = ExternalLibraries()
    inside = {base_name(member.name) for member in wheel.members} | wheel.held
    if recipe.target.system is System.WINDOWS:
        inside |= {name.lower() for name in inside}
    waiting = [
        _Binary(name=binary.member, slice_=slice_, format=binary.scan.format)
        for binary in wheel.binaries
        if binary.scan
        for slice_ in binary.scan.slices
        if runs(slice_)
    ]
    folders = tuple(_search_folders(recipe, environ))
    while waiting:
        binary = waiting.pop(0)
        for library in binary.slice_.needed:
            name = base_name(library.name)
            if name in inside or (recipe.target.system is System.WINDOWS and name.lower() in inside):
                continue
            needed_by = libraries.needed_by.setdefault(name, [])
            if binary.name not in needed_by:
                needed_by.append(binary.name)
            if recipe.excludes(name) or is_system_library(library.name, recipe.target):
                continue
            if len(needed_by) == 1:  # the first binary; it may have several architectures
                waiting += _find(library.name, binary, folders, libraries)
    return libraries


def is_system_library(library: str, target: Target) -> bool:
    """Return whether every system of the target has a library, so that it is never grafted."""
    if target.system is System.MACOS:
        return of_macos(library)
    if target.system is System.WINDOWS:
        return of_windows(library) or python_dll(library) is not None
    policy = policy_for(target)
    return policy is not None and policy.provides(library)


def _find(
    library: str, needed_by: _Binary, folders: Iterable[Path], libraries: ExternalLibraries
) -> list[_Binary]:
    """Search for one library; return its slices for the machine of the binary that needs it."""
    name = base_name(library)
    for path in _candidates(library, needed_by, folders):
        libraries.searched[path.parent] = None
        try:
            scan = _core.scan(read_bytes(path, most=None))
        except (OSError, _core.ScanError):
            continue
        if scan is None:
            continue
        slices = [slice_ for slice_ in scan.slices if slice_.arch == needed_by.slice_.arch]
        if slices and scan.format == needed_by.format:
            libraries.found[name] = path
            libraries.wrong_machine.pop(name, None)
            return [
                _Binary(name=name, slice_=slice_, format=scan.format, folder=path.parent) for slice_ in slices
            ]
        archs = ", ".join(sorted({slice_.arch for slice_ in scan.slices}))
        libraries.wrong_machine.setdefault(name, f"{path} is for {scan.format} {archs}")
    return []


def _candidates(library: str, needed_by: _Binary, folders: Iterable[Path]) -> Iterator[Path]:
    """Return the files that may be the library, in the loader's order."""
    name = base_name(library)
    if library.startswith("/"):
        yield Path(library)
    for entry in (entry for rpath in needed_by.slice_.rpaths for entry in rpath.path.split(":")):
        if entry.startswith("/"):
            yield Path(entry) / name
        elif needed_by.folder is not None and entry.startswith(_ORIGIN):
            yield needed_by.folder / entry.partition("/")[2] / name
    if needed_by.folder is not None:
        yield needed_by.folder / name
    for folder in folders:
        yield folder / name


def _search_folders(recipe: RepairRecipe, environ: Mapping[str, str]) -> Iterator[Path]:
    """Return the folders that the target's tool searches: those of the recipe, then those of this machine."""
    yield from recipe.lib_paths
    entries = [
        entry
        for variable in _VARIABLES[recipe.target.system]
        for entry in environ.get(variable, "").split(os.pathsep)
        if entry
    ]
    if recipe.target.system is System.LINUX:
        configured = (
            line.strip()
            for file in sorted(Path("/etc/ld.so.conf.d").glob("*.conf"))
            for line in _read_lines(file)
        )
        entries += [entry for entry in (*configured, *_LINUX_FOLDERS) if entry.startswith("/")]
    yield from filter(Path.is_dir, map(Path, entries))


def _read_lines(path: Path) -> list[str]:
    try:
        return read_text(path, errors="replace").splitlines()
    except OSError:
        return []
