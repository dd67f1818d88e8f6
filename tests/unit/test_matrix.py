from __future__ import annotations

import sys
from types import SimpleNamespace

import packaging._musllinux
import pytest

from support.rows import rows
from wheelkit.matrix import (
    Candidate,
    Interpreter,
    System,
    Target,
    default_interpreters,
    installer,
    pick,
)
from wheelkit.tags import WheelTag, expand


def candidate(tags: str, build: tuple[int, str] | tuple[()] = (), requires: str | None = None) -> Candidate:
    return Candidate(
        filename=f"x-1-{tags}.whl",
        tags=expand(*(part.split(".") for part in tags.split("-"))),
        build=build,
        requires_python=requires,
    )


@pytest.mark.parametrize(
    ("tag", "system", "version", "arch", "suffix"),
    [
        ("manylinux_2_28_x86_64", System.LINUX, (2, 28), "x86_64", "manylinux_x86_64"),
        ("musllinux_1_2_aarch64", System.LINUX, (1, 2), "aarch64", "musllinux_aarch64"),
        ("macosx_11_0_arm64", System.MACOS, (11, 0), "arm64", "macosx_arm64"),
        ("macosx_10_13_universal2", System.MACOS, (10, 13), "universal2", "macosx_universal2"),
        ("win_amd64", System.WINDOWS, (0, 0), "amd64", "win_amd64"),
        ("win32", System.WINDOWS, (0, 0), "x86", "win32"),
    ],
)
def test_a_target_is_read_from_its_tag(
    tag: str, system: System, version: tuple[int, int], arch: str, suffix: str
) -> None:
    target = Target.parse(tag)
    assert (target.system, target.version, target.arch, target.build_suffix) == (
        system,
        version,
        arch,
        suffix,
    )


def test_the_names_before_pep_600_mean_their_glibc() -> None:
    assert Target.parse("manylinux2014_x86_64") == Target.parse("manylinux_2_17_x86_64")
    assert Target.parse("manylinux1_i686") == Target.parse("manylinux_2_5_i686")


@pytest.mark.parametrize(
    "tag", ["", "linux_x86_64", "manylinux_2_28", "macosx_11_arm64", "win_x64", "manylinux_2_28_sparc", "any"]
)
def test_what_is_no_target_is_refused(tag: str) -> None:
    with pytest.raises(ValueError, match="unknown"):
        Target.parse(tag)


def test_glibc_platforms_go_down_to_the_oldest_that_the_architecture_has() -> None:
    platforms = Target.parse("manylinux_2_19_x86_64").platforms()
    assert platforms[0] == "linux_x86_64"
    assert platforms[1:5] == (
        "manylinux_2_19_x86_64",
        "manylinux_2_18_x86_64",
        "manylinux_2_17_x86_64",
        "manylinux2014_x86_64",
    )
    assert platforms[-2:] == ("manylinux_2_5_x86_64", "manylinux1_x86_64")
    assert "manylinux_2_16_aarch64" not in Target.parse("manylinux_2_28_aarch64").platforms()


@pytest.mark.skipif(
    sys.platform != "linux",
    reason="packaging computes manylinux tags only on Linux, from the running C library",
)
def test_platforms_agree_with_packaging_on_this_machine() -> None:
    import platform

    from packaging.tags import platform_tags

    name, version = platform.libc_ver()
    if name != "glibc":
        pytest.skip("this machine's C library is not glibc")
    tag = f"manylinux_{version.replace('.', '_')}_{platform.machine()}"
    assert Target.parse(tag).platforms() == tuple(platform_tags())


@rows("tag", ["cp2", "cp27", "py3", "cp311-", "pp311t", "cp312t", "CP311", "cp3"])
def test_what_is_no_interpreter_is_refused(tag: str) -> None:
    with pytest.raises(ValueError, match=r"interpreter|free-threaded"):
        Interpreter.parse(tag)


@pytest.mark.parametrize(
    ("requires", "oldest"),
    [
        (None, "cp39"),
        (">=3.11", "cp311"),
        (">=3.11.4", "cp311"),
        ("~=3.12", "cp312"),
        (">=3.10,!=3.11.*", "cp310"),
    ],
)
def test_default_interpreters_follow_requires_python(requires: str | None, oldest: str) -> None:
    found = [one.tag for one in default_interpreters(requires)]
    assert found[0] == oldest
    assert found[-1] == "cp315"
    assert ("cp311" in found) == (requires not in {"~=3.12", ">=3.10,!=3.11.*"})


