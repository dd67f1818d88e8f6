"""The outcome of a repair, read from the repaired wheel: nothing excluded inside, nothing else missing, a name that fits the target."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from wheelkit.analysis.macos import min_os
from wheelkit.errors import CheckFailedError
from wheelkit.matrix import System
from wheelkit.repair.lines import TOOLS
from wheelkit.repair.search import of_system
from wheelkit.wheel.library_names import base_name, matches

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wheelkit.matrix import Target
    from wheelkit.repair.lines import RepairRecipe
    from wheelkit.repair.search import SearchPathNeeds
    from wheelkit.wheel import Wheel


MISSING_HINT = (
    "put the library's folder on it: lib-path in [tool.wheelkit.distribution.NAME], or wheelkit repair --lib-path\n"
    "or exclude the library and depend on its provider: [tool.wheelkit.exclude]"
)


def grafted(before: Wheel, after: Wheel) -> tuple[str, ...]:
    """Name the libraries that repair copied in, as they are called now."""
    held = {member.name for member in before.members}
    added = (binary.member for binary in after.binaries if binary.member not in held)
    return tuple(sorted(base_name(name) for name in added))


def require(before: Wheel, after: Wheel, recipe: RepairRecipe, needs: SearchPathNeeds) -> None:
    """Raise CheckFailedError unless the repaired wheel is what the recipe asks for.

    What Windows itself brings cannot be listed for certain; there delvewheel has refused what it did not find.
    """
    system = recipe.target.system
    tool = TOOLS[system]
    wrong = [name for name in grafted(before, after) if matches(name, recipe.patterns, system)]
    if wrong:
        message = f"{tool} copied {', '.join(wrong)} into {after.filename}, although the exclude list leaves it to its provider"
        raise CheckFailedError(
            message, hint="name the library in the exclude list exactly as the binaries need it"
        )
    missing = [] if system is System.WINDOWS else list(_missing(after, recipe))
    if missing:
        lines = [describe_unsigned(name, needs) for name in missing]
        raise CheckFailedError(
            f"{after.filename} still needs {', '.join(missing)} from outside",
            detail="\n".join(lines),
            hint=MISSING_HINT,
        )
    if after.name and not any(map(recipe.target.admits, after.name.platforms)):
        message = f"{after.filename} does not install on {recipe.target}: a binary in it, or a library copied in, needs a newer system"
        newer = "\n".join(_newer(after, recipe.target))
        raise CheckFailedError(
            message,
            detail=newer,
            hint="build for that target, libraries included, or promise a newer one with --target",
        )


def _newer(after: Wheel, target: Target) -> Iterator[str]:
    for binary, part in after.slices():
        asked = min_os(part)
        if target.system is System.MACOS and asked is not None and asked > target.version:
            yield f"{binary.member} is built for macOS {part.min_os} and later"


def _missing(after: Wheel, recipe: RepairRecipe) -> list[str]:
    names: dict[str, None] = {}
    for binary, part in after.slices():
        if binary.scan is None or binary.scan.format != _FORMATS[recipe.target.system]:
            continue
        for library in part.needed:
            name = base_name(library.name)
            if library.how in {"weak", "delay"} or name in after.held or of_system(library.name, recipe):
                continue
            if not matches(name, recipe.patterns, recipe.target.system):
                names[name] = None
    return list(names)


_FORMATS = {System.LINUX: "elf", System.MACOS: "macho", System.WINDOWS: "pe"}


def unsigned(before: Wheel, after: Wheel) -> tuple[str, ...]:
    """Name the Mach-O members that had been signed with somebody's identity and were changed, so that only an ad hoc signature is left."""
    digests = {member.name: member.digest for member in after.members}
    old = {member.name: member.digest for member in before.members}
    changed = [
        binary.member
        for binary in before.binaries
        if any(part.signed for part in binary.slices) and binary.scan
    ]
    changed = [name for name in changed if digests.get(name) != old[name]]
    with zipfile.ZipFile(before.path) as archive:
        return tuple(name for name in changed if identity_signed(archive.read(name)))


# The blob of a code signature that holds a certificate chain and a signature by it (TN3126 and xnu's cs_blobs.h); ad hoc ones have none,
# or one that is empty but for its header.
_CMS_MAGIC, _CMS_HEADER = bytes.fromhex("fade0b01"), 8


def identity_signed(data: bytes) -> bool:
    """Tell whether a Mach-O file carries a signature by an identity, not one ad hoc."""
    place = data.find(_CMS_MAGIC)
    while place >= 0:
        length = int.from_bytes(data[place + 4 : place + 8], "big")
        if _CMS_HEADER < length <= len(data) - place:
            return True
        place = data.find(_CMS_MAGIC, place + 1)
    return False


def describe_unsigned(name: str, needs: SearchPathNeeds) -> str:
    """Tell of one library who needs it and where it was looked for."""
    askers = needs.askers.get(name) or [
        asker for other, many in needs.askers.items() if other.lower() == name.lower() for asker in many
    ]
    by = f" (needed by {', '.join(askers[:3])})" if askers else ""
    if name in needs.strangers:
        return f"{name}{by}: {needs.strangers[name]}"
    folders = ", ".join(map(str, needs.folders)) or "no folder at all"
    return f"{name}{by}: looked for in {folders}"


def same_contents(before: Path, after: Path) -> bool:
    """Tell whether two wheels hold the same files with the same bytes, so that repair changed nothing but the packing.

    RECORD follows from the rest, and delocate writes the lines of WHEEL in another order the second time.
    """

    def contents(path: Path) -> dict[str, object]:
        found: dict[str, object] = {}
        with zipfile.ZipFile(path) as archive:
            for item in archive.infolist():
                if item.filename.endswith(".dist-info/WHEEL"):
                    found[item.filename] = sorted(archive.read(item).splitlines())
                elif not item.is_dir() and not item.filename.endswith(".dist-info/RECORD"):
                    found[item.filename] = (item.CRC, item.file_size, item.external_attr >> 16 & 0o111)
        return found

    return before.name == after.name and contents(before) == contents(after)
