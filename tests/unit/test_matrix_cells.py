"""Matrices that are no rectangles: skip, override, and what cibuildwheel does not build."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from cibuildwheel.selector import BuildSelector, EnableGroup
from hypothesis import given
from hypothesis import strategies as st

from support.rows import rows
from wheelkit import config, matrix
from wheelkit.__main__ import main
from wheelkit.errors import ConfigError
from wheelkit.matrix import LINUX_ARCHS, Absence, Matrix, matrix_of

RECTANGLE = {"targets": ["manylinux_2_28_x86_64", "win_arm64"], "interpreters": ["cp312", "cp313"]}


def resolved(document: dict[str, Any], requires_python: str | None = None) -> Matrix:
    """Return the matrix of a valid document."""
    return matrix_of(loaded(document), requires_python)


def loaded(document: dict[str, Any]) -> config.Config:
    """Parse a document with the matrix' own validator."""
    return config.parse({"matrix": document}, source=None, root=Path(), validators=(matrix.validate,))


def cells(document: dict[str, Any]) -> dict[str, str]:
    """Return the promised interpreters of each promised target."""
    found = resolved(document)
    return {str(target): " ".join(map(str, found.interpreters_on(target))) for target in found.targets}


def problems(document: dict[str, Any]) -> tuple[str, ...]:
    """Return what is wrong with a document."""
    with pytest.raises(ConfigError) as caught:
        loaded(document)
    assert caught.value.exit_code == 2
    return caught.value.problems


def test_a_rectangle_has_no_absent_cell() -> None:
    assert cells(RECTANGLE) == {"manylinux_2_28_x86_64": "cp312 cp313", "win_arm64": "cp312 cp313"}
    assert resolved(RECTANGLE).absent == ()


@pytest.mark.parametrize(
    "skip", ["cp312-win_arm64", ["cp312-win_arm64"], "pp* cp312-win*", "cp31{1,2}-{win_arm64,musllinux*}"]
)
def test_skipped_cells_are_not_promised(skip: object) -> None:
    found = cells({**RECTANGLE, "skip": skip})
    assert found == {"manylinux_2_28_x86_64": "cp312 cp313", "win_arm64": "cp313"}
    (absent,) = resolved({**RECTANGLE, "skip": skip}).absent
    assert (absent.target, absent.interpreter, absent.why) == ("win_arm64", "cp312", Absence.SKIPPED)
    assert absent.selector in ("cp312-win_arm64", "cp312-win*", "cp31{1,2}-{win_arm64,musllinux*}")


def test_a_target_or_interpreter_without_a_cell_is_not_promised_at_all() -> None:
    assert cells({**RECTANGLE, "skip": "*-win*"}) == {"manylinux_2_28_x86_64": "cp312 cp313"}
    assert resolved({**RECTANGLE, "skip": "cp312-*"}).interpreters == resolved(RECTANGLE).interpreters[1:]


def test_an_override_gives_a_target_other_interpreters() -> None:
    override = [{"select": "*-win_arm64", "interpreters": ["cp313", "cp314", "cp314t"]}]
    document = {**RECTANGLE, "override": override}
    assert cells(document) == {"manylinux_2_28_x86_64": "cp312 cp313", "win_arm64": "cp313 cp314 cp314t"}
    absent = {(cell.target, cell.interpreter): cell.why for cell in resolved(document).absent}
    assert absent == {
        ("manylinux_2_28_x86_64", "cp314"): Absence.OVERRIDDEN,
        ("manylinux_2_28_x86_64", "cp314t"): Absence.OVERRIDDEN,
        ("win_arm64", "cp312"): Absence.OVERRIDDEN,
    }


def test_an_override_replaces_only_what_it_selects_and_the_last_one_wins() -> None:
    override = [
        {"select": "cp312-win*", "interpreters": ["cp311"]},
        {"select": ["cp311-win*", "pp*-win*"], "interpreters": ["cp310"]},
    ]
    assert cells({**RECTANGLE, "override": override})["win_arm64"] == "cp313 cp310"


def test_skip_applies_to_what_an_override_adds() -> None:
    override = [{"select": "*-win_arm64", "interpreters": ["cp313", "cp314"]}]
    found = cells({**RECTANGLE, "override": override, "skip": "cp314-win_arm64"})
    assert found["win_arm64"] == "cp313"


def test_what_cibuildwheel_does_not_build_drops_out() -> None:
    document = {**RECTANGLE, "interpreters": ["cp313", "pp311", "gp312_250"]}
    assert cells(document) == {"manylinux_2_28_x86_64": "cp313 pp311 gp312_250", "win_arm64": "cp313"}
    absent = resolved(document).absent
    assert [(cell.interpreter, cell.why) for cell in absent] == [
        ("pp311", Absence.NOT_BUILT),
        ("gp312_250", Absence.NOT_BUILT),
    ]
    assert resolved({**document, "skip": "pp*-win*"}).absent[0].why is Absence.SKIPPED


