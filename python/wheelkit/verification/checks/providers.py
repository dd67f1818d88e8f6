"""The exclude list: its libraries are left out and used, and their providers are required with bounds."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from wheelkit.analysis.claims import system_of
from wheelkit.analysis.libraries import needed_libraries
from wheelkit.analysis.requirements import installed_requirements, required_names
from wheelkit.fast_packaging import normalise
from wheelkit.text import first_and_count, shorten_list
from wheelkit.verification.findings import finding
from wheelkit.wheel.library_names import in_graft_folder, matches, plain_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wheelkit.config import Provider
    from wheelkit.matrix import System
    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.verification.release import Dist
    from wheelkit.wheel import Binary, Wheel


# The OpenMP runtimes of GCC, LLVM, Intel and Microsoft.
_OPENMP = (
    "libgomp.so*", "libgomp.*.dylib", "libomp.so*", "libomp.dylib", "libomp1*.dll", "libiomp5*",
    "vcomp1*.dll",
)  # fmt: skip
# How the libraries of C++ frameworks begin that have hundreds of megabytes and a state of their own.
_FRAMEWORKS = ("libtorch", "torch", "libc10", "c10", "libtensorflow", "tensorflow")
_LOWER = frozenset({">", ">=", "==", "~=", "==="})
_UPPER = frozenset({"<", "<=", "==", "~=", "==="})
# How names of C++ functions begin (Itanium ABI, and Microsoft's), and the standard library's in the former.
_MANGLED = ("_Z", "?")
_STANDARD_LIBRARY = (
    r"_Z(?:T[VISTv]\w{0,3}?)?N?[KVRO]*(?:S[tabsiod]|10__cxxabiv1|9__gnu_cxx)|_Z(?:n[wa]|d[la])"
)


def relevant_providers(wheel: Wheel, contract: Contract) -> tuple[Provider, ...]:
    """Return the providers on the project's exclude list, and the known ones that the wheel requires.

    A provider is also required by requiring one that brings it, as torch brings the libraries of CUDA.
    """
    required = required_names(wheel) if wheel.binaries else frozenset()
    if not required:
        return contract.exclude
    from wheelkit.config.exclude import shipped_providers

    known = shipped_providers().values()
    return (*contract.exclude, *(provider for provider in known if _bringing(provider) & required))


def _names(provider: Provider) -> frozenset[str]:
    return frozenset(map(normalise, provider.distributions))


def _bringing(provider: Provider) -> frozenset[str]:
    """Return the names of the distributions that have a provider's libraries, or require one that has."""
    return frozenset(map(normalise, (*provider.distributions, *provider.brought_by)))


def provider_of(library: str, system: System, providers: Iterable[Provider]) -> Provider | None:
    """Return the first provider with a pattern that matches the library, None for none."""
    by_system = ((item, getattr(item, system.value)) for item in providers)
    return next((item for item, patterns in by_system if matches(library, patterns, system)), None)


