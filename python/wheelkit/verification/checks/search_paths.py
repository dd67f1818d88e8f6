"""Whether the loader finds the libraries that a wheel holds, and where else it looks."""

from __future__ import annotations

import re
from posixpath import basename, dirname, join, normpath
from typing import TYPE_CHECKING

from wheelkit.analysis.claims import claims, runs, system_of
from wheelkit.analysis.installed import installed_path
from wheelkit.analysis.libraries import of_macos
from wheelkit.analysis.system_libraries import of_package_manager
from wheelkit.matrix import System
from wheelkit.text import first_and_count, shorten_list
from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit._core import Slice
    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Wheel


# Where auditwheel and delocate put what they graft.
_GRAFT_FOLDER = re.compile(r"(?:^|/)(?:[^/]+\.libs|\.dylibs|\.libs)/[^/]+")
# How ELF and Mach-O spell the binary's own folder in a search path.
_OWN_FOLDER = re.compile(r"(?:\$ORIGIN|\$\{ORIGIN\}|@loader_path)(?=/|$)")
_RPATH, _LOADER = "@rpath/", "@loader_path/"


def absolute(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report absolute search paths: they lead to a folder of the build machine, or to none."""
    members: dict[str, None] = {}
    paths: dict[str, None] = {}
    for binary, slice_ in wheel.slices():
        for path in _split(slice_):
            if path.startswith("/") and not of_macos(f"{path}/") and not of_package_manager(path):
                members[binary.member] = paths[path] = None
    if members:
        users = list(members)
        what = f"{first_and_count(users)} looks for libraries on the build machine, in {shorten_list(paths)}"
        yield finding("WK506", what, member=users[0])


def _split(slice_: Slice) -> Iterator[str]:
    for rpath in slice_.rpaths:
        yield from rpath.path.split(":")


def reachable(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report extension modules that need a library of the wheel, and have no search path to it.

    Windows is left out, which searches wherever code tells it to; so are libraries that need libraries.
    """
    systems = {claim.system for claim in claims(wheel)} - {System.WINDOWS, System.MACOS}
    if not any(binary.extension for binary in wheel.binaries):
        return
    files = {installed_path(member.name) for member in wheel.members if not member.directory}
    held = wheel.held
    lost: dict[str, dict[str, None]] = {}
    for binary, slice_ in wheel.slices():
        folder = dirname(installed_path(binary.member))
        checked = binary.extension and system_of(binary) in systems and runs(slice_)
        for needed in slice_.needed if checked else ():
            name = needed.name
            in_wheel = needed.how == "required" and not name.startswith("/") and basename(name) in held
            if in_wheel and files.isdisjoint(_searched(slice_, folder, name)):
                lost.setdefault(name, {})[binary.member] = None
    by_name = {basename(path): path for path in files} if lost else {}
    for library, users in sorted(lost.items()):
        yield _unreachable(library, list(users), by_name.get(basename(library), ""))


def _searched(slice_: Slice, folder: str, library: str) -> Iterator[str]:
    """Yield the paths below site-packages where the loader looks for a library of a binary in ``folder``."""
    if library.startswith(_LOADER):
        yield normpath(join(folder, library.removeprefix(_LOADER)))
        return
    for path in _split(slice_):
        start = _OWN_FOLDER.match(path)
        if start:
            yield normpath(join(folder, path[start.end() :].lstrip("/"), library.removeprefix(_RPATH)))


def _unreachable(library: str, users: list[str], path: str) -> Finding:
    if not path:
        problem = "the wheel has it under another file name"
    elif library.startswith(_LOADER):
        problem = f"the wheel has it at {path}"
    else:
        problem = f"no search path leads to {path}"
    # Only repair tools write exact paths, and put libraries into these folders.
    repaired = not path or library.startswith(_LOADER) or _GRAFT_FOLDER.search(path) is not None
    what = f"{first_and_count(users)} needs {library}, but {problem}"
    return finding("WK511" if repaired else "WK512", what, member=users[0])
