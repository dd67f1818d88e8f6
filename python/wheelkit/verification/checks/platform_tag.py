"""Binaries against the platform tag: the right system and architecture, and whether a tag is called for at all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.analysis.claims import arch_of, claims, file_names, runs, system_of
from wheelkit.matrix import System
from wheelkit.text import shorten_list
from wheelkit.verification.checks.mobile import device
from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wheelkit.analysis.claims import Claim
    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Binary, Wheel


_SYSTEM_NAMES = {System.LINUX: "Linux", System.MACOS: "macOS", System.WINDOWS: "Windows"}


def damage(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report binaries whose structure is broken: no loader would take them."""
    for binary in wheel.binaries:
        if binary.damage is not None:
            yield finding(
                "WK308",
                what=f"{binary.member} is damaged: {binary.damage}",
                file=wheel.filename,
                member=binary.member,
            )


def system(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report binaries made for another system than the tag's."""
    systems = {claim.system for claim in claims(wheel)}
    if not systems:
        return
    for binary in wheel.binaries:
        own = system_of(binary)
        if own is None or own in systems or not any(runs(part) for part in binary.slices):
            continue
        code = "WK302" if binary.extension else "WK303"
        what = f"{binary.member} is for {_SYSTEM_NAMES[own]}; the wheel is tagged {', '.join(claim.platform for claim in claims(wheel))}"
        yield finding(code, what=what, file=wheel.filename, member=binary.member)


def architecture(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report binaries that lack the tag's architecture; each Mach-O file has to hold all of them."""
    claimed = claims(wheel)
    for binary in wheel.binaries:
        own = [claim for claim in claimed if claim.system is system_of(binary)]
        archs = {arch_of(part) for part in binary.slices if runs(part)}
        if own and archs:
            yield from _judged(wheel, binary, own, archs)


def _judged(wheel: Wheel, binary: Binary, own: list[Claim], archs: set[str]) -> Iterator[Finding]:
    wanted = {arch for claim in own for arch in claim.archs}
    tags = ", ".join(claim.platform for claim in own)
    missing = sorted(wanted - archs)
    if archs & wanted and (not missing or own[0].system is not System.MACOS):
        return
    if archs & wanted:
        what = f"{binary.member} holds {shorten_list(sorted(archs))} but not {shorten_list(missing)}, which {tags} promises"
        fix = "build for both architectures and join them: lipo -create, or delocate-merge on the two wheels"
        yield finding("WK322", what=what, fix=fix, file=wheel.filename, member=binary.member)
        return
    # A program that is only shipped along, such as a launcher, harms nobody by being there; nor does a library that is named for its
    # processor, of which the project's code loads the right one (debuggers, that inject themselves into programs of either width).
    along = (
        all(part.kind == "executable" for part in binary.slices)
        or _named_for(binary, archs)
        or _emulated(binary, own)
    )
    what = f"{binary.member} is for {shorten_list(sorted(archs))}; the wheel is tagged {tags}"
    yield finding("WK303" if along else "WK301", what=what, file=wheel.filename, member=binary.member)


# How the names of files and folders spell an architecture.
_SPELT: Mapping[str, str] = {
    "x86_64": r"x86[_-]64|\bx64|amd64|win64|64bit",
    "i686": r"\bx86(?![_-]64)|i[3-6]86|win32|32bit",
    "arm64": r"arm64|aarch64",
    "aarch64": r"arm64|aarch64",
    "armv7l": r"\barm|armhf|armv7\w?",
}


def _emulated(binary: Binary, own: list[Claim]) -> bool:
    """Tell whether this is the one file of Visual C++'s redistributable for arm64 that is for programs for x64, which Windows emulates."""
    return binary.name.lower() == "vcruntime140_1.dll" and {claim.archs for claim in own} == {("arm64",)}


def _named_for(binary: Binary, archs: set[str]) -> bool:
    """Tell whether a library that nobody imports says in its path which architecture it is for."""
    if binary.extension:
        return False
    path = binary.member.lower().replace("_", "-")
    return any(re.search(rf"(?:{_SPELT.get(arch, arch)})(?![a-z0-9])", path) for arch in archs)


def pure(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report a tag for every platform on a wheel with native code, and a platform's tag on one without any."""
    if wheel.name is None or wheel.shallow:
        return
    native = [binary for binary in wheel.binaries if any(runs(part) for part in binary.slices)]
    if not wheel.name.any_platform:
        unread = any(member.problem for member in wheel.members)
        # Of platforms that are not known here, such as WebAssembly, the binaries are not known either.
        if not wheel.binaries and not unread and claims(wheel):
            what = f"it is tagged {'.'.join(wheel.name.platforms)}, yet holds no native code"
            yield finding("WK306", what=what, file=wheel.filename)
        return
    extensions = [binary for binary in native if binary.extension]
    others = [binary for binary in native if not binary.extension]
    for code, group in (("WK304", extensions), ("WK305", others)):
        # Programs for all three systems, of which the project's code starts the right one, are there on purpose.
        everywhere = group is others and {system_of(binary) for binary in group} >= set(System)
        if group and not everywhere:
            what = f"it is tagged for any platform, yet holds {shorten_list(file_names(group))}"
            yield finding(code, what=what, file=wheel.filename, member=group[0].member)


# There is no manylinux for the first Raspberry Pis, so indexes take the plain tag.
_NEVER_GENERIC = frozenset({"any", "linux_armv6l"})


def generic(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report platform tags that promise no oldest system, which no index takes, and tags that are not known."""
    known = {claim.platform: claim for claim in claims(wheel)}
    for platform in map(str.lower, wheel.name.platforms if wheel.name else ()):
        claim = known.get(platform)
        if (
            platform in _NEVER_GENERIC
            or (claim is not None and claim.target is not None)
            or device(platform) is not None
        ):
            continue
        if claim is None:
            what = f'the platform tag "{platform}" is not known here, so nothing about it was proven'
            yield finding("WK313", what=what, file=wheel.filename)
        else:
            what = f"it is tagged {platform}, which says nothing of the oldest system that it runs on"
            fix = f"repair it: python -m wheelkit repair {wheel.filename}"
            yield finding("WK307", what=what, fix=fix, file=wheel.filename)
