from __future__ import annotations

import configparser
import json
import shlex
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from abi3info import DATAS, FUNCTIONS

from support.rows import rows
from wheelkit import config, matrix, plan
from wheelkit.__main__ import main
from wheelkit.builders.cross import limits
from wheelkit.builders.cross.compilers import write_compilers, write_toolchain
from wheelkit.builders.cross.environment import make_environment
from wheelkit.builders.cross.files import build_details, cross_file, definition_file
from wheelkit.errors import (
    ProjectError,
    ToolFailedError,
    UsageError,
)
from wheelkit.machine import facts as facts_module
from wheelkit.machine.process import LoggedRun
from wheelkit.matrix import Interpreter, System, Target
from wheelkit.plan import Builder, Plan
from wheelkit.plan.cross import cross_target, unsupported_reason
from wheelkit.project.family import Family
from wheelkit.project.kinds import Kind
from wheelkit.project.meson import unconditional
from wheelkit.project.read import Distribution

TRIPLES = {
    "manylinux_2_28_x86_64": "x86_64-linux-gnu.2.28",
    "manylinux2014_x86_64": "x86_64-linux-gnu.2.17",
    "manylinux_2_34_aarch64": "aarch64-linux-gnu.2.34",
    "manylinux_2_28_s390x": "s390x-linux-gnu.2.28",
    "manylinux_2_28_ppc64le": "powerpc64le-linux-gnu.2.28",
    "manylinux_2_39_riscv64": "riscv64-linux-gnu.2.39",
    "manylinux_2_31_armv7l": "arm-linux-gnueabihf.2.31",
    "musllinux_1_2_x86_64": "x86_64-linux-musl",
    "macosx_10_13_x86_64": "x86_64-macos.10.13",
    "macosx_11_0_arm64": "aarch64-macos.11.0",
    "win_amd64": "x86_64-windows-gnu",
    "win_arm64": "aarch64-windows-gnu",
}
HERE = facts_module.Machine(
    system=System.LINUX,
    arch="x86_64",
    libc="manylinux",
    libc_version=(2, 36),
    engine_problem="docker is not installed",
)


def distribution(source: Path = Path("project"), **changes: object) -> Distribution:
    facts: dict[str, object] = {
        "name": "momentum",
        "version": "1.2.0",
        "kind": Kind.NATIVE,
        "source": source,
        "backend": "mesonpy",
    }
    return Distribution(**{**facts, "limited_api": True, "requires_python": ">=3.11", **changes})  # type: ignore[arg-type]  # facts as the case wants them


def planned(document: dict[str, object], *, targets: tuple[str, ...] = ()) -> Plan:
    family = Family(root=Path("project"), distributions=(distribution(),))
    request = plan.PlanRequest(
        machine=HERE, out=Path("dist"), builder=Builder.CROSS, targets=targets, environ={}
    )
    return plan.make_plan(
        config.parse(document, source=None, root=Path("project"), validators=(matrix.validate,)),
        family,
        request,
    )


@rows(("tag", "triple"), TRIPLES.items())
def test_each_target_has_a_row_with_zigs_name_of_it(tag: str, triple: str) -> None:
    row = cross_target(Target.parse(tag))
    assert row is not None
    assert row.triple == triple
    assert bool(row.import_library) == tag.startswith("win")
    assert bool(row.libc) == tag.startswith("musl")


@pytest.mark.parametrize(
    ("tag", "why"),
    [
        ("manylinux_2_5_x86_64", "from version 2.17 on"),
        ("macosx_10_9_x86_64", "from version 10.13 on"),
        ("macosx_11_0_universal2", "do not support macosx_11_0_universal2"),
        ("manylinux_2_36_loongarch64", "do not support manylinux_2_36_loongarch64"),
    ],
)
def test_a_target_without_a_cross_build_says_why(tag: str, why: str) -> None:
    assert cross_target(Target.parse(tag)) is None
    assert why in unsupported_reason(Target.parse(tag))


