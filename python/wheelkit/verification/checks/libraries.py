"""Needed libraries: in the wheel, of the system, or left to a provider; and where binaries look for them."""

from __future__ import annotations

import re
from posixpath import basename, dirname, join, normpath
from typing import TYPE_CHECKING

from wheelkit.analysis.claims import claims, runs, system_of, targets
from wheelkit.analysis.needed_libraries import needed_libraries
from wheelkit.analysis.policies import policy_for
from wheelkit.analysis.system_libraries import of_macos, of_windows
from wheelkit.analysis.windows import graalpy_dll, pypy_dll
from wheelkit.matrix import System
from wheelkit.text import plural, shorten_list
from wheelkit.verification.checks.providers import provided, provider_of
from wheelkit.verification.findings import finding
from wheelkit.wheel.library_names import grafted, plain_name
from wheelkit.wheel.model import python_dll

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wheelkit._core import Slice
    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Wheel


_LIBPYTHON = re.compile(
    r"libpython3[\w.]*\.(?:so[\w.]*|dylib)|.*Python\.framework/.*|libpypy3[\w.-]*", re.IGNORECASE
)


def missing(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report needed libraries that nobody brings: not the wheel, not the tag's systems, not a provider."""
    own, held = {claim.system for claim in claims(wheel)}, wheel.held
    for system, needs in needed_libraries(wheel).items():
        if system not in own:
            continue
        lost = {
            library: needs[library] for library in sorted(needs) if not _brought(wheel, held, system, library)
        }
        providers = provided(wheel, contract) if lost else ()
        lost = {
            library: binaries
            for library, binaries in lost.items()
            if provider_of(library, system, providers) is None
        }
        for provider, libraries in _by_provider(lost, system).items():
            yield _left_out(wheel, system, provider, {library: lost.pop(library) for library in libraries})
        for library, binaries in lost.items():
            yield _missing(wheel, system, library, binaries)


def _by_provider(libraries: Iterable[str], system: System) -> dict[str, list[str]]:
    """Group the libraries that a known provider has by its name; the others are left out."""
    if not libraries:
        return {}
    from wheelkit.config.exclude import shipped_providers

    known: dict[str, list[str]] = {}
    for library in libraries:
        provider = provider_of(library, system, shipped_providers().values())
        if provider is not None:
            known.setdefault(provider.name, []).append(library)
    return known


def _left_out(wheel: Wheel, system: System, provider: str, needs: Mapping[str, list[str]]) -> Finding:
    """Report a known provider's libraries, which are never to be grafted: the wheel forgot to require it."""
    users = list(dict.fromkeys(member for members in needs.values() for member in members))
    others = f" (and {plural(len(users) - 1, 'other')})" if len(users) > 1 else ""
    libraries = shorten_list(map(plain_name, needs))
    what = f"{users[0]}{others} needs {libraries} of {provider}, which the wheel does not require"
    fix = f"require the {provider} that it was built with, and never graft its libraries: {provider} = true in [tool.wheelkit.exclude]"
    return finding(
        "WK508" if system is System.WINDOWS else "WK501",
        what=what,
        fix=fix,
        file=wheel.filename,
        member=users[0],
    )


def _missing(wheel: Wheel, system: System, library: str, binaries: list[str]) -> Finding:
    first = binaries[0]
    others = f" (and {plural(len(binaries) - 1, 'other')})" if len(binaries) > 1 else ""
    if _LIBPYTHON.search(library):
        what = f"{first}{others} links {library}; extension modules take the interpreter's symbols from the process"
        return finding("WK502", what=what, file=wheel.filename, member=first)
    if system is System.MACOS and library.startswith("/"):
        what = f"{first}{others} needs {library}, a path of the machine that built it"
        return finding("WK501", what=what, fix=_graft_fix(wheel), file=wheel.filename, member=first)
    if system is System.WINDOWS:
        what = f"{first}{others} needs {library}, which is neither in the wheel nor known as part of Windows"
        return finding("WK508", what=what, fix=_graft_fix(wheel), file=wheel.filename, member=first)
    where = ".".join(target.tag for target in targets(wheel, system)[:1]) or "every such"
    what = f"{first}{others} needs {library}, which is neither in the wheel nor on {where} systems"
    return finding("WK501", what=what, fix=_graft_fix(wheel), file=wheel.filename, member=first)


def _graft_fix(wheel: Wheel) -> str:
    return f"graft it: python -m wheelkit repair {wheel.filename}; or exclude it and require its provider"


def _brought(wheel: Wheel, held: frozenset[str], system: System, library: str) -> bool:
    if system is System.WINDOWS:
        lowered = {name.lower() for name in held}
        return (
            library.lower() in lowered
            or of_windows(library)
            or python_dll(library) is not None
            or _own_interpreter(wheel, library)
        )
    if system is System.MACOS:
        return of_macos(library) or (not library.startswith("/") and library.rpartition("/")[2] in held)
    if library in held:
        return True
    policies = [policy for target in targets(wheel, system) if (policy := policy_for(target)) is not None]
    # A tag that promises no system (linux_x86_64) has no list to be held against.
    return not policies or policies[0].provides(library)


def _own_interpreter(wheel: Wheel, library: str) -> bool:
    pythons = wheel.name.pythons if wheel.name else ()
    if any(library.lower() == f"python{python[2:]}.dll" for python in pythons):
        return True  # that of Python 2
    return pypy_dll(library) in pythons or (
        graalpy_dll(library) and any(python.startswith("graalpy") for python in pythons)
    )


def search_paths(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report absolute search paths: they lead to the machine that built the wheel, or to nowhere."""
    members: dict[str, None] = {}
    paths: dict[str, None] = {}
    for binary, part in wheel.slices():
        for path in _absolute(part):
            members[binary.member] = paths[path] = None
    if members:
        first, *others = members
        also = f" (and {plural(len(others), 'other')})" if others else ""
        folders = "a folder" if len(paths) == 1 else "folders"
        what = f"{first}{also} looks for libraries in {shorten_list(paths)}, {folders} of the machine that built it"
        yield finding("WK506", what=what, file=wheel.filename, member=first)


def _absolute(part: Slice) -> Iterator[str]:
    for rpath in part.rpaths:
        for path in rpath.path.split(":"):
            if path.startswith("/") and not of_macos(f"{path}/"):
                yield path


def twice(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report one library that was grafted more than once: each copy has its own state."""
    copies: dict[str, list[str]] = {}
    for binary in wheel.binaries:
        if grafted(binary.member):
            copies.setdefault(plain_name(binary.member), []).append(binary.member)
    for name, members in sorted(copies.items()):
        if len(members) > 1:
            what = f"{name} is in the wheel {len(members)} times: {shorten_list(members)}"
            yield finding("WK507", what=what, file=wheel.filename, member=members[0])


# Where auditwheel and delocate put what they graft; they write the search path or the name of every binary that needs it.
_GRAFT_FOLDER = re.compile(r"(?:^|/)(?:[^/]+\.libs|\.dylibs|\.libs)/[^/]+")
# How a search path begins that is counted from the binary's own folder: ELF's words and Mach-O's.
_OWN_FOLDER = re.compile(r"(?:\$ORIGIN|\$\{ORIGIN\}|@loader_path)(?=/|$)")
_RPATH, _LOADER = "@rpath/", "@loader_path/"
_SCHEME_PARTS = 2


def reachable(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report extension modules that need a library of the wheel and do not say where it lies.

    Windows looks beside the module and wherever the code told it to, which only running it shows. Libraries that need libraries are not
    judged: those that their module needs as well are loaded by then.
    """
    own = {claim.system for claim in claims(wheel)} - {System.WINDOWS}
    files = (
        frozenset(_installed(member.name) for member in wheel.members if not member.directory)
        if own
        else frozenset()
    )
    held = wheel.held if own else frozenset()
    lost: dict[str, dict[str, None]] = {}
    for binary, part in wheel.slices():
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
    others = f" (and {plural(len(users) - 1, 'other')})" if len(users) > 1 else ""
    if not where:
        trouble = "the wheel has it under another file name"
    elif library.startswith(_LOADER):
        trouble = f"it lies at {where}"
    else:
        trouble = f"no search path of it leads to {where}"
    # Only who repaired the wheel writes exact places, and puts libraries into these folders.
    grafted = not where or library.startswith(_LOADER) or _GRAFT_FOLDER.search(where) is not None
    what = f"{users[0]}{others} needs {library}, and {trouble}"
    return finding("WK511" if grafted else "WK512", what=what, file=wheel.filename, member=users[0])


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
    return (
        rest[-1]
        if top.endswith(".data") and len(rest) == _SCHEME_PARTS and rest[0] in {"purelib", "platlib"}
        else member
    )