def test_the_host_may_build_where_cibuildwheel_has_no_builds_at_all() -> None:
    found = cells({"targets": ["manylinux_2_39_loongarch64"], "interpreters": ["cp313"]})
    assert found == {"manylinux_2_39_loongarch64": "cp313"}


def test_every_system_of_cibuildwheel_can_be_promised() -> None:
    document = {
        "targets": [
            "musllinux_1_2_armv7l", "manylinux_2_39_riscv64", "manylinux_2_28_s390x",
            "manylinux_2_28_ppc64le", "manylinux_2_17_i686",
            "macosx_11_0_universal2", "win32", "android_24_arm64_v8a",
            "ios_13_0_arm64_iphoneos", "pyemscripten_2026_0_wasm32",
        ],
        "interpreters": ["cp313", "cp314", "cp314t"],
    }  # fmt: skip
    found = cells(document)
    assert found["android_24_arm64_v8a"] == found["ios_13_0_arm64_iphoneos"] == "cp313 cp314"
    assert found.pop("pyemscripten_2026_0_wasm32") == "cp314"
    assert found.pop("win32") == "cp313 cp314 cp314t"
    assert len(found) == 8


def test_a_skip_for_builds_that_the_matrix_has_not_is_told() -> None:
    assert resolved({**RECTANGLE, "skip": "pp* cp312-win*"}).unused == ("pp*",)
    assert resolved({**RECTANGLE, "skip": "cp312-win*"}).unused == ()


_SELECTORS = st.builds(
    "-".join,
    st.tuples(
        st.sampled_from(["*", "cp*", "pp*", "cp31{1,3}", "cp3[0-9][0-9]", "*t", "gp31?_*", "cp312"]),
        st.sampled_from(["*", "win*", "*_x86_64", "manylinux*", "{win_arm64,musllinux_*}", "win32"]),
    ),
)
_ALL_TARGETS = (
    "manylinux_2_28_x86_64", "musllinux_1_2_x86_64", "macosx_11_0_arm64", "win_amd64", "win_arm64", "win32",
)  # fmt: skip
_ALL_PYTHONS = ("cp311", "cp312", "cp313", "cp314t", "pp311", "gp312_250")


@given(
    st.lists(st.sampled_from(_ALL_TARGETS), unique=True, min_size=1),
    st.lists(st.sampled_from(_ALL_PYTHONS), unique=True, min_size=1),
    st.lists(_SELECTORS, unique=True, max_size=3),
)
def test_what_is_left_of_a_rectangle_is_what_cibuildwheel_selects(
    targets: list[str], pythons: list[str], skip: list[str]
) -> None:
    """Ask cibuildwheel's own selector about each of its builds that the rectangle has."""
    document = {"matrix": {"targets": targets, "interpreters": pythons, "skip": skip}}
    promised = set(matrix_of(config.parse(document, source=None, root=Path()), None).identifiers())
    suffixes = {matrix.Target.parse(target).build_suffix for target in targets}
    wanted = " ".join(f"{python}-{suffix}" for python in pythons for suffix in suffixes)
    selector = BuildSelector(build_config=wanted, skip_config=" ".join(skip), enable=EnableGroup.all_groups())
    theirs = {build for builds in matrix.offered_builds().values() for build in builds if selector(build)}
    assert promised == theirs