def test_the_plan_has_one_step_for_each_target_and_says_cross() -> None:
    family_plan = planned(
        {"matrix": {"targets": [*TRIPLES, "win32"], "interpreters": ["cp311", "cp314", "cp314t"]}}
    )
    assert [row.builder for row in family_plan.targets] == [Builder.CROSS] * len(TRIPLES) + [None]
    assert [str(step.target) for step in family_plan.steps] == [str(Target.parse(tag)) for tag in TRIPLES]
    # One limited-API wheel; free-threaded interpreters take none.
    assert {tuple(map(str, step.interpreters)) for step in family_plan.steps} == {("cp311", "cp314")}
    document = json.loads(json.dumps(plan.to_json(family_plan)))
    assert {step["builder"] for step in document["steps"]} == {"cross"}
    assert document["targets"][-1]["why"] == "cross builds do not support win32"


def test_only_macos_goes_without_the_description_of_the_targets_python() -> None:
    family_plan = planned({"matrix": {"targets": list(TRIPLES)}})
    described = {
        step.target.system
        for step in family_plan.steps
        if any("python.build_config" in word for word in step.argv)
    }
    assert described == {System.LINUX, System.WINDOWS}
    assert all("setup-args=--cross-file={files}/cross.ini" in step.argv for step in family_plan.steps)


def test_targets_can_be_picked_from_the_matrix_and_no_others() -> None:
    document: dict[str, object] = {"matrix": {"targets": list(TRIPLES)}}
    assert [str(step.target) for step in planned(document, targets=("win_amd64",)).steps] == ["win_amd64"]
    with pytest.raises(UsageError, match="manylinux_2_99_x86_64: not in the matrix") as caught:
        planned(document, targets=("manylinux_2_99_x86_64", "win_amd64"))
    assert "win_amd64" in caught.value.hint


def test_the_cross_file_survives_odd_folders() -> None:
    row = cross_target(Target.parse("macosx_11_0_arm64"))
    assert row is not None
    text = cross_file(row, Path("/it's here/zig"), Path("/in clude"))
    parser = configparser.ConfigParser()
    parser.read_string(text)
    assert (
        parser["binaries"]["c"]
        == r"['/it\'s here/zig', 'cc', '-target', 'aarch64-macos.11.0', '-g0', '-I/in clude']"
    )
    assert dict(parser["host_machine"]) == {
        "system": "'darwin'",
        "cpu_family": "'aarch64'",
        "cpu": "'aarch64'",
        "endian": "'little'",
        "subsystem": "'macos'",
    }
    assert parser["binaries"]["cpp"] == parser["binaries"]["c"].replace("'cc'", "'c++'")


def test_the_byte_order_is_that_of_the_target() -> None:
    for tag, endian in (("manylinux_2_28_s390x", "big"), ("manylinux_2_28_ppc64le", "little")):
        row = cross_target(Target.parse(tag))
        assert row is not None
        assert f"endian = '{endian}'" in cross_file(row, Path("/zig"), Path("/include"))


def test_the_description_links_an_import_library_on_windows_alone() -> None:
    floor = Interpreter.parse("cp311")
    for tag, library in (("win_amd64", Path("/x/libpython3.a")), ("manylinux_2_28_aarch64", None)):
        row = cross_target(Target.parse(tag))
        assert row is not None
        details = build_details(row, floor, Path("/x/include"), library)
        libpython = details["libpython"]
        assert isinstance(libpython, dict)
        assert libpython["link_extensions"] is (library is not None)
        assert (
            libpython.get("dynamic-stableabi")
            == libpython.get("dynamic_stableabi")
            == (str(library) if library else None)
        )


def test_the_import_library_ends_at_the_floor() -> None:
    older, newer = definition_file((3, 11)).splitlines(), definition_file((3, 13)).splitlines()
    assert older[:2] == ['LIBRARY "python3.dll"', "EXPORTS"]
    assert set(older) < set(newer)
    assert "PyType_GetModuleByDef" not in older  # 3.13
    assert "PyType_GetModuleByDef" in newer
    assert "PyErr_SetFromWindowsErr" in older
    assert "PyOS_AfterFork" not in older  # there is no fork() on Windows
    assert "PyBaseObject_Type DATA" in older
    known = {item.symbol.name for item in (*FUNCTIONS.values(), *DATAS.values())}
    assert {line.removesuffix(" DATA") for line in newer[2:]} <= known


