"""What wheels need of a machine, in the few words of the matrix: ``glibc 2.17``, ``macOS 11.0``, ``python3.dll``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.analysis.claims import targets
from wheelkit.analysis.linux import glibc_needed
from wheelkit.analysis.macos import macos_needed
from wheelkit.analysis.windows import python_needed
from wheelkit.matrix import System
from wheelkit.text import dotted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit.matrix import Target
    from wheelkit.wheel import Wheel


_DIGITS = re.compile(r"\d+")


def needs(wheels: Iterable[Wheel], target: Target) -> str:
    """Say what the most demanding of the wheels needs on a target; empty where that cannot be told.

    The glibc version is the highest that a symbol is asked of; musl has no symbol versions, so the tag's own is said.
    """
    words = {text for wheel in wheels for text in _of_wheel(wheel, target)}
    if target.system is System.WINDOWS and len(words - {"python3.dll", "python3t.dll"}) > 1:
        return "python3xx.dll"
    return max(words, key=_version, default="")


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(digits) for digits in _DIGITS.findall(text))


def _of_wheel(wheel: Wheel, target: Target) -> Iterator[str]:
    if target.system is System.MACOS:
        version = macos_needed(wheel, target.arch)
        if version:
            yield f"macOS {version}"
    elif target.system is System.WINDOWS:
        yield from python_needed(wheel)
    elif version := glibc_needed(wheel):
        yield f"glibc {version}"
    elif target.libc == "musllinux" and wheel.binaries:
        musl = [own.version for own in targets(wheel, System.LINUX) if own.libc == target.libc]
        yield from (f"musl {dotted(version)}" for version in musl[:1])
