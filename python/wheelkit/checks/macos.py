"""macOS wheels: the oldest system of every slice against the tag, and code signatures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.checks.catalogue import found
from wheelkit.checks.claims import arch_of, runs, system_of, targets
from wheelkit.checks.words import counted, dotted
from wheelkit.matrix import System

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit._core import Slice
    from wheelkit.checks.contract import Contract
    from wheelkit.matrix import Target
    from wheelkit.report.model import Finding
    from wheelkit.wheel import Binary, Wheel

_FIRST_ARM64 = (11, 0)
# What a slice says of its system; old linkers said nothing.
_MACOS = frozenset({"macos", None})


def minimum_system(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report slices that ask for a newer macOS than the tag promises; one finding for each architecture."""
    claimed = targets(wheel, System.MACOS)
    too_new: dict[str, list[tuple[tuple[int, int], Binary, Target]]] = {}
    for binary, part in _parts(wheel):
        target = _target_for(arch_of(part), claimed)
        asked = min_os(part)
        if target is not None and asked is not None and asked > _promised(target, arch_of(part)):
            too_new.setdefault(arch_of(part), []).append((asked, binary, target))
    for arch, slices in too_new.items():
        asked, binary, target = max(slices, key=lambda item: item[0])
        others = f" (and {counted(len(slices) - 1, 'other binary', 'other binaries')})" if len(slices) > 1 else ""
        promised = dotted(target.version)
        what = f"{binary.member} ({arch}) needs macOS {dotted(asked)}; {target} promises {promised}{others}"
        fix = f"set MACOSX_DEPLOYMENT_TARGET={promised} for the whole build, libraries included, or promise macOS {dotted(asked)}"
        yield found("WK321", what=what, fix=fix, file=wheel.filename, member=binary.member)


def signature(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report arm64 slices without a code signature: macOS kills a process that loads one.

    What is made for iOS is signed by whoever puts it into an app.
    """
    for binary, part in _parts(wheel):
        if arch_of(part) == "arm64" and part.signed is False and part.os in _MACOS:
            what = f"{binary.member} (arm64) has no code signature"
            fix = f"sign it: codesign --force --sign - {binary.name}"
            yield found("WK323", what=what, fix=fix, file=wheel.filename, member=binary.member)


def _parts(wheel: Wheel) -> Iterator[tuple[Binary, Slice]]:
    return ((binary, part) for binary, part in wheel.parts() if system_of(binary) is System.MACOS and runs(part))


def _target_for(arch: str, claimed: tuple[Target, ...]) -> Target | None:
    """Find the tag that speaks of an architecture: its own before a universal one, the oldest system first."""
    own = [target for target in claimed if target.arch == arch]
    universal = [target for target in claimed if target.arch not in {"x86_64", "arm64"}]
    return next(iter(own or universal), None)


def _promised(target: Target, arch: str) -> tuple[int, int]:
    # There is no arm64 below macOS 11: macosx_10_9_universal2 promises 11.0 to them.
    return max(target.version, _FIRST_ARM64) if arch == "arm64" else target.version


def min_os(part: Slice) -> tuple[int, int] | None:
    """Read the oldest macOS of a slice; 10.16 is what old tools call 11.0. None where it does not say."""
    if part.min_os is None or part.os not in _MACOS:
        return None
    major, _, rest = part.min_os.partition(".")
    version = int(major), int(rest.partition(".")[0] or 0)
    return _FIRST_ARM64 if version == (10, 16) else version


def macos_needed(wheel: Wheel, arch: str) -> str:
    """Give the oldest macOS on which all binaries load on an architecture; empty where none says.

    For a universal wheel it is that of the architecture that reaches furthest back.
    """
    per_arch: dict[str, tuple[int, int]] = {}
    for _, part in _parts(wheel):
        asked = min_os(part)
        if asked is not None:
            per_arch[arch_of(part)] = max(asked, per_arch.get(arch_of(part), asked))
    version = per_arch.get(arch) or min(per_arch.values(), default=None)
    return dotted(version) if version else ""
