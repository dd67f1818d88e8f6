from pathlib import Path

import pytest
from msgspec.structs import replace
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

from support import wheels
from wheelkit.matrix import Absence, AbsentCell, Interpreter, Matrix, Target
from wheelkit.project.kinds import Kind
from wheelkit.verification.checks.coverage import Coverage, absent, cover
from wheelkit.verification.contract import Contract, Promise
from wheelkit.verification.model import Cover
from wheelkit.verification.release import Dist, Release
from wheelkit.wheel import Sdist, read

LINUX, MAC = "manylinux_2_28_x86_64", "macosx_10_13_x86_64"
ABI3 = "demo-1.0-cp311-abi3-manylinux_2_17_x86_64.whl"
ABI3_MAC = "demo-1.0-cp311-abi3-macosx_10_9_x86_64.whl"


def matrix(
    *targets: str, interpreters: str = "cp311 cp312", declared: bool = True, skipped: str = ""
) -> Matrix:
    cells = (cell.partition("-") for cell in skipped.split())
    return Matrix(
        absent=tuple(
            AbsentCell(target=target, interpreter=tag, why=Absence.SKIPPED) for tag, _, target in cells
        ),
        targets=tuple(Target.parse(tag) for tag in targets or (LINUX, MAC)),
        interpreters=tuple(Interpreter.parse(tag) for tag in interpreters.split()),
        declared=declared,
    )


def contract(kind: Kind = Kind.NATIVE, promised: Matrix | None = None) -> Contract:
    return Contract(promises={"demo": Promise(distribution="demo", kind=kind, matrix=promised or matrix())})


def release(folder: Path, *filenames: str, sdist: bool = False, lines: tuple[str, ...] = ()) -> Release:
    members = {"{info}/METADATA": wheels.metadata("demo", "1.0", *lines)}
    made = tuple(
        read(wheels.write_wheel(folder, name, members=members), contents=False) for name in filenames
    )
    source = Sdist(
        path=folder / "demo-1.0.tar.gz", size=1, distribution="demo", version="1.0", requires_python=None
    )
    return Release(distribution="demo", version="1.0", wheels=made, sdists=(source,) if sdist else ())


def drawn(coverage: Coverage) -> dict[str, str]:
    marks = {
        Cover.WHEEL: "x",
        Cover.SDIST: "s",
        Cover.MISSING: "-",
        Cover.ELSEWHERE: ".",
        Cover.UNPROMISED: " ",
    }
    return {row.target: "".join(marks[cell.cover] for cell in row.cells) for row in coverage.rows}


def codes(coverage: Coverage) -> list[str]:
    return [finding.code for finding in coverage.findings]


def test_everything_covered(tmp_path: Path) -> None:
    coverage = cover(release(tmp_path, ABI3, ABI3_MAC), contract())
    assert drawn(coverage) == {LINUX: "xx", MAC: "xx"}
    assert codes(coverage) == []
    assert [row.label for row in coverage.rows] == ["abi3 wheel", "abi3 wheel"]
    assert coverage.rows[0].files == (ABI3,)


def test_a_missing_target_is_one_finding_with_its_runner(tmp_path: Path) -> None:
    coverage = cover(release(tmp_path, ABI3, sdist=True), contract())
    assert drawn(coverage) == {LINUX: "xx", MAC: "ss"}
    (finding,) = coverage.findings
    assert finding.what == "macosx_10_13_x86_64 has no wheel; users there would build from the sdist"
    assert finding.fix == "build it on macos-15-intel:  python -m wheelkit build --native"
    assert (finding.code, finding.where, coverage.rows[1].label, coverage.rows[1].codes) == (
        "WK801",
        MAC,
        "missing",
        ("WK801",),
    )


def test_without_sdist_nobody_can_install_it(tmp_path: Path) -> None:
    coverage = cover(release(tmp_path, ABI3), contract())
    assert drawn(coverage) == {LINUX: "xx", MAC: "--"}
    assert "users there cannot install it" in coverage.findings[0].what


