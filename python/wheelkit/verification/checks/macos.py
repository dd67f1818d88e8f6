"""macOS wheels: the oldest system of every slice against the tag, and code signatures."""

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
    """Report slices that ask for a newer macOS than the tag promises; one finding for each architecture."""
    claimed = targets(wheel, System.MACOS)
    too_new: dict[str, list[tuple[tuple[int, int], Binary, Target]]] = {}
    for binary, part in macos_slices(wheel):
        target = _target_for(arch_of(part), claimed)
        asked = min_os(part)
        if target is not None and asked is not None and asked > _promised(target, arch_of(part)):
            too_new.setdefault(arch_of(part), []).append((asked, binary, target))
    for arch, slices in too_new.items():
        asked, binary, target = max(slices, key=lambda item: item[0])
        others = (
            f" (and {plural(len(slices) - 1, 'other binary', 'other binaries')})" if len(slices) > 1 else ""
        )
        promised = dotted(target.version)
        what = f"{binary.member} ({arch}) needs macOS {dotted(asked)}; {target} promises {promised}{others}"
        fix = f"set MACOSX_DEPLOYMENT_TARGET={promised} for the whole build, libraries included, or promise macOS {dotted(asked)}"
        yield finding("WK321", what=what, fix=fix, file=wheel.filename, member=binary.member)


def signature(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report arm64 slices without a code signature: macOS kills a process that loads one.

    What is made for iOS is signed by whoever puts it into an app.
    """
    for binary, part in macos_slices(wheel):
        if arch_of(part) == "arm64" and part.signed is False and part.os in MACOS_PLATFORMS:
            what = f"{binary.member} (arm64) has no code signature"
            fix = f"sign it: codesign --force --sign - {binary.name}"
            yield finding("WK323", what=what, fix=fix, file=wheel.filename, member=binary.member)


def _target_for(arch: str, claimed: tuple[Target, ...]) -> Target | None:
    """Find the tag that speaks of an architecture: its own before a universal one, the oldest system first."""
    own = [target for target in claimed if target.arch == arch]
    universal = [target for target in claimed if target.arch not in {"x86_64", "arm64"}]
    return next(iter(own or universal), None)


def _promised(target: Target, arch: str) -> tuple[int, int]:
    # There is no arm64 below macOS 11: macosx_10_9_universal2 promises 11.0 to them.
    return max(target.version, FIRST_ARM64) if arch == "arm64" else target.version
