"""Projects and families from `wheelkit init`, new or adopted, build and verify without editing."""

from __future__ import annotations

import sys
import tarfile
from pathlib import Path

import pytest

from support.command import Wheelkit, git_commit
from support.corpus import wheel as pinned

# The host builder makes the native wheels, wherever the tests run.
HERE = {"CIBW_CONTAINER_ENGINE": "none"}
native = pytest.mark.skipif(sys.platform != "linux", reason="the host builder is for Linux")
# Its cibuildwheel settings select Python 3.11 only.
running_on_its_floor = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="3.11 is the one interpreter that it promises"
)


@native
def test_a_new_project_builds_and_passes_its_verification_at_once(tmp_path: Path, wheelkit: Wheelkit) -> None:
    folder = tmp_path / "momentum-core"
    folder.mkdir()
    assert wheelkit("init", cwd=folder).returncode == 0
    built = wheelkit("build", cwd=folder, env=HERE)
    assert built.returncode == 0
    assert [
        line.split()[0].endswith(end)
        for line, end in zip(built.stdout.splitlines(), (".tar.gz", ".whl"), strict=True)
    ] == [True, True]
    assert wheelkit("verify-matrix", "dist", "--native", cwd=folder).returncode == 0
    assert wheelkit("ci", "--check", cwd=folder).returncode == 0


@native
def test_a_new_family_builds_and_passes_its_verification_at_once(tmp_path: Path, wheelkit: Wheelkit) -> None:
    assert wheelkit("init", "--family", "--name", "momentum", cwd=tmp_path).returncode == 0
    assert wheelkit("build", cwd=tmp_path, env=HERE).returncode == 0
    assert sorted(path.name.split("-")[0] for path in (tmp_path / "dist").glob("*.whl")) == [
        "momentum",
        "momentum_all",
        "momentum_cli",
    ]
    assert wheelkit("verify-matrix", "dist", "--native", cwd=tmp_path).returncode == 0


OUTSIDE = {
    "src/x.c": (
        '#include <Python.h>\n#include "x.h"\n'
        'static struct PyModuleDef m = {PyModuleDef_HEAD_INIT, "x", NULL, -1, NULL};\n'
        "PyMODINIT_FUNC PyInit_x(void) { return VALUE ? PyModule_Create(&m) : NULL; }\n"
    ),
    "src/x.h": "#define VALUE 3\n",
    "python/pyproject.toml": (
        '[build-system]\nrequires = ["meson-python"]\nbuild-backend = "mesonpy"\n'
        f'[project]\nname = "outer"\nversion = "1.0"\nrequires-python = ">={sys.version_info[0]}.'
        f'{sys.version_info[1]},<{sys.version_info[0]}.{sys.version_info[1] + 1}"\n'
    ),
    "python/meson.build": (
        "project('outer', 'c')\nsources = files('../src/x.c')\n"
        "import('python').find_installation().extension_module('x', sources, install: true)\n"
    ),
}


@native
def test_sources_outside_of_the_folder_build_with_the_dist_script_and_the_printed_lines(
    tmp_path: Path, wheelkit: Wheelkit
) -> None:
    for name, text in OUTSIDE.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    git_commit(tmp_path)
    root = tmp_path / "python"
    adopted = wheelkit("init", "--offline", "--yes", cwd=root)
    assert adopted.returncode == 0
    printed = [line.strip() for line in adopted.stderr.splitlines()]
    first, last = (
        next(n for n, line in enumerate(printed) if line.startswith(start)) for start in ("fs =", "sources =")
    )
    build = root / "meson.build"
    lines = "\n".join(printed[first : last + 1])
    build.write_text(build.read_text().replace("sources = files('../src/x.c')", lines))
    git_commit(tmp_path)
    built = wheelkit("build", cwd=root, env=HERE)
    assert built.returncode == 0, built.stderr
    assert len(built.stdout.splitlines()) == 2


@pytest.mark.network
@pytest.mark.parametrize(
    ("sdist", "wheels"),
    [
        ("iniconfig-2.3.1.tar.gz", ["py3-none-any"]),
        ("meson_python-0.22.1.tar.gz", ["py3-none-any"]),
        pytest.param(
            "pycxxfilt-0.1.0.tar.gz", ["cp311-cp311"], marks=[native, running_on_its_floor]
        ),  # meson-python, C++
        pytest.param("tree_sitter_regex-0.25.0.tar.gz", ["cp310-abi3"], marks=native),
    ],
)
def test_a_real_project_builds_and_passes_its_verification_at_once(
    sdist: str, wheels: list[str], tmp_path: Path, wheelkit: Wheelkit
) -> None:
    with tarfile.open(pinned(sdist)) as archive:
        archive.extractall(tmp_path, filter="data")
    folder = tmp_path / sdist.removesuffix(".tar.gz")
    before = (folder / "pyproject.toml").read_bytes()
    assert wheelkit("init", "--offline", "--yes", cwd=folder).returncode == 0
    assert (folder / "pyproject.toml").read_bytes().startswith(before)
    assert wheelkit("build", cwd=folder, env=HERE).returncode == 0
    tags_built = sorted(path.name.removeprefix(f"{folder.name}-") for path in (folder / "dist").glob("*.whl"))
    assert [name.startswith(tags) for name, tags in zip(tags_built, wheels, strict=True)] == [True] * len(
        wheels
    )
    assert wheelkit("verify-matrix", "dist", "--native", cwd=folder, env=HERE).returncode == 0