NEW = Target.parse("manylinux_2_28_x86_64")
OLD = Target.parse("manylinux_2_17_x86_64")
CP313 = Interpreter.parse("cp313")


def test_an_older_abi3_wheel_covers_later_interpreters_and_systems() -> None:
    wheel = candidate("cp311-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64")
    assert pick([wheel], NEW, CP313) is wheel
    assert pick([wheel], NEW, Interpreter.parse("cp310")) is None
    assert pick([wheel], NEW, Interpreter.parse("cp314t")) is None


def test_a_newer_system_is_not_served_by_accident() -> None:
    assert pick([candidate("cp313-cp313-manylinux_2_28_x86_64")], OLD, CP313) is None
    assert pick([candidate("cp313-cp313-manylinux_2_17_aarch64")], OLD, CP313) is None
    assert (
        pick([candidate("cp313-cp313-macosx_12_0_arm64")], Target.parse("macosx_11_0_arm64"), CP313) is None
    )


def test_the_best_tag_wins_then_the_higher_build_tag() -> None:
    abi3 = candidate("cp311-abi3-manylinux_2_17_x86_64")
    exact = candidate("cp313-cp313-manylinux_2_17_x86_64")
    rebuilt = candidate("cp313-cp313-manylinux_2_17_x86_64", build=(2, ""))
    pure = candidate("py3-none-any")
    assert pick([pure, abi3, exact], NEW, CP313) is exact
    assert pick([exact, rebuilt, abi3], NEW, CP313) is rebuilt
    assert pick([pure], NEW, CP313) is pure


def test_requires_python_hides_a_wheel() -> None:
    wheel = candidate("cp39-abi3-manylinux_2_17_x86_64", requires=">=3.14")
    assert pick([wheel], NEW, CP313) is None
    assert pick([wheel], NEW, Interpreter.parse("cp314")) is wheel


def test_a_universal2_promise_needs_a_universal2_wheel() -> None:
    both = Target.parse("macosx_11_0_universal2")
    thin = candidate("cp313-cp313-macosx_11_0_arm64")
    fat = candidate("cp313-cp313-macosx_10_13_universal2")
    assert pick([thin, fat], both, CP313) is fat
    assert pick([thin], both, CP313) is None
    assert pick([fat], Target.parse("macosx_11_0_arm64"), CP313) is fat


def test_pypy_takes_its_own_wheels_and_pure_ones() -> None:
    pypy = Interpreter.parse("pp311")
    own = candidate("pp311-pypy311_pp73-manylinux_2_17_x86_64")
    assert pick([candidate("cp311-abi3-manylinux_2_17_x86_64"), own], NEW, pypy) is own
    assert WheelTag("py3", "none", "any") in set(pypy.tags(NEW.platforms()))


@pytest.mark.parametrize("minor", [0, 1, 2, 5])
def test_the_tags_of_musl_are_those_of_packaging(minor: int, monkeypatch: pytest.MonkeyPatch) -> None:
    version = SimpleNamespace(major=1, minor=minor)
    monkeypatch.setattr(packaging._musllinux, "_get_musl_version", lambda _executable: version)
    theirs = list(packaging._musllinux.platform_tags(["x86_64"]))
    ours = [tag for tag in Target.parse(f"musllinux_1_{minor}_x86_64").platforms() if "musl" in tag]
    assert ours == theirs


@rows(
    "target",
    [
        "manylinux_2_28_x86_64",
        "musllinux_1_2_aarch64",
        "macosx_11_0_arm64",
        "macosx_10_13_universal2",
        "win_amd64",
        "android_24_arm64_v8a",
        "ios_13_0_arm64_iphoneos",
        "pyemscripten_2026_0_wasm32",
    ],
)
@rows("interpreter", ["cp39", "cp313", "cp314t", "pp311", "gp312_250"])
def test_every_tag_has_the_place_that_the_installers_list_gives_it(target: str, interpreter: str) -> None:
    """The order, ranked by pairs and platforms apart, equals that of packaging for all platforms."""
    where, python = Target.parse(target), Interpreter.parse(interpreter)
    accepted = list(dict.fromkeys(python.tags(where.platforms())))
    ranks = [installer._rank(tag, where, python) for tag in accepted]
    assert None not in ranks
    assert ranks == sorted(ranks, key=lambda rank: rank or (0, 0))
    assert len(set(ranks)) == len(accepted)
    assert installer._rank(WheelTag("cp27", "cp27mu", "manylinux1_x86_64"), where, python) is None
