"""What the platform tags of a wheel's name claim, tag by tag."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.matrix import System, Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheelkit._core import Slice
    from wheelkit.wheel import Binary, Wheel


_FORMATS: Mapping[str, System] = {"elf": System.LINUX, "macho": System.MACOS, "pe": System.WINDOWS}
_GENERIC_LINUX = re.compile(r"linux_(?P<arch>\w+)")
_MACOS = re.compile(r"macosx_(?P<major>\d+)_(?P<minor>\d+)_(?P<arch>\w+)")

# The architectures that a binary has to hold for a tag's architecture, as the scan spells them.
_ARCHS: Mapping[str, tuple[str, ...]] = {
    "universal2": ("x86_64", "arm64"),
    "intel": ("x86_64",),
    "fat64": ("x86_64",),
    "amd64": ("x86_64",),
    "x86": ("i686",),
    # ELF says "ARM" for every 32-bit one.
    "armv6l": ("armv7l",),
}
# Subtypes run wherever the plain architecture does not suffice to tell them apart.
_BASE: Mapping[str, str] = {"arm64e": "arm64", "x86_64h": "x86_64", "arm64ec": "arm64"}


class Claim(Struct, frozen=True, kw_only=True):
    """One platform tag: its system, the architectures that it promises, and the target where the tag names one.

    ``target`` is None for tags that promise no oldest system: ``linux_x86_64``.
    """

    platform: str
    system: System
    archs: tuple[str, ...]
    target: Target | None


def claims(wheel: Wheel) -> tuple[Claim, ...]:
    """Read the wheel's platform tags; ``any`` and tags of systems that are not known here claim nothing."""
    platforms = wheel.name.platforms if wheel.name else ()
    return tuple([claim for platform in platforms if (claim := _claim(platform.lower())) is not None])


def _claim(platform: str) -> Claim | None:
    if platform.startswith("linux_") and (match := _GENERIC_LINUX.fullmatch(platform)):
        return Claim(
            platform=platform,
            system=System.LINUX,
            archs=_ARCHS.get(match["arch"], (match["arch"],)),
            target=None,
        )
    target = _target(platform)
    if target is None:
        return None
    return Claim(
        platform=platform, system=target.system, archs=_ARCHS.get(target.arch, (target.arch,)), target=target
    )


def _target(platform: str) -> Target | None:
    try:
        return Target.parse(platform)
    except ValueError:
        return _old_macos(platform)


def _old_macos(platform: str) -> Target | None:
    match = _MACOS.fullmatch(platform)
    if match is None or match["arch"] not in _ARCHS:
        return None
    version = int(match["major"]), int(match["minor"])
    return Target(tag=platform, system=System.MACOS, libc="", version=version, arch=match["arch"])


def targets(wheel: Wheel, system: System) -> tuple[Target, ...]:
    """List the claimed targets of one system, the oldest system first."""
    found = [claim.target for claim in claims(wheel) if claim.target is not None and claim.system is system]
    return tuple(sorted(found, key=lambda target: target.version))


def system_of(binary: Binary) -> System | None:
    """Name the system that a binary is for, by its format; None for a damaged one."""
    return _FORMATS.get(binary.scan.format) if binary.scan else None


def arch_of(part: Slice) -> str:
    """Name the architecture of a slice, without its subtype."""
    return _BASE.get(part.arch, part.arch)


def runs(part: Slice) -> bool:
    """Tell whether the slice is something that a processor loads or runs; object files and stubs are only data to a user.

    So is a .NET assembly: its code is for .NET on any system and processor, though it lies in a file for 32-bit Windows (ECMA-335,
    II.25). Such a file imports the runtime's entry from mscoree.dll and nothing else.
    """
    return part.kind not in {"object", "other"} and not _assembly(part)


def _assembly(part: Slice) -> bool:
    return (
        part.arch == "i686"
        and not part.exports
        and [library.name.lower() for library in part.needed] == ["mscoree.dll"]
    )


def file_names(binaries: Iterable[Binary]) -> list[str]:
    """List the paths of binaries inside their wheel, sorted."""
    return sorted({binary.member for binary in binaries})