def test_the_configured_runner_is_named(tmp_path: Path) -> None:
    own = replace(contract(), runners={"macosx_*": "my-mac"})
    assert "build it on my-mac:" in cover(release(tmp_path, ABI3), own).findings[0].fix


def test_missing_interpreters_are_named(tmp_path: Path) -> None:
    promised = contract(promised=matrix(LINUX, interpreters="cp311 cp312 cp313 cp314t"))
    versioned = [f"demo-1.0-cp31{minor}-cp31{minor}-manylinux_2_28_x86_64.whl" for minor in (1, 3)]
    coverage = cover(release(tmp_path, *versioned), promised)
    assert drawn(coverage) == {LINUX: "x-x-"}
    assert "has no wheel for cp312, cp314t;" in coverage.findings[0].what
    assert coverage.rows[0].label == "2 wheels"
    here = cover(release(tmp_path, *versioned), replace(promised, native=(Target.parse(LINUX),)))
    assert here.findings[0].fix == (
        "install the interpreters:  uv python install 3.12 3.14t; "
        "then build it here:  python -m wheelkit build --native"
    )


def test_a_cell_that_is_not_promised_is_not_missing(tmp_path: Path) -> None:
    versioned = [f"demo-1.0-cp31{minor}-cp31{minor}-{LINUX}.whl" for minor in (1, 2)]
    versioned.append(f"demo-1.0-cp312-cp312-{MAC}.whl")
    built = release(tmp_path, *versioned)
    skipping = cover(built, contract(promised=matrix(skipped=f"cp311-{MAC}")))
    assert (drawn(skipping), codes(skipping)) == ({LINUX: "xx", MAC: " x"}, [])
    assert skipping.rows[1].codes == ()
    whole = cover(built, contract())
    assert (drawn(whole), codes(whole)) == ({LINUX: "xx", MAC: "-x"}, ["WK801"])


def test_what_is_missing_of_the_promised_cells_is_named_without_the_others(tmp_path: Path) -> None:
    built = release(tmp_path, f"demo-1.0-cp311-cp311-{LINUX}.whl")
    promised = matrix(LINUX, interpreters="cp311 cp312 cp313", skipped=f"cp312-{LINUX}")
    coverage = cover(built, contract(promised=promised))
    assert drawn(coverage) == {LINUX: "x -"}
    assert "has no wheel for cp313;" in coverage.findings[0].what
    nothing = cover(release(tmp_path), contract(promised=promised))
    assert f"{LINUX} has no wheel; users" in nothing.findings[0].what


def test_a_wheel_for_cells_that_are_not_promised_is_not_used(tmp_path: Path) -> None:
    built = release(tmp_path, ABI3, f"demo-1.0-cp312-cp312-{LINUX}.whl")
    assert codes(cover(built, contract(promised=matrix(LINUX)))) == []
    coverage = cover(built, contract(promised=matrix(LINUX, skipped=f"cp312-{LINUX}")))
    assert drawn(coverage) == {LINUX: "xx"}
    assert [(finding.code, finding.file) for finding in coverage.findings] == [
        ("WK803", f"demo-1.0-cp312-cp312-{LINUX}.whl")
    ]


@pytest.mark.parametrize(
    ("target", "platform"),
    [
        ("android_24_arm64_v8a", "android_21_arm64_v8a"),
        ("ios_13_0_arm64_iphoneos", "ios_13_0_arm64_iphoneos"),
        ("pyemscripten_2025_0_wasm32", "pyodide_2025_0_wasm32"),
    ],
)
def test_wheels_for_mobile_systems_cover_promised_targets(tmp_path: Path, target: str, platform: str) -> None:
    built = release(tmp_path, f"demo-1.0-cp313-cp313-{platform}.whl")
    coverage = cover(built, contract(promised=matrix(target, interpreters="cp313")))
    assert (drawn(coverage), codes(coverage)) == ({target: "x"}, [])
    other = cover(built, contract(promised=matrix(target, interpreters="cp314")))
    assert codes(other) == ["WK801", "WK803"]


