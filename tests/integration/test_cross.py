"""Cross builds with zig for every target; the wheels are checked by auditwheel, abi3audit and others."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from support.command import MakeProject, Wheelkit, git_commit
from wheelkit.__main__ import main
from wheelkit.wheel.names import parse_file_name

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="cross builds start from Linux and macOS"),
    pytest.mark.skipif(importlib.util.find_spec("ziglang") is None, reason="needs the extra cross"),
]
TARGETS = (
    "manylinux_2_28_x86_64",
    "manylinux_2_28_aarch64",
    "musllinux_1_2_x86_64",
    "macosx_10_13_x86_64",
    "macosx_11_0_arm64",
    "win_amd64",
)
ONE = 'targets = ["manylinux_2_28_x86_64"]'
# Declared by hand, because Python.h hides what is newer than the floor: 3.13 brought it into the stable ABI.
TOO_NEW = (
    "core.c",
    (
        "static PyObject *of",
        "extern PyObject *PyType_GetModuleByDef(PyTypeObject *, PyModuleDef *);\nstatic PyObject *of",
    ),
)
TOO_NEW_CALL = (
    "    return PyFloat_FromDouble(mass * speed);",
    "    return PyType_GetModuleByDef(Py_TYPE(args), NULL);",
)


def promise(folder: Path, *targets: str) -> Path:
    text = (folder / "pyproject.toml").read_text()
    assert ONE in text
    (folder / "pyproject.toml").write_text(text.replace(ONE, f"targets = {json.dumps(list(targets))}"))
    return folder


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build every target once, as a user would."""
    folder = tmp_path_factory.mktemp("cross") / "abi3"
    shutil.copytree(Path(__file__).parents[1] / "projects/abi3", folder)
    promise(folder, *TARGETS)
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    env = {**os.environ, "WHEELKIT_CACHE_DIR": str(folder.parent / "cache")}
    words = [sys.executable, "-m", "wheelkit", "build", "--cross"]
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "experimental" in done.stderr
    return folder / "dist"


def wheel(dist: Path, target: str) -> Path:
    document = json.loads((dist / f"momentum-1.2.0-{target}.wheelkit.json").read_text())
    assert document["builder"] == "cross"
    (file,) = document["files"]
    assert file["tested"] == []
    assert file["cells"] == ["cp311", "cp312", "cp313"]
    return dist / str(file["file"])


@pytest.mark.parametrize("target", TARGETS)
def test_each_target_gets_its_abi3_wheel_with_nothing_but_the_module(dist: Path, target: str) -> None:
    path = wheel(dist, target)
    assert path.name.startswith("momentum-1.2.0-cp311-abi3-")
    assert target in path.name
    with zipfile.ZipFile(path) as archive:
        names = [
            name
            for name in archive.namelist()
            if not name.startswith("momentum-1.2.0.dist-info/") and not name.endswith("/")
        ]
    module = "_core.pyd" if target.startswith("win") else "_core.abi3.so"
    assert sorted(names) == ["momentum/__init__.py", f"momentum/{module}"]
    assert path.stat().st_size < 50_000  # stripped: with its debug information it has far more


def test_the_whole_dist_is_verified(dist: Path, wheelkit: Wheelkit) -> None:
    done = wheelkit("verify-matrix", "dist", "--json", cwd=dist.parent)
    assert done.returncode == 0
    report = json.loads(done.stdout)
    assert {row["target"] for row in report["matrix"]} == set(TARGETS)
    assert all(row["cross"] == row["files"] for row in report["matrix"])
    done = wheelkit("verify-matrix", "dist", cwd=dist.parent)
    assert done.stdout.count("abi3 wheel, cross") == len(TARGETS)
    assert f"{len(TARGETS)} wheels, {len(TARGETS)} of them cross-built and never run" in done.stdout


STAGING = """
[tool.wheelkit.index.staging]
upload = "http://127.0.0.1:9/"
simple = "http://127.0.0.1:9/simple/"
[tool.wheelkit.ci]
staging = "staging"
"""


def test_cross_built_wheels_are_not_published_unless_allowed(
    dist: Path, tmp_path: Path, wheelkit: Wheelkit
) -> None:
    folder = tmp_path / "abi3"
    shutil.copytree(dist.parent, folder)
    project = (folder / "pyproject.toml").read_text() + STAGING
    words = ("publish", "dist", "--to", "staging", "--allow-dirty")
    (folder / "pyproject.toml").write_text(project)
    done = wheelkit(*words, cwd=folder)
    assert done.returncode == 1
    assert "6 wheels are cross-built: verified, but never run; nothing was uploaded" in done.stderr
    assert all(path.name in done.stderr for path in (folder / "dist").glob("*.whl"))
    assert "[tool.wheelkit.publish] allow-cross = true" in done.stderr
    (folder / "pyproject.toml").write_text(f"{project}[tool.wheelkit.publish]\nallow-cross = true\n")
    done = wheelkit(*words, cwd=folder)
    assert "cross-built" not in done.stderr
    assert done.returncode == 3  # past the policy: nothing answers at the index's address


