"""Verifies a repaired wheel: nothing excluded was grafted, nothing is missing, and it fits the target."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from wheelkit.analysis.claims import system_of
from wheelkit.analysis.macos import min_os
from wheelkit.errors import CheckFailedError
from wheelkit.matrix import System
from wheelkit.repair.commands import TOOLS
from wheelkit.repair.search import is_system_library
from wheelkit.wheel.library_names import base_name, plain_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from wheelkit.matrix import Target
    from wheelkit.repair.commands import RepairRecipe
    from wheelkit.repair.search import ExternalLibraries
    from wheelkit.wheel import Wheel


MISSING_LIBRARY_HINT = (
    "give its folder: lib-path in [tool.wheelkit.distribution.NAME], or wheelkit repair --lib-path\n"
    "or exclude the library and depend on its provider: [tool.wheelkit.exclude]"
)
# The header of a blob with a certificate chain and a signature (TN3126, and cs_blobs.h of xnu). Ad hoc
# signatures have no such blob, or an empty one.
_CMS_MAGIC = bytes.fromhex("fade0b01")
_CMS_HEADER_SIZE = 8
_PERMISSIONS_SHIFT = 16
_EXECUTABLE = 0o111


def require_repaired(before: Wheel, after: Wheel, recipe: RepairRecipe, libraries: ExternalLibraries) -> None:
    """Raise CheckFailedError unless the repaired wheel is what the recipe asks for."""
    _require_excluded(before, after, recipe)
    _require_complete(after, recipe, libraries)
    if after.name and not any(map(recipe.target.admits, after.name.platforms)):
        raise CheckFailedError(
            f"{after.filename} does not install on {recipe.target}: one of its binaries needs a newer system",
            detail="\n".join(_too_new(after, recipe.target)),
            hint="build it and its libraries for that target, or promise a newer one with --target",
        )


def grafted_libraries(before: Wheel, after: Wheel) -> tuple[str, ...]:
    """Return the new file names of the libraries that repair copied into the wheel."""
    members = {member.name for member in before.members}
    return tuple(
        sorted(base_name(binary.member) for binary in after.binaries if binary.member not in members)
    )


def original_files(grafted: Iterable[str], found: Mapping[str, Path]) -> dict[str, Path]:
    """Map grafted libraries to the files that were found for the names that binaries need.

    auditwheel names a graft after the file behind a link, the others after the name that is needed.
    """
    by_name = {path.resolve().name.lower(): path for path in found.values()}
    by_name |= {name.lower(): path for name, path in found.items()}
    names = {name: plain_name(name).lower() for name in grafted}
    return {name: by_name[plain] for name, plain in names.items() if plain in by_name}


def _require_excluded(before: Wheel, after: Wheel, recipe: RepairRecipe) -> None:
    grafted = list(filter(recipe.excludes, grafted_libraries(before, after)))
    if grafted:
        tool = TOOLS[recipe.target.system]
        raise CheckFailedError(
            f"{tool} grafted {', '.join(grafted)} into {after.filename}, although it is excluded",
            hint="write the library in the exclude list exactly as the binaries name it",
        )


def _require_complete(after: Wheel, recipe: RepairRecipe, libraries: ExternalLibraries) -> None:
    # No list of Windows' own DLLs is complete, and delvewheel fails for those that it does not find.
    if recipe.target.system is System.WINDOWS:
        return
    missing = _missing_libraries(after, recipe)
    if missing:
        raise CheckFailedError(
            f"{after.filename} still needs external libraries: {', '.join(missing)}",
            detail="\n".join(map(libraries.describe, missing)),
            hint=MISSING_LIBRARY_HINT,
        )


def _missing_libraries(after: Wheel, recipe: RepairRecipe) -> list[str]:
    missing: dict[str, None] = {}
    for binary, slice_ in after.slices():
        if system_of(binary) is not recipe.target.system:
            continue
        for library in slice_.needed:
            name = base_name(library.name)
            if library.how in {"weak", "delay"} or name in after.held:
                continue
            if not is_system_library(library.name, recipe.target) and not recipe.excludes(name):
                missing[name] = None
    return list(missing)


def _too_new(after: Wheel, target: Target) -> Iterator[str]:
    for binary, slice_ in after.slices():
        version = min_os(slice_)
        if target.system is System.MACOS and version is not None and version > target.version:
            yield f"{binary.member} needs macOS {slice_.min_os}"


def replaced_signatures(before: Wheel, after: Wheel) -> tuple[str, ...]:
    """Return the Mach-O members whose signature by an identity repair replaced by an ad hoc one."""
    old = {member.name: member.digest for member in before.members}
    new = {member.name: member.digest for member in after.members}
    signed = [binary.member for binary in before.binaries if any(slice_.signed for slice_ in binary.slices)]
    changed = [name for name in signed if new.get(name) != old[name]]
    with zipfile.ZipFile(before.path) as archive:
        return tuple(name for name in changed if has_identity_signature(archive.read(name)))


def has_identity_signature(data: bytes) -> bool:
    """Return whether a Mach-O file is signed by an identity, not only ad hoc."""
    position = data.find(_CMS_MAGIC)
    while position >= 0:
        length = int.from_bytes(data[position + 4 : position + 8], "big")
        if _CMS_HEADER_SIZE < length <= len(data) - position:
            return True
        position = data.find(_CMS_MAGIC, position + 1)
    return False


def has_same_contents(before: Path, after: Path) -> bool:
    """Return whether two wheels differ in nothing but how they are packed."""
    return before.name == after.name and _contents(before) == _contents(after)


def _contents(path: Path) -> dict[str, object]:
    """Map members to their contents, without RECORD; delocate writes WHEEL in another order each time."""
    contents: dict[str, object] = {}
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.filename.endswith(".dist-info/WHEEL"):
                contents[info.filename] = sorted(archive.read(info).splitlines())
            elif not info.is_dir() and not info.filename.endswith(".dist-info/RECORD"):
                permissions = info.external_attr >> _PERMISSIONS_SHIFT & _EXECUTABLE
                contents[info.filename] = (info.CRC, info.file_size, permissions)
    return contents