def bundled(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report libraries of excluded providers that are in the wheel, grafted or not."""
    if any(wheel.distribution in _names(provider) for provider in contract.exclude):
        return  # the provider's own wheel
    for binary in wheel.binaries:
        system = system_of(binary)
        if system is None or binary.extension:
            continue
        provider = provider_of(binary.member, system, contract.exclude)
        if provider is not None:
            library = plain_name(binary.member)
            what = (
                f"{binary.member} is in the wheel, but the exclude list leaves {library} to {provider.name}"
            )
            yield finding("WK503", what, member=binary.member)


def grafted_beside(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report grafted libraries of known providers, where no exclude list has told what to do with them.

    Beside a requirement on the provider there are two copies in one process. Without one, only the libraries
    of large C++ frameworks count: other projects' own graft small libraries on purpose.
    """
    grafts = [binary for binary in wheel.binaries if not binary.extension and in_graft_folder(binary.member)]
    required = required_names(wheel) if grafts else frozenset()
    if not required and not any(plain_name(binary.member).startswith(_FRAMEWORKS) for binary in grafts):
        return
    from wheelkit.config.exclude import shipped_providers

    excluded = {provider.name for provider in contract.exclude}
    for provider in shipped_providers().values():
        names = _names(provider)
        if provider.name in excluded or wheel.distribution in names:
            continue
        members = [graft.member for graft in grafts if _has(provider, graft)]
        if members and names & required:
            what = f"{first_and_count(members)} is in the wheel, and so is a requirement on {provider.name}"
            yield finding("WK503" if provider.version_bound else "WK534", what, member=members[0])
        elif members and provider.version_bound:
            what = f"{first_and_count(members)} of {provider.name} is in the wheel"
            yield finding("WK534", what, member=members[0])


def _has(provider: Provider, binary: Binary) -> bool:
    system = system_of(binary)
    return system is not None and provider_of(binary.member, system, [provider]) is not None


def requirement(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report used providers that are not required, or whose C++ ABI is used without version bounds."""
    for provider, library in _used(wheel, relevant_providers(wheel, contract)):
        name, names = plain_name(library), _names(provider) & required_names(wheel)
        if not _bringing(provider) & required_names(wheel):
            wanted = shorten_list(provider.distributions) or provider.name
            yield finding(
                "WK505", f"{name} is left to {provider.name}, but the wheel does not require {wanted}"
            )
        elif (
            names
            and provider.version_bound
            and wheel.distribution not in names
            and _links_cpp(wheel, provider)
        ):
            bounds = _missing_bounds(wheel, names)
            if bounds:
                what = f"it links {name}, whose C++ ABI changes with each version, "
                what += f"but requires {provider.name} without {bounds}"
                fix = f"require the versions of {shorten_list(sorted(names))} that it was built with, "
                fix += "with a lower and an upper bound such as >=2.5,<2.6"
                yield finding("WK509", what, fix=fix)


def _missing_bounds(wheel: Wheel, names: frozenset[str]) -> str:
    operators = {
        specifier.operator
        for requirement in installed_requirements(wheel)
        if normalise(requirement.name) in names
        for specifier in requirement.specifier
    }
    lower, upper = operators & _LOWER, operators & _UPPER
    return "" if lower and upper else "an upper bound" if lower else "a lower bound" if upper else "bounds"


def _links_cpp(wheel: Wheel, provider: Provider) -> bool:
    """Return whether a binary uses C++ symbols of the provider's libraries; C functions keep their ABI.

    On Linux symbols name no library, so each counts that neither the standard library nor the wheel has.
    """
    own = {name for _, slice_ in wheel.slices() for name in slice_.exports if name.startswith(_MANGLED)}
    for binary, slice_ in wheel.slices():
        system = system_of(binary)
        if system is None or not any(provider_of(one.name, system, [provider]) for one in slice_.needed):
            continue
        libraries = {one.library for one in slice_.imports if _is_cpp(one.name) and one.name not in own}
        if any(library is None or provider_of(library, system, [provider]) for library in libraries):
            return True
    return False


def _is_cpp(name: str) -> bool:
    return name.startswith(_MANGLED) and not re.match(_STANDARD_LIBRARY, name)


def _used(wheel: Wheel, providers: Iterable[Provider]) -> list[tuple[Provider, str]]:
    """Return the providers of needed libraries outside the wheel, each with the first such library."""
    used: dict[str, tuple[Provider, str]] = {}
    held = wheel.held
    for system, needs in needed_libraries(wheel).items():
        for library in sorted(needs):
            provider = None if library in held else provider_of(library, system, providers)
            if provider is not None:
                used.setdefault(provider.name, (provider, library))
    return list(used.values())


def threading_runtime(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report an OpenMP runtime in a wheel that also loads a provider's libraries."""
    used = _used(wheel, relevant_providers(wheel, contract))
    if not used:
        return
    runtimes = [
        binary.member
        for binary in wheel.binaries
        if any(fnmatchcase(plain_name(binary.member).lower(), pattern) for pattern in _OPENMP)
    ]
    if runtimes:
        providers = shorten_list(provider.name for provider, _ in used)
        what = f"the wheel contains {shorten_list(runtimes)}, and also loads the libraries of {providers}"
        yield finding("WK510", what, member=runtimes[0])


def unused_patterns(dist: Dist, contract: Contract) -> Iterator[Finding]:
    """Report exclude patterns that match no needed library; a shipped, broad list only as a whole."""
    needs: dict[System, set[str]] = {}
    for wheel in dist.wheels:
        if contract.promise(wheel.distribution) is not None:
            for system, libraries in needed_libraries(wheel).items():
                needs.setdefault(system, set()).update(libraries)
    for provider in contract.exclude if needs else ():
        unused = _unused(provider, needs)
        if unused:
            patterns = shorten_list([f'"{pattern}"' for pattern in unused])
            what = f"exclude.{provider.name}: no wheel needs a library that matches {patterns}"
            yield finding("WK504", what)


def _unused(provider: Provider, needs: Mapping[System, set[str]]) -> list[str]:
    patterns = dict.fromkeys(pattern for system in needs for pattern in getattr(provider, system.value))
    unused = [
        pattern
        for pattern in patterns
        if not any(matches(name, [pattern], system) for system, names in needs.items() for name in names)
    ]
    return [] if provider.shipped and len(unused) < len(patterns) else unused
