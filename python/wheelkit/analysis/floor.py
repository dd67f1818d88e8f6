"""What wheels need of a machine, as the matrix shows it: ``manylinux_2_17``, ``macOS 11.0``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.analysis.claims import targets
from wheelkit.analysis.elf import processor_level
from wheelkit.analysis.libraries import python_needed
from wheelkit.analysis.linux import floor_and_limits, libcs, linux_slices, newest_of_each
from wheelkit.analysis.macos import macos_needed
from wheelkit.matrix import System

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from wheelkit.matrix import Target
    from wheelkit.wheel import Wheel


_DIGITS = re.compile(r"\d+")
_STABLE_DLLS = frozenset({"python3.dll", "python3t.dll"})
_GLIBC = "GLIBC_"
UNSATISFIED = "linux"
"""What auditwheel calls a wheel that no policy allows."""
_MUSL = "musllinux"


class Needs(Struct, frozen=True, kw_only=True):
    """The oldest system that a wheel runs on, and what older ones lack, as ELF files spell it."""

    floor: str = ""
    limits: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return both: ``manylinux_2_27: glibc 2.27, GLIBCXX_3.4.26``."""
        return f"{self.floor}: {', '.join(map(_readable, self.limits))}" if self.limits else self.floor


def linux_needs(wheel: Wheel, provided: frozenset[str] = frozenset()) -> Mapping[str, Needs]:
    """Return what a wheel needs of Linux, as auditwheel names it, by C library: ``linux`` without a policy.

    Only a wheel that is linked with no C library has two. ``provided`` are the libraries that come with other
    distributions. musl has no symbol versions, so a wheel counts as built for the version in its tag.
    """
    if not any(linux_slices(wheel)):
        return {}
    return {libc: _needs_with(wheel, provided, libc) for libc in libcs(wheel)}


def _needs_with(wheel: Wheel, provided: frozenset[str], libc: str) -> Needs:
    found = floor_and_limits(wheel, provided, libc)
    floor = found.name
    claimed = [own.version for own in targets(wheel, System.LINUX) if own.libc == _MUSL]
    if floor.startswith(_MUSL) and claimed:
        floor = max(floor, "_".join(map(str, (_MUSL, *claimed[0]))), key=_numbers)
    # No policy promises a newer processor than the baseline.
    level = max((processor_level(*pair) for pair in linux_slices(wheel)), default="")
    if level:
        return Needs(floor=UNSATISFIED, limits=(level, *found.limits))
    return Needs(floor=floor, limits=found.limits)


def _readable(limit: str) -> str:
    """Spell a glibc version as people do; the versions of other libraries have no such form."""
    number = limit.removeprefix(_GLIBC)
    return f"glibc {number}" if number != limit and number[0].isdigit() else limit


def most_demanding(needs: Iterable[Needs]) -> Needs:
    """Combine what several wheels need: the newest floor, with the limits of all wheels that have it."""
    needs = tuple(needs)
    floor = max((need.floor for need in needs), key=_demand, default="")
    limits = [limit for need in needs if need.floor == floor for limit in need.limits]
    return Needs(floor=floor, limits=tuple(newest_of_each(limits)))


def linux_row_needs(needs: Iterable[Mapping[str, Needs]], libc: str = "") -> Needs:
    """Combine what several wheels need, of a C library if they were built for it."""
    return most_demanding(by_libc.get(libc) or next(iter(by_libc.values())) for by_libc in needs if by_libc)


def _demand(floor: str) -> tuple[bool, tuple[int, ...]]:
    return floor == UNSATISFIED, _numbers(floor)


def _numbers(floor: str) -> tuple[int, ...]:
    return tuple(map(int, _DIGITS.findall(floor)))


def needs(wheels: Iterable[Wheel], target: Target, linux: Mapping[Path, Mapping[str, Needs]]) -> Needs:
    """Return what the most demanding wheel needs on a target; ``linux`` is their ``linux_needs``, by path."""
    if target.system is System.LINUX:
        return linux_row_needs((linux.get(wheel.path, {}) for wheel in wheels), target.libc)
    needed = {need for wheel in wheels for need in _of_wheel(wheel, target)}
    if target.system is System.WINDOWS and len(needed - _STABLE_DLLS) > 1:
        return Needs(floor="python3xx.dll")
    return Needs(floor=max(needed, key=_numbers, default=""))


def _of_wheel(wheel: Wheel, target: Target) -> Iterator[str]:
    if target.system is System.WINDOWS:
        yield from python_needed(wheel)
    elif target.system is System.MACOS and (version := macos_needed(wheel, target.arch)):
        yield f"macOS {version}"
