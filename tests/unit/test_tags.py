from __future__ import annotations

import pytest
from packaging import tags as theirs

from support.rows import rows
from wheelkit import tags
from wheelkit.matrix import NEWEST_CPYTHON_MINOR, Interpreter

MINORS = range(2, NEWEST_CPYTHON_MINOR + 4)
PLATFORMS = ("manylinux_2_17_x86_64", "linux_x86_64")


def written(found: object) -> list[str]:
    return list(map(str, found))  # type: ignore[call-overload]  # tags of either kind


@rows("minor", MINORS)
@rows("ending", ["", "t"])
def test_cpython_accepts_what_packaging_says(minor: int, ending: str) -> None:
    version, abi = (3, minor), f"cp3{minor}{ending}"
    wanted = [
        *theirs.cpython_tags(version, [abi], PLATFORMS),
        *theirs.compatible_tags(version, f"cp3{minor}", PLATFORMS),
    ]
    assert written(tags.cpython_tags(version, abi, PLATFORMS)) == written(wanted)


@rows("minor", MINORS)
def test_pypy_accepts_what_packaging_says(minor: int) -> None:
    version, name = (3, minor), f"pp3{minor}"
    abis = [f"pypy3{minor}_pp80", f"pypy3{minor}_pp73"]
    wanted = [*theirs.generic_tags(name, abis, PLATFORMS), *theirs.compatible_tags(version, name, PLATFORMS)]
    assert written(tags.generic_tags(name, version, abis, PLATFORMS)) == written(wanted)


@rows("minor", range(10, 20))
def test_graalpy_accepts_what_packaging_says(minor: int) -> None:
    version, name, abi = (3, minor), f"graalpy3{minor}", f"graalpy250_3{minor}_native"
    wanted = [*theirs.generic_tags(name, [abi], PLATFORMS), *theirs.compatible_tags(version, name, PLATFORMS)]
    assert written(tags.generic_tags(name, version, [abi], PLATFORMS)) == written(wanted)
    assert written(Interpreter.parse(f"gp3{minor}_250").tags(PLATFORMS)) == written(wanted)


@rows("version", [(11, 4), (12, 0), (13, 0), (15, 8), (26, 1)])
@rows("arch", ["arm64_iphoneos", "x86_64_iphonesimulator"])
def test_ios_accepts_what_packaging_says(version: tuple[int, int], arch: str) -> None:
    assert list(tags.ios_platforms(version, arch)) == list(theirs.ios_platforms(version, arch))


@rows("level", [15, 16, 21, 24, 36])
def test_android_accepts_what_packaging_says(level: int) -> None:
    ours = list(tags.android_platforms(level, "arm64_v8a"))
    assert ours == list(theirs.android_platforms(level, "arm64-v8a"))


@rows("arch", ["x86_64", "arm64", "intel", "fat"])
@rows(
    "version",
    [(9, 1), *((10, minor) for minor in range(18)), *((major, 0) for major in range(11, 30)), (12, 6)],
)
def test_macos_accepts_what_packaging_says(version: tuple[int, int], arch: str) -> None:
    assert list(tags.macos_platforms(version, arch)) == list(theirs.mac_platforms(version, arch))


@pytest.mark.parametrize(
    "text",
    [
        "py3-none-any",
        "py2.py3-none-any",
        "cp36-abi3-manylinux1_x86_64.manylinux_2_5_x86_64",
        "CP311-abi3-Win32",
    ],
)
def test_compressed_sets_are_expanded_as_by_packaging(text: str) -> None:
    assert set(written(tags.expand(*(part.split(".") for part in text.split("-"))))) == set(
        written(theirs.parse_tag(text))
    )


def test_an_interpreter_gives_its_own_tags_first() -> None:
    assert str(next(Interpreter.parse("cp314t").tags(["win_amd64"]))) == "cp314-cp314t-win_amd64"
    assert str(next(Interpreter.parse("pp311").tags(["win_amd64"]))) == "pp311-pypy311_pp80-win_amd64"
