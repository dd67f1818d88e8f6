"""Platform tags that no installer makes, so that a wheel that has only such tags can never be installed.

The rules are those of packaging (tags.py, _manylinux.py, _musllinux.py), which pip uses, and of uv's
platform-tags crate. A tag is doubted only where both agree; systems that are not known here are left alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.matrix import LEGACY_MANYLINUX, oldest_glibc

if TYPE_CHECKING:
    from collections.abc import Mapping


class ImpossibleTag(Struct, frozen=True, kw_only=True):
    """Why no installer makes a platform tag, and the tag that was probably meant; empty if none is near."""

    why: str
    instead: str = ""


_MANYLINUX = r"(?:(?P<legacy>manylinux(?:1|2010|2014))|manylinux_(?P<version>2_\d+))_(?P<arch>\w+)"
_MUSLLINUX = r"musllinux_1_\d+_(?P<arch>\w+)"
_LINUX = r"linux_(?P<arch>\w+)"
_MACOS = r"macosx_(?P<major>\d+)_(?P<minor>\d+)_(?P<arch>\w+)"
_IOS = r"ios_(?P<major>\d+)_\d+_(?:arm64_iphoneos|(?:arm64|x86_64)_iphonesimulator)"
_ANDROID = r"android_(?P<api>\d+)_(?:arm64_v8a|armeabi_v7a|x86_64|x86|riscv64)"
# What manylinux is defined for (packaging, _ALLOWED_ARCHS; uv adds the 32-bit ones that have no policy).
_MANYLINUX_ARCHS = frozenset({
    "x86_64", "i686", "aarch64", "armv7l", "armv8l", "armv6l", "armv5tel", "ppc64", "ppc64le", "ppc", "s390x",
    "riscv64", "loongarch64",
})  # fmt: skip
# What uname says otherwise than other systems do.
_LINUX_NAMES: Mapping[str, str] = {
    "amd64": "x86_64", "x64": "x86_64", "x86": "i686", "win_amd64": "x86_64", "arm64": "aarch64",
    "armhf": "armv7l", "armv7": "armv7l", "armv7hl": "armv7l", "arm": "armv7l", "arm_v7": "armv7l",
    "ppc64el": "ppc64le", "powerpc64le": "ppc64le", "loong64": "loongarch64", "universal2": "",
}  # fmt: skip
_MACOS_NAMES: Mapping[str, str] = {"aarch64": "arm64", "amd64": "x86_64", "x64": "x86_64", "i686": "i386"}
_MACOS_FORMATS = frozenset({"x86_64", "arm64", "universal2", "intel", "fat64", "fat3", "universal"})
# Formats with code for PowerPC or 32-bit Intel alone ended before macOS 11.
_OLD_MACOS_FORMATS = frozenset({"fat", "i386", "ppc", "ppc64"})
_FIRST_MACOS, _NEWEST_MACOS_10, _MACOS_11 = (10, 4), 16, 11
_WINDOWS = frozenset({"win32", "win_amd64", "win_arm64", "win_arm32", "win_ia64"})
_WINDOWS_NAMES: Mapping[str, str] = {
    "arm64": "win_arm64",
    "aarch64": "win_arm64",
    "86": "win32",
    "32": "win32",
}
_OLDEST_IOS, _OLDEST_ANDROID = 12, 16


def impossible(platform: str) -> ImpossibleTag | None:
    """Return why no installer makes a platform tag; None if one does, or if the system is not known here."""
    for prefix, check in _CHECKS.items():
        if platform.startswith(prefix):
            return check(platform)
    return None


def _manylinux(platform: str) -> ImpossibleTag | None:
    match = re.fullmatch(_MANYLINUX, platform)
    if match is None:
        return ImpossibleTag(why="it is not written manylinux_2_GLIBC_ARCHITECTURE")
    head, arch = platform.removesuffix(f"_{match['arch']}"), match["arch"]
    if arch not in _MANYLINUX_ARCHS:
        return _architecture(head, arch, _LINUX_NAMES, "Linux")
    legacy = match["legacy"]
    major, minor = LEGACY_MANYLINUX[legacy] if legacy else map(int, match["version"].split("_"))
    oldest = oldest_glibc(arch)
    if (major, minor) < oldest:
        why = f"for {arch}, installers begin at glibc {oldest[0]}.{oldest[1]}"
        return ImpossibleTag(why=why, instead=f"manylinux_{oldest[0]}_{oldest[1]}_{arch}")
    return None


def _musllinux(platform: str) -> ImpossibleTag | None:
    match = re.fullmatch(_MUSLLINUX, platform)
    if match is None:
        return ImpossibleTag(why="it is not written musllinux_1_MUSL_ARCHITECTURE")
    head, arch = platform.removesuffix(f"_{match['arch']}"), match["arch"]
    return _architecture(head, arch, _LINUX_NAMES, "Linux") if arch in _LINUX_NAMES else None


def _linux(platform: str) -> ImpossibleTag | None:
    match = re.fullmatch(_LINUX, platform)
    if match is None:
        return ImpossibleTag(why="it names no architecture")
    arch = match["arch"]
    return _architecture("linux", arch, _LINUX_NAMES, "Linux") if arch in _LINUX_NAMES else None


def _architecture(head: str, arch: str, names: Mapping[str, str], system: str) -> ImpossibleTag:
    known = names.get(arch, "")
    why = f"{system} calls this architecture {known}" if known else f"{system} has no architecture {arch}"
    return ImpossibleTag(why=why, instead=f"{head}_{known}" if known else "")


def _macos(platform: str) -> ImpossibleTag | None:  # noqa: PLR0911 (a reason each)
    match = re.fullmatch(_MACOS, platform)
    if match is None:
        return ImpossibleTag(why="it is not written macosx_MAJOR_MINOR_ARCHITECTURE")
    version, arch = (int(match["major"]), int(match["minor"])), match["arch"]
    head = platform.removesuffix(f"_{arch}")
    if arch not in _MACOS_FORMATS | _OLD_MACOS_FORMATS:
        return _architecture(head, arch, _MACOS_NAMES, "macOS")
    if version[0] >= _MACOS_11:
        return _macos_11(version, arch)
    if arch == "arm64":
        return ImpossibleTag(why="macOS for arm64 begins at 11.0", instead="macosx_11_0_arm64")
    if version < _FIRST_MACOS and arch not in _OLD_MACOS_FORMATS:
        return ImpossibleTag(why=f"for {arch}, installers begin at macOS 10.4")
    if version[1] > _NEWEST_MACOS_10:
        return ImpossibleTag(why=f"there is no macOS 10.{version[1]}", instead=f"macosx_11_0_{arch}")
    return None


def _macos_11(version: tuple[int, int], arch: str) -> ImpossibleTag | None:
    if arch in _OLD_MACOS_FORMATS:
        return ImpossibleTag(why=f"macOS {version[0]} runs nothing for {arch} alone")
    if version[1]:
        why = "from macOS 11 on, installers make only tags with the minor version 0"
        return ImpossibleTag(why=why, instead=f"macosx_{version[0]}_0_{arch}")
    return None


def _windows(platform: str) -> ImpossibleTag | None:
    if platform in _WINDOWS:
        return None
    arch = re.split(r"[_x]", platform)[-1]
    near = next((tag for end, tag in _WINDOWS_NAMES.items() if platform.endswith(end)), "")
    instead = near if arch != "64" and "x86_64" not in platform and near else "win_amd64"
    return ImpossibleTag(why="Windows has the tags win32, win_amd64 and win_arm64", instead=instead)


def _ios(platform: str) -> ImpossibleTag | None:
    match = re.fullmatch(_IOS, platform)
    if match is None:
        return ImpossibleTag(why="it is not written ios_MAJOR_MINOR_ARCHITECTURE_SDK")
    if int(match["major"]) < _OLDEST_IOS:
        return ImpossibleTag(why="installers begin at iOS 12.0")
    return None


def _android(platform: str) -> ImpossibleTag | None:
    match = re.fullmatch(_ANDROID, platform)
    if match is None:
        why = "it is not written android_API_ABI, with the ABI arm64_v8a, armeabi_v7a, x86_64 or x86"
        return ImpossibleTag(why=why)
    if int(match["api"]) < _OLDEST_ANDROID:
        return ImpossibleTag(why="installers begin at API level 16")
    return None


def _no_macos(_: str) -> ImpossibleTag:
    return ImpossibleTag(why="tags for macOS are written macosx_MAJOR_MINOR_ARCHITECTURE")


# The first prefix that fits decides.
_CHECKS = {
    "manylinux": _manylinux,
    "musllinux": _musllinux,
    "linux": _linux,
    "macosx": _macos,
    "macos": _no_macos,
    "osx": _no_macos,
    "darwin": _no_macos,
    "win": _windows,
    "ios": _ios,
    "android": _android,
}
