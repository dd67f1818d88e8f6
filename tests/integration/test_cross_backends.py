"""Cross builds of setuptools projects and of C++, whose wheels then run under emulators."""

from __future__ import annotations

import importlib.util
import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from support.command import Wheelkit, git_commit
from support.emulation import emulation

pytestmark = [
    pytest.mark.skipif(
        (sys.platform, platform.machine()) != ("linux", "x86_64"),
        reason="the emulators are for Linux on x86_64",
    ),
    pytest.mark.skipif(importlib.util.find_spec("ziglang") is None, reason="needs the extra cross"),
    pytest.mark.emulated,
    pytest.mark.network,
]
ABI3 = Path(__file__).parents[1] / "projects/abi3"
SETUPTOOLS = """
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"
[project]
name = "momentum"
version = "1.2.0"
requires-python = ">=3.11"
[tool.setuptools]
packages = ["momentum"]
[tool.distutils.bdist_wheel]
py-limited-api = "cp311"
"""
MATRIX = """
[tool.wheelkit.matrix]
targets = {targets}
interpreters = ["cp311", "cp312", "cp313"]
[tool.wheelkit.distribution.momentum]
smoke = ["python -c 'import momentum; assert momentum.of(2.0, 3.0) == 6.0'"]
"""
SETUP = """
from setuptools import Extension, setup
limited = [("Py_LIMITED_API", "0x030b0000")]
core = Extension("momentum._core", {sources}, define_macros=limited, py_limited_api=True)
setup(ext_modules=[core])
"""
SCIKIT_BUILD = """
[build-system]
requires = ["scikit-build-core>=1.0"]
build-backend = "scikit_build_core.build"
[project]
name = "momentum"
version = "1.2.0"
requires-python = ">=3.11"
[tool.scikit-build]
wheel.py-api = "cp311"
wheel.packages = ["momentum"]
"""
CMAKE = """
cmake_minimum_required(VERSION 3.26)
project(momentum LANGUAGES C CXX)
find_package(Python REQUIRED COMPONENTS Interpreter Development.Module Development.SABIModule)
python_add_library(_core MODULE USE_SABI 3.11 WITH_SOABI {sources})
install(TARGETS _core DESTINATION momentum)
"""
# Needs the C++ library: containers, strings, exceptions of its own and of the library.
PRODUCT = """
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

extern "C" double product(double mass, double speed)
{
    std::vector<double> factors{mass, speed};
    try {
        if (factors.size() != 2)
            throw std::runtime_error(std::to_string(factors.size()));
        factors.at(7);
    } catch (const std::out_of_range &) {
        return std::accumulate(factors.begin(), factors.end(), 1.0, [](double a, double b) { return a * b; });
    } catch (const std::exception &) {
    }
    return -1.0;
}
"""


def write(folder: Path, targets: list[str], backend: str, *, cxx: bool = False) -> Path:
    """Write the project with one extension in C or C++, built by a backend."""
    shutil.copytree(ABI3, folder)
    core = (folder / "core.c").read_text()
    sources = ["core.c"]
    if cxx:
        sources.append("product.cpp")
        (folder / "product.cpp").write_text(PRODUCT)
        core = core.replace("mass * speed", "product(mass, speed)")
        core = core.replace("static PyObject *of", "double product(double, double);\nstatic PyObject *of", 1)
        (folder / "core.c").write_text(core)
    if backend == "meson-python":
        project = (folder / "pyproject.toml").read_text().partition("[tool.wheelkit")[0]
        text = (folder / "meson.build").read_text()
        text = text.replace("'momentum', 'c',", "'momentum', ['c', 'cpp'],")
        (folder / "meson.build").write_text(text.replace("'core.c'", str(sources)))
    else:
        (folder / "meson.build").unlink()
        project = SETUPTOOLS if backend == "setuptools" else SCIKIT_BUILD
        (folder / "setup.py").write_text(SETUP.format(sources=sources))
        (folder / "MANIFEST.in").write_text("include *.c *.cpp\n")
        (folder / "CMakeLists.txt").write_text(CMAKE.format(sources=" ".join(sources)))
    (folder / "pyproject.toml").write_text(project + MATRIX.format(targets=json.dumps(targets)))
    git_commit(folder)
    return folder


def build_and_run(wheelkit: Wheelkit, project: Path, env: Mapping[str, str]) -> dict[str, Any]:
    """Cross-build all targets and try the wheels; returns what the smoke test says."""
    assert wheelkit("build", "--cross", cwd=project).returncode == 0
    done = wheelkit("smoke", "dist", "--emulate", "--json", cwd=project, env=env)
    assert done.returncode == 0
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.mark.parametrize("backend", ["setuptools", "scikit-build-core"])
def test_a_project_for_a_big_endian_processor(backend: str, wheelkit: Wheelkit, tmp_path: Path) -> None:
    env = emulation("s390x")
    project = write(tmp_path / "project", ["manylinux_2_28_s390x"], backend)
    document = build_and_run(wheelkit, project, env)
    assert [(case["emulator"], case["checks"]) for case in document["cases"]] == [("qemu-s390x", 3)]
    (file,) = document["cases"][0]["files"]
    assert file.startswith("momentum-1.2.0-cp311-abi3-")
    command = [sys.executable, "-m", "abi3audit", "--strict", project / "dist" / file]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.wine
@pytest.mark.parametrize("backend", ["meson-python", "setuptools"])
def test_cxx_on_every_kind_of_target(backend: str, wheelkit: Wheelkit, tmp_path: Path) -> None:
    env = emulation("aarch64", "s390x", "wine", "musl")
    targets = ["manylinux_2_28_x86_64", "manylinux_2_28_aarch64", "manylinux_2_28_s390x"]
    targets += ["musllinux_1_2_x86_64", "macosx_11_0_arm64", "win_amd64"]
    project = write(tmp_path / "project", targets, backend, cxx=True)
    document = build_and_run(wheelkit, project, env)
    emulators = {case["emulator"] for case in document["cases"]}
    assert emulators == {None, "qemu-aarch64", "qemu-s390x", "ld-musl-x86_64.so.1", "wine"}
    assert ["macosx" in wheel["file"] for wheel in document["not_run"]] == [True]
