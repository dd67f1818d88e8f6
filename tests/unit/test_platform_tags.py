"""Platform tags that no installer makes, against what packaging makes for each system."""

from __future__ import annotations

from itertools import chain, product

import pytest
from packaging import _manylinux, _musllinux, tags

from wheelkit.analysis.platform_tags import impossible

ARCHS = ("x86_64", "i686", "aarch64", "armv7l", "ppc64le", "s390x", "riscv64", "loongarch64")
MACOS_ARCHS = ("x86_64", "arm64", "i386", "ppc", "ppc64")
MISSPELLED = ("amd64", "arm64", "x64", "armhf", "ppc64el", "universal2")


@pytest.fixture(autouse=True)
def _newest_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let packaging believe that it runs on the newest glibc and musl."""
    monkeypatch.setattr(_manylinux, "_get_glibc_version", lambda: (2, 50))
    monkeypatch.setattr(_manylinux, "_have_compatible_abi", lambda *_: True)
    monkeypatch.setattr(_musllinux, "_get_musl_version", lambda _: _musllinux._MuslVersion(1, 5))


def made() -> set[str]:
    """Return every tag that packaging makes on any of these systems, up to macOS 30."""
    linux = [
        platform
        for arch in ARCHS
        for walk in (_manylinux.platform_tags, _musllinux.platform_tags)
        for platform in walk([arch])
    ]
    macos = [
        platform
        for version, arch in [
            *product([(10, 16)], ("x86_64", "i386")),
            *product(((major, 0) for major in range(11, 31)), ("x86_64", "arm64")),
        ]
        for platform in tags.mac_platforms(version, arch)
    ]
    ios = chain(
        tags.ios_platforms((26, 2), "arm64_iphoneos"), tags.ios_platforms((26, 2), "arm64_iphonesimulator")
    )
    android = tags.android_platforms(36, "arm64-v8a")
    plain = [f"linux_{arch}" for arch in ARCHS]
    return {*linux, *macos, *ios, *android, *plain, "win32", "win_amd64", "win_arm64", "any"}


def test_every_tag_that_packaging_makes_is_possible() -> None:
    doubted = {platform for platform in made() if impossible(platform) is not None}
    assert not doubted


def test_every_tag_that_packaging_does_not_make_is_impossible() -> None:
    """Tries all versions with all architectures, known and misspelled, as each system writes its tags."""
    archs = sorted({*ARCHS, *MACOS_ARCHS, *MISSPELLED, "intel", "fat", "fat3", "fat64", "universal"})
    heads = [f"manylinux_2_{minor}" for minor in range(51)]
    heads += ["manylinux1", "manylinux2010", "manylinux2014", "linux"]
    heads += [f"macosx_10_{minor}" for minor in range(19)]
    heads += [f"macosx_{major}_{minor}" for major in range(11, 31) for minor in range(8)]
    tried = {f"{head}_{arch}" for head in heads for arch in archs}
    # Left alone: glibc on PowerPC, plain Linux tags of any processor, and the processors of Apple's past.
    known = {f"{head}_{arch}" for head in heads if "linux" in head for arch in ("ppc64", "ppc")}
    known |= {f"macosx_10_{minor}_{arch}" for minor in range(17) for arch in ("ppc", "ppc64", "i386", "fat")}
    known |= {f"linux_{arch}" for arch in archs}
    wrong = {platform for platform in tried - made() - known if impossible(platform) is None}
    assert not wrong


@pytest.mark.parametrize(
    ("platform", "instead"),
    [
        ("macosx_13_6_x86_64", "macosx_13_0_x86_64"),
        ("macosx_10_15_arm64", "macosx_11_0_arm64"),
        ("macosx_11_0_aarch64", "macosx_11_0_arm64"),
        ("macosx_10_17_universal2", "macosx_11_0_universal2"),
        ("manylinux_2_28_amd64", "manylinux_2_28_x86_64"),
        ("manylinux2014_arm64", "manylinux2014_aarch64"),
        ("manylinux1_aarch64", "manylinux_2_17_aarch64"),
        ("manylinux_2_4_x86_64", "manylinux_2_5_x86_64"),
        ("musllinux_1_2_amd64", "musllinux_1_2_x86_64"),
        ("linux_amd64", "linux_x86_64"),
        ("win_x86_64", "win_amd64"),
        ("win64", "win_amd64"),
        ("win_x64", "win_amd64"),
        ("win_x86", "win32"),
        ("win_aarch64", "win_arm64"),
        ("windows_arm64", "win_arm64"),
        ("musllinux_x86_64", ""),
        ("manylinux_x86_64", ""),
        ("macosx_arm64", ""),
        ("macos_11_0_arm64", ""),
        ("darwin_arm64", ""),
        ("ios_13_0_arm64", ""),
        ("ios_11_0_arm64_iphoneos", ""),
        ("android_21_aarch64", ""),
        ("android_15_arm64_v8a", ""),
        ("linux", ""),
    ],
)
def test_the_tag_that_was_meant(platform: str, instead: str) -> None:
    problem = impossible(platform)
    assert problem is not None
    assert problem.instead == instead


@pytest.mark.parametrize(
    "platform",
    [
        "linux_armv6l", "musllinux_1_2_armv6l", "manylinux_2_17_ppc64", "pyodide_2024_0_wasm32",
        "emscripten_3_1_58_wasm32", "freebsd_14_0_release_amd64", "ios_13_0_x86_64_iphonesimulator",
        "android_24_x86_64", "macosx_10_6_intel", "macosx_10_3_fat", "win_arm32", "openbsd_7_5_amd64",
    ],
)  # fmt: skip
def test_other_tags_are_left_alone(platform: str) -> None:
    assert impossible(platform) is None
