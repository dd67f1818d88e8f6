"""Comparisons of odd releases, and of what packaging says of them."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.tags import Tag, android_platforms, compatible_tags, cpython_tags, ios_platforms, mac_platforms

from support.comparisons import compared, wheel
from wheelkit.matrix import Interpreter, Target
from wheelkit.verification.checks.losses import losses
from wheelkit.verification.comparison.model import Change
from wheelkit.verification.comparison.serve import services
from wheelkit.verification.model import Report
from wheelkit.verification.report.markdown import to_markdown
from wheelkit.verification.report.text import Screen, render

OLD_MAC = (10, 9)


ODD_PYTHONS = [
    *(
        "cp39",
        "cp311",
        "cp399",
        "cp3",
        "cp27",
        "cp4",
        "cp31234",
        "py3",
        "py2",
        "py312",
        "pp39",
        "PP311",
        "CP310",
    ),
    *("graalpy312", "gp312", "ip27", "jy27", "x"),
]


ODD_ABIS = [
    "none",
    "abi3",
    "abi3t",
    "cp39",
    "cp313t",
    "cp37m",
    "pypy39_pp73",
    "graalpy250_312_native",
    "ABI3",
    "x",
]


ODD_PLATFORMS = [
    *(
        "any",
        "ANY",
        "linux_x86_64",
        "linux_x",
        "manylinux1_x86_64",
        "manylinux_2_17_x",
        "manylinux_0_0_x86_64",
    ),
    *(
        "manylinux_2_12_aarch64",
        "manylinux_3_0_x86_64",
        "musllinux_2_0_x86_64",
        "macosx_11_3_arm64",
        "macosx_x",
    ),
    *(
        "macosx_10_9_fat3",
        "macosx_10_9_ppc",
        "macosx_200_0_arm64",
        "win_amd64",
        "WIN32",
        "win_ia64",
        "freebsd_14",
    ),
    *(
        "ios_13_0_arm64_iphoneos",
        "ios_13_x",
        "android_21_x86_64",
        "android_9_9_x",
        "pyodide_2024_0_wasm32",
        "x",
    ),
    f"ios_{'9' * 60}_0_arm64_iphoneos",
]


TAG_SETS = [
    st.lists(st.sampled_from(options), min_size=1, max_size=3, unique=True).map(".".join)
    for options in (ODD_PYTHONS, ODD_ABIS, ODD_PLATFORMS)
]


ODD_RELEASE = st.lists(st.tuples(*TAG_SETS).map("-".join), max_size=4)


@given(before=ODD_RELEASE, after=ODD_RELEASE, sdist=st.booleans())
def test_any_names_can_be_compared(before: list[str], after: list[str], sdist: bool) -> None:  # noqa: FBT001
    comparison = compared(before, after, sdist=sdist)
    report = Report(
        rows=(),
        findings=tuple(losses(comparison)),
        wheels=0,
        sdists=0,
        seconds=0.0,
        comparisons=(comparison,),
    )
    assert all(len(row.cells) == len(comparison.rows[0].cells) for row in comparison.rows)
    for width in (None, 60):
        assert render(report, Screen(width=width))
    assert to_markdown(report)
    # Nothing is lost or new against itself.
    same = compared(before, before).cells()
    assert {cell.change for _, cell in same} <= {Change.KEPT, Change.NONE}


SYSTEMS = [
    *(
        ("macosx_x86_64", version, tuple(mac_platforms(version, "x86_64")))
        for version in (OLD_MAC, (10, 15), (14, 0))
    ),
    *(("macosx_arm64", version, tuple(mac_platforms(version, "arm64"))) for version in ((11, 0), (15, 0))),
    *(
        ("ios_arm64_iphoneos", version, tuple(ios_platforms(version, "arm64_iphoneos")))
        for version in ((13, 0), (17, 2))
    ),
    *(("android_arm64_v8a", (level,), tuple(android_platforms(level, "arm64_v8a"))) for level in (21, 24)),
    *(
        ("manylinux_x86_64", version, Target.parse(f"manylinux_{version[0]}_{version[1]}_x86_64").platforms())
        for version in ((2, 12), (2, 28))
    ),
]


PLATFORM_TAGS = [
    *(f"macosx_{version}" for version in ("10_9_x86_64", "10_9_universal2", "10_6_intel", "10_13_x86_64")),
    *(f"macosx_{version}" for version in ("11_0_arm64", "12_0_universal2", "11_3_arm64", "14_0_arm64")),
    *(f"ios_{version}_arm64_iphoneos" for version in ("13_0", "15_4")),
    *(f"android_{level}_arm64_v8a" for level in (21, 24)),
    *(f"manylinux{version}_x86_64" for version in ("1", "2014", "_2_24")),
    *("linux_x86_64", "any", "win32"),
]


PYTHON_TAGS = [
    *("cp311-cp311", "cp38-abi3", "cp312-abi3", "py3-none", "cp311-none"),
    *("cp37-cp37m", "cp37-cp37", "cp313-cp313t"),
]


NOT_ON_OLD_MACS = {"cp313"}


@pytest.mark.parametrize("seed", range(20))
def test_packaging_agrees_on_who_gets_a_wheel(seed: int) -> None:
    """An interpreter gets a wheel exactly where packaging's tags admit one of the release."""
    chosen = random.Random(seed)  # noqa: S311 - wheels, not secrets
    names = {
        "-".join([chosen.choice(PYTHON_TAGS), ".".join(sorted(set(chosen.choices(PLATFORM_TAGS, k=2))))])
        for _ in range(4)
    }
    facts = [wheel(name) for name in sorted(names)]
    tags = {Tag(one.interpreter, one.abi, one.platform) for fact in facts for one in fact.name.tags}
    for tag in ("cp37", "cp310", "cp311", "cp313"):
        interpreter = Interpreter.parse(tag)
        served = services(facts, [interpreter])
        for platform, version, platforms in SYSTEMS:
            if tag in NOT_ON_OLD_MACS and version == OLD_MAC:
                continue
            abis = [f"{tag}m" if tag == "cp37" else tag]
            accepted = {
                *cpython_tags(interpreter.version, abis, platforms),
                *compatible_tags(interpreter.version, tag, platforms),
            }
            service = served.get(platform, served.get("any", {})).get(tag)
            gets = service is not None and (service.pure or service.fallback or service.oldest <= version)
            assert gets == bool(tags & accepted), (names, tag, platform, version)
