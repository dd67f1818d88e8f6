"""Linux wheels against auditwheel's policies: symbol versions, forbidden symbols, the C library; and the computed floor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.checks.catalogue import found
from wheelkit.checks.claims import arch_of, runs, system_of, targets
from wheelkit.checks.policies import loader, numbers, policies, policy_for
from wheelkit.checks.words import counted, dotted, some
from wheelkit.matrix import System

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit._core import Slice, Version
    from wheelkit.checks.contract import Contract
    from wheelkit.checks.policies import Policy
    from wheelkit.matrix import Target
    from wheelkit.report.model import Finding
    from wheelkit.wheel import Binary, Wheel

_GLIBC, _LIBGCC = "GLIBC_", "libgcc_s"
_LIBC_NAMES = {"manylinux": "glibc", "musllinux": "musl"}


class _Demand(Struct, frozen=True, kw_only=True):
    """One symbol version that a binary asks of a library outside the wheel."""

    binary: Binary
    version: Version


def symbol_versions(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report symbol versions that the oldest system of a tag does not have, by the symbol that asks for each."""
    demands = list(_demands(wheel))
    for target in targets(wheel, System.LINUX):
        policy = policy_for(target)
        if policy is None:
            continue
        too_new = [demand for demand in demands if not policy.admits(demand.version.version)]
        if too_new:
            yield from _too_new(wheel, target, too_new)
            return  # newer tags of the same set ask for less; the oldest one names all that is wrong


def _too_new(wheel: Wheel, target: Target, demands: list[_Demand]) -> Iterator[Finding]:
    floor = linux_floor(wheel)
    fix = f"build on an older system, best with cibuildwheel in a container for {target}"
    if floor is not None:
        fix += f"; or promise what it is: {floor.target}"
    by_prefix: dict[str, list[_Demand]] = {}
    for demand in demands:
        by_prefix.setdefault(demand.version.version.partition("_")[0], []).append(demand)
    for group in by_prefix.values():
        worst = max(group, key=lambda demand: _order(demand.version.version))
        member, version = worst.binary.member, worst.version
        asks = f"for {version.symbol} of {version.library}" if version.symbol else f"of {version.library}"
        others = len({demand.binary.member for demand in group}) - 1
        also = f"; {counted(others, 'other binary asks', 'other binaries ask')} for too much, too" if others else ""
        what = f"{member} needs {version.version} ({asks}), which {target} does not promise{also}"
        yield found("WK311", what=what, fix=fix, file=wheel.filename, member=member)


def _order(version: str) -> tuple[int, ...]:
    text = version.partition("_")[2]
    try:
        return numbers(text)
    except ValueError:
        return (1 << 30,)  # GLIBC_PRIVATE and the like are worse than any number


def _linux_parts(wheel: Wheel) -> Iterator[tuple[Binary, Slice]]:
    """Walk the ELF files that the tag speaks of: loadable, and of an architecture that it names."""
    return ((binary, part) for binary, part in wheel.parts() if system_of(binary) is System.LINUX and runs(part))


def _demands(wheel: Wheel) -> Iterator[_Demand]:
    held = wheel.held
    for binary, part in _linux_parts(wheel):
        for version in part.versions:
            if version.library not in held and not loader(version.library):
                yield _Demand(binary=binary, version=version)


