"""macOS wheels: the oldest supported system of each slice against the tag, signatures, and rules of dyld."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from wheelkit.analysis.claims import arch_of, targets
from wheelkit.analysis.macos import (
    FIRST_ARM64,
    FIRST_CHAINED_FIXUPS,
    MACOS_PLATFORMS,
    macos_slices,
    major_minor,
    min_os,
)
from wheelkit.matrix import System
from wheelkit.text import dotted, first_and_count, plural
from wheelkit.verification.findings import finding
from wheelkit.wheel.library_names import base_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit.matrix import Target
    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Binary, Wheel


def minimum_system(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report binaries with slices that need a newer macOS than the tag promises for their architecture."""
    claimed = targets(wheel, System.MACOS)
    too_new: list[tuple[tuple[int, int], Binary, str, Target]] = []
    for binary, slice_ in macos_slices(wheel):
        arch, needed = arch_of(slice_), min_os(slice_)
        target = _target_for(arch, claimed)
        if target is not None and needed is not None and needed > _promised(target, arch):
            too_new.append((needed, binary, arch, target))
    if too_new:
        needed, binary, arch, target = max(too_new, key=lambda item: item[0])
        archs = [one for _, other, one, _ in too_new if other is binary]
        others = len({other.member for _, other, _, _ in too_new}) - 1
        also = f"; {plural(others, 'other binary does', 'other binaries do')} too" if others else ""
        promised = dotted(target.version)
        need = f"macOS {dotted(needed)}"
        what = f"{binary.member} ({', '.join(archs)}) needs {need}, but {target} promises {promised}{also}"
        setting = f"MACOSX_DEPLOYMENT_TARGET={promised}"
        fix = f"set {setting} for the whole build, libraries included, or promise {need}"
        yield finding("WK321", what, fix=fix, member=binary.member)


def signature(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report arm64 slices without a code signature, except those for iOS, which are signed with the app."""
    for binary, slice_ in macos_slices(wheel):
        if arch_of(slice_) == "arm64" and slice_.signed is False and slice_.os in MACOS_PLATFORMS:
            fix = f"sign it: codesign --force --sign - {binary.name}"
            what = f"{binary.member} (arm64) has no code signature"
            yield finding("WK323", what, fix=fix, member=binary.member)


def changed_after_signing(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report slices whose bytes are not those that were signed; apps for iOS are signed as a whole later."""
    members: dict[str, dict[str, None]] = {}
    for binary, slice_ in macos_slices(wheel):
        if slice_.offset in binary.forged and slice_.os in MACOS_PLATFORMS:
            code = "WK351" if arch_of(slice_) == "arm64" else "WK352"
            members.setdefault(code, {})[binary.member] = None
    for code, users in sorted(members.items())[:1]:
        what = f"{first_and_count(list(users))} differs from what was signed"
        fix = f"sign it again after the last change: codesign --force --sign - {base_name(next(iter(users)))}"
        yield finding(code, what, fix=fix, member=next(iter(users)))


# The SDKs from which on dyld applies the rules (mach_o/Policy.cpp of dyld-1285, macOS 15.4 and later).
_UNIQUE_PATHS_SDK = (15, 4)
_UNIQUE_LIBRARIES_SDK = (15, 0)


def duplicates(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report search paths and needed libraries that a slice lists twice."""
    found: dict[tuple[str, str, str], dict[str, None]] = {}
    for binary, slice_ in macos_slices(wheel):
        sdk = major_minor(slice_.sdk) if slice_.sdk and slice_.os in MACOS_PLATFORMS else (0, 0)
        for path in _repeated(rpath.path for rpath in slice_.rpaths):
            code = "WK353" if sdk >= _UNIQUE_PATHS_SDK else "WK354"
            found.setdefault((code, "LC_RPATH", path), {})[binary.member] = None
        for name in _repeated(library.name for library in slice_.needed if library.how != "lazy"):
            if sdk >= _UNIQUE_LIBRARIES_SDK:
                found.setdefault(("WK355", "library", name), {})[binary.member] = None
    for (code, kind, name), users in found.items():
        what = f"{first_and_count(list(users))} has the {kind} {name} twice"
        yield finding(code, what, member=next(iter(users)))


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def chained_fixups(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report slices with chained fixups where they and the tag promise systems that do not know these."""
    claimed = targets(wheel, System.MACOS)
    members: dict[str, str] = {}
    for binary, slice_ in macos_slices(wheel):
        target = _target_for(arch_of(slice_), claimed)
        needed = min_os(slice_) or (0, 0)
        if target is None or "chained-fixups" not in slice_.flags:
            continue
        if max(needed, _promised(target, arch_of(slice_))) < FIRST_CHAINED_FIXUPS:
            members.setdefault(binary.member, str(target))
    if members:
        user, target_tag = next(iter(members.items()))
        what = f"{first_and_count(list(members))} has chained fixups, which need macOS "
        what += f"{dotted(FIRST_CHAINED_FIXUPS)}, but {target_tag} promises an older one"
        yield finding("WK356", what, member=user)


def _target_for(arch: str, claimed: tuple[Target, ...]) -> Target | None:
    """Return the claimed target of an architecture: its own before a universal one, the oldest first."""
    own = [target for target in claimed if target.arch == arch]
    universal = [target for target in claimed if target.arch not in {"x86_64", "arm64"}]
    return next(iter(own or universal), None)


def _promised(target: Target, arch: str) -> tuple[int, int]:
    # arm64 began with macOS 11: macosx_10_9_universal2 promises it 11.0.
    return max(target.version, FIRST_ARM64) if arch == "arm64" else target.version
