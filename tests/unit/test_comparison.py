"""What users get of two releases, by platform and interpreter, as installers see it."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from support import wheels
from support.comparisons import compared, release, wheel
from wheelkit.matrix import Interpreter
from wheelkit.verification.comparison.compare import compare, representatives
from wheelkit.verification.comparison.facts import Contents, Declared
from wheelkit.verification.comparison.gather import releases_by_name, wheel_facts
from wheelkit.verification.comparison.model import Change, Comparison
from wheelkit.verification.comparison.serve import platforms_of, services, system_version


def drawn(comparison: Comparison) -> dict[str, str]:
    """Return each row as words, without the cells that nobody gets."""
    return {
        row.platform: " ".join(
            f"{cell.interpreter}:{cell.change}" for cell in row.cells if cell.change is not Change.NONE
        )
        for row in comparison.rows
    }


LINUX = "cp311-cp311-manylinux_2_17_x86_64"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # The same system in other words.
        ([LINUX], ["cp311-cp311-manylinux2014_x86_64"], {"manylinux_x86_64": "cp311:kept"}),
        (
            [LINUX],
            ["cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64"],
            {"manylinux_x86_64": "cp311:kept"},
        ),
        (
            ["cp311-cp311-macosx_11_0_x86_64", "cp311-cp311-macosx_11_0_arm64"],
            ["cp311-cp311-macosx_11_0_universal2"],
            {"macosx_x86_64": "cp311:kept", "macosx_arm64": "cp311:kept"},
        ),
        # arm64 begins at macOS 11, whatever the tag says.
        (
            ["cp311-cp311-macosx_10_9_universal2"],
            ["cp311-cp311-macosx_10_9_x86_64", "cp311-cp311-macosx_11_0_arm64"],
            {"macosx_x86_64": "cp311:kept", "macosx_arm64": "cp311:kept"},
        ),
        # CPython 3.14 itself needs macOS 10.15, and 3.11 does not.
        (
            ["cp314-cp314-macosx_10_13_x86_64"],
            ["cp314-cp314-macosx_10_15_x86_64"],
            {"macosx_x86_64": "cp314:kept"},
        ),
        (
            ["cp311-cp311-macosx_10_13_x86_64"],
            ["cp311-cp311-macosx_10_15_x86_64"],
            {"macosx_x86_64": "cp311:raised"},
        ),
        # Older systems.
        ([LINUX], ["cp311-cp311-manylinux_2_28_x86_64"], {"manylinux_x86_64": "cp311:raised"}),
        ([LINUX], ["cp311-cp311-manylinux1_x86_64"], {"manylinux_x86_64": "cp311:kept"}),
        (
            ["cp311-cp311-musllinux_1_1_x86_64"],
            ["cp311-cp311-musllinux_1_2_x86_64"],
            {"musllinux_x86_64": "cp311:raised"},
        ),
        # Others, and none.
        (
            ["cp311-cp311-win_amd64"],
            ["cp311-cp311-win_arm64"],
            {"win_amd64": "cp311:gone", "win_arm64": "cp311:new"},
        ),
        ([LINUX], ["cp312-cp312-manylinux_2_17_x86_64"], {"manylinux_x86_64": "cp311:gone cp312:new"}),
        # A pure wheel serves what has no other.
        (
            [LINUX],
            ["py3-none-any"],
            {
                "manylinux_x86_64": " ".join(
                    f"cp3{minor}:{'pure' if minor == 11 else 'new'}" for minor in range(9, 16)
                ),
                "any": " ".join(f"cp3{minor}:new" for minor in range(9, 16)),
            },
        ),
        # Pythons before 3.8 have a flag in their ABI tags.
        (
            ["cp37-cp37m-win_amd64", "cp311-cp311-win_amd64"],
            ["cp311-cp311-win_amd64"],
            {"win_amd64": "cp37:gone cp311:kept"},
        ),
        # Systems that are no targets, with and without a version.
        (
            ["cp313-cp313-ios_13_0_arm64_iphoneos", "cp313-cp313-android_21_x86_64"],
            ["cp313-cp313-ios_14_0_arm64_iphoneos", "cp313-cp313-android_21_x86_64"],
            {"android_x86_64": "cp313:kept", "ios_arm64_iphoneos": "cp313:raised"},
        ),
        (
            ["cp312-cp312-pyodide_2024_0_wasm32"],
            ["cp312-cp312-pyemscripten_2024_0_wasm32"],
            {"pyemscripten_2024_0_wasm32": "cp312:kept"},
        ),
        # GraalPy's ABI changes with each release, PyPy's hardly.
        (
            ["graalpy312-graalpy250_312_native-win_amd64", "pp311-pypy311_pp73-win_amd64"],
            ["graalpy312-graalpy251_312_native-win_amd64", "pp311-pypy311_pp80-win_amd64"],
            {"win_amd64": "gp312_250:gone gp312_251:new pp311:kept"},
        ),
        ([], [], {}),
        (["cp27-cp27mu-manylinux1_x86_64"], [], {}),
    ],
)
def test_what_users_get(before: list[str], after: list[str], expected: dict[str, str]) -> None:
    assert drawn(compared(before, after)) == expected


def test_an_abi3_wheel_covers_all_later_interpreters() -> None:
    before = [f"cp3{minor}-cp3{minor}-win_amd64" for minor in range(9, 13)]
    assert drawn(compared(before, ["cp39-abi3-win_amd64"])) == {
        "win_amd64": "cp39:kept cp310:kept cp311:kept cp312:kept cp313:new cp314:new cp315:new"
    }
    comparison = compared(["cp39-abi3-win_amd64"], ["cp311-abi3-win_amd64"])
    assert drawn(comparison)["win_amd64"].startswith("cp39:gone cp310:gone cp311:kept")
    assert (comparison.stable_abi.before, comparison.stable_abi.after) == ("cp39-abi3", "cp311-abi3")


def test_free_threaded_interpreters_do_not_take_abi3_wheels() -> None:
    before = ["cp313-cp313t-win_amd64", "cp313-cp313-win_amd64"]
    assert drawn(compared(before, ["cp313-abi3-win_amd64"]))["win_amd64"].endswith("cp313t:gone")
    assert drawn(compared(["cp315-cp315t-win_amd64"], ["cp315-abi3.abi3t-win_amd64"])) == {
        "win_amd64": "cp315:new cp315t:kept"
    }
    # Installers take it from the first free-threaded interpreter on, whatever it was built for.
    words = drawn(compared([], ["cp311-abi3.abi3t-win_amd64"]))["win_amd64"]
    assert words.endswith("cp315:new cp313t:new cp314t:new cp315t:new")


def test_interpreters_that_requires_python_excludes_are_no_loss() -> None:
    before = release(LINUX, "cp310-cp310-manylinux_2_17_x86_64", python=">=3.10")
    after = release(wheel(LINUX, version="2.0", python=">=3.11"), version="2.0", python=">=3.11")
    comparison = compare(before, after)
    assert drawn(comparison) == {"manylinux_x86_64": "cp310:excluded cp311:kept"}
    assert comparison.excluded == ("3.10",)


@pytest.mark.parametrize(
    ("before", "after", "excluded"),
    [
        (">=3.9", ">=3.9", ()),
        (">=3.9", ">=3.8", ()),
        (">=3.9,<4", ">=3.9", ()),
        (">=3.9", ">=3.11", ("3.9", "3.10")),
        (">=3.9", ">=3.9.2", ("some releases of 3.9",)),
        (">=2.7, !=3.0.*, !=3.1.*, !=3.2.*, !=3.3.*, !=3.4.*, !=3.5.*", ">=3.6", ("2.7",)),
        ("", ">=3.14", ("2.7", *(f"3.{minor}" for minor in range(14)))),
        ("nonsense", ">=3.15", ("2.7", *(f"3.{minor}" for minor in range(15)))),
        (">=3.9", "", ()),
    ],
)
def test_excluded_pythons(before: str, after: str, excluded: tuple[str, ...]) -> None:
    comparison = compare(release(LINUX, python=before), release(LINUX, version="2.0", python=after))
    assert comparison.excluded == excluded


def test_a_pure_wheel_that_older_systems_fall_back_to() -> None:
    before = [LINUX, "py3-none-any"]
    after = ["cp311-cp311-manylinux_2_28_x86_64", "py3-none-any"]
    (cell,) = (cell for row, cell in compared(before, after).cells() if cell.change is Change.RAISED)
    assert (cell.interpreter, cell.fallback) == ("cp311", True)
    natively = compared(["py3-none-any"], after)
    assert {cell.interpreter for _, cell in natively.cells() if cell.change is Change.NATIVE} == {"cp311"}


def test_only_judged_platforms_lose_wheels() -> None:
    before = release(LINUX, "cp311-cp311-win_amd64")
    after = release(LINUX, version="2.0")
    assert drawn(compare(before, after, lambda platform: platform != "win_amd64")) == {
        "manylinux_x86_64": "cp311:kept"
    }
    assert drawn(compare(before, after))["win_amd64"] == "cp311:gone"


def test_sizes_are_those_of_the_wheels_that_users_get() -> None:
    before = [wheel(LINUX, size=1000), wheel("cp312-cp312-manylinux_2_17_x86_64", size=3000)]
    after = [
        wheel(LINUX, version="2.0", size=1200),
        wheel("cp311-cp311-manylinux_2_28_x86_64", version="2.0", size=1500),
    ]
    (row,) = compared(before, after).rows
    assert (row.before, row.after) == (4000, 1500)
    assert [cell.growth for cell in row.cells] == [0.5, None]
    assert row.cells[0].after is not None
    assert row.cells[0].after.oldest == "glibc 2.17"


def test_a_higher_build_tag_wins() -> None:
    wheels = [wheel(f"{build}-{LINUX}") for build in ("1", "10", "2b")]
    served = services(wheels, [Interpreter.parse("cp311")])
    assert served["manylinux_x86_64"]["cp311"].wheel.filename == f"demo-1.0-10-{LINUX}.whl"


def test_wheels_that_nobody_gets_are_named() -> None:
    python2 = wheel("cp27-cp27mu-manylinux1_x86_64")
    odd = wheel("cp311-cp311-macosx_11_3_arm64")
    assert compared([python2, LINUX], [odd]).unserved == (python2.filename, odd.filename)
    # A wheel that a better one hides serves nobody either, but it would.
    assert compared([LINUX, "py3-none-manylinux_2_17_x86_64"], [LINUX]).unserved == ()


@pytest.mark.parametrize(
    ("grown", "expected"),
    [(1_000_000, None), (1_100_000, None), (1_200_000, 1_200_000), (900_000, None)],
)
def test_growth(grown: int, expected: int | None) -> None:
    growth = compared([LINUX], [wheel(LINUX, version="2.0", size=grown)]).growth
    assert (growth and growth.after.size) == expected


def test_small_wheels_do_not_grow_much_and_a_native_one_is_not_a_larger_pure_one() -> None:
    small = wheel(LINUX, size=1000), wheel(LINUX, version="2.0", size=90_000)
    assert compared(small[:1], small[1:]).growth is None
    pure = wheel("py3-none-any", size=1000)
    assert compared([pure], [wheel(LINUX, version="2.0", size=10**7)]).growth is None


def test_the_members_that_grew_most() -> None:
    def contents(**members: int) -> Contents:
        return Contents(entry_points=frozenset(), modules=frozenset(), members=members)

    before = wheel(LINUX, contents=contents(core=500_000, gone=500_000))
    after = wheel(LINUX, version="2.0", size=1_500_000, contents=contents(core=800_000, new=700_000))
    growth = compared([before], [after]).growth
    assert growth is not None
    assert growth.why == "new (new, +700 kB), core (+300 kB)"


def declaring(*requirements: str, extras: tuple[str, ...] = ()) -> Declared:
    return Declared(requirements=requirements, extras=extras)


@pytest.mark.parametrize(
    ("before", "after", "added", "removed", "changed"),
    [
        (["numpy>=1.26"], ["numpy (>=1.26)"], (), (), ()),
        (["Numpy >=1.26"], ["numpy>=2"], (), (), (("Numpy>=1.26", "numpy>=2"),)),
        (["a"], ["b"], ("b",), ("a",), ()),
        (["a; os_name=='nt'"], ['a ; os_name == "nt"'], (), (), ()),
        (["a"], ['a; os_name=="nt"'], ('a; os_name == "nt"',), ("a",), ()),
        (["a>=1", "a<2"], ["a<2", "a>=1"], (), (), (("a>=1, a<2", "a<2, a>=1"),)),
        (["not a requirement"], [], (), ("not a requirement",), ()),
    ],
)
def test_requirements(
    before: list[str],
    after: list[str],
    added: tuple[str, ...],
    removed: tuple[str, ...],
    changed: tuple[tuple[str, str], ...],
) -> None:
    comparison = compared(
        [wheel(LINUX, declared=declaring(*before))], [wheel(LINUX, declared=declaring(*after))]
    )
    change = comparison.requirements
    assert change is not None
    assert (change.added, change.removed) == (added, removed)
    assert tuple((value.before, value.after) for value in change.changed) == changed


def test_extras_are_compared_by_their_normalized_names() -> None:
    before = wheel(LINUX, declared=declaring(extras=("All_Of_It", "docs")))
    after = wheel(LINUX, version="2.0", declared=declaring(extras=("all-of-it", "test")))
    change = compared([before], [after]).extras
    assert change is not None
    assert (change.added, change.removed) == (("test",), ("docs",))


def test_what_was_not_read_is_not_compared() -> None:
    comparison = compared([LINUX], [wheel(LINUX, declared=declaring("a"))])
    assert (comparison.requirements, comparison.extras, comparison.modules) == (None, None, None)


def test_metadata_is_compared_of_wheels_that_the_same_users_get() -> None:
    linux, windows = "cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-win_amd64"
    before = [wheel(windows, declared=declaring("colorama")), wheel(linux, declared=declaring())]
    after = [wheel(linux, declared=declaring()), wheel(windows, declared=declaring("colorama"))]
    assert not compared(before, after).requirements
    assert representatives(release(*before), release(*after)) == (
        f"demo-1.0-{linux}.whl",
        f"demo-1.0-{linux}.whl",
    )
    assert representatives(release(linux), release(windows)) is None


def test_what_is_read_of_a_wheel(tmp_path: Path) -> None:
    core = wheels.elf(versions=(wheels.Version(library="libc.so.6", version="GLIBC_2.14"),))
    made = wheels.facts(
        tmp_path,
        "demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl",
        core,
        members={
            "demo.libs/libz-1a2b3c4d.so.1": "x",
            "demo-1.0.data/purelib/other.py": "",
            "0123456789abcdef0123__mypyc.cpython-311-x86_64-linux-gnu.so": "x",
            "{info}/entry_points.txt": "[console_scripts]\ndemo = demo:main\n[x.y]\nnot an entry point\n",
        },
    )
    facts = wheel_facts(made)
    assert facts is not None
    assert facts.contents is not None
    assert facts.contents.needs == {"manylinux_x86_64": "glibc 2.14"}
    assert facts.contents.modules == {"demo", "other"}
    assert facts.contents.entry_points == {"console_scripts: demo"}
    assert {
        "demo.libs/libz.so.1",
        ".dist-info/METADATA",
        ".data/purelib/other.py",
    } <= facts.contents.members.keys()
    assert wheel_facts(replace(made, name=None)) is None
    assert wheel_facts(replace(made, metadata_text=b"")) == replace(facts, declared=None, contents=None)


def test_what_the_binaries_of_each_architecture_need(tmp_path: Path) -> None:
    core = wheels.binary(
        "demo/_core.cpython-311-darwin.so",
        wheels.Part(arch="x86_64", min_os="10.13", os="macos"),
        wheels.Part(arch="arm64", min_os="11.0", os="macos"),
        form="macho",
    )
    made = wheels.facts(tmp_path, "demo-1.0-cp311-cp311-macosx_10_9_universal2.whl", core)
    facts = wheel_facts(made)
    assert facts is not None
    assert facts.contents is not None
    assert facts.contents.needs == {"macosx_x86_64": "macOS 10.13", "macosx_arm64": "macOS 11.0"}
    comparison = compare(release(facts), release(replace(facts, filename="demo-2.0.whl"), version="2.0"))
    served = [cell.after.needs for _, cell in comparison.cells() if cell.after]
    assert served == ["macOS 10.13", "macOS 11.0"]


def test_releases_by_the_names_of_their_files() -> None:
    names = ["demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz", "Other_One-2.tar.gz", "odd.whl", "demo-x.tar.gz"]
    found = releases_by_name([*names, "demo-1.0.zip", "demo.tar.gz"])
    assert [(one.distribution, one.version, len(one.wheels), one.sdist) for one in found] == [
        ("demo", "1.0", 1, True),
        ("other-one", "2", 0, True),
    ]


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [(">=3.9,<4", "<4, >=3.9", False), (">=3.9", ">=3.10", True), ("", ">=3.9", True), ("", "", False)],
)
def test_the_order_of_clauses_is_no_change(before: str, after: str, changed: bool) -> None:  # noqa: FBT001
    comparison = compare(release(LINUX, python=before), release(LINUX, version="2.0", python=after))
    assert bool(comparison.requires_python) is changed


def test_modules_that_only_some_users_lose() -> None:
    def contents(*modules: str) -> Contents:
        return Contents(entry_points=frozenset(), modules=frozenset(modules), members={})

    windows = "cp311-cp311-win_amd64"
    before = [wheel(LINUX, contents=contents("demo")), wheel(windows, contents=contents("demo", "win"))]
    after = [wheel(LINUX, contents=contents("demo")), wheel(windows, contents=contents("demo"))]
    change = compared(before, after).modules
    assert change is not None
    assert (change.added, change.removed) == ((), ("win",))
    # A wheel that is gone takes nothing more with it.
    change = compared(before, after[:1]).modules
    assert change is not None
    assert change.removed == ()


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("manylinux_2_28_x86_64", "glibc 2.28"),
        ("musllinux_1_2_aarch64", "musl 1.2"),
        ("macosx_10_9_x86_64", "macOS 10.9"),
        ("ios_13_0_arm64_iphoneos", "iOS 13.0"),
        ("android_24_x86_64", "API 24"),
        ("win_amd64", ""),
        ("linux_x86_64", ""),
    ],
)
def test_systems_are_named_as_people_do(tag: str, expected: str) -> None:
    platform, version, _ = platforms_of(tag)[0]
    assert system_version(platform, version) == expected
