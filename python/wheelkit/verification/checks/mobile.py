"""Wheels for iOS and Android: binaries of the tag's system and processor; and what is not judged on these and WebAssembly."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.analysis.claims import arch_of, runs
from wheelkit.text import dotted, shorten_list
from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wheelkit._core import Slice
    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Binary, Wheel


# The tags of iOS and Android (platform compatibility tags specification, from PEP 730 and PEP 738) and of Pyodide (PEP 783).
_IOS = re.compile(
    r"ios_(?P<major>\d+)_(?P<minor>\d+)_(?P<arch>arm64|x86_64)_(?P<sdk>iphoneos|iphonesimulator)"
)
_ANDROID = re.compile(r"android_\d+_(?P<abi>arm64_v8a|armeabi_v7a|x86_64|x86)")
_WASM = re.compile(r"(?:pyodide|pyemscripten|emscripten|wasi)_\w+_wasm32")

_BEGINNINGS = ("ios_", "android_", "pyodide_", "pyemscripten_", "emscripten_", "wasi_")

_SDKS: Mapping[str, str] = {"iphoneos": "ios", "iphonesimulator": "iossimulator"}
_ABIS: Mapping[str, str] = {
    "arm64_v8a": "aarch64",
    "armeabi_v7a": "armv7l",
    "x86_64": "x86_64",
    "x86": "i686",
}


class Device(Struct, frozen=True, kw_only=True):
    """What one such platform tag promises of every binary; ``os`` and ``version`` are those of iOS. Without ``format`` it is not read."""

    platform: str
    words: str
    format: str = ""
    arch: str = ""
    os: str = ""
    version: tuple[int, int] = (0, 0)


def device(platform: str) -> Device | None:
    """Read a platform tag of iOS, Android or WebAssembly; None for every other one."""
    if not platform.startswith(_BEGINNINGS):
        return None
    if match := _IOS.fullmatch(platform):
        version, os = (int(match["major"]), int(match["minor"])), _SDKS[match["sdk"]]
        return Device(
            platform=platform, words="iOS", format="macho", arch=match["arch"], os=os, version=version
        )
    if match := _ANDROID.fullmatch(platform):
        return Device(platform=platform, words="Android", format="elf", arch=_ABIS[match["abi"]])
    return Device(platform=platform, words="WebAssembly") if _WASM.fullmatch(platform) else None


def devices(wheel: Wheel) -> tuple[Device, ...]:
    """Read those of the wheel's platform tags that are for such systems."""
    platforms = wheel.name.platforms if wheel.name else ()
    return tuple(one for platform in platforms if (one := device(platform)) is not None)


def binaries(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report binaries that are for another system, processor or newer iOS than every tag of the wheel."""
    claimed = devices(wheel)
    if not claimed or not all(one.format for one in claimed):
        return
    tags = shorten_list([one.platform for one in claimed])
    for binary in wheel.binaries:
        parts = [part for part in binary.slices if runs(part)]
        troubles = [_trouble(binary, parts, one) for one in claimed] if parts else [("", "")]
        code, words = min(troubles, key=lambda item: item[0])
        if code:
            yield finding(
                code,
                what=f"{binary.member} {words}; the wheel is tagged {tags}",
                file=wheel.filename,
                member=binary.member,
            )


def _trouble(binary: Binary, parts: list[Slice], one: Device) -> tuple[str, str]:
    """Give the code and the words of what keeps a binary from loading on a device; empty where nothing does."""
    here = binary.scan is not None and binary.scan.format == one.format
    if not here or (one.os and all(part.os != one.os for part in parts)):
        return "WK302" if binary.extension else "WK303", f"is not for {one.words}"
    fitting = [part for part in parts if arch_of(part) == one.arch]
    if not fitting:
        return "WK301", f"is for {shorten_list(sorted({arch_of(part) for part in parts}))}"
    asked = max((_numbers(part.min_os) for part in fitting if part.min_os and one.os), default=(0, 0))
    if asked > one.version and one.os:
        return "WK321", f"needs iOS {dotted(asked)}"
    return "", ""


def _numbers(version: str) -> tuple[int, int]:
    major, _, rest = version.partition(".")
    return int(major), int(rest.partition(".")[0] or 0)


def unproven(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Note that only a part is judged of wheels for these systems."""
    for one in devices(wheel):
        proven = "system and processor of its binaries are proven, the libraries that they need are not"
        what = (
            f"{one.platform} is a tag of {one.words}: {proven if one.format else 'its binaries are not read'}"
        )
        yield finding("WK317", what=what, file=wheel.filename)
