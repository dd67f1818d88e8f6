"""Compatibility tags, and those that an installer accepts, best first (PEP 425, 703, 803; platform compatibility tags specification).

They are told for an interpreter and a system that are *described*, never for the ones that this runs on. ``packaging.tags`` tells the
same, as the tests hold it to; to load it takes longer than to prove a small wheel.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


_OLDEST_STABLE_ABI = 2  # Python 3.2 (PEP 384)
_MACOS_10, _MACOS_11 = 10, 11
_NEWEST_MACOS_10, _OLDEST_X86_64 = 16, 4  # the minor versions of macOS 10 that later ones are compatible with
# What macOS runs on each processor, the plain format first; the other ones hold several architectures.
_MACOS_FORMATS = {
    "x86_64": ("x86_64", "intel", "fat64", "fat3", "universal2", "universal"),
    "arm64": ("arm64", "universal2"),
    "intel": ("intel", "universal"),
}


class WheelTag(Struct, frozen=True):
    """One tag: its Python, ABI and platform part, in lower case."""

    interpreter: str
    abi: str
    platform: str

    def __str__(self) -> str:
        """Write it as file names do."""
        return f"{self.interpreter}-{self.abi}-{self.platform}"


def expand(pythons: Iterable[str], abis: Iterable[str], platforms: Iterable[str]) -> frozenset[WheelTag]:
    """Give every tag that the compressed sets of a file name stand for."""
    return frozenset(
        WheelTag(python.lower(), abi.lower(), platform.lower())
        for python, abi, platform in product(pythons, abis, platforms)
    )


def cpython_tags(version: tuple[int, int], abi: str, platforms: Sequence[str]) -> Iterator[WheelTag]:
    """Yield what CPython of that version accepts; ``abi`` is its own ABI tag, ``cp314t`` for a free-threaded one."""
    major, minor = version
    name = f"cp{major}{minor}"
    stable = "abi3t" if abi.endswith("t") else "abi3"
    pairs = [(name, abi), (name, stable), (name, "none")]
    pairs += [(f"cp{major}{older}", stable) for older in range(minor - 1, _OLDEST_STABLE_ABI - 1, -1)]
    yield from _of_pairs(pairs, platforms)
    yield from _of_any_python(version, name, platforms)


def pypy_tags(version: tuple[int, int], abis: Iterable[str], platforms: Sequence[str]) -> Iterator[WheelTag]:
    """Yield what PyPy of that Python version accepts; ``abis`` are its ABI tags, the best one first."""
    name = f"pp{version[0]}{version[1]}"
    yield from _of_pairs([(name, abi) for abi in (*abis, "none")], platforms)
    yield from _of_any_python(version, name, platforms)


def _of_any_python(version: tuple[int, int], name: str, platforms: Sequence[str]) -> Iterator[WheelTag]:
    """Yield the tags of wheels that need no particular interpreter, those for a platform first."""
    major, minor = version
    pythons = (
        f"py{major}{minor}",
        f"py{major}",
        *(f"py{major}{older}" for older in range(minor - 1, -1, -1)),
    )
    yield from _of_pairs([(python, "none") for python in pythons], platforms)
    yield from _of_pairs([(python, "none") for python in (name, *pythons)], ["any"])


def _of_pairs(pairs: Iterable[tuple[str, str]], platforms: Sequence[str]) -> Iterator[WheelTag]:
    return (WheelTag(*pair, platform) for pair in pairs for platform in platforms)


def macos_platforms(version: tuple[int, int], arch: str) -> Iterator[str]:
    """Yield the platform tags that a macOS accepts, best first; ``arch`` is ``x86_64`` or ``arm64``, or an old name of several."""
    formats = _MACOS_FORMATS.get(arch, (arch,))
    older = (
        formats if arch == "x86_64" else ("universal2",)
    )  # no program for arm64 alone is older than macOS 11
    if version[0] >= _MACOS_11:
        yield from (
            f"macosx_{major}_0_{one}" for major in range(version[0], _MACOS_11 - 1, -1) for one in formats
        )
        minors = range(_NEWEST_MACOS_10, _OLDEST_X86_64 - 1, -1)
        yield from (f"macosx_10_{minor}_{one}" for minor in minors for one in older)
    elif version[0] == _MACOS_10:
        last = _OLDEST_X86_64 if arch == "x86_64" else 0
        yield from (
            f"macosx_10_{minor}_{one}" for minor in range(version[1], last - 1, -1) for one in formats
        )
