"""What a wheel needs of the outside, through every library that would be grafted: who asks for what, and where it was looked for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from wheelkit.analysis.claims import runs
from wheelkit.analysis.policies import policy_for
from wheelkit.analysis.system_libraries import of_macos, of_windows
from wheelkit.matrix import System
from wheelkit.wheel.library_names import base_name, matches
from wheelkit.wheel.model import python_dll

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wheelkit._core import Slice
    from wheelkit.repair.lines import RepairRecipe
    from wheelkit.wheel import Wheel


# Where each tool looks beside the folders that it is told: the variables of its loader.
_VARIABLES: Mapping[System, tuple[str, ...]] = {
    System.LINUX: ("LD_LIBRARY_PATH",),
    System.MACOS: ("DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"),
    System.WINDOWS: ("PATH",),
}
_LINUX_FOLDERS = ("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64")
_ORIGIN = ("$ORIGIN", "${ORIGIN}", "@loader_path")


class SearchPathNeeds(Struct, kw_only=True):
    """The outside libraries by file name, each with who asks for it (members of the wheel, then libraries); those of them found.

    ``strangers`` are files of the right name for another machine, with what they are for. ``folders`` is where was looked.
    """

    askers: dict[str, list[str]] = field(default_factory=dict)
    found: dict[str, Path] = field(default_factory=dict)
    strangers: dict[str, str] = field(default_factory=dict)
    folders: dict[Path, None] = field(default_factory=dict)

    def excluded(self, recipe: RepairRecipe) -> tuple[str, ...]:
        """Name the needed libraries that the recipe leaves to their providers."""
        return tuple(
            sorted(name for name in self.askers if matches(name, recipe.patterns, recipe.target.system))
        )


class _SearchPathFinder(Struct, frozen=True, kw_only=True):
    """One architecture of a binary whose needs are followed; ``folder`` is None for a member of the wheel."""

    name: str
    part: Slice
    format: str
    folder: Path | None = None


def needs_of(wheel: Wheel, recipe: RepairRecipe, environ: Mapping[str, str] = os.environ) -> SearchPathNeeds:
    """Follow the needs of the wheel's binaries over the search paths; excluded libraries and the system's are named, not followed."""
    needs = SearchPathNeeds()
    held = {base_name(member.name) for member in wheel.members} | wheel.held
    lowered = {name.lower() for name in held}
    waiting = [
        _SearchPathFinder(name=binary.member, part=part, format=binary.scan.format)
        for binary in wheel.binaries
        if binary.scan
        for part in binary.scan.slices
        if runs(part)
    ]
    common = tuple(_folders(recipe, environ))
    while waiting:
        asker = waiting.pop(0)
        for library in asker.part.needed:
            name = base_name(library.name)
            if name in held or (recipe.target.system is System.WINDOWS and name.lower() in lowered):
                continue
            known = needs.askers.setdefault(name, [])
            if asker.name not in known:
                known.append(asker.name)
            if (
                len(known) == 1
                and not matches(name, recipe.patterns, recipe.target.system)
                and not of_system(library.name, recipe)
            ):
                waiting += _followed(library.name, asker, common, needs)
    return needs


def of_system(library: str, recipe: RepairRecipe) -> bool:
    """Tell whether every system of the target has the library, so that nothing brings it along."""
    target = recipe.target
    if target.system is System.MACOS:
        return of_macos(library)
    if target.system is System.WINDOWS:
        return of_windows(library) or python_dll(library) is not None
    policy = policy_for(target)
    return policy is not None and policy.provides(library)


def _followed(
    library: str, asker: _SearchPathFinder, common: Iterable[Path], needs: SearchPathNeeds
) -> Iterator[_SearchPathFinder]:
    """Find one library and yield its parts for the asker's machine; remember where was looked, and what was there for another."""
    from wheelkit import _core

    name = base_name(library)
    for path in _candidates(library, asker, common):
        needs.folders[path.parent] = None
        try:
            scan = _core.scan(path.read_bytes()) if path.is_file() else None
        except (OSError, _core.ScanError):
            continue
        if scan is None:
            continue
        parts = [part for part in scan.slices if scan.format == asker.format and part.arch == asker.part.arch]
        if parts:
            needs.found[name] = path
            needs.strangers.pop(name, None)
            return (
                _SearchPathFinder(name=name, part=part, format=scan.format, folder=path.parent)
                for part in parts
            )
        archs = ", ".join(sorted({part.arch for part in scan.slices}))
        needs.strangers.setdefault(name, f"{path} is for {scan.format} {archs}")
    return iter(())


def _candidates(library: str, asker: _SearchPathFinder, common: Iterable[Path]) -> Iterator[Path]:
    name = base_name(library)
    if library.startswith("/"):
        yield Path(library)
    for rpath in asker.part.rpaths:
        for entry in rpath.path.split(":"):
            if entry.startswith("/"):
                yield Path(entry) / name
            elif asker.folder is not None and entry.startswith(_ORIGIN):
                yield asker.folder / entry.partition("/")[2] / name
    if asker.folder is not None:
        yield asker.folder / name
    for folder in common:
        yield folder / name


def _folders(recipe: RepairRecipe, environ: Mapping[str, str]) -> Iterator[Path]:
    """List the folders that the tool searches for this target, those that were given first; of the others, those that exist."""
    yield from recipe.lib_paths
    yield from (folder for folder in _own_folders(recipe, environ) if folder.is_dir())


def _own_folders(recipe: RepairRecipe, environ: Mapping[str, str]) -> Iterator[Path]:
    system = recipe.target.system
    for variable in _VARIABLES[system]:
        yield from (Path(entry) for entry in environ.get(variable, "").split(os.pathsep) if entry)
    if system is System.LINUX:
        listed = (
            line.strip() for file in sorted(Path("/etc/ld.so.conf.d").glob("*.conf")) for line in _lines(file)
        )
        yield from (Path(entry) for entry in (*listed, *_LINUX_FOLDERS) if entry.startswith("/"))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
