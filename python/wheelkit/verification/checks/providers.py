"""The exclude list and its providers: what it leaves to them is not in the wheel, is used, and is required with the right bounds."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from wheelkit.analysis import system_libraries
from wheelkit.analysis.claims import system_of
from wheelkit.analysis.needed_libraries import needed_libraries
from wheelkit.fast_packaging import normalise
from wheelkit.matrix import System
from wheelkit.text import shorten_list
from wheelkit.verification.findings import finding
from wheelkit.wheel.library_names import matches, plain_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wheelkit.config import Provider
    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.verification.release import Dist
    from wheelkit.wheel import Wheel


# The runtimes of OpenMP: GCC's, LLVM's, Intel's and Microsoft's.
_THREADING = (
    "libgomp.so*",
    "libomp.so*",
    "libomp.dylib",
    "libgomp.*.dylib",
    "libiomp5*",
    "vcomp1*.dll",
    "libomp1*.dll",
)
_LOWER = frozenset({">", ">=", "==", "~=", "==="})
_UPPER = frozenset({"<", "<=", "==", "~=", "==="})


def provided(wheel: Wheel, contract: Contract) -> tuple[Provider, ...]:
    """List the providers that count: those of the project, and known ones that the wheel itself requires."""
    required = _required(wheel)
    if not required or not _foreign(wheel):
        return contract.exclude
    from wheelkit.config.exclude import shipped_providers

    known = (
        item
        for item in shipped_providers().values()
        if required.intersection(map(normalise, item.distributions))
    )
    return (*contract.exclude, *known)


def _foreign(wheel: Wheel) -> bool:
    """Tell whether the wheel needs any library that neither it nor every system holds: without one, no provider matters."""
    held = wheel.held
    return any(
        library not in held and not system_libraries.everywhere(library, system)
        for system, needs in needed_libraries(wheel).items()
        for library in needs
    )


_REQUIREMENT_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


def _required(wheel: Wheel) -> frozenset[str]:
    lines = wheel.metadata.all("Requires-Dist")
    return frozenset(normalise(match[1]) for line in lines if (match := _REQUIREMENT_NAME.match(line)))


def _patterns(provider: Provider, system: System) -> tuple[str, ...]:
    return {System.LINUX: provider.linux, System.MACOS: provider.macos, System.WINDOWS: provider.windows}[
        system
    ]


def provider_of(library: str, system: System, providers: Iterable[Provider]) -> Provider | None:
    """Give the provider whose patterns mean the library, None for none."""
    return next((item for item in providers if matches(library, _patterns(item, system), system)), None)


def bundled(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report libraries in the wheel that the exclude list leaves to a provider, under whatever grafted name."""
    if wheel.distribution in {normalise(name) for item in contract.exclude for name in item.distributions}:
        return  # the provider's own wheel holds them by right
    for binary in wheel.binaries:
        system = system_of(binary)
        if system is None or binary.extension:
            continue
        provider = provider_of(binary.member, system, contract.exclude)
        if provider is not None:
            what = f"{binary.member} is in the wheel, although the exclude list leaves {plain_name(binary.member)} to {provider.name}"
            yield finding("WK503", what=what, file=wheel.filename, member=binary.member)