def test_wheels_for_graalpy_have_a_column_and_cover_promised_cells(tmp_path: Path) -> None:
    built = release(tmp_path, f"demo-1.0-graalpy312-graalpy250_312_native-{LINUX}.whl")
    promised = matrix(LINUX, interpreters="gp312_250")
    assert (drawn(cover(built, contract(promised=promised))), codes(cover(built, contract()))[0]) == (
        {LINUX: "x"},
        "WK801",
    )
    (row,) = cover(built, Contract()).rows
    assert [cell.interpreter for cell in row.cells if cell.cover is Cover.WHEEL] == ["gp312_250"]
    other = contract(promised=matrix(LINUX, interpreters="gp313_253"))
    assert codes(cover(built, other)) == ["WK801", "WK803"]


def test_an_abi3_wheel_that_is_too_new_is_no_matter_of_installed_interpreters(tmp_path: Path) -> None:
    promised = replace(
        contract(promised=matrix(LINUX, interpreters="cp310 cp311")), native=(Target.parse(LINUX),)
    )
    coverage = cover(release(tmp_path, ABI3), promised)
    assert drawn(coverage) == {LINUX: "-x"}
    assert coverage.findings[0].fix == "build it here:  python -m wheelkit build --native"


def test_an_abi3_wheel_does_not_serve_free_threaded(tmp_path: Path) -> None:
    promised = contract(promised=matrix(LINUX, interpreters="cp314 cp314t"))
    assert drawn(cover(release(tmp_path, ABI3), promised)) == {LINUX: "x-"}


def test_requires_python_closes_cells(tmp_path: Path) -> None:
    coverage = cover(release(tmp_path, ABI3, ABI3_MAC, lines=("Requires-Python: >=3.12",)), contract())
    assert drawn(coverage) == {LINUX: "-x", MAC: "-x"}


def test_a_wheel_for_newer_systems_does_not_cover(tmp_path: Path) -> None:
    coverage = cover(release(tmp_path, ABI3.replace("2_17", "2_34"), ABI3_MAC), contract())
    # The wheel that no promise has room for is shown on its own.
    assert drawn(coverage) == {LINUX: "--", MAC: "xx", "manylinux_2_34_x86_64": "xx"}
    assert codes(coverage) == ["WK801", "WK803"]
    assert [row.judged for row in coverage.rows] == [True, True, False]


def test_native_judges_only_its_target(tmp_path: Path) -> None:
    here = replace(contract(), native=(Target.parse(MAC),))
    coverage = cover(release(tmp_path), here)
    assert drawn(coverage) == {LINUX: "..", MAC: "--"}
    assert [finding.where for finding in coverage.findings] == [MAC]
    assert coverage.findings[0].fix == "build it here:  python -m wheelkit build --native"
    assert [row.label for row in coverage.rows] == ["elsewhere", "missing"]
    assert codes(cover(release(tmp_path, ABI3_MAC), here)) == []


def test_undeclared_is_shown_and_not_judged(tmp_path: Path) -> None:
    unpromised = contract(promised=matrix(declared=False))
    for judged in (unpromised, Contract()):
        coverage = cover(release(tmp_path, ABI3, lines=("Requires-Python: >=3.10,<3.13",)), judged)
        assert drawn(coverage) == {"manylinux_2_17_x86_64": "-xx"}
        assert codes(coverage) == []


def test_single_files_are_not_judged(tmp_path: Path) -> None:
    assert codes(cover(release(tmp_path, ABI3), contract(), whole=False)) == []


def test_pure_has_one_row(tmp_path: Path) -> None:
    coverage = cover(release(tmp_path, wheels.PURE), contract(Kind.PURE))
    assert drawn(coverage) == {"any": "xx"}
    assert coverage.rows[0].label == "pure wheel"
    missing = cover(release(tmp_path, sdist=True), contract(Kind.META))
    assert [finding.what for finding in missing.findings] == [
        "demo 1.0 has no wheel; users there would build from the sdist"
    ]
    assert (
        codes(cover(release(tmp_path, sdist=True), replace(contract(Kind.META), native=(Target.parse(MAC),))))
        == []
    )


