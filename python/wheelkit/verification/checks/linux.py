"""Linux wheels against auditwheel's policies; their C library, and executable stacks."""

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

    from wheelkit._core import Version
    from wheelkit.analysis.policies import Policy
    from wheelkit.matrix import Target
    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Wheel


_LIBC_NAMES = {"manylinux": "glibc", "musllinux": "musl"}


def symbol_versions(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report symbol versions that the oldest system of the tag does not have."""
    needs = list(version_needs(wheel))
    for target in targets(wheel, System.LINUX):
        policy = policy_for(target)
        too_new = [need for need in needs if policy and not _allowed(policy, need.version)]
        if too_new:
            yield _too_new(wheel, target, too_new)
            return  # newer tags of the same set allow more: the oldest one shows all that is wrong


def _allowed(policy: Policy, version: Version) -> bool:
    return policy.admits(version.version) and policy.defines(version.library, version.version)


def _too_new(wheel: Wheel, target: Target, needs: list[VersionNeed]) -> Finding:
    """Report the newest version of each kind, such as GLIBC and CXXABI, with a symbol that needs it."""
    floor = linux_floor(wheel)
    fix = f"build on an older system, such as cibuildwheel's container for {target}"
    if floor is not None:
        fix += f"; or tag the wheel as what it is: {floor.target}"
    newest: dict[str, VersionNeed] = {}
    for need in needs:
        kind = need.version.version.partition("_")[0]
        newest[kind] = max(newest.get(kind, need), need, key=lambda one: version_key(one.version.version))
    worst = sorted(newest.values(), key=lambda need: not need.version.version.startswith("GLIBC_"))
    member = worst[0].binary.member
    others = len({need.binary.member for need in needs}) - 1
    also = f"; {plural(others, 'other binary does', 'other binaries do')} too" if others else ""
    what = f"{member} needs {', '.join(map(_shown, worst))}, which {target} does not allow{also}"
    return finding("WK311", what, fix=fix, member=member)


def _shown(need: VersionNeed) -> str:
    version = need.version
    symbol = f"{version.symbol} of {version.library}" if version.symbol else version.library
    return f"{version.version} ({symbol})"


def forbidden_symbols(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report symbols that a library has only on some systems of the tag (the blacklists of the policies)."""
    for target in targets(wheel, System.LINUX)[:1]:
        policy = policy_for(target)
        for binary, library, symbols in forbidden_imports(wheel, policy) if policy else ():
            names = f"{shorten_list(symbols)} of {library}"
            what = f"{binary.member} uses {names}, which not every {target} system has"
            yield finding("WK312", what, member=binary.member)


def c_library(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report binaries that are linked with glibc in a musllinux wheel, or with musl in a manylinux wheel."""
    claimed = {target.libc for target in targets(wheel, System.LINUX)}
    if len(claimed) != 1:
        return
    (wanted,) = claimed
    for binary, slice_ in linux_slices(wheel):
        libc = libc_of(slice_)
        if libc is not None and libc != wanted:
            what = f"{binary.member} is linked with {_LIBC_NAMES[libc]}, but the wheel is tagged {wanted}"
            # A program or library can be there on purpose; an extension module cannot be imported.
            yield finding("WK314" if binary.extension else "WK315", what, member=binary.member)


def executable_stack(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report libraries that request an executable stack, which glibc 2.41 and hardened kernels refuse."""
    libraries = dict.fromkeys(
        binary.member
        for binary, slice_ in linux_slices(wheel)
        if slice_.executable_stack and slice_.kind == "shared"
    )
    if libraries:
        what = f"an executable stack is requested by {shorten_list(libraries)}"
        yield finding("WK316", what, member=next(iter(libraries)))
