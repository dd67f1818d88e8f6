"""What a wheel's tags claim about systems and architectures, and what its binaries are for."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.matrix import DESKTOP, System, Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wheelkit._core import Slice
    from wheelkit.wheel import Binary, FileName, Wheel


_FORMATS: Mapping[str, System] = {"elf": System.LINUX, "macho": System.MACOS, "pe": System.WINDOWS}
_GENERIC_LINUX = r"linux_(?P<arch>\w+)"
_MACOS = r"macosx_(?P<major>\d+)_(?P<minor>\d+)_(?P<arch>\w+)"
# The architectures that a binary needs for a tag's architecture, as the scan spells them.
_ARCHS: Mapping[str, tuple[str, ...]] = {
    "universal2": ("x86_64", "arm64"),
    "intel": ("x86_64",),
    "fat64": ("x86_64",),
    "amd64": ("x86_64",),
    "x86": ("i686",),
    # ELF has one value for all 32-bit ARM processors.
    "armv6l": ("armv7l",),
}
# Subtypes, which are compared as the plain architecture. Not so arm64e, which no process of plain arm64 loads
# (dyld, mach_o/GradedArchitectures.cpp), and arm64ec, which only processes for x86-64 on Arm load.
_BASE_ARCHS: Mapping[str, str] = {"x86_64h": "x86_64"}


class Claim(Struct, frozen=True, kw_only=True):
    """One platform tag: its system, architectures, and target (None for tags such as ``linux_x86_64``)."""

    platform: str
    system: System
    archs: tuple[str, ...]
    target: Target | None


def claims(wheel: Wheel) -> tuple[Claim, ...]:
    """Return the claims of the wheel's platform tags; ``any`` and tags of unknown systems claim nothing."""
    return claims_of(wheel.name.platforms if wheel.name else ())


def claims_of(platforms: Iterable[str]) -> tuple[Claim, ...]:
    """Return the claims of platform tags; ``any`` and tags of unknown systems claim nothing."""
    return tuple(claim for platform in platforms if (claim := _claim(platform.lower())) is not None)


@lru_cache(maxsize=256)
def _claim(platform: str) -> Claim | None:
    """Return the claim of a platform tag; checks ask for it all the time, of a few different tags."""
    target = None
    if match := re.fullmatch(_GENERIC_LINUX, platform):
        system, arch = System.LINUX, match["arch"]
    elif target := _target(platform):
        system, arch = target.system, target.arch
    else:
        return None
    return Claim(platform=platform, system=system, archs=_ARCHS.get(arch, (arch,)), target=target)


def _target(platform: str) -> Target | None:
    """Return the target of a desktop system's tag; the checks of mobile wheels read their tags themselves."""
    try:
        target = Target.parse(platform)
    except ValueError:
        match = re.fullmatch(_MACOS, platform)
    else:
        return target if target.system in DESKTOP else None
    # An architecture that is no target any more, such as "intel".
    if match is None or match["arch"] not in _ARCHS:
        return None
    version = int(match["major"]), int(match["minor"])
    return Target(tag=platform, system=System.MACOS, libc="", version=version, arch=match["arch"])


def targets(wheel: Wheel, system: System) -> tuple[Target, ...]:
    """Return the claimed targets of one system, the oldest first."""
    claimed = (claim.target for claim in claims(wheel) if claim.target and claim.system is system)
    return tuple(sorted(claimed, key=lambda target: target.version))


def python_and_abi(name: FileName) -> str:
    """Return the Python and ABI tags as the file name has them: ``cp311-abi3``."""
    return f"{'.'.join(name.pythons)}-{'.'.join(name.abis)}"


def system_of(binary: Binary) -> System | None:
    """Return the system that a binary is for, by its format; None for a damaged one."""
    return _FORMATS.get(binary.scan.format) if binary.scan else None


def is_wasm(binary: Binary) -> bool:
    """Return whether a binary is a WebAssembly module, which Pyodide runs on every system."""
    return binary.scan is not None and binary.scan.format == "wasm"


def arch_of(slice_: Slice) -> str:
    """Return the architecture of a slice, without its subtype."""
    return _BASE_ARCHS.get(slice_.arch, slice_.arch)


def running_slices(wheel: Wheel, system: System) -> Iterator[tuple[Binary, Slice]]:
    """Yield the slices for a system that are loaded or run, with their binaries."""
    for binary, slice_ in wheel.slices():
        if system_of(binary) is system and runs(slice_):
            yield binary, slice_


def runs(slice_: Slice) -> bool:
    """Return whether a processor loads or runs a slice, unlike object files, stubs and .NET assemblies.

    A .NET assembly is a file for 32-bit Windows that only imports from mscoree.dll (ECMA-335, II.25).
    """
    if slice_.kind in {"object", "other"}:
        return False
    assembly = slice_.arch == "i686" and not slice_.exports
    return not assembly or [library.name.lower() for library in slice_.needed] != ["mscoree.dll"]
