"""Small projects of many shapes, each with what its wheel is: for one platform, or for every one.

``SHAPES`` maps a name to the files of a project and to whether its wheel is native. Each way to build native
code has a twin beside it, which is pure. ``BUILDABLE`` are those that need no more than a C compiler and
packages of an index, so that their own backends can be asked.
"""

from __future__ import annotations

from pathlib import Path

Files = dict[str, str]

C = (
    '#include <Python.h>\nstatic struct PyModuleDef def = {PyModuleDef_HEAD_INIT, "_x", 0, -1};\n'
    "PyMODINIT_FUNC PyInit__x(void) { return PyModule_Create(&def); }\n"
)
PYX = "def one():\n    return 1\n"
CFFI = (
    "from cffi import FFI\nffi = FFI()\nffi.cdef('int one(void);')\n"
    "ffi.set_source('x._x', 'int one(void) { return 1; }')\n"
)
PYBIND = "#include <pybind11/pybind11.h>\nPYBIND11_MODULE(_x, m) {}\n"
HOOK = (
    "from hatchling.builders.hooks.plugin.interface import BuildHookInterface\n"
    "class Hook(BuildHookInterface):\n    def initialize(self, version, data):\n        {}\n"
)
METADATA = '[project]\nname = "x"\nversion = "1"\n'


def pyproject(backend: str, *requires: str, more: str = "") -> str:
    """Return a pyproject.toml with a backend, its requirements and more tables."""
    words = ", ".join(f'"{requirement}"' for requirement in requires)
    return f'[build-system]\nrequires = [{words}]\nbuild-backend = "{backend}"\n{METADATA}{more}'


def setuptools(setup: str, *requires: str, more: str = "", files: Files | None = None) -> Files:
    """Return a project of setuptools with a package and the text of setup.py."""
    text = pyproject("setuptools.build_meta", "setuptools", *requires, more=more)
    return {"pyproject.toml": text, "setup.py": setup, "x/__init__.py": "", **(files or {})}


def hatch(hook: str) -> Files:
    """Return a project of hatchling with a build hook of its own."""
    return {
        "pyproject.toml": pyproject("hatchling.build", "hatchling", more="[tool.hatch.build.hooks.custom]\n"),
        "hatch_build.py": HOOK.format(hook),
        "x/__init__.py": "",
        "x/x.c": C,
    }


def meson(text: str, files: Files | None = None) -> Files:
    """Return a project of meson-python with a module and the text of meson.build."""
    head = "project('x', version: '1')\npy = import('python').find_installation()\n"
    return {
        "pyproject.toml": pyproject("mesonpy", "meson-python"),
        "meson.build": head + text,
        "x.py": "",
        **(files or {}),
    }


HERE = "import sys\nsys.path.insert(0, '.')\n"
CMAKE = "cmake_minimum_required(VERSION 3.15)\nproject(x C)\ninstall(FILES x/x.txt DESTINATION x)\n"
PLAIN = "from setuptools import setup\nsetup(packages=['x'])\n"
ONE = "[Extension('x._x', ['x/x.c'])]"
EXTENSION = f"from setuptools import Extension, setup\nsetup(packages=['x'], ext_modules={ONE})\n"
HELPER = f"from setuptools import Extension\ndef modules():\n    return {ONE}\n"
BINARY = (
    "from setuptools import Distribution, setup\nclass Binary(Distribution):\n"
    "    def {}(self):\n        return True\nsetup(packages=['x'], distclass=Binary)\n"
)
LIBRARY = "from setuptools import setup\nsetup(packages=['x'], libraries={})\n"

