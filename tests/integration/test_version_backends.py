"""Each build backend builds an sdist with the version that wheelkit has set."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from support.command import Wheelkit
from support.sample_families import put

LITERAL = '"""Doc."""\n__version__ = "1.2.3"\n'
CMAKE = "cmake_minimum_required(VERSION 3.15)\nproject(x\n  VERSION 1.2.3 LANGUAGES NONE)\n"
SETUP = "from setuptools import setup\nspace = {}\nexec(open('other/version.py').read(), space)\n"


def project(requires: str, backend: str, more: str, dynamic: str = '"version"') -> str:
    build = f'[build-system]\nrequires = ["{requires}"]\nbuild-backend = "{backend}"\n'
    return f'{build}[project]\nname = "my-core"\ndynamic = [{dynamic}]\n{more}'


SHAPES = {
    "flit": {
        "pyproject.toml": project(
            "flit_core",
            "flit_core.buildapi",
            '[tool.flit.module]\nname = "a.b"\n',
            '"version", "description"',
        ),
        "src/a/b/__init__.py": LITERAL,
    },
    "pdm": {
        "pyproject.toml": project(
            "pdm-backend", "pdm.backend", '[tool.pdm.version]\nsource = "file"\npath = "my_core/about.py"\n'
        ),
        "my_core/about.py": LITERAL,
    },
    "hatchling": {
        "pyproject.toml": project(
            "hatchling",
            "hatchling.build",
            "[tool.hatch.version]\npath = 'x/x.h'\npattern = 'V \"(?P<version>[^\"]+)\"'\n"
            "[tool.hatch.build.targets.wheel]\npackages = ['x']\n",
        ),
        "x/x.h": '#define V "1.2.3"\n',
    },
    "poetry": {
        "pyproject.toml": '[build-system]\nrequires = ["poetry-core"]\n'
        'build-backend = "poetry.core.masonry.api"\n'
        '[tool.poetry]\nname = "my-core"\nversion = "1.2.3"\ndescription = ""\nauthors = []\n',
        "my_core/__init__.py": LITERAL,
    },
    "scikit-build-core": {
        "pyproject.toml": project(
            "scikit-build-core",
            "scikit_build_core.build",
            '[tool.scikit-build.metadata.version]\nprovider = "scikit_build_core.metadata.regex"\n'
            'input = "CMakeLists.txt"\n'
            "regex = 'project\\([^)]*VERSION\\s+(?P<value>[0-9.]+)'\n",
        ),
        "CMakeLists.txt": CMAKE,
    },
    "scikit-build-core with setuptools": {
        "pyproject.toml": project(
            'scikit-build-core", "setuptools', "scikit_build_core.setuptools.build_meta", ""
        ),
        "setup.py": "from setuptools import setup\nsetup(version='1.2.3', cmake_source_dir='.')\n",
        "CMakeLists.txt": CMAKE,
    },
    "setup.cfg": {
        "setup.cfg": "[metadata]\nname = my-core\nversion = attr: other.data.number\n[options]\n"
        "packages = other\n",
        "setup.py": "from setuptools import setup\nsetup()\n",
        "other/__init__.py": "",
        "other/data.py": "number = '1.2.3'\n",
    },
    "setup.py": {
        "setup.py": SETUP + 'setup(name="my-core", version=space["__version__"], packages=["other"])\n',
        "other/__init__.py": "",
        "other/version.py": LITERAL,
    },
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_backend_builds_the_version_that_was_set(tmp_path: Path, wheelkit: Wheelkit, shape: str) -> None:
    put(tmp_path, SHAPES[shape])
    assert wheelkit("version", "set", "1.5.0", cwd=tmp_path).returncode == 0
    assert wheelkit("version", "check", cwd=tmp_path).returncode == 0
    changed = [
        name for name, text in SHAPES[shape].items() if (tmp_path / name).read_bytes() != text.encode()
    ]
    assert [(tmp_path / name).read_bytes() for name in changed] == [
        SHAPES[shape][name].replace("1.2.3", "1.5.0").encode() for name in changed
    ]
    subprocess.run(["uv", "build", "-q", "--sdist", "-o", "out", "."], cwd=tmp_path, check=True)
    assert [path.name for path in (tmp_path / "out").glob("*.tar.gz")] == ["my_core-1.5.0.tar.gz"]
