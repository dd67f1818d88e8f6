"""Whether the loader finds the libraries that a wheel holds: by the names that binaries ask for, in the folders that they name."""

from __future__ import annotations

from posixpath import basename, dirname, join, normpath
from typing import TYPE_CHECKING

from wheelkit.checks.catalogue import found
from wheelkit.checks.claims import claims, runs, system_of
from wheelkit.checks.words import counted
from wheelkit.matrix import System
from wheelkit.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit._core import Slice
    from wheelkit.checks.contract import Contract
    from wheelkit.report.model import Finding
    from wheelkit.wheel import Wheel

# Where auditwheel and delocate put what they graft; they write the search path or the name of every binary that needs it.
_GRAFT_FOLDER = pattern(r"(?:^|/)(?:[^/]+\.libs|\.dylibs|\.libs)/[^/]+")
# How a search path begins that is counted from the binary's own folder: ELF's words and Mach-O's.
_OWN_FOLDER = pattern(r"(?:\$ORIGIN|\$\{ORIGIN\}|@loader_path)(?=/|$)")
_RPATH, _LOADER = "@rpath/", "@loader_path/"
_SCHEME_PARTS = 2


def reachable(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report extension modules that need a library of the wheel and do not say where it lies.

    Windows looks beside the module and wherever the code told it to, which only running it shows. Libraries that need libraries are not
    judged: those that their module needs as well are loaded by then.
    """
    own = {claim.system for claim in claims(wheel)} - {System.WINDOWS}
    files = frozenset(_installed(member.name) for member in wheel.members if not member.directory) if own else frozenset()
    held = wheel.held if own else frozenset()
    lost: dict[str, dict[str, None]] = {}
    for binary, part in wheel.parts():
        if binary.extension and system_of(binary) in own and runs(part):
            here = dirname(_installed(binary.member))
            for library in _held(held, part):
                if files.isdisjoint(_places(part, here, library)):
                    lost.setdefault(library, {})[binary.member] = None
    by_name = {basename(path): path for path in files} if lost else {}
    for library, users in sorted(lost.items()):
        yield _lost(wheel, library, list(users), by_name.get(basename(library), ""))


def _held(held: frozenset[str], part: Slice) -> Iterator[str]:
    """Walk the libraries that a binary cannot do without and that the wheel holds."""
    for library in part.needed:
        if library.how == "required" and not library.name.startswith("/") and basename(library.name) in held:
            yield library.name


def _lost(wheel: Wheel, library: str, users: list[str], where: str) -> Finding:
    others = f" (and {counted(len(users) - 1, 'other')})" if len(users) > 1 else ""
    if not where:
        trouble = "the wheel has it under another file name"
    elif library.startswith(_LOADER):
        trouble = f"it lies at {where}"
    else:
        trouble = f"no search path of it leads to {where}"
    # Only who repaired the wheel writes exact places, and puts libraries into these folders.
    grafted = not where or library.startswith(_LOADER) or _GRAFT_FOLDER.search(where) is not None
    what = f"{users[0]}{others} needs {library}, and {trouble}"
    return found("WK511" if grafted else "WK512", what=what, file=wheel.filename, member=users[0])


def _places(part: Slice, here: str, library: str) -> Iterator[str]:
    """List the paths, counted from the top of the wheel, at which the loader looks for a library."""
    if library.startswith(_LOADER):
        yield normpath(join(here, library.removeprefix(_LOADER)))
        return
    for rpath in part.rpaths:
        for path in rpath.path.split(":"):
            start = _OWN_FOLDER.match(path)
            if start:
                yield normpath(join(here, path[start.end() :].lstrip("/"), library.removeprefix(_RPATH)))


def _installed(member: str) -> str:
    """Give a member's path below the environment's folder for modules."""
    top, *rest = member.split("/", _SCHEME_PARTS)
    return rest[-1] if top.endswith(".data") and len(rest) == _SCHEME_PARTS and rest[0] in {"purelib", "platlib"} else member
