"""Needed libraries: in the wheel, of the system, or excluded with a provider; and nothing bundled that was excluded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.checks.catalogue import found
from wheelkit.checks.claims import claims, runs, system_of, targets
from wheelkit.checks.policies import policy_for
from wheelkit.checks.systems import of_macos, of_windows
from wheelkit.checks.words import counted, some
from wheelkit.config import normalise
from wheelkit.matrix import System
from wheelkit.wheel.library import grafted, matches, plain_name
from wheelkit.wheel.model import python_dll

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wheelkit._core import Slice
    from wheelkit.checks.contract import Contract
    from wheelkit.checks.dist import Dist
    from wheelkit.config import Provider
    from wheelkit.report.model import Finding
    from wheelkit.wheel import Wheel

_LIBPYTHON = re.compile(r"libpython3[\w.]*\.(?:so[\w.]*|dylib)|.*Python\.framework/.*|libpypy3[\w.-]*", re.IGNORECASE)


def missing(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report needed libraries that nobody brings: not the wheel, not the tag's systems, not a provider."""
    own = {claim.system for claim in claims(wheel)}
    for system, needs in _needs(wheel).items():
        if system not in own:
            continue
        for library, binaries in sorted(needs.items()):
            if not _brought(wheel, system, library) and _provider(library, system, _provided(wheel, contract)) is None:
                yield _missing(wheel, system, library, binaries)


def _missing(wheel: Wheel, system: System, library: str, binaries: list[str]) -> Finding:
    first = binaries[0]
    others = f" (and {counted(len(binaries) - 1, 'other')})" if len(binaries) > 1 else ""
    if _LIBPYTHON.search(library):
        what = f"{first}{others} links {library}; extension modules take the interpreter's symbols from the process"
        return found("WK502", what=what, file=wheel.filename, member=first)
    if system is System.MACOS and library.startswith("/"):
        what = f"{first}{others} needs {library}, a path of the machine that built it"
        return found("WK501", what=what, fix=_graft_fix(wheel), file=wheel.filename, member=first)
    if system is System.WINDOWS:
        what = f"{first}{others} needs {library}, which is neither in the wheel nor known as part of Windows"
        return found("WK508", what=what, fix=_graft_fix(wheel), file=wheel.filename, member=first)
    where = ".".join(target.tag for target in targets(wheel, system)[:1]) or "every such"
    what = f"{first}{others} needs {library}, which is neither in the wheel nor on {where} systems"
    return found("WK501", what=what, fix=_graft_fix(wheel), file=wheel.filename, member=first)


def _graft_fix(wheel: Wheel) -> str:
    return f"graft it: python -m wheelkit repair {wheel.filename}; or exclude it and require its provider"


def _needs(wheel: Wheel) -> Mapping[System, dict[str, list[str]]]:
    """Map each system's needed libraries, as they are named, to the binaries that must have them."""
    needs: dict[System, dict[str, list[str]]] = {}
    for binary, part in wheel.parts():
        system = system_of(binary)
        if system is None or not runs(part):
            continue
        for library in part.needed:
            # A delay-loaded or weak library is one that the code is ready to miss.
            if library.how not in {"weak", "delay"}:
                members = needs.setdefault(system, {}).setdefault(library.name, [])
                if binary.member not in members:
                    members.append(binary.member)
    return needs


def _brought(wheel: Wheel, system: System, library: str) -> bool:
    held = wheel.held
    if system is System.WINDOWS:
        lowered = {name.lower() for name in held}
        return library.lower() in lowered or of_windows(library) or python_dll(library) is not None
    if system is System.MACOS:
        return of_macos(library) or (not library.startswith("/") and library.rpartition("/")[2] in held)
    if library in held:
        return True
    policies = [policy for target in targets(wheel, system) if (policy := policy_for(target)) is not None]
    # A tag that promises no system (linux_x86_64) has no list to be held against.
    return not policies or policies[0].provides(library)


