"""Each build backend builds an sdist with the version that wheelkit has set."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from support.command import Wheelkit, git_commit
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


SOURCES = '[tool.hatch.version]\nsource = "{}"\n[tool.hatch.build.targets.wheel]\npackages = ["my_core"]\n'
SCM_FILE = '[tool.setuptools_scm]\nwrite_to = "my_core/_version.py"\n'
# The tools that take a version from git tags, each with what it is told by an environment variable.
SCM_SHAPES = {
    "setuptools-scm": project(
        'setuptools>=64", "setuptools-scm',
        "setuptools.build_meta",
        '[tool.setuptools]\npackages = ["my_core"]\n[tool.setuptools_scm]\n',
    ),
    "hatch-vcs": project('hatchling", "hatch-vcs', "hatchling.build", SOURCES.format("vcs")),
    "scikit-build-core": project(
        'scikit-build-core", "setuptools-scm',
        "scikit_build_core.build",
        "[tool.scikit-build.metadata.version]\n"
        'provider = "scikit_build_core.metadata.setuptools_scm"\n[tool.setuptools_scm]\n',
    ),
    "flit-scm": project("flit_scm", "flit_scm:buildapi", SCM_FILE, '"version", "description"'),
    "pdm": project("pdm-backend", "pdm.backend", '[tool.pdm.version]\nsource = "scm"\n'),
    "uv-dynamic-versioning": project(
        'hatchling", "uv-dynamic-versioning', "hatchling.build", SOURCES.format("uv-dynamic-versioning")
    ),
    "poetry-dynamic-versioning": '[build-system]\nrequires = ["poetry-core", "poetry-dynamic-versioning"]\n'
    'build-backend = "poetry_dynamic_versioning.backend"\n'
    '[tool.poetry]\nname = "my-core"\nversion = "0"\ndescription = ""\nauthors = []\n'
    "[tool.poetry-dynamic-versioning]\nenable = true\n",
    "pbr": '[build-system]\nrequires = ["setuptools", "pbr"]\nbuild-backend = "pbr.build"\n',
}


@pytest.mark.parametrize("shape", SCM_SHAPES)
def test_the_tool_builds_the_development_version_without_a_tag(
    tmp_path: Path, wheelkit: Wheelkit, shape: str
) -> None:
    number = "from my_core._version import version as __version__\n" if shape == "flit-scm" else ""
    module = f'"""Doc."""\n{number}'
    cfg = "[metadata]\nname = my-core\n[files]\npackages = my_core\n" if shape == "pbr" else ""
    setup = "from setuptools import setup\nsetup(pbr=True)\n"
    pbr = {"setup.cfg": cfg, "setup.py": setup} if shape == "pbr" else {}
    put(tmp_path, {"pyproject.toml": SCM_SHAPES[shape], "my_core/__init__.py": module, **pbr})
    put(tmp_path, {".gitignore": "out/\n_version.py\n"})
    git_commit(tmp_path)
    subprocess.run(["git", "-C", tmp_path, "tag", "v1.2.3"], check=True)
    done = wheelkit("version", "dev", "--stamp", "20261120143000", "--json", cwd=tmp_path)
    variables = json.loads(done.stdout)["environment"]
    assert len(variables) == 1
    subprocess.run(
        ["uv", "build", "-q", "--sdist", "-o", "out", "."],
        cwd=tmp_path,
        check=True,
        env={**os.environ, **variables},
    )
    names = [path.name for path in (tmp_path / "out").glob("*.tar.gz")]
    assert names == ["my_core-1.2.4.dev20261120143000.tar.gz"]
    tags = subprocess.run(["git", "-C", tmp_path, "tag"], capture_output=True, text=True, check=True)
    assert tags.stdout.split() == ["v1.2.3"]
