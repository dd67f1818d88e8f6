"""What the Mach-O files of a wheel need of macOS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.analysis.claims import arch_of, running_slices
from wheelkit.matrix import System
from wheelkit.text import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit._core import Slice
    from wheelkit.wheel import Binary, Wheel


FIRST_ARM64 = (11, 0)
# The first whose dyld knows LC_DYLD_CHAINED_FIXUPS (dyld-733, src/ImageLoaderMachO.cpp).
FIRST_CHAINED_FIXUPS = (10, 15)
# How a slice names macOS; old linkers named no system.
MACOS_PLATFORMS = frozenset({"macos", None})
# What tools before Xcode 12.2 call 11.0.
_COMPATIBILITY_VERSION = (10, 16)


def macos_slices(wheel: Wheel) -> Iterator[tuple[Binary, Slice]]:
    """Yield the Mach-O slices that are loaded or run."""
    return running_slices(wheel, System.MACOS)


def min_os(slice_: Slice) -> tuple[int, int] | None:
    """Return the oldest macOS that a slice supports, None if it names none."""
    if slice_.min_os is None or slice_.os not in MACOS_PLATFORMS:
        return None
    version = major_minor(slice_.min_os)
    return FIRST_ARM64 if version == _COMPATIBILITY_VERSION else version


def major_minor(version: str) -> tuple[int, int]:
    """Return the first two numbers of a system's version: ``11`` is (11, 0), ``10.9.1`` is (10, 9)."""
    major, minor, *_ = map(int, f"{version}.0".split("."))
    return major, minor


def macos_needed(wheel: Wheel, arch: str) -> str:
    """Return the oldest macOS that all binaries of an architecture support, ``11.0``; empty if unknown.

    For one that the wheel does not have, such as ``universal2``, that of its most portable architecture.
    """
    per_arch: dict[str, tuple[int, int]] = {}
    for _, slice_ in macos_slices(wheel):
        needed = min_os(slice_)
        if needed is not None:
            per_arch[arch_of(slice_)] = max(needed, per_arch.get(arch_of(slice_), needed))
    return dotted(per_arch.get(arch) or min(per_arch.values(), default=()))