@rows(
    ("word", "meant"),
    [
        ("manylinux_2_28_amd64", "manylinux_2_28_x86_64"),
        ("manylinux_2_28_arm64", "manylinux_2_28_aarch64"),
        ("manylinux_2_28", "manylinux_2_28_x86_64"),
        ("manylinux2014", "manylinux_2_17_x86_64"),
        ("manylinux2014_arm64", "manylinux_2_17_aarch64"),
        ("manylinux_x86_64", "manylinux_2_28_x86_64"),
        ("manylinux-x86_64", "manylinux_2_28_x86_64"),
        ("linux_x86_64", "manylinux_2_28_x86_64"),
        ("linux-aarch64", "manylinux_2_28_aarch64"),
        ("x86_64-unknown-linux-gnu", "manylinux_2_28_x86_64"),
        ("aarch64-unknown-linux-musl", "musllinux_1_2_aarch64"),
        ("musllinux_x86_64", "musllinux_1_2_x86_64"),
        ("musllinux_1_2_arm64", "musllinux_1_2_aarch64"),
        ("macos_arm64", "macosx_11_0_arm64"),
        ("macosx_arm64", "macosx_11_0_arm64"),
        ("macosx_11_arm64", "macosx_11_0_arm64"),
        ("macosx_10_13_aarch64", "macosx_11_0_arm64"),
        ("macosx_x86_64", "macosx_10_13_x86_64"),
        ("macosx_10_13_amd64", "macosx_10_13_x86_64"),
        ("macos-14", "macosx_14_0_arm64"),
        ("aarch64-apple-darwin", "macosx_11_0_arm64"),
        ("macosx_universal2", "macosx_10_13_universal2"),
        ("windows_amd64", "win_amd64"),
        ("win-amd64", "win_amd64"),
        ("win64", "win_amd64"),
        ("win_x64", "win_amd64"),
        ("windows", "win_amd64"),
        ("win_32", "win32"),
        ("win_arm", "win_arm64"),
        ("windows-x86", "win32"),
        ("windows_arm64", "win_arm64"),
        ("x86_64-pc-windows-msvc", "win_amd64"),
        ("android_arm64_v8a", "android_24_arm64_v8a"),
        ("android_21_aarch64", "android_21_arm64_v8a"),
        ("ios_arm64_iphoneos", "ios_13_0_arm64_iphoneos"),
        ("ios_13_0_arm64", "ios_13_0_arm64_iphoneos"),
        ("pyodide_wasm32", "pyemscripten_2026_0_wasm32"),
        ("pyodide_2025_0_wasm32", "pyemscripten_2025_0_wasm32"),
    ],
)
def test_the_target_that_was_meant_is_named(word: str, meant: str) -> None:
    (problem,) = problems({"targets": [word]})
    assert problem.startswith("matrix.targets[0]: unknown")
    assert problem.endswith(f'did you mean "{meant}"?')
    assert loaded({"targets": [meant]}).matrix.targets == (meant,)


@rows("arch", LINUX_ARCHS[:-1])  # cibuildwheel builds nothing for loongarch64
@rows("libc", ["manylinux", "musllinux"])
def test_the_version_that_is_suggested_is_that_of_the_image_which_cibuildwheel_takes(
    libc: str, arch: str
) -> None:
    defaults = (files("cibuildwheel") / "resources" / "defaults.toml").read_text(encoding="utf-8")
    image = tomllib.loads(defaults)["tool"]["cibuildwheel"][f"{libc}-{arch}-image"]
    (problem,) = problems({"targets": [f"{libc}-{arch}"]})
    assert problem.endswith(f'did you mean "{image}_{arch}"?')


@rows("word", ["", "any", "freebsd_14_x86_64", "manylinux_9999999999_28_x86_64", "_"])
def test_no_target_is_invented_for_a_word_that_means_none(word: str) -> None:
    (problem,) = problems({"targets": [word]})
    assert "did you mean" not in problem or "manylinux" in word


@rows(
    ("word", "meant"),
    [
        ("3.12", "cp312"),
        ("py312", "cp312"),
        ("python3.12", "cp312"),
        ("cp3.12", "cp312"),
        ("3.14t", "cp314t"),
        ("cp314-t", "cp314t"),
        ("pypy3.11", "pp311"),
        ("pypy311", "pp311"),
        ("graalpy312", "gp312_250"),
        ("gp312", "gp312_250"),
    ],
)
def test_the_interpreter_that_was_meant_is_named(word: str, meant: str) -> None:
    (problem,) = problems({"interpreters": [word]})
    assert problem.endswith(f'did you mean "{meant}"?')
    assert loaded({"interpreters": [meant]}).matrix.interpreters == (meant,)


_BASE = 'targets = ["win_amd64", "win_arm64"]\ninterpreters = ["cp311", "cp312"]\n'


