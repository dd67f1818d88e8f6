"""Linux wheels against auditwheel's policies: symbol versions, forbidden symbols, the C library; and the computed floor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.analysis.claims import targets
from wheelkit.analysis.linux import (
    VersionNeed,
    forbidden_imports,
    libc_of,
    linux_floor,
    linux_slices,
    version_key,
    version_needs,
)
from wheelkit.analysis.policies import policy_for
from wheelkit.matrix import System
from wheelkit.text import plural, shorten_list
from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.matrix import Target
    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Wheel


_LIBC_NAMES = {"manylinux": "glibc", "musllinux": "musl"}


def symbol_versions(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report symbol versions that the oldest system of a tag does not have, by the symbol that asks for each."""
    demands = list(version_needs(wheel))
    for target in targets(wheel, System.LINUX):
        policy = policy_for(target)
        if policy is None:
            continue
        too_new = [demand for demand in demands if not policy.admits(demand.version.version)]
        if too_new:
            yield from _too_new(wheel, target, too_new)
            return  # newer tags of the same set ask for less; the oldest one names all that is wrong


def _too_new(wheel: Wheel, target: Target, demands: list[VersionNeed]) -> Iterator[Finding]:
    floor = linux_floor(wheel)
    fix = f"build on an older system, best with cibuildwheel in a container for {target}"
    if floor is not None:
        fix += f"; or promise what it is: {floor.target}"
    by_prefix: dict[str, list[VersionNeed]] = {}
    for demand in demands:
        by_prefix.setdefault(demand.version.version.partition("_")[0], []).append(demand)
    for group in by_prefix.values():
        worst = max(group, key=lambda demand: version_key(demand.version.version))
        member, version = worst.binary.member, worst.version
        asks = f"for {version.symbol} of {version.library}" if version.symbol else f"of {version.library}"
        others = len({demand.binary.member for demand in group}) - 1
        also = (
            f"; {plural(others, 'other binary asks', 'other binaries ask')} for too much, too"
            if others
            else ""
        )
        what = f"{member} needs {version.version} ({asks}), which {target} does not promise{also}"
        yield finding("WK311", what=what, fix=fix, file=wheel.filename, member=member)


def forbidden_symbols(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report symbols that a system library has only on some systems of the tag (the policies' black lists)."""
    for target in targets(wheel, System.LINUX)[:1]:
        policy = policy_for(target)
        if policy is None:
            continue
        for binary, library, symbols in forbidden_imports(wheel, policy):
            what = f"{binary.member} calls {shorten_list(symbols)} of {library}, which not every {target} system has"
            yield finding("WK312", what=what, file=wheel.filename, member=binary.member)


def c_library(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report binaries made for the other C library than the tag's: glibc in a musllinux wheel, or the reverse."""
    claimed = {target.libc for target in targets(wheel, System.LINUX)}
    if len(claimed) != 1:
        return
    (wanted,) = claimed
    for binary, part in linux_slices(wheel):
        own = libc_of(part)
        if own is None or own == wanted:
            continue
        what = f"{binary.member} is built against {_LIBC_NAMES[own]}; the wheel is tagged {wanted}"
        # A program or a library of the other kind may be there on purpose; an extension module cannot be imported.
        yield finding(
            "WK314" if binary.extension else "WK315", what=what, file=wheel.filename, member=binary.member
        )


def executable_stack(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report libraries that make the stack executable: glibc 2.41 and hardened kernels refuse to load them."""
    bad = {
        binary.member: binary.extension
        for binary, part in linux_slices(wheel)
        if part.executable_stack and part.kind == "shared"
    }
    if bad:
        first = next(iter(bad))
        what = f"{shorten_list(bad)} {'asks' if len(bad) == 1 else 'ask'} for an executable stack"
        yield finding("WK316", what=what, file=wheel.filename, member=first)
