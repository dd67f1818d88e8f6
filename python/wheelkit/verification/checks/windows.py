"""Windows wheels: whether the loader finds the DLLs in them, and DLLs that get in the way of other wheels."""

from __future__ import annotations

from posixpath import basename
from typing import TYPE_CHECKING

from wheelkit.analysis.windows import (
    c_runtime,
    dlls,
    hints,
    lost_libraries,
    other_name,
    shared_runtime,
    windows_slices,
)
from wheelkit.matrix import System
from wheelkit.text import first_and_count, shorten_list
from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.analysis.windows import LostLibrary
    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Wheel


def renamed(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report needed DLLs that the wheel has under another file name, by which Windows does not find them."""
    files = dlls(wheel)
    users: dict[str, dict[str, None]] = {}
    for binary, slice_ in windows_slices(wheel):
        for library in slice_.needed:
            if library.how == "required":
                users.setdefault(library.name, {})[binary.member] = None
    for name, members in sorted(users.items()):
        if other := other_name(name, files):
            what = f"{first_and_count(list(members))} needs {name}, but the wheel has it as {files[other][0]}"
            yield finding("WK522", what, member=next(iter(members)))


def unreachable(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report DLLs in folders where Windows does not look for them; one finding for each folder.

    An error where a module certainly fails: no code adds a folder or loads the DLL, and no module beside it
    can have loaded it before.
    """
    lost = lost_libraries(wheel)
    # delvewheel adds its folder at the top of the package; only where that does not help is all code read.
    if lost:
        first = hints(wheel, packages_only=True)
        lost = [library for library in lost if not first.reach(library)]
    found = hints(wheel) if lost else None
    causes: dict[tuple[str, tuple[str, ...]], list[LostLibrary]] = {}
    for library in lost:
        if found is not None and not found.reach(library) and found.load(library):
            modules = any(binary.extension for binary in library.users)
            code = "WK520" if modules and not found.adds and not library.served else "WK521"
            causes.setdefault((code, library.folders), []).append(library)
    for (code, folders), libraries in causes.items():
        binaries = dict.fromkeys(binary for library in libraries for binary in library.users)
        users = [binary.member for binary in sorted(binaries, key=lambda binary: not binary.extension)]
        where = shorten_list(f"{folder or '.'}/" for folder in folders)
        needed = shorten_list(library.name for library in libraries)
        what = f"{first_and_count(users)} needs {needed}, which is in {where}; Windows does not look there"
        yield finding(code, what, member=users[0])


def plain_runtime(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report runtimes under their own names, except in the wheels that are there to provide them."""
    kinds: dict[str, list[str]] = {}
    for name, paths in dlls(wheel).items():
        code = "WK523" if shared_runtime(name) else "WK524" if c_runtime(name) else ""
        if code and not _provides(wheel, name):
            kinds.setdefault(code, []).append(paths[0])
    for code, found in sorted(kinds.items()):
        names = shorten_list(sorted(map(basename, found)))
        what = f"the wheel has {names} under the original name, in {_folders(found)}"
        yield finding(code, what, member=found[0])


def _provides(wheel: Wheel, library: str) -> bool:
    """Return whether the wheel is one that other distributions leave the library to."""
    from wheelkit.config.exclude import shipped_providers
    from wheelkit.verification.checks.providers import provider_of

    provider = provider_of(library, System.WINDOWS, shipped_providers().values())
    return provider is not None and wheel.distribution in provider.distributions


def _folders(paths: list[str]) -> str:
    return shorten_list(dict.fromkeys(f"{path.rpartition('/')[0] or '.'}/" for path in paths))


def fixed_base(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report DLLs without relocations, which cannot be loaded where another DLL is already."""
    users = [
        binary.member
        for binary, slice_ in windows_slices(wheel)
        if slice_.kind == "shared" and "fixed-base" in slice_.flags
    ]
    if users:
        yield finding("WK525", f"{first_and_count(users)} has no relocations", member=users[0])
