"""TODO."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.analysis.claims import arch_of, runs, system_of, targets
from wheelkit.analysis.policies import loader, numbers, policies
from wheelkit.matrix import System
from wheelkit.text import dotted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit._core import Slice, Version
    from wheelkit.analysis.policies import Policy
    from wheelkit.wheel import Binary, Wheel


_GLIBC, _LIBGCC = "GLIBC_", "libgcc_s"


class VersionNeed(Struct, frozen=True, kw_only=True):
    """One symbol version that a binary asks of a library outside the wheel."""

    binary: Binary
    version: Version


def version_key(version: str) -> tuple[int, ...]:
    """Return a sort key for a symbol version such as ``GLIBC_2.17``; names without a number sort last."""
    text = version.partition("_")[2]
    try:
        return numbers(text)
    except ValueError:
        return (1 << 30,)  # GLIBC_PRIVATE and the like are worse than any number


def linux_slices(wheel: Wheel) -> Iterator[tuple[Binary, Slice]]:
    """Walk the ELF files that the tag speaks of: loadable, and of an architecture that it names."""
    return (
        (binary, part) for binary, part in wheel.slices() if system_of(binary) is System.LINUX and runs(part)
    )


def version_needs(wheel: Wheel) -> Iterator[VersionNeed]:
    """Yield every symbol version that the wheel's ELF files need from libraries outside the wheel."""
    held = wheel.held
    for binary, part in linux_slices(wheel):
        for version in part.versions:
            if version.library not in held and not loader(version.library):
                yield VersionNeed(binary=binary, version=version)


def forbidden_imports(wheel: Wheel, policy: Policy) -> Iterator[tuple[Binary, str, list[str]]]:
    """Yield ``(binary, library, symbols)`` for imports that the policy's blacklist forbids."""
    held = wheel.held
    for binary, part in linux_slices(wheel):
        # A library may stand there twice, and two may have the same symbol: each symbol is told once.
        left = {symbol.name for symbol in part.imports if not symbol.weak}
        for library in part.needed:
            used = (
                left & policy.forbidden.get(library.name, frozenset())
                if library.name not in held
                else frozenset()
            )
            left -= used
            if used:
                yield binary, library.name, sorted(used)


def libc_of(part: Slice) -> str | None:
    """Tell from an ELF file's needed libraries which C library it was linked with, in the tags' words; None for neither.

    Linking with glibc leaves its symbol versions. libc.so.6 alone says nothing, since musl's loader takes that name for itself: libraries
    that are to serve both are made so. Nor do such versions of libgcc_s say anything, which has some on either (GLIBC_2.0 of
    __register_frame_info, in libgcc's version scripts).
    """
    if any(
        version.version.startswith(_GLIBC) and not version.library.startswith(_LIBGCC)
        for version in part.versions
    ):
        return "manylinux"
    names = [library.name for library in part.needed]
    if any(name == "libc.so" or name.startswith("libc.musl-") for name in names):
        return "musllinux"
    return None


def glibc_needed(wheel: Wheel) -> str:
    """Give the highest numbered glibc version that any binary asks for, such as ``2.17``; empty where none does."""
    asked = (demand.version.version for demand in version_needs(wheel))
    found_numbers = [
        version_key(version)
        for version in asked
        if version.startswith(_GLIBC) and version[len(_GLIBC) :][:1].isdigit()
    ]
    return dotted(max(found_numbers)) if found_numbers else ""


def linux_floor(wheel: Wheel) -> Policy | None:
    """Compute the oldest policy that the wheel satisfies, as ``auditwheel show`` does; None where it satisfies none."""
    parts = list(linux_slices(wheel))
    claimed = {arch for target in targets(wheel, System.LINUX) for arch in [target.arch]}
    archs = {arch_of(part) for _, part in parts}
    arch = next(iter(sorted(archs & claimed) or sorted(archs)), "")
    # Programs that were linked statically need neither, and are what they are tagged.
    libcs = [own for _, part in parts if (own := libc_of(part)) is not None]
    libc = next(iter(libcs or [target.libc for target in targets(wheel, System.LINUX)]), "manylinux")
    needed = _external_libraries(wheel, parts)
    demands = [demand.version.version for demand in version_needs(wheel)]
    return next(
        (policy for policy in policies(libc, arch) if _satisfies(wheel, policy, needed, demands)), None
    )


def _satisfies(wheel: Wheel, policy: Policy, needed: Iterable[str], demands: Iterable[str]) -> bool:
    if not all(policy.provides(library) for library in needed):
        return False
    return (
        all(policy.admits(version) for version in demands)
        and next(forbidden_imports(wheel, policy), None) is None
    )


def _external_libraries(wheel: Wheel, parts: Iterable[tuple[Binary, Slice]]) -> frozenset[str]:
    held = wheel.held
    return frozenset(library.name for _, part in parts for library in part.needed if library.name not in held)