@pytest.mark.parametrize("target", TARGETS)
def test_abi3audit_agrees(dist: Path, target: str) -> None:
    command = [sys.executable, "-m", "abi3audit", "--strict", "--report", str(wheel(dist, target))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (module,) = next(iter(json.loads(done.stdout)["specs"].values()))["wheel"]
    assert (module["result"]["baseline"], module["result"]["non_abi3_symbols"]) == ("3.11", [])


@pytest.mark.parametrize("target", [target for target in TARGETS if "linux" in target])
def test_auditwheel_agrees(dist: Path, target: str) -> None:
    arch, libc = target.split("_", 3)[3], target.split("_", maxsplit=1)[0]
    command = [
        sys.executable,
        "-m",
        "wheelkit.repair.foreign",
        "auditwheel",
        arch,
        libc,
        "show",
        str(wheel(dist, target)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = re.search(r'platform\s+tag:\s+"(?P<tag>\w+)"', done.stdout)
    assert found is not None
    # It may be fit for older systems than the target, and is named for them too.
    assert found["tag"] in parse_file_name(wheel(dist, target).name).platforms


def test_delvewheel_finds_nothing_to_bring(dist: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "delvewheel", "show", wheel(dist, "win_amd64")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "copied into the wheel.\n    None" in done.stdout
    assert "python3.dll" in done.stdout


@pytest.mark.parametrize("target", ["macosx_10_13_x86_64", "macosx_11_0_arm64"])
def test_the_system_is_all_that_a_macos_wheel_needs(dist: Path, target: str) -> None:
    script = (
        "import sys; from wheelkit.repair import foreign; foreign.replace_delocate_functions(); "
        "from delocate.cmd.delocate_listdeps import main; sys.argv[1:1] = ['--all']; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, wheel(dist, target)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["/usr/lib/libSystem.B.dylib"]


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="the wheel is for Linux on x86_64"
)
def test_the_wheel_for_this_machine_computes(dist: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel(dist, "manylinux_2_28_x86_64")) as archive:
        archive.extractall(tmp_path)
    script = "import momentum; print(momentum.of(2.0, 3.0), momentum._core.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["6.0", str(tmp_path / "momentum/_core.abi3.so")]


def too_new(project: MakeProject, *targets: str) -> Path:
    folder = project("abi3", git=False, replace={TOO_NEW[0]: TOO_NEW[1]})
    text = (folder / "core.c").read_text()
    assert TOO_NEW_CALL[0] in text
    (folder / "core.c").write_text(text.replace(*TOO_NEW_CALL))
    return promise(folder, *targets)


def test_a_symbol_that_is_too_new_fails_to_link_on_windows(project: MakeProject, wheelkit: Wheelkit) -> None:
    done = wheelkit("build", "--cross", cwd=too_new(project, "win_amd64"))
    assert done.returncode == 4
    assert "undefined symbol: PyType_GetModuleByDef" in done.stderr
    assert "raise that version, or avoid the call" in done.stderr


def test_what_no_linker_notices_is_found_by_verification(project: MakeProject, wheelkit: Wheelkit) -> None:
    folder = too_new(project, "manylinux_2_28_aarch64")
    done = wheelkit("build", "--cross", cwd=folder)
    assert done.returncode == 1
    assert "WK402" in done.stderr
    assert "PyType_GetModuleByDef" in done.stderr
    assert not (folder / "dist").exists()


def test_limits_come_before_the_build(project: MakeProject, wheelkit: Wheelkit) -> None:
    folder = project(
        "abi3", git=False, replace={"meson.build": ("'momentum', 'c',", "'momentum', 'c', 'fortran',")}
    )
    for words in (["--dry-run"], []):
        done = wheelkit("build", "--cross", *words, cwd=folder)
        assert done.returncode == 2
        assert "momentum: meson.build, line 1: a language other than C, C++ and Cython" in done.stderr
        assert "sdist" not in done.stderr
    done = wheelkit("build", "--cross", cwd=project("single_version", git=False))
    assert done.returncode == 2
    assert "cross builds need the limited API" in done.stderr


def test_a_language_that_an_option_brings_in_is_explained(project: MakeProject, wheelkit: Wheelkit) -> None:
    folder = project(
        "abi3",
        git=False,
        replace={
            "meson.build": ("python = import", "if true\n  add_languages('fortran')\nendif\npython = import")
        },
    )
    done = wheelkit("build", "--cross", cwd=folder)
    assert done.returncode == 4
    assert "cross builds compile only C, C++ and Cython" in done.stderr


def test_the_dry_run_shows_the_plan(project: MakeProject, wheelkit: Wheelkit) -> None:
    folder = promise(
        project("abi3", git=False), "manylinux_2_28_aarch64", "win_amd64", "macosx_11_0_universal2"
    )
    done = wheelkit("build", "--cross", "--dry-run", "--json", cwd=folder)
    assert [row["builder"] for row in json.loads(done.stdout)["targets"]] == ["cross", "cross", None]
    done = wheelkit("build", "--cross", "--dry-run", "--target", "win_amd64", cwd=folder)
    assert done.returncode == 0
    assert "cross" in done.stdout
    assert "aarch64" not in done.stdout


def test_without_zig_nothing_is_built(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project("abi3", git=False))
    monkeypatch.setattr("wheelkit.machine.compilers.find_spec", lambda _: None)
    assert main(["build", "--cross"]) == 3
    output = capsys.readouterr().err
    assert "pip install 'wheelkit[cross]'" in output
    assert "sdist" not in output


def test_an_output_folder_that_cannot_be_one_is_refused_first(
    project: MakeProject, wheelkit: Wheelkit
) -> None:
    folder = project("abi3", git=False)
    (folder / "dist").write_text("in the way")
    done = wheelkit("build", "--cross", cwd=folder)
    assert done.returncode == 4
    assert "cannot be written" in done.stderr
    assert "cross build" not in done.stderr


def test_an_interrupt_ends_both_builds_and_leaves_nothing(project: MakeProject, wheelkit: Wheelkit) -> None:
    folder = promise(project("abi3", git=False), "manylinux_2_28_x86_64", "manylinux_2_28_aarch64")
    words = wheelkit.arguments("build", "--cross", "--verbose")
    with subprocess.Popen(
        words, cwd=folder, env=wheelkit.env, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stderr is not None
        started = 0
        for line in process.stderr:
            started += "--wheel" in line
            if started == 2:
                process.send_signal(signal.SIGINT)
                break
        rest = process.stderr.read()
    assert process.returncode == 130
    assert "interrupted" in rest
    assert "Traceback" not in rest
    assert wheelkit.left_behind() == []
    assert not (folder / "dist").exists()


ASKING = """
unit = configure_file(
  output: 'unit.txt',
  command: [python, '-c', 'from momentum_generator import UNIT; print(UNIT)'],
  capture: true,
)
python.install_sources(unit, subdir: 'momentum')
"""
GENERATOR = """
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"
[project]
name = "momentum-generator"
version = "1.2.0"
"""


def test_a_sibling_that_the_build_needs_comes_from_the_same_run(
    project: MakeProject, wheelkit: Wheelkit
) -> None:
    core = project(
        "abi3",
        git=False,
        replace={
            "pyproject.toml": ('"meson>=1.12"]', '"meson>=1.12", "momentum-generator==1.2.0"]'),
            "meson.build": ("python.extension_module(", f"{ASKING}python.extension_module("),
        },
    )
    promise(core, "manylinux_2_28_aarch64")
    source = core / "generator/momentum_generator"
    source.mkdir(parents=True)
    (source / "__init__.py").write_text("UNIT = 'newton second'\n")
    (core / "generator/pyproject.toml").write_text(GENERATOR)
    (core / "wheelkit.toml").write_text(
        'distributions = [".", "generator"]\n'
        '[matrix]\ntargets = ["manylinux_2_28_aarch64"]\ninterpreters = ["cp311"]\n'
    )
    (core / "pyproject.toml").write_text((core / "pyproject.toml").read_text().partition("[tool.wheelkit")[0])
    git_commit(core)
    done = wheelkit("build", "--cross", cwd=core)
    assert done.returncode == 0
    (wheel,) = (core / "dist").glob("*.whl")
    assert "aarch64" in wheel.name
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("momentum/unit.txt") == b"newton second\n"


@pytest.mark.slow
def test_the_rarer_targets_are_built_too(project: MakeProject, wheelkit: Wheelkit) -> None:
    targets = ("win_arm64", "musllinux_1_2_aarch64")
    folder = promise(project("abi3", git=False), *targets)
    assert wheelkit("build", "--cross", cwd=folder).returncode == 0
    assert wheelkit("verify-matrix", "dist", cwd=folder).returncode == 0
    assert {path.name.rpartition("-")[2] for path in (folder / "dist").glob("*.whl")} == {
        f"{target}.whl" for target in targets
    }