PLAIN = """\
project('x', 'c', version: '1')
py = import('python').find_installation()
py.extension_module('x', 'x.c', limited_api: '3.11')
"""


@rows(
    ("line", "reason"),
    [
        ("project('y', ['c', 'fortran'], version: '1')", "a language"),
        ("project('y', 'c', 'cuda')", "a language"),
        ("dependency('openmp')", "OpenMP"),
        ("dependency('OpenMP', required: true)", "OpenMP"),
        ("dependency('appleframeworks', modules: 'foundation')", "Apple"),
        ("add_project_link_arguments('-framework', 'Accelerate', language: 'c')", "Apple"),
        ("add_languages('objc')", "Apple"),
        ("executable('y', 'y.m')", "Apple"),
        ("add_languages('fortran')", "a language"),
    ],
)
def test_limits_are_reported_with_their_place(tmp_path: Path, line: str, reason: str) -> None:
    (tmp_path / "meson.build").write_text(PLAIN + "\nsubdir('src')\n")
    (tmp_path / "src").mkdir()
    (tmp_path / "src/meson.build").write_text(f"# first\n{line}\n")
    with pytest.raises(ProjectError) as caught:
        limits.require_supported([distribution(tmp_path)])
    assert caught.value.exit_code == 2
    assert f"momentum: src/meson.build, line 2: {reason}" in caught.value.detail
    assert "wheelkit plan" in caught.value.hint


@rows(
    "line",
    [
        "",
        "# add_languages('fortran')",
        "message('# Rust is not here: add_languages(rust)')",
        "if get_option('tests').enabled()\n  add_languages('rust')\n  executable('t', 't.rs')\nendif",
        "foreach name : []\n  dependency('openmp')\nendforeach",
        "add_languages('cpp')",
        "executable('y', 'y.cpp')",
        "add_languages('fortran', required: false)",
        "dependency('openmp', required: false)",
        "dependency('openmp', required: get_option('openmp'))",
        "add_languages('cython')",
        "if x\n  subdir('cxx')\nendif",
    ],
)
def test_what_a_build_may_never_meet_is_no_limit(tmp_path: Path, line: str) -> None:
    (tmp_path / "meson.build").write_text(f"{PLAIN}{line}\n")
    (tmp_path / "cxx").mkdir()
    (tmp_path / "cxx/meson.build").write_text("add_languages('fortran')\n")
    limits.require_supported([distribution(tmp_path)])


def test_an_sdist_is_read_like_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "momentum-1.2.0"
    folder.mkdir()
    (folder / "meson.build").write_text(f"{PLAIN}add_languages('fortran')\n")
    with tarfile.open(tmp_path / "momentum-1.2.0.tar.gz", "w:gz") as archive:
        archive.add(folder, arcname=folder.name)
    (problem,) = limits.limitations(distribution(tmp_path / "momentum-1.2.0.tar.gz"))
    assert problem.startswith("meson.build, line 4: a language")


