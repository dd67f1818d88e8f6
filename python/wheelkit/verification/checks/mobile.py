"""Wheels for iOS and Android: the system and architecture of their binaries, and what is not verified."""

from __future__ import annotations

import re
from posixpath import basename
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.analysis.claims import arch_of, runs
from wheelkit.analysis.elf import mappable_page
from wheelkit.analysis.libraries import of_macos
from wheelkit.analysis.linux import linux_slices
from wheelkit.analysis.macos import macos_slices, major_minor
from wheelkit.text import dotted, first_and_count, shorten_list
from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit._core import Slice
    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Binary, Wheel


# The tags of iOS and Android (platform compatibility tags specification, from PEP 730 and PEP 738) and of
# Pyodide (PEP 783).
_IOS = r"ios_(?P<major>\d+)_(?P<minor>\d+)_(?P<arch>arm64|x86_64)_(?P<sdk>iphoneos|iphonesimulator)"
_ANDROID = r"android_\d+_(?P<abi>arm64_v8a|armeabi_v7a|x86_64|x86)"
_WASM = r"(?:pyodide|pyemscripten|emscripten|wasi)_\w+_wasm32"
_PREFIXES = ("ios_", "android_", "pyodide_", "pyemscripten_", "emscripten_", "wasi_")
_SDKS = {"iphoneos": "ios", "iphonesimulator": "iossimulator"}
_ABIS = {"arm64_v8a": "aarch64", "armeabi_v7a": "armv7l", "x86_64": "x86_64", "x86": "i686"}


class MobilePlatform(Struct, frozen=True, kw_only=True):
    """What a tag promises of each binary: WebAssembly nothing; only iOS has ``os`` and ``version``."""

    platform: str
    system: str
    format: str = ""
    arch: str = ""
    os: str = ""
    version: tuple[int, int] = (0, 0)


def mobile_platform(platform: str) -> MobilePlatform | None:
    """Read a platform tag of iOS, Android or WebAssembly; None for any other."""
    if not platform.startswith(_PREFIXES):
        return None
    if match := re.fullmatch(_IOS, platform):
        return MobilePlatform(
            platform=platform,
            system="iOS",
            format="macho",
            arch=match["arch"],
            os=_SDKS[match["sdk"]],
            version=(int(match["major"]), int(match["minor"])),
        )
    if match := re.fullmatch(_ANDROID, platform):
        return MobilePlatform(platform=platform, system="Android", format="elf", arch=_ABIS[match["abi"]])
    return MobilePlatform(platform=platform, system="WebAssembly") if re.fullmatch(_WASM, platform) else None


def _mobile_platforms(wheel: Wheel) -> list[MobilePlatform]:
    tags = wheel.name.platforms if wheel.name else ()
    return [platform for tag in tags if (platform := mobile_platform(tag)) is not None]


def binaries(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report binaries for another system, architecture or newer iOS than all tags of the wheel."""
    claimed = _mobile_platforms(wheel)
    if not claimed or not all(platform.format for platform in claimed):
        return
    tags = shorten_list(platform.platform for platform in claimed)
    for binary in wheel.binaries:
        slices = [slice_ for slice_ in binary.slices if runs(slice_)]
        if slices:
            code, problem = min(_problem(binary, slices, platform) for platform in claimed)
            if code:
                what = f"{binary.member} {problem}, but the wheel is tagged {tags}"
                yield finding(code, what, member=binary.member)


def _problem(binary: Binary, slices: list[Slice], platform: MobilePlatform) -> tuple[str, str]:
    """Return the code and text of what keeps a binary from loading on a platform; empty if nothing does."""
    same_format = binary.scan is not None and binary.scan.format == platform.format
    if not same_format or (platform.os and all(slice_.os != platform.os for slice_ in slices)):
        return "WK302" if binary.extension else "WK303", f"is not for {platform.system}"
    fitting = [slice_ for slice_ in slices if arch_of(slice_) == platform.arch]
    if not fitting:
        return "WK301", f"is for {shorten_list(sorted({arch_of(slice_) for slice_ in slices}))}"
    needed = max((major_minor(slice_.min_os) for slice_ in fitting if slice_.min_os), default=(0, 0))
    if platform.os and needed > platform.version:
        return "WK321", f"needs iOS {dotted(needed)}"
    return "", ""


_WIDE = 64
# Since November 2025, Google Play refuses apps for Android 15 whose 64-bit libraries need smaller pages.
_ANDROID_PAGE = 1 << 14


def page_size(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report 64-bit libraries for Android that cannot be mapped in pages of 16 KiB."""
    if not any(platform.system == "Android" for platform in _mobile_platforms(wheel)):
        return
    small = {
        binary.member: mappable_page(slice_)
        for binary, slice_ in linux_slices(wheel)
        if slice_.bits == _WIDE and 0 < mappable_page(slice_) < _ANDROID_PAGE
    }
    if small:
        pages = f"{min(small.values()) >> 10} KiB, less than a memory page of 16 KiB"
        what = f"the load segments of {first_and_count(list(small))} are aligned to {pages}"
        yield finding("WK342", what, member=next(iter(small)))


_IOS_FIX = "link it statically: nothing grafts libraries into wheels for iOS"
# CPython's own framework, which the app holds (PEP 730).
_PYTHON_FRAMEWORK = r"@rpath/Python\.framework/(?:Versions/[^/]+/)?Python"


def libraries(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report libraries that binaries for iOS need and that neither iOS, nor Python, nor the wheel has."""
    if not any(platform.system == "iOS" for platform in _mobile_platforms(wheel)):
        return
    users: dict[str, dict[str, None]] = {}
    for binary, slice_ in macos_slices(wheel):
        for library in slice_.needed:
            name = library.name
            known = of_macos(name) or re.fullmatch(_PYTHON_FRAMEWORK, name) or library.how in {"weak", "lazy"}
            inside = not name.startswith("/") and basename(name) in wheel.held
            if slice_.os in _SDKS.values() and not known and not inside:
                users.setdefault(name, {})[binary.member] = None
    for name, members in sorted(users.items()):
        where = "a path on the build machine" if name.startswith("/") else "neither in the wheel nor on iOS"
        what = f"{first_and_count(list(members))} needs {name}, {where}"
        yield finding("WK501", what, fix=_IOS_FIX, member=next(iter(members)))


def unverified(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Note which part of a wheel for these systems is not verified."""
    for platform in _mobile_platforms(wheel):
        part = (
            "where its libraries are found is not verified"
            if platform.format
            else "only names and exports are verified"
        )
        yield finding("WK317", f"{platform.platform} is for {platform.system}: {part}")