def _provided(wheel: Wheel, contract: Contract) -> tuple[Provider, ...]:
    """List the providers that count: those of the project, and known ones that the wheel itself requires."""
    from wheelkit.config.exclude import shipped_providers

    required = _required(wheel)
    known = (item for item in shipped_providers().values() if required.intersection(map(normalise, item.distributions)))
    return (*contract.exclude, *known)


_REQUIREMENT_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


def _required(wheel: Wheel) -> frozenset[str]:
    lines = wheel.metadata.all("Requires-Dist")
    return frozenset(normalise(match[1]) for line in lines if (match := _REQUIREMENT_NAME.match(line)))


def _patterns(provider: Provider, system: System) -> tuple[str, ...]:
    return {System.LINUX: provider.linux, System.MACOS: provider.macos, System.WINDOWS: provider.windows}[system]


def _provider(library: str, system: System, providers: Iterable[Provider]) -> Provider | None:
    return next((item for item in providers if matches(library, _patterns(item, system), system)), None)


def bundled(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report libraries in the wheel that the exclude list leaves to a provider, under whatever grafted name."""
    if wheel.distribution in {normalise(name) for item in contract.exclude for name in item.distributions}:
        return  # the provider's own wheel holds them by right
    for binary in wheel.binaries:
        system = system_of(binary)
        if system is None or binary.extension:
            continue
        provider = _provider(binary.member, system, contract.exclude)
        if provider is not None:
            what = f"{binary.member} is in the wheel, although the exclude list leaves {plain_name(binary.member)} to {provider.name}"
            yield found("WK503", what=what, file=wheel.filename, member=binary.member)


def provider_required(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report excluded libraries whose provider the wheel does not require."""
    required = _required(wheel)
    for system, needs in _needs(wheel).items():
        used: dict[str, tuple[Provider, str]] = {}
        for library in sorted(needs):
            provider = None if library in wheel.held else _provider(library, system, contract.exclude)
            if provider is not None:
                used.setdefault(provider.name, (provider, library))
        for provider, library in used.values():
            if not required.intersection(map(normalise, provider.distributions)):
                names = some(provider.distributions) or provider.name
                what = f"{plain_name(library)} is left to {provider.name}, yet the wheel does not require {names}"
                yield found("WK505", what=what, file=wheel.filename)


def search_paths(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report absolute search paths: they lead to the machine that built the wheel, or to nowhere."""
    members: dict[str, None] = {}
    paths: dict[str, None] = {}
    for binary, part in wheel.parts():
        for path in _absolute(part):
            members[binary.member] = paths[path] = None
    if members:
        first, *others = members
        also = f" (and {counted(len(others), 'other')})" if others else ""
        folders = "a folder" if len(paths) == 1 else "folders"
        what = f"{first}{also} looks for libraries in {some(paths)}, {folders} of the machine that built it"
        yield found("WK506", what=what, file=wheel.filename, member=first)


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
            what = f"{name} is in the wheel {len(members)} times: {some(members)}"
            yield found("WK507", what=what, file=wheel.filename, member=members[0])


def unused_patterns(dist: Dist, contract: Contract) -> Iterator[Finding]:
    """Report exclude patterns that match no library that any wheel needs.

    Only patterns that can match on a system of these wheels are judged, and shipped lists, broad on purpose, only as a whole.
    """
    needs: dict[System, set[str]] = {}
    for wheel in dist.wheels:
        if contract.promise(wheel.distribution) is not None:
            for system, libraries in _needs(wheel).items():
                needs.setdefault(system, set()).update(libraries)
    for provider in contract.exclude if needs else ():
        unused = _unused(provider, needs)
        if unused:
            quoted = some([f'"{pattern}"' for pattern in unused])
            what = f"exclude.{provider.name}: {quoted} matches no library that these wheels need"
            yield found("WK504", what=what)


def _unused(provider: Provider, needs: Mapping[System, set[str]]) -> list[str]:
    relevant = dict.fromkeys(pattern for system in needs for pattern in _patterns(provider, system))
    used = {pattern for pattern in relevant for system, names in needs.items() if any(matches(name, [pattern], system) for name in names)}
    if provider.shipped and used:
        return []
    return [pattern for pattern in relevant if pattern not in used]