def test_another_backend_and_the_full_api_are_limits_too(tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as caught:
        limits.require_supported([distribution(backend="maturin"), distribution(tmp_path, limited_api=False)])
    first, second = caught.value.detail.splitlines()
    assert "backend is maturin; cross builds support only meson-python, setuptools and" in first
    assert "limited-api is not true" in second


def test_cmake_projects_are_for_linux(tmp_path: Path) -> None:
    project = distribution(tmp_path, backend="scikit_build_core.build")
    limits.require_supported([project], map(Target.parse, ("manylinux_2_28_s390x", "musllinux_1_2_x86_64")))
    with pytest.raises(ProjectError) as caught:
        limits.require_supported([project], map(Target.parse, ("manylinux_2_28_s390x", "win_amd64")))
    assert caught.value.detail == (
        "momentum: CMake projects are cross-built for Linux only, not for win_amd64"
    )


def test_setuptools_has_to_use_the_limited_api(tmp_path: Path) -> None:
    limits.require_supported([distribution(tmp_path, backend="setuptools.build_meta")])
    with pytest.raises(ProjectError, match="cannot be cross-built") as caught:
        limits.require_supported([distribution(tmp_path, backend="", limited_api=False)])
    assert "sets py-limited-api; cross builds need the limited API" in caught.value.detail


@pytest.mark.skipif(sys.platform == "win32", reason="the programs are shell scripts")
@rows(
    ("tag", "library", "linked", "dropped"),
    [
        ("manylinux_2_28_s390x", "", "-shared -s", "-flto"),
        ("macosx_11_0_arm64", "", "-shared -undefined dynamic_lookup -s", "-pthread"),
        ("win_amd64", "/x/libpython3.a", "-Wl,--no-allow-shlib-undefined /x/libpython3.a", "-fPIC"),
    ],
)
def test_setuptools_gets_compilers_by_variables(
    tag: str, library: str, linked: str, dropped: str, tmp_path: Path
) -> None:
    row = cross_target(Target.parse(tag))
    assert row is not None
    zig = tmp_path / "zig"
    zig.write_text('#!/bin/sh\necho "$@"\n')
    zig.chmod(0o755)
    found = Path(library) if library else None
    variables = write_compilers(row, zig, Path("/my include"), found, tmp_path)
    for name, language in (("CC", "cc"), ("CXX", "c++")):
        done = subprocess.run(
            [variables[name], dropped, "-c", "a b.c"], capture_output=True, text=True, check=True
        )
        assert done.stdout.startswith(f"{language} -target {row.triple} ")
        assert "-I/my include -c a b.c" in done.stdout
    assert linked in variables["LDSHARED"]
    assert shlex.split(variables["LDCXXSHARED"])[0] == variables["CXX"]
    assert (
        subprocess.run([variables["AR"], "rcs", "x.a"], capture_output=True, text=True, check=True).stdout
        == "ar rcs x.a\n"
    )


def test_cmake_gets_a_toolchain_file(tmp_path: Path) -> None:
    row = cross_target(Target.parse("manylinux_2_28_ppc64le"))
    assert row is not None
    programs = {name: f"/in clude/{name}" for name in ("CC", "CXX", "AR", "RANLIB")}
    (path,) = write_toolchain(row, programs, tmp_path).values()
    text = Path(path).read_text()
    assert "set(CMAKE_SYSTEM_PROCESSOR ppc64le)" in text
    assert "set(CMAKE_CXX_COMPILER [[/in clude/CXX]])" in text


def test_lines_keep_their_numbers() -> None:
    assert unconditional("a\nif x\n  b\nelif y\n  c\nelse\n  d\nendif\ne # f\n") == "a\n\n\n\n\n\n\n\ne    \n"


def test_wheelkit_itself_is_within_the_limits() -> None:
    limits.require_supported([distribution(Path(__file__).parents[2])])


@pytest.mark.parametrize(
    ("requires", "message"),
    [
        (
            ("gone @ file:///no/such/gone-1.0-py3-none-any.whl",),
            "installing the build requirements of momentum failed",
        ),
        ((), "asking mesonpy for its build requirements failed"),  # nothing brought the backend
    ],
)
def test_a_build_environment_that_cannot_be_made_says_why(
    tmp_path: Path, requires: tuple[str, ...], message: str
) -> None:
    item = distribution(tmp_path, build_requires=requires)
    with pytest.raises(ToolFailedError, match=message) as caught:
        make_environment(item, Path(sys.executable), tmp_path, LoggedRun(log=tmp_path / "log"))
    assert ("gone" if requires else "No module named 'mesonpy'") in caught.value.detail


@pytest.mark.parametrize("words", [["--cross", "--native"], ["--cross", "--builder", "host"]])
def test_a_cross_build_beside_another_builder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["meson-python"]\nbuild-backend = "mesonpy"\n'
        '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.11"\n'
        "[tool.meson-python]\nlimited-api = true\n"
    )
    (tmp_path / "meson.build").write_text(PLAIN)
    monkeypatch.chdir(tmp_path)
    assert main(["build", *words]) == 2
    assert "dist/ holds one wheel for each target" in capsys.readouterr().err
