"""Needed libraries: who has them, the wheel, the system or a provider."""

from __future__ import annotations

import re
from posixpath import basename
from typing import TYPE_CHECKING

from wheelkit.analysis.claims import claims, system_of, targets
from wheelkit.analysis.libraries import graalpy_dll, needed_libraries, of_macos, of_windows, pypy_dll
from wheelkit.analysis.policies import policy_for
from wheelkit.matrix import System
from wheelkit.text import first_and_count, shorten_list
from wheelkit.verification.checks.providers import provider_of, relevant_providers
from wheelkit.verification.findings import finding
from wheelkit.wheel.library_names import grafted, plain_name
from wheelkit.wheel.model import python_dll

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Wheel


_LIBPYTHON = re.compile(
    r"libpython3[\w.]*\.(?:so[\w.]*|dylib)|.*Python\.framework/.*|libpypy3[\w.-]*", re.IGNORECASE
)
# The debug builds of Microsoft's C and C++ runtime, which may not be redistributed, and of the interpreter.
_DEBUG_RUNTIME = re.compile(
    r"(?:ucrtbased|(?:vcruntime|msvcp|concrt|vccorlib|mfc|msvcr)\d+(?:_\d+)?d)\.dll|python3\d*t?_d\.dll",
    re.IGNORECASE,
)


def missing(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report needed libraries that neither the wheel, nor the tag's systems, nor a provider has."""
    systems, held = {claim.system for claim in claims(wheel)}, wheel.held
    for system, needs in needed_libraries(wheel).items():
        lost = [library for library in sorted(needs) if not _available(wheel, held, system, library)]
        if not lost or system not in systems:
            continue
        providers = relevant_providers(wheel, contract)
        lost = [library for library in lost if provider_of(library, system, providers) is None]
        for provider, libraries in _by_known_provider(lost, system).items():
            users = list(dict.fromkeys(member for library in libraries for member in needs[library]))
            yield _not_required(system, provider, libraries, users)
            lost = [library for library in lost if library not in libraries]
        for library in lost:
            yield _missing(wheel, system, library, needs[library])


def _by_known_provider(libraries: Iterable[str], system: System) -> Mapping[str, list[str]]:
    """Group libraries by the name of the known provider that has them; the others are left out."""
    from wheelkit.config.exclude import shipped_providers

    by_provider: dict[str, list[str]] = {}
    for library in libraries:
        provider = provider_of(library, system, shipped_providers().values())
        if provider is not None:
            by_provider.setdefault(provider.name, []).append(library)
    return by_provider


def _not_required(system: System, provider: str, libraries: list[str], users: list[str]) -> Finding:
    """Report libraries of a known provider, which must never be grafted, if the wheel does not require it."""
    names = shorten_list(map(plain_name, libraries))
    what = f"{first_and_count(users)} needs {names} of {provider}, which the wheel does not require"
    fix = f"require the {provider} that it was built with, and never graft its libraries: "
    fix += f"{provider} = true in [tool.wheelkit.exclude]"
    return finding("WK508" if system is System.WINDOWS else "WK501", what, fix=fix, member=users[0])


def _missing(wheel: Wheel, system: System, library: str, users: list[str]) -> Finding:
    user = first_and_count(users)
    needs = f"{user} needs {library}"
    if _LIBPYTHON.search(library):
        what = f"{user} links {library}; the process of the interpreter provides its symbols"
        return finding("WK502", what, member=users[0])
    code = "WK501"
    if system is System.WINDOWS:
        code, what = "WK508", f"{needs}, neither in the wheel nor known as part of Windows"
    elif system is System.MACOS and library.startswith("/"):
        what = f"{needs}, a path on the build machine"
    else:
        tag = next((target.tag for target in targets(wheel, system)), "all such")
        what = f"{needs}, neither in the wheel nor on {tag} systems"
    fix = f"graft it: python -m wheelkit repair {wheel.filename}; or exclude it and require its provider"
    return finding(code, what, fix=fix, member=users[0])


def _available(wheel: Wheel, held: frozenset[str], system: System, library: str) -> bool:
    if system is System.WINDOWS:
        in_wheel = library.lower() in {name.lower() for name in held}
        return in_wheel or of_windows(library) or _of_interpreter(wheel, library)
    if system is System.MACOS:
        return of_macos(library) or (not library.startswith("/") and basename(library) in held)
    if library in held:
        return True
    policies = [policy for target in targets(wheel, system) if (policy := policy_for(target)) is not None]
    # A tag that names no oldest system (linux_x86_64) has no list of libraries.
    return not policies or policies[0].provides(library)


def _of_interpreter(wheel: Wheel, library: str) -> bool:
    """Return whether a DLL belongs to CPython 3, or to the Python 2, PyPy or GraalPy of the tags."""
    pythons = wheel.name.pythons if wheel.name else ()
    return (
        python_dll(library) is not None
        or pypy_dll(library) in pythons
        or any(library.lower() == f"python{python[2:]}.dll" for python in pythons)
        or (graalpy_dll(library) and any(python.startswith("graalpy") for python in pythons))
    )


def twice(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report a library that was grafted more than once: each copy has its own state."""
    copies: dict[str, list[str]] = {}
    for binary in wheel.binaries:
        if grafted(binary.member):
            copies.setdefault(plain_name(binary.member), []).append(binary.member)
    for name, members in sorted(copies.items()):
        if len(members) > 1:
            what = f"{name} was grafted {len(members)} times: {shorten_list(members)}"
            yield finding("WK507", what, member=members[0])


def debug_runtime(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report binaries that load a debug C runtime or a debug interpreter."""
    for binary, slice_ in wheel.slices():
        debug = {library.name for library in slice_.needed if _DEBUG_RUNTIME.fullmatch(library.name)}
        if debug and system_of(binary) is System.WINDOWS:
            what = f"{binary.member} loads {shorten_list(sorted(debug))}, which only developers have"
            yield finding("WK331", what, member=binary.member)