@pytest.mark.parametrize("promised", [None, contract(promised=matrix(LINUX, interpreters="cp312 cp313"))])
def test_a_pure_fallback_beside_a_native_wheel_has_its_own_row(
    tmp_path: Path, promised: Contract | None
) -> None:
    native = "demo-1.0-cp312-cp312-manylinux_2_28_x86_64.whl"
    files = release(tmp_path, native, wheels.PURE, lines=("Requires-Python: >=3.12,<3.14",))
    linux, pure = cover(files, promised or Contract()).rows
    assert (linux.target, linux.label, linux.files) == (LINUX, "2 wheels, 1 pure", (native, wheels.PURE))
    assert [cell.file for cell in linux.cells] == [native, wheels.PURE]
    assert (pure.target, pure.label, pure.files) == ("any", "pure wheel", (wheels.PURE,))
    assert [cell.file for cell in pure.cells] == [wheels.PURE, wheels.PURE]
    assert (pure.needs, pure.judged) == ("", False)
    assert pure.size == files.wheels[1].size


def test_every_wheel_is_in_some_row(tmp_path: Path) -> None:
    names = (
        "demo-1.0-cp36-cp36m-manylinux_2_17_x86_64.whl",
        ABI3,
        "demo-1.0-cp311-cp311-linux_x86_64.whl",
        "demo-1.0-cp313-cp313-pyodide_2025_0_wasm32.whl",
        "demo-1.0-py2-none-any.whl",
        wheels.PURE,
    )
    declared = contract(promised=matrix(LINUX, MAC))
    for judged in (Contract(), contract(promised=matrix(declared=False)), declared, contract(Kind.PURE)):
        rows = cover(release(tmp_path, *names), judged).rows
        assert {file for row in rows for file in row.files} == set(names)
        assert len({row.target for row in rows}) == len(rows)


def test_the_best_tag_is_picked_for_other_platforms(tmp_path: Path) -> None:
    """By packaging's order of tags, which installers use."""
    platform = "android_24_arm64_v8a"
    names = [
        f"demo-1.0-{tag}.whl" for tag in (f"py3-none-{platform}", "py3-none-any", f"cp313-abi3-{platform}")
    ]
    names += [f"demo-1.0-cp313-cp313-{platform}.whl"]
    rows = cover(release(tmp_path, *names, lines=("Requires-Python: >=3.13",)), Contract()).rows
    row = next(row for row in rows if row.target == platform)
    for cell in row.cells:
        version = int(cell.interpreter[2]), int(cell.interpreter[3:])
        order = [
            *cpython_tags(version, platforms=[platform]),
            *compatible_tags(version, platforms=[platform]),
        ]
        best = next(name for tag in order for name in names if tag in tags(name))
        assert cell.file == best


def tags(name: str) -> frozenset[Tag]:
    return parse_wheel_filename(name)[3]


def test_a_pure_wheel_serves_every_native_cell(tmp_path: Path) -> None:
    assert drawn(cover(release(tmp_path, wheels.PURE), contract())) == {LINUX: "xx", MAC: "xx"}


def test_unknown_wheels_make_their_own_rows(tmp_path: Path) -> None:
    names = (
        "demo-1.0-cp314-cp314t-manylinux_2_17_aarch64.manylinux2014_aarch64.whl",
        "demo-1.0-cp313-cp313-win_arm64.whl",
        "demo-1.0-pp311-pypy311_pp73-macosx_11_0_arm64.whl",
        "demo-1.0-cp313-cp313-macosx_10_13_universal2.whl",
    )
    coverage = cover(release(tmp_path, *names, lines=("Requires-Python: >=3.13,<3.15",)), Contract())
    assert [cell.interpreter for cell in coverage.rows[0].cells] == ["cp313", "cp314", "cp314t", "pp311"]
    assert drawn(coverage) == {
        "manylinux_2_17_aarch64": "--x-",
        # A universal2 wheel also installs on arm64.
        "macosx_11_0_arm64": "x---",
        "macosx_10_13_universal2": "x---",
        "win_arm64": "x---",
    }


