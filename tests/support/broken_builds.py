"""Projects whose builds fail, each for one cause, by the tool that finds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PROJECT = '[project]\nname = "demo"\nversion = "1.0"\nrequires-python = ">=3.9"\n'
_BACKENDS = {
    "setuptools": ("setuptools>=77", "setuptools.build_meta"),
    "cython": ('setuptools>=77", "cython>=3', "setuptools.build_meta"),
    "meson": ("meson-python>=0.17", "mesonpy"),
    "cmake": ("scikit-build-core>=0.10", "scikit_build_core.build"),
    "cargo": ("maturin>=1.7", "maturin"),
}
_SETUP = (
    "from setuptools import Extension, setup\n"
    "setup(ext_modules=[Extension('demo._core', ['src/core.c'], {})])\n"
)
_MODULE = """\
#include <Python.h>
{includes}
static struct PyModuleDef core = {{PyModuleDef_HEAD_INIT, "_core", NULL, -1, NULL}};
PyMODINIT_FUNC PyInit__core(void) {{ {body} return PyModule_Create(&core); }}
"""
_MESON = """\
project('demo', 'c', version: '1.0')
py = import('python').find_installation(pure: false)
{lines}
py.extension_module('_core', 'src/core.c', subdir: 'demo', install: true{options})
"""
_CMAKE = """\
cmake_minimum_required(VERSION 3.20)
project(demo LANGUAGES C)
find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)
{lines}
python_add_library(_core MODULE src/core.c WITH_SOABI)
{more}
install(TARGETS _core DESTINATION demo)
"""
_PYX = "def double(int x):\n    return 2 * x\n"
_CARGO = '[package]\nname = "demo"\nversion = "1.0.0"\nedition = "2021"\n[lib]\ncrate-type = ["cdylib"]\n'
_RUST = '#[no_mangle]\npub extern "C" fn double(x: i32) -> i32 { 2 * x }\n'


class Broken(Struct, frozen=True, kw_only=True):
    """A project that cannot be built: its files, and what its error must contain.

    ``cause`` are parts of the first line, ``hint`` is a part of the last ones.
    """

    backend: str
    files: Mapping[str, str]
    cause: tuple[str, ...]
    hint: str = ""
    exit_code: int = 4

    def write(self, folder: Path) -> Path:
        """Write the project into a new folder below this one."""
        requires, backend = _BACKENDS[self.backend]
        top = f'[build-system]\nrequires = ["{requires}"]\nbuild-backend = "{backend}"\n{PROJECT}'
        files = {"pyproject.toml": top, "demo/__init__.py": "", **self.files}
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("PYPROJECT", top))
            if name in {"configure", "tool"}:
                path.chmod(0o755)
        return folder


def _setuptools(code: str, options: str = "", **more: str) -> dict[str, str]:
    return {"setup.py": _SETUP.format(options), "src/core.c": code, **more}


def _c(body: str = "", includes: str = "") -> str:
    return _MODULE.format(body=body, includes=includes)


def _meson(lines: str = "", options: str = "", code: str = "") -> dict[str, str]:
    return {"meson.build": _MESON.format(lines=lines, options=options), "src/core.c": code or _c()}


def _cmake(lines: str = "", more: str = "", code: str = "") -> dict[str, str]:
    return {"CMakeLists.txt": _CMAKE.format(lines=lines, more=more), "src/core.c": code or _c()}


def _cython(code: str, **more: str) -> dict[str, str]:
    setup = (
        "from Cython.Build import cythonize\nfrom setuptools import setup\n"
        "setup(ext_modules=cythonize(['demo/fast.pyx']))\n"
    )
    return {"setup.py": setup, "demo/fast.pyx": code, **more}


def _cargo(code: str = _RUST, manifest: str = _CARGO) -> dict[str, str]:
    tool = '[tool.maturin]\nbindings = "cffi"\n'
    return {"Cargo.toml": manifest, "src/lib.rs": code, "pyproject.toml": f"PYPROJECT{tool}"}


def _configure(script: str) -> dict[str, str]:
    run = "import subprocess\nsubprocess.run(['sh', './configure'], check=True)\n"
    return {**_setuptools(_c()), "setup.py": run + _SETUP.format(""), "configure": script}


_PACKED = {"MANIFEST.in": "include demo/*.pyx\n"}
_UNDEFINED = "gear_turn();"
_DECLARED = "void gear_turn(void);"
_FAILS = "raise SystemExit('gears.txt has no teeth')\n"

BROKEN: Mapping[str, Broken] = {
    "C: syntax error": Broken(
        backend="setuptools",
        files=_setuptools(_c("int teeth = 7")),
        cause=("src/core.c:4:", "before"),
    ),
    "C: no header": Broken(
        backend="setuptools",
        files=_setuptools(_c(includes="#include <gear/teeth.h>")),
        cause=("src/core.c:2:", "gear/teeth.h", "No such file"),
        hint="gear/teeth.h",
    ),
    "C: header not in the sdist": Broken(
        backend="setuptools",
        files=_setuptools(_c(includes='#include "teeth.h"'), **{"src/teeth.h": "#define TEETH 7\n"}),
        cause=("src/teeth.h", "not in the sdist"),
        hint="include src/teeth.h",
    ),
    "linker: undefined symbol": Broken(
        backend="setuptools",
        files=_setuptools(_c(_UNDEFINED, _DECLARED), "extra_link_args=['-Wl,--no-undefined']"),
        cause=("gear_turn",),
    ),
    "linker: no library": Broken(
        backend="setuptools",
        files=_setuptools(_c(), "libraries=['gear']"),
        cause=("-lgear",),
        hint="gear",
    ),
    "linker: defined twice": Broken(
        backend="setuptools",
        files={
            **_setuptools(_c(includes="int teeth = 7;")),
            "setup.py": _SETUP.format("").replace("'src/core.c'", "'src/core.c', 'src/more.c'"),
            "src/more.c": "int teeth = 8;\n",
        },
        cause=("multiple definition of", "teeth"),
    ),
    "CMake: no package": Broken(
        backend="cmake",
        files=_cmake("find_package(Gear REQUIRED)"),
        cause=("CMakeLists.txt:4", "Gear"),
    ),
    "CMake: no such source": Broken(
        backend="cmake",
        files=_cmake("add_library(gear STATIC src/gear.c)"),
        cause=("CMakeLists.txt:4", "src/gear.c"),
    ),
    "CMake: a message": Broken(
        backend="cmake",
        files=_cmake('message(FATAL_ERROR "gears need teeth")'),
        cause=("CMakeLists.txt:4", "gears need teeth"),
    ),
    "CMake: source not in the sdist": Broken(
        backend="cmake",
        files={
            **_cmake("add_library(gear STATIC src/gear.c)"),
            "src/gear.c": "int teeth;\n",
            "pyproject.toml": 'PYPROJECT[tool.scikit-build]\nsdist.exclude = ["src/gear.c"]\n',
        },
        cause=("src/gear.c", "not in the sdist"),
        hint="sdist.include",
    ),
    "Meson: no dependency": Broken(
        backend="meson",
        files=_meson("dependency('gear')"),
        cause=("meson.build:3:0", "gear", "not found"),
    ),
    "Meson: no such source": Broken(
        backend="meson",
        files=_meson("static_library('gear', 'src/gear.c')"),
        cause=("meson.build:3:0", "src/gear.c", "does not exist"),
    ),
    "Meson: unknown function": Broken(
        backend="meson",
        files=_meson("gear()"),
        cause=("meson.build:3:0", 'Unknown function "gear"'),
    ),
    "ninja: no rule": Broken(
        backend="cmake",
        files=_cmake(more="target_link_libraries(_core PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/libgear.a)"),
        cause=("libgear.a", "missing and no known rule"),
    ),
    "ninja: a generator fails": Broken(
        backend="meson",
        files={
            **_meson(
                "custom_target(command: [py, files('gen.py')], output: 'gear.c', build_by_default: true)"
            ),
            "gen.py": _FAILS,
        },
        cause=("gears.txt has no teeth",),
    ),
    "ninja: the first of several errors": Broken(
        backend="meson",
        files={
            **_meson("x = static_library('x', 'a.c', 'b.c', build_by_default: true)"),
            "a.c": "int a(void) { return teeth; }\n",
            "b.c": "int b(void) { return 1; }\n",
        },
        cause=("a.c:1:", "teeth", "undeclared"),
    ),
    "cargo: an unknown name": Broken(
        backend="cargo",
        files=_cargo(_RUST.replace("2 * x", "2 * y")),
        cause=("src/lib.rs:2:", "cannot find value `y`"),
    ),
    "cargo: a wrong manifest": Broken(
        backend="cargo",
        files=_cargo(manifest=_CARGO.replace('"2021"', '"2020"')),
        cause=("Cargo.toml", "edition"),
    ),
    "cargo: no such crate": Broken(
        backend="cargo",
        files=_cargo(manifest=_CARGO + '[dependencies]\ngear = { path = "../gear" }\n'),
        cause=("gear",),
    ),
    "Cython: syntax error": Broken(
        backend="cython", files=_cython("def oops(: pass\n"), cause=("demo/fast.pyx:1:9", "Expected")
    ),
    "Cython: no cimport": Broken(
        backend="cython",
        files=_cython("cimport gear\n" + _PYX),
        cause=("demo/fast.pyx:1:8", "gear"),
    ),
    "Cython: no header": Broken(
        backend="cython",
        files=_cython(
            'cdef extern from "gear.h":\n    int teeth\n' + _PYX + "def t():\n    return teeth\n", **_PACKED
        ),
        cause=("gear.h", "No such file"),
        hint="gear.h",
    ),
    "Cython: source not in the sdist": Broken(
        backend="cython",
        files=_cython(_PYX),
        cause=("demo/fast.pyx", "not in the sdist"),
        hint="include demo/fast.pyx",
    ),
    "setuptools: no build requirement": Broken(
        backend="setuptools",
        files={**_setuptools(_c()), "setup.py": "import numpy\n" + _SETUP.format("")},
        cause=("setup.py:1", "No module named 'numpy'"),
        hint="numpy",
    ),
    "setuptools: a file not in the sdist": Broken(
        backend="setuptools",
        files={
            **_setuptools(_c()),
            "setup.py": "text = open('gears.txt').read()\n" + _SETUP.format(""),
            "gears.txt": "7 teeth\n",
        },
        cause=("gears.txt", "not in the sdist"),
        hint="include gears.txt",
    ),
    "setuptools: no such package": Broken(
        backend="setuptools",
        files={
            **_setuptools(_c()),
            "setup.py": _SETUP.format("").replace("ext_modules", "packages=['gear'], ext_modules"),
        },
        cause=("package directory 'gear' does not exist",),
    ),
    "setuptools: invalid metadata": Broken(
        backend="setuptools",
        files={**_setuptools(_c()), "pyproject.toml": "PYPROJECTkeywords = 'gears'\n"},
        cause=("project.keywords",),
    ),
    "setuptools: no compiler": Broken(
        backend="setuptools",
        files={
            **_setuptools(_c()),
            "setup.py": "import os\nos.environ['CC'] = 'gear-cc'\n" + _SETUP.format(""),
        },
        cause=("gear-cc is not installed",),
        hint="install a compiler",
        exit_code=3,
    ),
    "setuptools: an optional extension failed before": Broken(
        backend="setuptools",
        files={
            **_setuptools(_c("int teeth = 7"), **{"src/extra.c": "#include <extra.h>\n"}),
            "setup.py": _SETUP.format("").replace(
                "ext_modules=[", "ext_modules=[Extension('demo._x', ['src/extra.c'], optional=True), "
            ),
        },
        cause=("src/core.c:4:", "expected"),
    ),
    "configure: no library": Broken(
        backend="setuptools",
        files=_configure(
            "echo 'checking for gear... no'\necho 'configure: error: gear is needed' >&2\nexit 1\n"
        ),
        cause=("configure: error: gear is needed",),
    ),
    "requirement: not on the index": Broken(
        backend="setuptools",
        files={
            **_setuptools(_c()),
            "pyproject.toml": (
                '[build-system]\nrequires = ["setuptools>=9999"]\n'
                f'build-backend = "setuptools.build_meta"\n{PROJECT}'
            ),
        },
        cause=("setuptools>=9999",),
    ),
}


def working(folder: Path) -> Path:
    """Write a project of setuptools that builds."""
    return Broken(backend="setuptools", files=_setuptools(_c()), cause=()).write(folder)