def requirement(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report used providers that the wheel does not require, or whose C++ ABI it links without keeping other versions out."""
    required = _required(wheel)
    for provider, library in _used(wheel, provided(wheel, contract)):
        names = frozenset(map(normalise, provider.distributions)) & required
        if not names:
            wanted = shorten_list(provider.distributions) or provider.name
            what = (
                f"{plain_name(library)} is left to {provider.name}, yet the wheel does not require {wanted}"
            )
            yield finding("WK505", what=what, file=wheel.filename)
        elif provider.version_bound and wheel.distribution not in names and _links_cpp(wheel, provider):
            missing = _missing_bounds(wheel, names)
            if missing:
                what = (
                    f"it links {plain_name(library)}, whose C++ ABI holds for one version, "
                    f"yet requires {provider.name} without {missing}"
                )
                fix = f"require the versions of {shorten_list(sorted(names))} that it was built with, "
                fix += "from below and above, such as >=2.5,<2.6"
                yield finding("WK509", what=what, fix=fix, file=wheel.filename)


def _links_cpp(wheel: Wheel, provider: Provider) -> bool:
    """Tell whether a binary that needs the provider's libraries wants symbols of C++ of them; functions of C may stay as they are.

    On Linux symbols name no library, so every one counts that neither the standard library nor the wheel itself has.
    """
    own = {name for _, part in wheel.slices() for name in part.exports if name.startswith(_MANGLED)}
    for binary, part in wheel.slices():
        system = system_of(binary)
        if system is None or not any(
            provider_of(library.name, system, [provider]) for library in part.needed
        ):
            continue
        asked = {symbol.library for symbol in part.imports if _cpp(symbol.name) and symbol.name not in own}
        if any(library is None or provider_of(library, system, [provider]) for library in asked):
            return True
    return False


def _cpp(name: str) -> bool:
    return name.startswith(_MANGLED) and not _STANDARD.match(name)


# How names of C++ begin (Itanium ABI, and Microsoft's), and those of its standard library and run time in the former.
_MANGLED = ("_Z", "?")
_STANDARD = re.compile(
    r"_Z(?:T[VISTv]\w{0,3}?)?N?[KVRO]*(?:S[tabsiod]|10__cxxabiv1|9__gnu_cxx)|_Z(?:n[wa]|d[la])"
)


def _used(wheel: Wheel, providers: Iterable[Provider]) -> list[tuple[Provider, str]]:
    """List each provider of which the wheel needs a library that it does not hold, with the first such library."""
    used: dict[str, tuple[Provider, str]] = {}
    held = wheel.held
    for system, needs in needed_libraries(wheel).items():
        for library in sorted(needs):
            provider = None if library in held else provider_of(library, system, providers)
            if provider is not None:
                used.setdefault(provider.name, (provider, library))
    return list(used.values())


def _missing_bounds(wheel: Wheel, names: frozenset[str]) -> str:
    from packaging.requirements import InvalidRequirement, Requirement

    operators: set[str] = set()
    for line in wheel.metadata.all("Requires-Dist"):
        try:
            one = Requirement(line)
        except InvalidRequirement:
            continue  # the metadata check reports it
        if normalise(one.name) in names:
            operators.update(part.operator for part in one.specifier)
    lower, upper = bool(operators & _LOWER), bool(operators & _UPPER)
    return {
        (True, True): "",
        (True, False): "an upper bound",
        (False, True): "a lower bound",
        (False, False): "bounds",
    }[lower, upper]


def threading_runtime(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report a grafted OpenMP runtime in a wheel that also loads a provider's libraries."""
    used = _used(wheel, provided(wheel, contract))
    libraries = [binary.member for binary in wheel.binaries] if used else []
    runtimes = [
        member
        for member in libraries
        if any(fnmatchcase(plain_name(member).lower(), name) for name in _THREADING)
    ]
    if runtimes:
        what = f"{shorten_list(runtimes)} is in the wheel, "
        what += f"which also loads the libraries of {shorten_list(provider.name for provider, _ in used)}"
        yield finding("WK510", what=what, file=wheel.filename, member=runtimes[0])


def unused_patterns(dist: Dist, contract: Contract) -> Iterator[Finding]:
    """Report exclude patterns that match no library that any wheel needs.

    Only patterns that can match on a system of these wheels are judged, and shipped lists, broad on purpose, only as a whole.
    """
    needs: dict[System, set[str]] = {}
    for wheel in dist.wheels:
        if contract.promise(wheel.distribution) is not None:
            for system, libraries in needed_libraries(wheel).items():
                needs.setdefault(system, set()).update(libraries)
    for provider in contract.exclude if needs else ():
        unused = _unused(provider, needs)
        if unused:
            quoted = shorten_list([f'"{pattern}"' for pattern in unused])
            what = f"exclude.{provider.name}: {quoted} matches no library that these wheels need"
            yield finding("WK504", what=what)


def _unused(provider: Provider, needs: Mapping[System, set[str]]) -> list[str]:
    relevant = dict.fromkeys(pattern for system in needs for pattern in _patterns(provider, system))
    used = {
        pattern
        for pattern in relevant
        for system, names in needs.items()
        if any(matches(name, [pattern], system) for name in names)
    }
    if provider.shipped and used:
        return []
    return [pattern for pattern in relevant if pattern not in used]
