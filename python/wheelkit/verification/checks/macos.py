"""macOS wheels: the oldest supported system of each slice against the tag, and code signatures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.analysis.claims import arch_of, targets
from wheelkit.analysis.macos import FIRST_ARM64, MACOS_PLATFORMS, macos_slices, min_os
from wheelkit.matrix import System
from wheelkit.text import dotted, plural
from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.matrix import Target
    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Binary, Wheel


def minimum_system(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report slices that need a newer macOS than the tag promises; one finding for each architecture."""
    claimed = targets(wheel, System.MACOS)
    too_new: dict[str, list[tuple[tuple[int, int], Binary, Target]]] = {}
    for binary, slice_ in macos_slices(wheel):
        arch, needed = arch_of(slice_), min_os(slice_)
        target = _target_for(arch, claimed)
        if target is not None and needed is not None and needed > _promised(target, arch):
            too_new.setdefault(arch, []).append((needed, binary, target))
    for arch, slices in too_new.items():
        needed, binary, target = max(slices, key=lambda item: item[0])
        others = len(slices) - 1
        also = f"; {plural(others, 'other binary does', 'other binaries do')} too" if others else ""
        promised = dotted(target.version)
        need = f"macOS {dotted(needed)}"
        what = f"{binary.member} ({arch}) needs {need}, but {target} promises {promised}{also}"
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


def _target_for(arch: str, claimed: tuple[Target, ...]) -> Target | None:
    """Return the claimed target of an architecture: its own before a universal one, the oldest first."""
    own = [target for target in claimed if target.arch == arch]
    universal = [target for target in claimed if target.arch not in {"x86_64", "arm64"}]
    return next(iter(own or universal), None)


def _promised(target: Target, arch: str) -> tuple[int, int]:
    # arm64 began with macOS 11: macosx_10_9_universal2 promises it 11.0.
    return max(target.version, FIRST_ARM64) if arch == "arm64" else target.version
