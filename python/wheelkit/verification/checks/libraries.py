"""Needed libraries: who has them, the wheel, the system or a provider."""

from __future__ import annotations

import re
from posixpath import basename
from typing import TYPE_CHECKING, NamedTuple

from wheelkit.analysis.claims import claims, system_of, targets
from wheelkit.analysis.libraries import (
    graalpy_dll,
    needed_libraries,
    of_macos,
    of_windows,
    pypy_dll,
)
from wheelkit.analysis.policies import policy_for
from wheelkit.analysis.system_libraries import of_desktop, of_package_manager
from wheelkit.analysis.windows import dlls, other_name
from wheelkit.matrix import System
from wheelkit.text import first_and_count, shorten_list
from wheelkit.verification.checks.providers import provider_of, relevant_providers
from wheelkit.verification.findings import finding
from wheelkit.wheel.library_names import grafted, plain_name
from wheelkit.wheel.model import python_dll
from wheelkit.wheel.sources import read_sources

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Wheel


_LIBPYTHON = r"(?i)libpython3[\w.]*\.(?:so[\w.]*|dylib)|.*Python\.framework/.*|libpypy3[\w.-]*"
# What the installers of Python 2 brought: itself, and the C runtime of Visual C++ 2008.
_OLD_DLLS: Mapping[str, tuple[str, ...]] = {
    "cp26": ("python26.dll", "msvcr90.dll"),
    "cp27": ("python27.dll", "msvcr90.dll"),
}
# How a project tells its users of macOS what to install.
_INSTALLS = ("brew install", "port install")
# The debug builds of Microsoft's C and C++ runtime, which may not be redistributed, and of the interpreter.
_DEBUG_RUNTIME = re.compile(
    r"(?:ucrtbased|(?:vcruntime|msvcp|concrt|vccorlib|mfc|msvcr)\d+(?:_\d+)?d)\.dll|python3\d*t?_d\.dll",
    re.IGNORECASE,
)


class _Need(NamedTuple):
    """A library that is not there, and the binaries that need it."""

    library: str
    users: tuple[str, ...]


