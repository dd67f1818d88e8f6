"""Targets: the oldest systems that users may have, as platform tags, and what installers accept there.

Tags and their order follow the platform compatibility tags specification (PEP 425, 600, 656, 730, 738, 783).
They are computed for the machine that a target describes, never for the machine that this runs on.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.tags import android_platforms, ios_platforms, macos_platforms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class System(StrEnum):
    """The systems that wheels are built for, in cibuildwheel's words."""

    LINUX = "linux"
    MACOS = "macos"
    WINDOWS = "windows"
    PYODIDE = "pyodide"
    ANDROID = "android"
    IOS = "ios"


DESKTOP = (System.LINUX, System.MACOS, System.WINDOWS)
"""The systems whose binaries the analysis computes floors for."""

# The names from before PEP 600 (PEP 513, 571, 599) and the glibc that each stands for.
LEGACY_MANYLINUX: Mapping[str, tuple[int, int]] = {
    "manylinux1": (2, 5),
    "manylinux2010": (2, 12),
    "manylinux2014": (2, 17),
}
_OLDEST_GLIBC: Mapping[str, tuple[int, int]] = {"x86_64": (2, 5), "i686": (2, 5)}
_OLDEST_GLIBC_ELSEWHERE = (2, 17)

LINUX_ARCHS = ("x86_64", "i686", "aarch64", "armv7l", "ppc64le", "s390x", "riscv64", "loongarch64")
# The architectures of each kind of tag, as tags spell them.
ARCHS: Mapping[str, tuple[str, ...]] = {
    "manylinux": LINUX_ARCHS,
    "musllinux": LINUX_ARCHS,
    "macosx": ("x86_64", "arm64", "universal2"),
    "android": ("arm64_v8a", "x86_64"),
    "ios": ("arm64_iphoneos", "arm64_iphonesimulator", "x86_64_iphonesimulator"),
    "pyemscripten": ("wasm32",),
}
WINDOWS_ARCHS: Mapping[str, str] = {"win32": "x86", "win_amd64": "amd64", "win_arm64": "arm64"}
_SYSTEMS: Mapping[str, System] = {
    "manylinux": System.LINUX,
    "musllinux": System.LINUX,
    "macosx": System.MACOS,
    "android": System.ANDROID,
    "ios": System.IOS,
    "pyemscripten": System.PYODIDE,
}
_TAG = re.compile(
    r"(?:(?P<legacy>manylinux(?:1|2010|2014))"
    r"|(?P<kind>manylinux|musllinux|macosx|ios|pyemscripten)_(?P<major>\d{1,4})_(?P<minor>\d{1,3})"
    r"|(?P<android>android)_(?P<api>\d{1,3}))_(?P<arch>\w+)"
)

COMMON_TARGETS = (
    "manylinux_2_28_x86_64",
    "manylinux_2_28_aarch64",
    "macosx_10_13_x86_64",
    "macosx_11_0_arm64",
    "win_amd64",
)


class Target(Struct, frozen=True, kw_only=True):
    """The oldest system that a user may have, as one platform tag.

    ``libc`` is ``manylinux`` or ``musllinux`` on Linux, else empty; ``version`` is that of glibc, musl,
    macOS, iOS, Android's API or Pyodide's ABI, and ``(0, 0)`` on Windows; ``arch`` is spelled as in the tag,
    on Windows as cibuildwheel spells it.
    """

    tag: str
    system: System
    libc: str
    version: tuple[int, int]
    arch: str

    @staticmethod
    def parse(tag: str) -> Target:
        """Parse a platform tag such as ``manylinux_2_28_x86_64``; raises ValueError with the reason."""
        if tag in WINDOWS_ARCHS:
            return Target(tag=tag, system=System.WINDOWS, libc="", version=(0, 0), arch=WINDOWS_ARCHS[tag])
        match = _TAG.fullmatch(tag)
        if match is None:
            raise ValueError(f'unknown target "{tag}"')
        if legacy := match["legacy"]:
            major, minor = LEGACY_MANYLINUX[legacy]
            return Target.parse(f"manylinux_{major}_{minor}_{match['arch']}")
        kind = match["kind"] or match["android"]
        if match["arch"] not in ARCHS[kind]:
            raise ValueError(f'unknown architecture "{match["arch"]}"; known here: {", ".join(ARCHS[kind])}')
        libc = kind if kind in {"manylinux", "musllinux"} else ""
        version = int(match["api"] or match["major"]), int(match["minor"] or 0)
        return Target(tag=tag, system=_SYSTEMS[kind], libc=libc, version=version, arch=match["arch"])

    def __str__(self) -> str:
        """Return the platform tag."""
        return self.tag

    @property
    def build_suffix(self) -> str:
        """The end of cibuildwheel's build identifier, such as ``manylinux_x86_64``."""
        if self.system is System.WINDOWS:
            return self.tag
        prefix = self.libc or ("macosx" if self.system is System.MACOS else self.system.value)
        return f"{prefix}_{self.arch}"

    def platforms(self) -> tuple[str, ...]:
        """Return the platform tags that an installer accepts on this target, best first."""
        return _platforms(self)

    def admits(self, platform: str) -> bool:
        """Return whether a wheel with this platform tag installs on the target."""
        return platform in _platforms(self)


@cache
def _platforms(target: Target) -> tuple[str, ...]:
    match target.system:
        case System.WINDOWS:
            return (target.tag,)
        case System.MACOS:
            return tuple(_macos_platforms(target))
        case System.IOS:
            return tuple(ios_platforms(target.version, target.arch))
        case System.ANDROID:
            return tuple(android_platforms(target.version[0], target.arch))
        case System.PYODIDE:  # the second is the name from before PEP 783, which Pyodide still accepts
            return (target.tag, target.tag.replace("pyemscripten", "pyodide", 1))
    walk = _glibc_platforms if target.libc == "manylinux" else _musl_platforms
    return (f"linux_{target.arch}", *walk(target.version, target.arch))


def _macos_platforms(target: Target) -> Iterator[str]:
    # Only a file for both architectures fulfils a universal2 promise, so only universal2 tags count.
    if target.arch == "universal2":
        return (tag for tag in macos_platforms(target.version, "x86_64") if tag.endswith("_universal2"))
    return macos_platforms(target.version, target.arch)


def oldest_glibc(arch: str) -> tuple[int, int]:
    """Return the oldest glibc for which installers make tags of an architecture."""
    return _OLDEST_GLIBC.get(arch, _OLDEST_GLIBC_ELSEWHERE)


def _glibc_platforms(version: tuple[int, int], arch: str) -> Iterator[str]:
    legacy = {number: name for name, number in LEGACY_MANYLINUX.items()}
    oldest = oldest_glibc(arch)
    major = version[0]
    for minor in range(version[1], oldest[1] - 1, -1):
        yield f"manylinux_{major}_{minor}_{arch}"
        if (name := legacy.get((major, minor))) is not None:
            yield f"{name}_{arch}"


def _musl_platforms(version: tuple[int, int], arch: str) -> Iterator[str]:
    for minor in range(version[1], -1, -1):
        yield f"musllinux_{version[0]}_{minor}_{arch}"
