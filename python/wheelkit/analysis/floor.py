"""What wheels need of a machine, as the matrix shows it: ``glibc 2.17``, ``macOS 11.0``, ``python3.dll``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.analysis.claims import targets
from wheelkit.analysis.libraries import python_needed
from wheelkit.analysis.linux import glibc_needed
from wheelkit.analysis.macos import macos_needed
from wheelkit.matrix import System
from wheelkit.text import dotted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit.matrix import Target
    from wheelkit.wheel import Wheel


_DIGITS = re.compile(r"\d+")
_STABLE_DLLS = frozenset({"python3.dll", "python3t.dll"})


def needs(wheels: Iterable[Wheel], target: Target) -> str:
    """Return what the most demanding wheel needs on a target (for musl its tag's version); else nothing."""
    needed = {need for wheel in wheels for need in _of_wheel(wheel, target)}
    if target.system is System.WINDOWS and len(needed - _STABLE_DLLS) > 1:
        return "python3xx.dll"
    return max(needed, key=lambda need: tuple(map(int, _DIGITS.findall(need))), default="")


def _of_wheel(wheel: Wheel, target: Target) -> Iterator[str]:
    if target.system is System.WINDOWS:
        yield from python_needed(wheel)
    elif target.system is System.MACOS:
        version = macos_needed(wheel, target.arch)
        if version:
            yield f"macOS {version}"
    elif version := glibc_needed(wheel):
        yield f"glibc {version}"
    elif target.libc == "musllinux" and wheel.binaries:
        musl = [own.version for own in targets(wheel, System.LINUX) if own.libc == target.libc]
        yield from (f"musl {dotted(version)}" for version in musl[:1])
