"""Binaries against the platform tag: system, architecture, and whether a tag is needed at all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.analysis.claims import arch_of, claims, is_wasm, runs, system_of
from wheelkit.analysis.on_demand import loaded_on_demand
from wheelkit.analysis.platform_tags import impossible
from wheelkit.matrix import DESKTOP, System
from wheelkit.text import first_and_count, shorten_list
from wheelkit.verification.checks.mobile import mobile_platform
from wheelkit.verification.findings import finding
from wheelkit.verification.index_values import is_accepted_platform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wheelkit.analysis.claims import Claim
    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Binary, Wheel


_SYSTEM_NAMES = {System.LINUX: "Linux", System.MACOS: "macOS", System.WINDOWS: "Windows"}
# How the names of files and folders spell an architecture.
_ARCH_IN_PATH: Mapping[str, str] = {
    "x86_64": r"x86[_-]64|\bx64|amd64|win64|64bit",
    "i686": r"\bx86(?![_-]64)|i[3-6]86|win32|32bit",
    "arm64": r"arm64|aarch64",
    "aarch64": r"arm64|aarch64",
    "armv7l": r"\barm|armhf|armv7\w?",
}
# There is no manylinux for the first Raspberry Pi, so indexes accept the plain tag.
_NOT_GENERIC = frozenset({"any", "linux_armv6l"})
# The launchers of distlib (in pip and installer as well) and setuptools: they are copied, only on Windows.
_LAUNCHER = r"(?:[tw](?:32|64)(?:-arm)?|(?:cli|gui)(?:-(?:32|64|arm64?))?)\.exe"


def damage(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report binaries that no loader accepts, because their structure is broken."""
    for binary in wheel.binaries:
        if binary.damage is not None:
            yield finding("WK308", f"{binary.member} is damaged: {binary.damage}", member=binary.member)


def system(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report binaries for another system than the tag's."""
    claimed = claims(wheel)
    systems = {claim.system for claim in claimed}
    tags = ", ".join(claim.platform for claim in claimed)
    for binary in wheel.binaries if systems else ():
        own = system_of(binary)
        name = _SYSTEM_NAMES[own] if own else "WebAssembly" if is_wasm(binary) else ""
        if name and own not in systems and any(runs(slice_) for slice_ in binary.slices):
            code = "WK302" if binary.extension else "WK303"
            what = f"{binary.member} is for {name}, but the wheel is tagged {tags}"
            yield finding(code, what, member=binary.member)


def architecture(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report binaries that lack an architecture of the tag; each Mach-O file needs all of them."""
    claimed = claims(wheel)
    for binary in wheel.binaries:
        own = [claim for claim in claimed if claim.system is system_of(binary)]
        archs = {arch_of(slice_) for slice_ in binary.slices if runs(slice_)}
        if own and archs:
            yield from _compare_archs(binary, own, archs)


def _compare_archs(binary: Binary, own: list[Claim], archs: set[str]) -> Iterator[Finding]:
    wanted = {arch for claim in own for arch in claim.archs}
    tags = ", ".join(claim.platform for claim in own)
    held = shorten_list(sorted(archs))
    if not archs & wanted:
        what = f"{binary.member} is for {held}, but the wheel is tagged {tags}"
        yield finding("WK303" if _harmless(binary, own, archs) else "WK301", what, member=binary.member)
    elif wanted - archs and own[0].system is System.MACOS:
        missing = shorten_list(sorted(wanted - archs))
        what = f"{binary.member} has {held} but not {missing}, which {tags} promises"
        fix = "build for both architectures and join them: lipo -create, or delocate-merge on the two wheels"
        yield finding("WK322", what, fix=fix, member=binary.member)


def _harmless(binary: Binary, own: list[Claim], archs: set[str]) -> bool:
    """Return whether a binary of another architecture can be there on purpose.

    That is a program, such as a launcher; a library with its architecture in its path, which debuggers inject
    into such programs; or the redistributable's one file for x64 programs, which Windows on arm64 emulates.
    """
    emulated = {claim.archs for claim in own} == {("arm64",)}
    redistributed = emulated and binary.name.lower() == "vcruntime140_1.dll"
    if redistributed or all(slice_.kind == "executable" for slice_ in binary.slices):
        return True
    path = binary.member.lower().replace("_", "-")
    return not binary.extension and any(
        re.search(rf"(?:{_ARCH_IN_PATH.get(arch, arch)})(?![a-z0-9])", path) for arch in archs
    )


def pure(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report native code in a wheel for any platform, and a platform tag without any native code."""
    if wheel.name is None or wheel.shallow:
        return
    if not wheel.name.any_platform:
        unread = any(member.problem for member in wheel.members)
        # The binaries of platforms that are not known here, such as WebAssembly, are not known either.
        if not wheel.binaries and not unread and claims(wheel):
            yield finding("WK306", f"tagged {'.'.join(wheel.name.platforms)}, but there is no native code")
        return
    native = [binary for binary in wheel.binaries if any(runs(slice_) for slice_ in binary.slices)]
    extensions = [binary for binary in native if binary.extension]
    if extensions:
        optional = loaded_on_demand(wheel, {binary.member for binary in extensions})
        extensions = [binary for binary in extensions if binary.member not in optional]
    others = [
        binary for binary in native if binary not in extensions and not re.fullmatch(_LAUNCHER, binary.name)
    ]
    if {system_of(binary) for binary in others} >= set(DESKTOP):
        others = []  # programs for all three systems, of which the project's code starts the right one
    for code, binaries in (("WK304", extensions), ("WK305", others)):
        if binaries:
            members = sorted(binary.member for binary in binaries)
            what = f"tagged for any platform, but contains {shorten_list(members)}"
            yield finding(code, what, member=binaries[0].member)


def generic(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report platform tags that promise no oldest system, which indexes refuse, and unknown tags."""
    known = {claim.platform: claim for claim in claims(wheel)}
    for platform in map(str.lower, wheel.name.platforms if wheel.name else ()):
        claim = known.get(platform)
        if platform in _NOT_GENERIC or mobile_platform(platform) is not None or impossible(platform):
            continue
        if claim is None:
            what = f'the platform tag "{platform}" is unknown, so nothing about it was verified'
            yield finding("WK313", what)
        elif claim.target is None:
            what = f"the platform tag {platform} names no oldest system"
            code = "WK751" if is_accepted_platform(platform) else "WK307"
            yield finding(code, what, fix=f"repair it: python -m wheelkit repair {wheel.filename}")


def refused(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report binaries that break a rule of their loader; one finding for each rule."""
    members: dict[str, dict[str, None]] = {}
    for binary, slice_ in wheel.slices():
        if slice_.refusal is not None and runs(slice_):
            members.setdefault(slice_.refusal, {})[binary.member] = None
    for reason, users in members.items():
        what = f"{first_and_count(list(users))} is not loaded: {reason}"
        yield finding("WK350", what, member=next(iter(users)))
