"""What the ELF files of a wheel need of a Linux system: symbol versions, libraries and the C library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.analysis.claims import arch_of, running_slices, targets
from wheelkit.analysis.policies import is_loader, numbers, policies
from wheelkit.matrix import System

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit._core import Slice, Version
    from wheelkit.analysis.policies import Policy
    from wheelkit.wheel import Binary, Wheel


_GLIBC, _LIBGCC = "GLIBC_", "libgcc_s"
# GLIBC_PRIVATE and the like sort after every numbered version.
_UNNUMBERED = (1 << 30,)


class VersionNeed(Struct, frozen=True, kw_only=True):
    """A symbol version that a binary needs of a library outside the wheel."""

    binary: Binary
    version: Version


def version_key(version: str) -> tuple[int, ...]:
    """Return a sort key for a symbol version such as ``GLIBC_2.17``; names without a number sort last."""
    try:
        return numbers(version.partition("_")[2])
    except ValueError:
        return _UNNUMBERED


def linux_slices(wheel: Wheel) -> Iterator[tuple[Binary, Slice]]:
    """Yield the ELF files that are loaded or run."""
    return running_slices(wheel, System.LINUX)


def is_required(slice_: Slice, version: Version) -> bool:
    """Return whether a library has to provide a version; a weak one only if a symbol has to have it."""
    return not version.weak or any(
        symbol.version == version.version and symbol.library == version.library and not symbol.weak
        for symbol in slice_.imports
    )


def version_needs(wheel: Wheel) -> Iterator[VersionNeed]:
    """Yield every symbol version that the wheel's ELF files need of libraries outside the wheel.

    Without a weak version the loader goes on, so those that no symbol has to have are left out.
    """
    held = wheel.held
    for binary, slice_ in linux_slices(wheel):
        for version in slice_.versions:
            outside = version.library not in held and not is_loader(version.library)
            if outside and is_required(slice_, version):
                yield VersionNeed(binary=binary, version=version)


def forbidden_imports(wheel: Wheel, policy: Policy) -> Iterator[tuple[Binary, str, list[str]]]:
    """Yield ``(binary, library, symbols)`` for the imports that the policy's blacklist forbids."""
    held = wheel.held
    for binary, slice_ in linux_slices(wheel):
        # Each symbol counts once: a library can be listed twice, and two libraries can have the same symbol.
        if not any(library.name in policy.forbidden for library in slice_.needed):
            continue
        left = {symbol.name for symbol in slice_.imports if not symbol.weak}
        for library in slice_.needed:
            used = left & policy.forbidden.get(library.name, frozenset())
            if used and library.name not in held:
                left -= used
                yield binary, library.name, sorted(used)


def libc_of(slice_: Slice) -> str | None:
    """Return the C library that an ELF file is linked with, ``manylinux`` or ``musllinux``; None if unknown.

    glibc leaves its symbol versions. The name libc.so.6 shows nothing: musl's loader takes it for itself. Nor
    do versions of libgcc_s, which has GLIBC_2.0 of __register_frame_info on both.
    """
    if any(one.version.startswith(_GLIBC) and not one.library.startswith(_LIBGCC) for one in slice_.versions):
        return "manylinux"
    names = [library.name for library in slice_.needed]
    return "musllinux" if any(name == "libc.so" or name.startswith("libc.musl-") for name in names) else None


class LinuxFloor(Struct, frozen=True, kw_only=True):
    """The oldest policy that a wheel satisfies, None for none, and what keeps it from the next older one."""

    policy: Policy | None
    limits: tuple[str, ...]

    @property
    def name(self) -> str:
        """The policy's name without its architecture, as auditwheel writes it: ``manylinux_2_27``."""
        target = self.policy.target if self.policy else None
        return target.tag.removesuffix(f"_{target.arch}") if target else "linux"


def linux_floor(wheel: Wheel) -> Policy | None:
    """Return the oldest policy that the wheel satisfies, as ``auditwheel show`` does; None for none."""
    return floor_and_limits(wheel).policy


def floor_and_limits(
    wheel: Wheel, provided: frozenset[str] = frozenset(), libc: str | None = None
) -> LinuxFloor:
    """Return the oldest policy that the wheel satisfies, and why no older one: ``auditwheel show --exclude``.

    Libraries that are ``provided`` by other distributions limit nothing. By default the policies are those
    of the first of ``libcs``.
    """
    libraries = {
        library.name
        for _, slice_ in linux_slices(wheel)
        for library in slice_.needed
        if library.how == "required"
    }
    libraries -= wheel.held | provided
    versions = {need.version.version for need in version_needs(wheel)}
    older: Policy | None = None
    for policy in policies(libc or libcs(wheel)[0], _arch(wheel)):
        satisfied = all(map(policy.provides, libraries)) and all(map(policy.admits, versions))
        if satisfied and not any(forbidden_imports(wheel, policy)):
            return LinuxFloor(policy=policy, limits=_beyond(older, wheel, libraries, versions))
        older = policy
    return LinuxFloor(policy=None, limits=_beyond(older, wheel, libraries, versions))


def libcs(wheel: Wheel) -> list[str]:
    """Return the C library that the wheel is linked with; both of its tags if it is linked with none."""
    linked = (libc_of(slice_) for _, slice_ in linux_slices(wheel))
    libc = next((libc for libc in linked if libc is not None), None)
    claimed = {target.libc for target in targets(wheel, System.LINUX)}
    return [libc] if libc is not None else sorted(claimed) or ["manylinux"]


def _arch(wheel: Wheel) -> str:
    archs = {arch_of(slice_) for _, slice_ in linux_slices(wheel)}
    claimed = {target.arch for target in targets(wheel, System.LINUX)}
    return next(iter(sorted(archs & claimed) or sorted(archs)), "")


def _beyond(
    policy: Policy | None, wheel: Wheel, libraries: Iterable[str], versions: Iterable[str]
) -> tuple[str, ...]:
    """Return what a wheel needs beyond a policy: the newest version of each kind, libraries and symbols."""
    if policy is None:
        return ()
    newer = newest_of_each([version for version in versions if not policy.admits(version)])
    lacking = sorted(library for library in libraries if not policy.provides(library))
    forbidden = {f"{symbols[0]} of {library}" for _, library, symbols in forbidden_imports(wheel, policy)}
    return (*newer, *lacking, *sorted(forbidden))


def newest_of_each(names: Iterable[str]) -> list[str]:
    """Return the newest symbol version of each kind, glibc's first, and all other names."""
    newest: dict[str, str] = {}
    for name in names:
        numbered = version_key(name) != _UNNUMBERED
        kind = name.partition("_")[0] if numbered else name
        newest[kind] = max(newest.get(kind, name), name, key=version_key)
    return [newest[kind] for kind in sorted(newest, key=lambda kind: (kind != _GLIBC.rstrip("_"), kind))]