@pytest.mark.parametrize(
    ("tags", "cells"),
    [
        ("cp313-cp313-android_24_arm64_v8a", "----x--"),
        ("cp311-abi3-linux_x86_64", "--xxxxx"),
        ("py3-none-plan9", "xxxxxxx"),
        ("graalpy312-graalpy250_312_native-win_amd64", "-------x"),
        # No column is for this interpreter: the wheel is there all the same.
        ("cp36-cp36m-win_amd64", "-------"),
    ],
)
def test_every_wheel_has_a_row(tmp_path: Path, tags: str, cells: str) -> None:
    (row,) = cover(release(tmp_path, f"demo-1.0-{tags}.whl"), Contract()).rows
    assert row.target == tags.rpartition("-")[2]
    assert row.label in {"1 wheel", "abi3 wheel"}
    assert len(row.files) == 1
    assert row.size > 0
    assert ["x" if cell.cover is Cover.WHEEL else "-" for cell in row.cells] == list(cells)


@pytest.mark.parametrize(
    ("name", "columns", "cells"),
    [
        ("demo-1.0-cp315-abi3.abi3t-manylinux_2_28_x86_64.whl", ["cp314", "cp315", "cp315t"], "-xx"),
        ("demo-1.0-cp315-abi3-manylinux_2_28_x86_64.whl", ["cp314", "cp315"], "-x"),
    ],
)
def test_the_free_threaded_stable_abi_has_its_columns(
    tmp_path: Path, name: str, columns: list[str], cells: str
) -> None:
    coverage = cover(release(tmp_path, name, lines=("Requires-Python: >=3.14,<3.16",)), Contract())
    assert [cell.interpreter for cell in coverage.rows[0].cells] == columns
    assert drawn(coverage) == {LINUX: cells}


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ("demo-1.0-cp311-abi3-manylinux2014_x86_64.manylinux_2_17_x86_64.whl", ["WK802"]),
        ("demo-1.0-1-cp311-abi3-manylinux_2_17_x86_64.whl", ["WK802"]),
        ("demo-1.0-cp312-abi3-manylinux_2_17_x86_64.whl", []),
        ("demo-1.0-cp311-abi3-manylinux_2_28_x86_64.whl", []),
    ],
)
def test_two_wheels_for_the_same_tag(tmp_path: Path, second: str, expected: list[str]) -> None:
    assert codes(cover(release(tmp_path, ABI3, second), Contract())) == expected


def test_the_higher_build_tag_is_picked(tmp_path: Path) -> None:
    second = "demo-1.0-10-cp311-abi3-manylinux_2_17_x86_64.whl"
    third = "demo-1.0-9-cp311-abi3-manylinux_2_17_x86_64.whl"
    (row,) = cover(release(tmp_path, ABI3, second, third), contract(promised=matrix(LINUX))).rows
    assert {cell.file for cell in row.cells} == {second}
    # The others are there as well, and what is wrong with them.
    assert (row.files[0], set(row.files), row.label) == (second, {ABI3, second, third}, "3 wheels")


def test_an_absent_distribution(tmp_path: Path) -> None:
    promises = {
        name: Promise(distribution=name, kind=kind, matrix=matrix())
        for name, kind in (("demo", Kind.NATIVE), ("demo-cli", Kind.PURE))
    }
    dist = Dist(wheels=release(tmp_path, ABI3).wheels, sdists=())
    whole = Contract(promises=promises)
    assert [(finding.code, finding.where) for finding in absent(dist, whole)] == [("WK804", "demo-cli")]
    assert list(absent(replace(dist, whole=False), whole)) == []
    assert list(absent(dist, replace(whole, native=(Target.parse(LINUX),)))) == []
