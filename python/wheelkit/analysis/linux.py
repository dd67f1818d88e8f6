"""What the ELF files of a wheel need of a Linux system: symbol versions, libraries and the C library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.analysis.claims import arch_of, running_slices, targets
from wheelkit.analysis.policies import is_loader, numbers, policies
from wheelkit.matrix import System
from wheelkit.text import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def version_needs(wheel: Wheel) -> Iterator[VersionNeed]:
    """Yield every symbol version that the wheel's ELF files need of libraries outside the wheel."""
    held = wheel.held
    for binary, slice_ in linux_slices(wheel):
        for version in slice_.versions:
            if version.library not in held and not is_loader(version.library):
                yield VersionNeed(binary=binary, version=version)


def forbidden_imports(wheel: Wheel, policy: Policy) -> Iterator[tuple[Binary, str, list[str]]]:
    """Yield ``(binary, library, symbols)`` for the imports that the policy's blacklist forbids."""
    held = wheel.held
    for binary, slice_ in linux_slices(wheel):
        # Each symbol counts once: a library can be listed twice, and two libraries can have the same symbol.
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


def glibc_needed(wheel: Wheel) -> str:
    """Return the newest glibc version that a binary needs, such as ``2.17``; empty if none needs any."""
    versions = (need.version.version for need in version_needs(wheel))
    keys = (version_key(version) for version in versions if version.startswith(_GLIBC))
    return dotted(max((key for key in keys if key != _UNNUMBERED), default=()))


def linux_floor(wheel: Wheel) -> Policy | None:
    """Return the oldest policy that the wheel satisfies, as ``auditwheel show`` does; None for none."""
    slices = [slice_ for _, slice_ in linux_slices(wheel)]
    claimed = targets(wheel, System.LINUX)
    archs = {arch_of(slice_) for slice_ in slices}
    arch = next(iter(sorted(archs & {target.arch for target in claimed}) or sorted(archs)), "")
    # A statically linked program shows no C library, so it counts as what it is tagged.
    libcs = [libc for slice_ in slices if (libc := libc_of(slice_)) is not None]
    libc = next(iter(libcs or [target.libc for target in claimed]), "manylinux")
    libraries = {library.name for slice_ in slices for library in slice_.needed} - wheel.held
    versions = {need.version.version for need in version_needs(wheel)}
    for policy in policies(libc, arch):
        satisfied = all(map(policy.provides, libraries)) and all(map(policy.admits, versions))
        if satisfied and not any(forbidden_imports(wheel, policy)):
            return policy
    return None