def forbidden_symbols(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report symbols that a system library has only on some systems of the tag (the policies' black lists)."""
    for target in targets(wheel, System.LINUX)[:1]:
        policy = policy_for(target)
        if policy is None:
            continue
        for binary, library, symbols in _forbidden(wheel, policy):
            what = f"{binary.member} calls {some(symbols)} of {library}, which not every {target} system has"
            yield found("WK312", what=what, file=wheel.filename, member=binary.member)


def _forbidden(wheel: Wheel, policy: Policy) -> Iterator[tuple[Binary, str, list[str]]]:
    held = wheel.held
    for binary, part in _linux_parts(wheel):
        # A library may stand there twice, and two may have the same symbol: each symbol is told once.
        left = {symbol.name for symbol in part.imports if not symbol.weak}
        for library in part.needed:
            used = left & policy.forbidden.get(library.name, frozenset()) if library.name not in held else frozenset()
            left -= used
            if used:
                yield binary, library.name, sorted(used)


def c_library(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report binaries made for the other C library than the tag's: glibc in a musllinux wheel, or the reverse."""
    claimed = {target.libc for target in targets(wheel, System.LINUX)}
    if len(claimed) != 1:
        return
    (wanted,) = claimed
    for binary, part in _linux_parts(wheel):
        own = libc_of(part)
        if own is None or own == wanted:
            continue
        what = f"{binary.member} is built against {_LIBC_NAMES[own]}; the wheel is tagged {wanted}"
        # A program or a library of the other kind may be there on purpose; an extension module cannot be imported.
        yield found("WK314" if binary.extension else "WK315", what=what, file=wheel.filename, member=binary.member)


def executable_stack(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report libraries that make the stack executable: glibc 2.41 and hardened kernels refuse to load them."""
    bad = {binary.member: binary.extension for binary, part in _linux_parts(wheel) if part.executable_stack and part.kind == "shared"}
    if bad:
        first = next(iter(bad))
        what = f"{some(bad)} {'asks' if len(bad) == 1 else 'ask'} for an executable stack"
        yield found("WK316", what=what, file=wheel.filename, member=first)


def libc_of(part: Slice) -> str | None:
    """Tell from an ELF file's needed libraries which C library it was linked with, in the tags' words; None for neither.

    Linking with glibc leaves its symbol versions. libc.so.6 alone says nothing, since musl's loader takes that name for itself: libraries
    that are to serve both are made so. Nor do such versions of libgcc_s say anything, which has some on either (GLIBC_2.0 of
    __register_frame_info, in libgcc's version scripts).
    """
    if any(version.version.startswith(_GLIBC) and not version.library.startswith(_LIBGCC) for version in part.versions):
        return "manylinux"
    names = [library.name for library in part.needed]
    if any(name == "libc.so" or name.startswith("libc.musl-") for name in names):
        return "musllinux"
    return None


def glibc_needed(wheel: Wheel) -> str:
    """Give the highest numbered glibc version that any binary asks for, such as ``2.17``; empty where none does."""
    asked = (demand.version.version for demand in _demands(wheel))
    found_numbers = [_order(version) for version in asked if version.startswith(_GLIBC) and version[len(_GLIBC) :][:1].isdigit()]
    return dotted(max(found_numbers)) if found_numbers else ""


def linux_floor(wheel: Wheel) -> Policy | None:
    """Compute the oldest policy that the wheel satisfies, as ``auditwheel show`` does; None where it satisfies none."""
    parts = list(_linux_parts(wheel))
    claimed = {arch for target in targets(wheel, System.LINUX) for arch in [target.arch]}
    archs = {arch_of(part) for _, part in parts}
    arch = next(iter(sorted(archs & claimed) or sorted(archs)), "")
    # Programs that were linked statically need neither, and are what they are tagged.
    libcs = [own for _, part in parts if (own := libc_of(part)) is not None]
    libc = next(iter(libcs or [target.libc for target in targets(wheel, System.LINUX)]), "manylinux")
    needed = _outside(wheel, parts)
    demands = [demand.version.version for demand in _demands(wheel)]
    return next((policy for policy in policies(libc, arch) if _satisfied(wheel, policy, needed, demands)), None)


def _satisfied(wheel: Wheel, policy: Policy, needed: Iterable[str], demands: Iterable[str]) -> bool:
    if not all(policy.provides(library) for library in needed):
        return False
    return all(policy.admits(version) for version in demands) and next(_forbidden(wheel, policy), None) is None


def _outside(wheel: Wheel, parts: Iterable[tuple[Binary, Slice]]) -> frozenset[str]:
    held = wheel.held
    return frozenset(library.name for _, part in parts for library in part.needed if library.name not in held)