def missing(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report needed libraries that neither the wheel, nor the tag's systems, nor a requirement has."""
    systems = {claim.system for claim in claims(wheel)}
    for system, needs in needed_libraries(wheel).items():
        held = dlls(wheel) if system is System.WINDOWS else wheel.held
        lost = [name for name in sorted(needs) if not _available(wheel, held, system, name)]
        if lost and system in systems:
            providers = relevant_providers(wheel, contract)
            rest = [name for name in lost if provider_of(name, system, providers) is None]
            yield from _judge(wheel, system, contract, [_Need(name, tuple(needs[name])) for name in rest])


def _judge(wheel: Wheel, system: System, contract: Contract, lost: list[_Need]) -> Iterator[Finding]:
    """Group what is missing by its cause, and report each cause once."""
    of_python = [need for need in lost if re.search(_LIBPYTHON, need.library)]
    for library, users in of_python:
        what = (
            f"{first_and_count(users)} links {library}; the process of the interpreter provides its symbols"
        )
        yield finding("WK502", what, member=users[0])
    siblings: dict[str, list[_Need]] = {}
    rest: list[_Need] = []
    for need in lost:
        if need not in of_python:
            sibling = _sibling(wheel, need, contract)
            (rest if sibling is None else siblings.setdefault(sibling, [])).append(need)
    for sibling, needs in siblings.items():
        yield _left_to_sibling(needs, sibling)
    optional = _needed_on_demand(wheel, system, rest)
    for code, needs in (("", [need for need in rest if need not in optional]), ("WK530", optional)):
        by_provider = _by_known_provider(needs, system)
        for provider, of_provider in by_provider.items():
            yield _not_required(system, provider, of_provider, code)
        known = [need for of_provider in by_provider.values() for need in of_provider]
        yield from _absent(wheel, system, [need for need in needs if need not in known], code)


def _sibling(wheel: Wheel, need: _Need, contract: Contract) -> str | None:
    """Return the required distribution that the library is left to, if any."""
    from wheelkit.analysis.siblings import sibling_of

    return sibling_of(wheel, *need, contract.beside)


def _needed_on_demand(wheel: Wheel, system: System, needs: list[_Need]) -> list[_Need]:
    """Return the needs of binaries without which the wheel can be imported; on Windows all only warn."""
    if not needs or system is System.WINDOWS:
        return []
    from wheelkit.analysis.on_demand import loaded_on_demand

    on_demand = loaded_on_demand(wheel, {user for need in needs for user in need.users})
    return [need for need in needs if on_demand.issuperset(need.users)]


def _by_known_provider(needs: Iterable[_Need], system: System) -> Mapping[str, list[_Need]]:
    """Group needs by the name of the known provider that has the library; the others are left out."""
    from wheelkit.config.exclude import shipped_providers

    by_provider: dict[str, list[_Need]] = {}
    for need in needs:
        provider = provider_of(need.library, system, shipped_providers().values())
        if provider is not None:
            by_provider.setdefault(provider.name, []).append(need)
    return by_provider


def _summary(needs: Sequence[_Need]) -> tuple[str, str]:
    """Return the first binary that needs one of these libraries, and a text with the users and libraries."""
    users = list(dict.fromkeys(user for need in needs for user in need.users))
    names = (name if (name := need.library).startswith("/") else basename(name) for need in needs)
    return users[0], f"{first_and_count(users)} needs {shorten_list(names)}"


def _left_to_sibling(needs: Sequence[_Need], sibling: str) -> Finding:
    user, text = _summary(needs)
    return finding("WK531", f"{text}, left to {sibling}, which the wheel requires", member=user)


def _not_required(system: System, provider: str, needs: Sequence[_Need], code: str) -> Finding:
    """Report libraries of a known provider, which must never be grafted, if the wheel does not require it."""
    plain = [need._replace(library=plain_name(need.library)) for need in needs]
    user, text = _summary(plain)
    what = f"{text} of {provider}, which the wheel does not require"
    fix = f"require the {provider} that it was built with, and never graft its libraries: "
    fix += f"{provider} = true in [tool.wheelkit.exclude]"
    return finding(code or ("WK508" if system is System.WINDOWS else "WK501"), what, fix=fix, member=user)


def _absent(wheel: Wheel, system: System, needs: Sequence[_Need], code: str) -> Iterator[Finding]:
    """Report libraries that nobody has: those of Homebrew, of the build machine, and all others."""
    fix = f"graft it: python -m wheelkit repair {wheel.filename}; or exclude it and require its provider"
    managed = _of_package_manager(wheel, needs) if system is System.MACOS else []
    if managed:
        user, text = _summary(managed)
        yield finding("WK532", f"{text} of Homebrew or MacPorts, as the project documents", member=user)
        needs = [need for need in needs if need not in managed]
    absolute = [need for need in needs if system is System.MACOS and need.library.startswith("/")]
    desktop = [need for need in needs if system is System.LINUX and of_desktop(need.library)]
    others = [need for need in needs if need not in absolute and need not in desktop]
    if absolute:
        user, text = _summary(absolute)
        path = "a path" if len(absolute) == 1 else "paths"
        yield finding(code or "WK501", f"{text}, {path} on the build machine", fix=fix, member=user)
    if desktop:
        user, text = _summary(desktop)
        yield finding("WK533", f"{text}, which only systems with a desktop have", fix=fix, member=user)
    if others:
        user, text = _summary(others)
        if system is System.WINDOWS:
            what = f"{text}, neither in the wheel nor known as part of Windows"
            yield finding(code or "WK508", what, fix=fix, member=user)
        else:
            tag = next((target.tag for target in targets(wheel, system)), "all such")
            what = f"{text}, neither in the wheel nor on {tag} systems"
            yield finding(code or "WK501", what, fix=fix, member=user)


def _of_package_manager(wheel: Wheel, needs: Sequence[_Need]) -> list[_Need]:
    """Return the needs that Homebrew or MacPorts fulfil, if METADATA or the code tells users to do so."""
    searching = {
        binary.member
        for binary, slice_ in wheel.slices()
        if any(of_package_manager(rpath.path) for rpath in slice_.rpaths)
    }
    managed = [
        need
        for need in needs
        if of_package_manager(need.library)
        or (need.library.startswith("@rpath/") and searching.issuperset(need.users))
    ]
    documented = any(words.encode() in wheel.metadata_text for words in _INSTALLS)
    return managed if managed and (documented or any(read_sources(wheel, _INSTALLS))) else []


def _available(wheel: Wheel, held: Collection[str], system: System, library: str) -> bool:
    if system is System.WINDOWS:
        # A DLL that the wheel has under another name is reported by itself.
        in_wheel = library.lower() in held or other_name(library, held) != ""
        return in_wheel or of_windows(library) or _of_interpreter(wheel, library)
    if system is System.MACOS:
        return of_macos(library) or (not library.startswith("/") and basename(library) in held)
    if library in held:
        return True
    policies = [policy for target in targets(wheel, system) if (policy := policy_for(target)) is not None]
    # A tag that names no oldest system (linux_x86_64) has no list of libraries.
    return not policies or policies[0].provides(library)


def _of_interpreter(wheel: Wheel, library: str) -> bool:
    """Return whether a DLL comes with CPython 3, or with the Python 2, PyPy or GraalPy of the tags."""
    pythons = wheel.name.pythons if wheel.name else ()
    return (
        python_dll(library) is not None
        or pypy_dll(library) in pythons
        or any(library.lower() in _OLD_DLLS.get(python, ()) for python in pythons)
        or (graalpy_dll(library) and any(python.startswith("graalpy") for python in pythons))
    )


def twice(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report a library that is in the wheel more than once, and grafted: each copy has its own state."""
    copies: dict[str, list[str]] = {}
    for binary in wheel.binaries:
        if grafted(binary.member):
            copies.setdefault(_original_name(binary.member), []).append(binary.member)
    for binary in wheel.binaries if copies else ():
        if binary.name in copies and not binary.extension:
            copies[binary.name].append(binary.member)
    several = {name: members for name, members in sorted(copies.items()) if len(members) > 1}
    if several:
        members = [member for members in several.values() for member in members]
        times = max(map(len, several.values()))
        what = f"{shorten_list(several)} is in the wheel {times} times: {shorten_list(members)}"
        yield finding("WK507", what, member=members[0])


def _original_name(member: str) -> str:
    """Return the name of a library before it was grafted, if need be more than once."""
    name = plain_name(member)
    return _original_name(name) if grafted(name) else name


def debug_runtime(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report binaries that load a debug C runtime or a debug interpreter."""
    for binary, slice_ in wheel.slices():
        debug = {library.name for library in slice_.needed if _DEBUG_RUNTIME.fullmatch(library.name)}
        if debug and system_of(binary) is System.WINDOWS:
            what = f"{binary.member} loads {shorten_list(sorted(debug))}, which only developers have"
            yield finding("WK331", what, member=binary.member)
