"""TODO."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.analysis.claims import arch_of, runs, system_of
from wheelkit.matrix import System
from wheelkit.text import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit._core import Slice
    from wheelkit.wheel import Binary, Wheel


FIRST_ARM64 = (11, 0)
# What a slice says of its system; old linkers said nothing.
MACOS_PLATFORMS = frozenset({"macos", None})


def macos_slices(wheel: Wheel) -> Iterator[tuple[Binary, Slice]]:
    """Yield the Mach-O slices whose architecture the wheel's tag names."""
    return (
        (binary, part) for binary, part in wheel.slices() if system_of(binary) is System.MACOS and runs(part)
    )


def min_os(part: Slice) -> tuple[int, int] | None:
    """Read the oldest macOS of a slice; 10.16 is what old tools call 11.0. None where it does not say."""
    if part.min_os is None or part.os not in MACOS_PLATFORMS:
        return None
    major, _, rest = part.min_os.partition(".")
    version = int(major), int(rest.partition(".")[0] or 0)
    return FIRST_ARM64 if version == (10, 16) else version


def macos_needed(wheel: Wheel, arch: str) -> str:
    """Give the oldest macOS on which all binaries load on an architecture; empty where none says.

    For a universal wheel it is that of the architecture that reaches furthest back.
    """
    per_arch: dict[str, tuple[int, int]] = {}
    for _, part in macos_slices(wheel):
        asked = min_os(part)
        if asked is not None:
            per_arch[arch_of(part)] = max(asked, per_arch.get(arch_of(part), asked))
    version = per_arch.get(arch) or min(per_arch.values(), default=None)
    return dotted(version) if version else ""
