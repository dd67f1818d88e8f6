"""Compatibility tags, and those that an installer accepts, best first (PEP 425, 703, 730, 738, 803).

They are computed for a described interpreter and system, never for the running ones. The tests hold them
equal to ``packaging.tags``, whose import takes 20 ms, a third of the time that a small wheel takes.
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
_OLDEST_IOS, _OLDEST_ANDROID = 12, 16  # as packaging has them, below which CPython does not run
# What macOS runs on each processor: the plain format first, then those that hold several architectures.
_MACOS_FORMATS = {
    "x86_64": ("x86_64", "intel", "fat64", "fat3", "universal2", "universal"),
    "arm64": ("arm64", "universal2"),
    "intel": ("intel", "universal"),
}


class WheelTag(Struct, frozen=True):
    """One tag: its Python, ABI and platform parts, in lower case."""

    interpreter: str
    abi: str
    platform: str

    def __str__(self) -> str:
        """Format the tag as file names do."""
        return f"{self.interpreter}-{self.abi}-{self.platform}"


def expand(pythons: Iterable[str], abis: Iterable[str], platforms: Iterable[str]) -> frozenset[WheelTag]:
    """Return every tag in the compressed tag sets of a file name."""
    return frozenset(
        WheelTag(python.lower(), abi.lower(), platform.lower())
        for python, abi, platform in product(pythons, abis, platforms)
    )


def cpython_tags(version: tuple[int, int], abi: str, platforms: Sequence[str]) -> Iterator[WheelTag]:
    """Yield the tags that CPython of a version accepts; ``abi`` is its own ABI tag, such as ``cp314t``."""
    major, minor = version
    name = f"cp{major}{minor}"
    stable = "abi3t" if abi.endswith("t") else "abi3"
    pairs = [(name, abi), (name, stable), (name, "none")]
    pairs += [(f"cp{major}{older}", stable) for older in range(minor - 1, _OLDEST_STABLE_ABI - 1, -1)]
    yield from _tags(pairs, platforms)
    yield from _any_python_tags(version, name, platforms)


def generic_tags(
    name: str, version: tuple[int, int], abis: Iterable[str], platforms: Sequence[str]
) -> Iterator[WheelTag]:
    """Yield the tags that another implementation, such as ``pp311``, accepts.

    ``version`` is that of its Python, and ``abis`` are its ABI tags, best first.
    """
    yield from _tags([(name, abi) for abi in (*abis, "none")], platforms)
    yield from _any_python_tags(version, name, platforms)


def _any_python_tags(version: tuple[int, int], name: str, platforms: Sequence[str]) -> Iterator[WheelTag]:
    """Yield the tags of wheels for any interpreter, those for a platform first."""
    major, minor = version
    pythons = (f"py{major}{minor}", f"py{major}", *(f"py{major}{older}" for older in reversed(range(minor))))
    yield from _tags([(python, "none") for python in pythons], platforms)
    yield from _tags([(python, "none") for python in (name, *pythons)], ["any"])


def _tags(pairs: Iterable[tuple[str, str]], platforms: Sequence[str]) -> Iterator[WheelTag]:
    return (WheelTag(*pair, platform) for pair in pairs for platform in platforms)


def macos_platforms(version: tuple[int, int], arch: str) -> Iterator[str]:
    """Yield the platform tags that a macOS accepts, best first; ``arch`` may be ``intel``, for both kinds."""
    formats = _MACOS_FORMATS.get(arch, (arch,))
    # Nothing for arm64 alone is older than macOS 11.
    older = formats if arch == "x86_64" else ("universal2",)
    if version[0] >= _MACOS_11:
        majors = range(version[0], _MACOS_11 - 1, -1)
        yield from (f"macosx_{major}_0_{name}" for major in majors for name in formats)
        minors = range(_NEWEST_MACOS_10, _OLDEST_X86_64 - 1, -1)
        yield from (f"macosx_10_{minor}_{name}" for minor in minors for name in older)
    elif version[0] == _MACOS_10:
        minors = range(version[1], (_OLDEST_X86_64 if arch == "x86_64" else 0) - 1, -1)
        yield from (f"macosx_10_{minor}_{name}" for minor in minors for name in formats)


def ios_platforms(version: tuple[int, int], multiarch: str) -> Iterator[str]:
    """Yield the platform tags that an iOS accepts, best first; ``multiarch`` is as ``arm64_iphoneos``."""
    if version[0] < _OLDEST_IOS:
        return
    yield from (f"ios_{version[0]}_{minor}_{multiarch}" for minor in range(version[1], -1, -1))
    majors, minors = range(version[0] - 1, _OLDEST_IOS - 1, -1), range(9, -1, -1)
    yield from (f"ios_{major}_{minor}_{multiarch}" for major in majors for minor in minors)


def android_platforms(level: int, abi: str) -> Iterator[str]:
    """Yield the platform tags that an Android of an API level accepts, best first."""
    return (f"android_{older}_{abi}" for older in range(level, _OLDEST_ANDROID - 1, -1))