BUILDABLE: dict[str, tuple[Files, bool]] = {
    "ext_modules": (setuptools(EXTENSION, files={"x/x.c": C}), True),
    "ext_modules in a comment and a text": (
        setuptools(
            "# ext_modules, cythonize()\nfrom setuptools import setup\n"
            "setup(packages=['x'], description='cythonize(ext_modules')\n"
        ),
        False,
    ),
    "ext_modules in a dictionary": (
        setuptools(
            f"from setuptools import Extension, setup\nmore = {{}}\nmore['ext_modules'] = {ONE}\n"
            "setup(packages=['x'], **more)\n",
            files={"x/x.c": C},
        ),
        True,
    ),
    "no ext_modules": (setuptools(PLAIN.replace(")", ", ext_modules=[])"), files={"x/x.c": C}), False),
    "a helper module": (
        setuptools(
            f"{HERE}from setuptools import setup\nfrom setup_helpers import modules\n"
            "setup(packages=['x'], ext_modules=modules())\n",
            files={"setup_helpers.py": HELPER, "x/x.c": C, "MANIFEST.in": "include setup_helpers.py"},
        ),
        True,
    ),
    "a helper module that brings settings": (
        setuptools(
            f"{HERE}from setuptools import setup\nimport setup_helpers as helpers\n"
            "setup(packages=['x'], **helpers.settings())\n",
            files={
                "setup_helpers.py": f"{HELPER}def settings():\n    return dict(ext_modules=modules())\n",
                "x/x.c": C,
            },
        ),
        True,
    ),
    "a helper module that compiles nothing": (
        setuptools(
            f"{HERE}from setuptools import setup\nfrom setup_helpers import VERSION\nsetup(packages=['x'])\n",
            files={"setup_helpers.py": "VERSION = '1'\n", "MANIFEST.in": "include setup_helpers.py"},
        ),
        False,
    ),
    "has_ext_modules": (setuptools(BINARY.format("has_ext_modules")), True),
    "a method of a distribution that says nothing of the platform": (
        setuptools(BINARY.format("has_one")),
        False,
    ),
    "libraries": (
        setuptools(LIBRARY.format("[('one', {'sources': ['x/x.c']})]"), files={"x/x.c": "int one;"}),
        True,
    ),
    "no libraries": (setuptools(LIBRARY.format("[]"), files={"x/x.c": "int one;"}), False),
    "ext-modules in pyproject.toml": (
        setuptools(
            PLAIN,
            more='[[tool.setuptools.ext-modules]]\nname = "x._x"\nsources = ["x/x.c"]\n',
            files={"x/x.c": C},
        ),
        True,
    ),
    "cythonize": (
        setuptools(
            "from setuptools import setup\nfrom Cython.Build import cythonize\n"
            "setup(packages=['x'], ext_modules=cythonize(['x/_x.pyx']))\n",
            "cython",
            files={"x/_x.pyx": PYX},
        ),
        True,
    ),
    "cython in an extra": (
        setuptools(
            PLAIN, more='[project.optional-dependencies]\nfast = ["cython"]\n', files={"x/_x.pyx": PYX}
        ),
        False,
    ),
    "cython without a word of it in setup.py": (setuptools(PLAIN, "cython", files={"x/_x.pyx": PYX}), False),
    "cython in a file that setup.py executes": (
        setuptools(
            "from setuptools import setup\nexec(open('modules.txt').read())\n"
            "setup(packages=['x'], **words)\n",
            "cython",
            files={
                "modules.txt": "from Cython.Build import cythonize\n"
                "words = {'ext_modules': cythonize(['x/_x.pyx'])}\n",
                "x/_x.pyx": PYX,
                "MANIFEST.in": "include modules.txt",
            },
        ),
        True,
    ),
    "a version that setup.py executes": (
        setuptools(
            "from setuptools import setup\nexec(open('x/__init__.py').read())\nsetup(packages=['x'])\n"
        ),
        False,
    ),
    "cffi_modules": (
        setuptools(
            "from setuptools import setup\nsetup(packages=['x'], cffi_modules=['build_x.py:ffi'])\n",
            "cffi",
            files={"build_x.py": CFFI, "MANIFEST.in": "include build_x.py"},
        ),
        True,
    ),
    "cffi that is compiled when it is used": (setuptools(PLAIN, files={"x/build_x.py": CFFI}), False),
    "Pybind11Extension": (
        setuptools(
            "from pybind11.setup_helpers import Pybind11Extension\nfrom setuptools import setup\n"
            "setup(packages=['x'], ext_modules=[Pybind11Extension('x._x', ['x/x.cpp'])])\n",
            "pybind11",
            files={"x/x.cpp": PYBIND},
        ),
        True,
    ),
    "mypyc": (
        setuptools(
            "from mypyc.build import mypycify\nfrom setuptools import setup\n"
            "setup(packages=['x'], ext_modules=mypycify(['x/__init__.py']))\n",
            "mypy",
        ),
        True,
    ),
    "scikit-build": (
        {
            **setuptools(
                "from skbuild import setup\nsetup(packages=['x'])\n", "scikit-build", "cmake", "ninja"
            ),
            "CMakeLists.txt": CMAKE,
            "x/x.txt": "",
        },
        True,
    ),
    "setuptools of scikit-build-core": (
        {
            "pyproject.toml": pyproject(
                "scikit_build_core.setuptools.build_meta", "scikit-build-core", "setuptools"
            ),
            "setup.py": "from setuptools import setup\nsetup(packages=['x'], cmake_source_dir='.')\n",
            "CMakeLists.txt": CMAKE,
            "x/__init__.py": "",
            "x/x.txt": "",
        },
        True,
    ),
    "an in-tree backend": (
        {
            "pyproject.toml": pyproject("own", "setuptools").replace(
                "[project]", 'backend-path = ["."]\n[project]'
            ),
            "own.py": "from setuptools.build_meta import *\n",
            "setup.py": EXTENSION,
            "x/__init__.py": "",
            "x/x.c": C,
        },
        True,
    ),
    "an in-tree backend without sources": (
        {
            "pyproject.toml": pyproject("own", "setuptools").replace(
                "[project]", 'backend-path = ["."]\n[project]'
            ),
            "own.py": "from setuptools.build_meta import *\n",
            "x/__init__.py": "",
        },
        False,
    ),
    "versioneer and an extension": (
        setuptools(
            f"{HERE}import versioneer\n{EXTENSION}",
            files={"x/x.c": C, "versioneer.py": "", "MANIFEST.in": "include versioneer.py"},
        ),
        True,
    ),
    "flit never compiles": (
        {
            "pyproject.toml": pyproject("flit_core.buildapi", "flit_core").replace(
                'version = "1"', 'version = "1"\ndescription = "x"'
            ),
            "setup.py": EXTENSION,
            "x/__init__.py": "",
            "x/x.c": C,
        },
        False,
    ),
    "hatchling does not run setup.py": (
        {
            "pyproject.toml": pyproject("hatchling.build", "hatchling"),
            "setup.py": EXTENSION,
            "x/__init__.py": "",
            "x/x.c": C,
        },
        False,
    ),
    "a hook of hatchling that makes a platform wheel": (
        hatch("data['pure_python'] = False; data['infer_tag'] = True"),
        True,
    ),
    "a hook of hatchling that writes a file": (hatch("open('x/made.py', 'w').close()"), False),
    "hatch-mypyc": (
        {
            "pyproject.toml": pyproject(
                "hatchling.build",
                "hatchling",
                "hatch-mypyc",
                more='[tool.hatch.build.targets.wheel.hooks.mypyc]\ndependencies = ["hatch-mypyc"]\n',
            ),
            "x/__init__.py": "def one() -> int:\n    return 1\n",
        },
        True,
    ),
    "poetry's build script": (
        {
            "pyproject.toml": pyproject(
                "poetry.core.masonry.api", "poetry-core", more='[tool.poetry.build]\nscript = "build.py"\n'
            ),
            "build.py": "",
            "x/__init__.py": "",
        },
        True,
    ),
    "poetry without a build script": (
        {
            "pyproject.toml": pyproject(
                "poetry.core.masonry.api",
                "poetry-core",
                more='[tool.poetry]\npackages = [{ include = "x" }]\n',
            ),
            "build.py": "",
            "x/__init__.py": "",
            "x/x.c": C,
        },
        False,
    ),
    "pdm's build script": (
        {
            "pyproject.toml": pyproject(
                "pdm.backend", "pdm-backend", "setuptools", more="[tool.pdm.build]\nrun-setuptools = true\n"
            ),
            "pdm_build.py": "def pdm_build_update_setup_kwargs(context, kwargs):\n"
            f"    from setuptools import Extension\n    kwargs.update(ext_modules={ONE})\n",
            "x/__init__.py": "",
            "x/x.c": C,
        },
        True,
    ),
    "pdm without a platform": (
        {
            "pyproject.toml": pyproject(
                "pdm.backend", "pdm-backend", more="[tool.pdm.build]\nis-purelib = true\n"
            ),
            "pdm_build.py": "def pdm_build_initialize(context):\n    pass\n",
            "x/__init__.py": "",
            "x/x.c": C,
        },
        False,
    ),
    "pdm for a platform": (
        {
            "pyproject.toml": pyproject(
                "pdm.backend", "pdm-backend", more="[tool.pdm.build]\nis-purelib = false\n"
            ),
            "x/__init__.py": "",
        },
        True,
    ),
    "meson's shared library": (
        meson(
            "add_languages('c', native: false)\nshared_library('x', 'x.c', install: true)\n",
            {"x.c": "int one;"},
        ),
        True,
    ),
    "meson's custom target": (
        meson(
            "custom_target('x', output: 'x.bin', input: 'x.c', command: ['cp', '@INPUT@', '@OUTPUT@'],\n"
            "  install: true, install_dir: py.get_install_dir(pure: false))\n",
            {"x.c": "int one;"},
        ),
        True,
    ),
    "meson's custom target of Python": (
        meson(
            "custom_target('x', output: 'y.py', input: 'x.py', command: ['cp', '@INPUT@', '@OUTPUT@'],\n"
            "  install: true, install_dir: py.get_install_dir(pure: true))\n"
        ),
        False,
    ),
    "meson without a word of C": (
        meson("# extension_module()\npy.install_sources('x.py', pure: true)\n"),
        False,
    ),
    "sources in tests": (
        setuptools(f"import subprocess\n{PLAIN}", "cython", files={"tests/x.pyx": PYX, "vendor/y.c": ""}),
        False,
    ),
    "setuptools-rust's table without a module": (setuptools(PLAIN, more="[tool.setuptools-rust]\n"), False),
    "uv's backend never compiles": (
        {"pyproject.toml": pyproject("uv_build", "uv_build"), "src/x/__init__.py": "", "x.c": C},
        False,
    ),
}
# These need a compiler of their own, or run only on old interpreters.
OTHERS: dict[str, tuple[Files, bool]] = {
    "setuptools-rust": (
        setuptools(PLAIN, "setuptools-rust", more='[[tool.setuptools-rust.ext-modules]]\ntarget = "x._x"\n'),
        True,
    ),
    "a program of setuptools-rust": (
        setuptools(PLAIN, "setuptools-rust", more='[[tool.setuptools-rust.bins]]\ntarget = "x"\n'),
        True,
    ),
    "numpy.distutils": (
        setuptools(
            "from numpy.distutils.core import setup\nfrom numpy.distutils.misc_util import Configuration\n"
            "def configuration(parent_package='', top_path=None):\n"
            "    config = Configuration('x', parent_package, top_path)\n"
            "    config.add_extension('_x', ['x/x.f90'])\n    return config\n"
            "setup(configuration=configuration)\n",
            "numpy",
            files={"x/x.f90": "end\n"},
        ),
        True,
    ),
    "milksnake": (
        setuptools(
            "from setuptools import setup\ndef build(spec):\n    spec.add_cffi_module('x._x', 'x.so')\n"
            "setup(packages=['x'], zip_safe=False, milksnake_tasks=[build])\n",
            "milksnake",
        ),
        True,
    ),
    "sip": ({"pyproject.toml": pyproject("sipbuild.api", "sip"), "x.sip": "%Module(name=x)\n"}, True),
    "enscons": (
        {
            "pyproject.toml": pyproject("enscons.api", "enscons"),
            "SConstruct": "import enscons\nenv = Environment(WHEEL_TAG=enscons.get_abi3_tag())\n",
            "x.py": "",
        },
        True,
    ),
    "enscons for every platform": (
        {
            "pyproject.toml": pyproject("enscons.api", "enscons"),
            "SConstruct": "env = Environment(WHEEL_TAG='py3-none-any')\n",
            "x.py": "",
        },
        False,
    ),
    "maturin": (
        {"pyproject.toml": pyproject("maturin", "maturin"), "Cargo.toml": "", "src/lib.rs": ""},
        True,
    ),
    "py-build-cmake": (
        {
            "pyproject.toml": pyproject(
                "py_build_cmake.build", "py-build-cmake", more="[tool.py-build-cmake.cmake]\n"
            ),
            "x/__init__.py": "",
        },
        True,
    ),
    "py-build-cmake without CMake": (
        {"pyproject.toml": pyproject("py_build_cmake.build", "py-build-cmake"), "x/__init__.py": ""},
        False,
    ),
    "nanobind": (
        {
            "pyproject.toml": pyproject("scikit_build_core.build", "scikit-build-core", "nanobind"),
            "CMakeLists.txt": "project(x)\nnanobind_add_module(_x x.cpp)\n",
            "x.cpp": "",
        },
        True,
    ),
    "hatch-cython": (
        {
            "pyproject.toml": pyproject(
                "hatchling.build",
                "hatchling",
                "hatch-cython",
                more="[tool.hatch.build.targets.wheel.hooks.cython]\n",
            ),
            "x/_x.pyx": PYX,
        },
        True,
    ),
    "setup.py for Python 2": (setuptools("print 'x'\nsetup(ext_modules=[Extension('x', ['x.c'])])\n"), True),
    "pure setup.py for Python 2": (setuptools("print 'x'\nsetup()\n"), False),
    "cffi_modules in setup.cfg": (
        setuptools(PLAIN, "cffi", files={"setup.cfg": "[options]\ncffi_modules = build_x.py:ffi\n"}),
        True,
    ),
    "cffi_modules in a comment of setup.cfg": (
        setuptools(PLAIN, files={"setup.cfg": "[options]\n# cffi_modules = build_x.py:ffi\n"}),
        False,
    ),
}
SHAPES = BUILDABLE | OTHERS


def write(root: Path, files: Files) -> Path:
    """Write a project into a folder and return it."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root
