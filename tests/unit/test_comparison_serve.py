"""Which platforms a tag serves: systems of targets, and others by their own name."""

from __future__ import annotations

from support.rows import rows
from wheelkit.verification.comparison.serve import platforms_of, system_version

# A tag, and the platform, oldest version and rank of each system of its own name.
OTHERS: list[tuple[str, tuple[tuple[str, tuple[int, ...], int], ...]]] = [
    ("ios_13_0_arm64_iphoneos", (("ios_arm64_iphoneos", (13, 0), -1300),)),
    ("ios_17_2_arm64_iphonesimulator", (("ios_arm64_iphonesimulator", (17, 2), -1702),)),
    ("android_21_arm64_v8a", (("android_arm64_v8a", (21,), -2121),)),
    ("pyodide_2025_0_wasm32", (("pyemscripten_2025_0_wasm32", (), 0),)),
    ("pyemscripten_2025_0_wasm32", (("pyemscripten_2025_0_wasm32", (), 0),)),
    ("freebsd_14_amd64", (("freebsd_14_amd64", (), 0),)),
    ("my_pyodide_x", (("my_pyodide_x", (), 0),)),
]


@rows(("tag", "expected"), OTHERS)
def test_systems_that_are_no_targets(
    tag: str, expected: tuple[tuple[str, tuple[int, ...], int], ...]
) -> None:
    assert platforms_of(tag) == expected


def test_a_newer_tag_of_such_a_system_is_preferred() -> None:
    for older, newer in (("ios_13_9", "ios_14_0"), ("ios_13_0", "ios_13_1"), ("android_9", "android_21")):
        (_, _, before), (_, _, after) = platforms_of(f"{older}_x86_64")[0], platforms_of(f"{newer}_x86_64")[0]
        assert after < before


# A tag, and each platform with the oldest version on it.
SERVED = [
    ("manylinux_2_17_x86_64", {"manylinux_x86_64": (2, 17)}),
    ("manylinux2014_aarch64", {"manylinux_aarch64": (2, 17)}),
    ("musllinux_1_2_s390x", {"musllinux_s390x": (1, 2)}),
    ("macosx_10_9_x86_64", {"macosx_x86_64": (10, 9)}),
    ("macosx_10_9_universal2", {"macosx_x86_64": (10, 9), "macosx_arm64": (11, 0)}),
    ("macosx_12_0_universal2", {"macosx_x86_64": (12, 0), "macosx_arm64": (12, 0)}),
    ("macosx_10_6_intel", {"macosx_x86_64": (10, 6)}),
    ("win32", {"win32": ()}),
    ("win_arm64", {"win_arm64": ()}),
]


@rows(("tag", "oldest"), SERVED)
def test_systems_of_targets(tag: str, oldest: dict[str, tuple[int, ...]]) -> None:
    assert {
        platform: version
        for platform, version, _ in platforms_of(tag)
        if platform != tag or tag.startswith("win")
    } == oldest


@rows(("platform", "version", "text"), [
    ("manylinux_x86_64", (2, 28), "glibc 2.28"), ("musllinux_x86_64", (1, 2), "musl 1.2"),
    ("macosx_arm64", (11, 0), "macOS 11.0"), ("ios_arm64_iphoneos", (13, 0), "iOS 13.0"),
    ("android_x86_64", (21,), "API 21"), ("win_amd64", (), ""), ("manylinux_x86_64", (), ""),
    ("win32", (1,), ""),
])  # fmt: skip
def test_versions_of_systems_as_people_name_them(platform: str, version: tuple[int, ...], text: str) -> None:
    assert system_version(platform, version) == text