@pytest.mark.parametrize(
    ("matrix_lines", "key", "words"),
    [
        (_BASE + 'skip = "*"\n', "matrix.skip", "it skips every cell of the matrix"),
        (_BASE + 'skip = "*-win64"\n', "matrix.skip[0]", "matches no build of cibuildwheel"),
        (_BASE + "skip = 1\n", "matrix.skip", "expected a string or a list of strings"),
        (
            _BASE + '[[OVERRIDE]]\nselect = "*-win32"\ninterpreters = ["cp312"]\n',
            "matrix.override[0].select",
            "matches no cell of the matrix",
        ),
        (_BASE.replace("cp311", "cp310"), "matrix.interpreters", "cp310 promised, but momentum says"),
        (_BASE.replace("cp311", "pypy3.11"), "matrix.interpreters[0]", 'did you mean "pp311"?'),
        (_BASE.replace("cp312", "pp311"), "matrix.interpreters[1]", ""),
        (_BASE.replace("win_arm64", "win-arm64"), "matrix.targets[1]", 'did you mean "win_arm64"?'),
    ],
)
@pytest.mark.parametrize("file", ["pyproject.toml", "wheelkit.toml"])
def test_each_mistake_is_one_message_with_exit_code_2(
    matrix_lines: str, key: str, words: str, file: str, project: Callable[[str, str], tuple[int, str]]
) -> None:
    code, err = project(file, matrix_lines)
    if not words:  # win_amd64 has PyPy, so win_arm64 only drops out
        assert (code, err) == (0, "")
        return
    assert code == 2
    assert "1 mistake in the configuration" in err
    assert err.count(key) == 1
    assert words in err
    assert ("tool.wheelkit.matrix" in err) == (file == "pyproject.toml" and "promised" not in words)


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str, str], tuple[int, str]]:
    """Plan a native project with a matrix in one of the files; return the exit code and the messages."""

    def plan(file: str, lines: str) -> tuple[int, str]:
        prefix = "" if file == "wheelkit.toml" else "tool.wheelkit."
        table = f"[{prefix}matrix]\n{lines}".replace("OVERRIDE", f"{prefix}matrix.override")
        metadata = '[project]\nname = "momentum"\nversion = "1"\nrequires-python = ">=3.11"\n'
        (tmp_path / "setup.py").write_text("import setuptools\nsetuptools.setup(ext_modules=[1])\n")
        (tmp_path / "pyproject.toml").write_text(metadata + (table if prefix else ""))
        if not prefix:
            (tmp_path / file).write_text(table)
        monkeypatch.chdir(tmp_path)
        return main(["plan"]), capsys.readouterr().err

    return plan


@pytest.mark.parametrize(
    "pattern", ["pp311-musllinux*", "cp36-* cp37-*", "cp38-macosx_arm64", "cp313t-win32"]
)
def test_builds_that_cibuildwheel_does_not_offer_may_be_skipped(
    pattern: str, project: Callable[[str, str], tuple[int, str]]
) -> None:
    assert project("pyproject.toml", f'{_BASE}skip = "{pattern}"\n') == (0, "")


@pytest.mark.parametrize(
    ("document", "key", "words"),
    [
        ({"skip": "cp399-*"}, "skip[0]", ['"cp399-*" matches no build']),
        ({"skip": "*-musllinx*"}, "skip[0]", ['"*-musllinx*" matches no build', 'did you mean "*-musllinux']),
        ({"skip": "pp311"}, "skip[0]", ['did you mean "pp311-*"?']),
        ({"skip": ["cp312-win*", "win_amd64"]}, "skip[1]", ['did you mean "*-win_amd64"?']),
        ({"skip": "cp{1..99999}-*"}, "skip[0]", ["too many patterns"]),
        ({"skip": "cp3*"}, "skip", ["it skips every cell of the matrix"]),
        (
            {"override": [{"select": "*-win_amd64", "interpreters": ["cp313"]}]},
            "override[0].select",
            ['"*-win_amd64" matches no cell of the matrix', "add what it names to targets"],
        ),
        (
            {"override": [{"select": "*-win_amr64", "interpreters": ["cp313"]}]},
            "override[0].select",
            ['did you mean "*-win_arm64"?'],
        ),
        (
            {"override": [{"select": "*-win*", "interpreters": ["3.13"]}]},
            "override[0].interpreters[0]",
            ['did you mean "cp313"?'],
        ),
        ({"override": [{"select": "*-win*"}]}, "override[0]", ["interpreters is missing"]),
        (
            {"interpreters": ["cp313", "cp313t"]},
            "interpreters[1]",
            ["cibuildwheel does not build cp313t for any of the targets; it offers cp39"],
        ),
        (
            {"override": [{"select": "*-win*", "interpreters": ["pp311"]}]},
            "override[0].interpreters[0]",
            ["cibuildwheel does not build pp311"],
        ),
        (
            {"targets": ["win_amd64", "android_24_x86_64"]},
            "targets[1]",
            ["cibuildwheel builds none of cp312", "it offers cp313, cp314"],
        ),
        ({"targets": ["win_amd64", "macosx_9_0_x86_64"]}, "targets[1]", ["no installer accepts"]),
        (
            {"targets": ["manylinux2014_x86_64", "manylinux_2_17_x86_64"]},
            "targets[1]",
            ['the same target as "manylinux2014_x86_64", at [0]'],
        ),
    ],
)
def test_one_mistake_is_one_problem(document: dict[str, Any], key: str, words: list[str]) -> None:
    base = RECTANGLE if key != "targets[1]" or "android" not in str(document) else {"interpreters": ["cp312"]}
    (problem,) = problems({**base, **document})
    assert problem.startswith(f"matrix.{key}: ")
    assert all(word in problem for word in words), problem
