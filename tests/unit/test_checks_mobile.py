from pathlib import Path

import pytest

from support import wheels
from support.rows import rows
from support.wheels import elf, macho, needs, pe
from wheelkit.verification.checks import mobile, names, platform_tag
from wheelkit.verification.contract import Contract
from wheelkit.wheel import Binary, Wheel

PHONE = "demo-1.0-cp313-cp313-ios_13_0_arm64_iphoneos.whl"
SIMULATOR = PHONE.replace("iphoneos", "iphonesimulator")
ANDROID = "demo-1.0-cp313-cp313-android_24_arm64_v8a.whl"
PYODIDE = "demo-1.0-cp313-cp313-pyemscripten_2025_0_wasm32.whl"


def codes(wheel: Wheel) -> list[str]:
    checks = (mobile.binaries, mobile.libraries, mobile.unverified, platform_tag.pure, platform_tag.generic)
    return [finding.code for check in checks for finding in check(wheel, Contract())]


def phone(arch: str = "arm64", **facts: object) -> Binary:
    return macho(
        "demo/_core.cpython-313-iphoneos.so",
        arch,
        **({"os": "ios", "min_os": "13.0", "signed": False} | facts),
    )


@rows(
    ("filename", "made", "expected"),
    [
        (PHONE, phone(), []),
        (PHONE, phone(min_os="12.4"), []),
        (PHONE, phone(min_os="14.0"), ["WK321"]),
        (PHONE, phone("x86_64"), ["WK301"]),
        (PHONE, phone(os="iossimulator"), ["WK302"]),
        (PHONE, phone(os="macos"), ["WK302"]),
        (PHONE, phone(os="macos", kind="executable", exports=()), ["WK303"]),
        (PHONE, elf(), ["WK302"]),
        (PHONE, phone(needed=needs("/usr/lib/libz.1.dylib", "@rpath/Python.framework/Python")), []),
        (PHONE, phone(needed=needs("/opt/homebrew/lib/libjpeg.8.dylib")), ["WK501"]),
        (PHONE, phone(needed=needs("@rpath/libjpeg.8.dylib")), ["WK501"]),
        (PHONE, phone(needed=needs("@rpath/libjpeg.8.dylib", how="weak")), []),
        (PHONE, phone(name="@rpath/own.dylib", needed=needs("@rpath/own.dylib")), []),
        (SIMULATOR, phone(os="iossimulator", needed=needs("/opt/lib/libjpeg.8.dylib")), ["WK501"]),
        (SIMULATOR, phone(os="iossimulator"), []),
        (SIMULATOR, phone(), ["WK302"]),
        (ANDROID, elf(arch="aarch64"), []),
        (ANDROID, elf(arch="x86_64"), ["WK301"]),
        (ANDROID.replace("arm64_v8a", "x86_64"), elf(arch="x86_64"), []),
        (ANDROID.replace("arm64_v8a", "armeabi_v7a"), elf(arch="armv7l"), []),
        (ANDROID, pe(), ["WK302"]),
        (PYODIDE, elf(), []),
    ],
)
def test_binaries_of_devices(tmp_path: Path, filename: str, made: Binary, expected: list[str]) -> None:
    assert codes(wheels.facts(tmp_path, filename, made)) == [*expected, "WK317"]


def test_webassembly_is_not_taken_for_a_wheel_without_code(tmp_path: Path) -> None:
    assert codes(wheels.facts(tmp_path, PYODIDE)) == ["WK317"]


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("ios_13_0_arm64_watchos", ["WK230"]),
        ("android_24_mips", ["WK230"]),
        ("pyemscripten_2025_0_wasm64", ["WK313"]),
        ("ios_x_0_arm64_iphoneos", ["WK230"]),
    ],
)
def test_tags_that_are_none_of_these_are_not_known(
    tmp_path: Path, platform: str, expected: list[str]
) -> None:
    assert mobile.mobile_platform(platform) is None
    wheel = wheels.facts(tmp_path, f"demo-1.0-cp313-cp313-{platform}.whl", elf())
    found = [finding.code for finding in names.platforms(wheel, Contract())]
    assert [*codes(wheel), *found] == expected
