"""What fails for one interpreter or one member keeps nothing else from being built, verified and kept."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from support.command import MakeProject, Wheelkit

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the host builder is for Linux"),
    pytest.mark.skipif(shutil.which("gcc") is None, reason="needs a C compiler"),
    pytest.mark.network,
]
HOST = ("build", "--builder", "host")
TARGET = "manylinux_2_35_x86_64"
TAGS = ("cp311", "cp312", "cp313")


class Compiler:
    """A C compiler that writes down what it compiles."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "compiled"
        path = folder / "logged-gcc"
        path.write_text(
            f'#!/bin/sh\ncase " $* " in *" -c "*) echo "$*" >> {self.log};; esac\nexec gcc "$@"\n'
        )
        path.chmod(0o755)
        self.env = {"CC": str(path)}

    def runs(self) -> int:
        """Return how often it compiled since the last call."""
        count = len(self.log.read_text().splitlines()) if self.log.exists() else 0
        self.log.unlink(missing_ok=True)
        return count


@pytest.fixture
def compiler(tmp_path: Path) -> Compiler:
    return Compiler(tmp_path)


def append(folder: Path, text: str) -> None:
    with (folder / "pyproject.toml").open("a") as stream:
        stream.write(text)


def failing_test(folder: Path, flag: Path) -> None:
    """Make the project's test fail on 3.12 as long as a file exists."""
    code = f'import os, sys, spin; sys.exit(sys.version_info[1] == 12 and os.path.exists(\\"{flag}\\"))'
    append(folder, f"\n[tool.wheelkit.distribution.spin]\nsmoke = [\"python -c '{code}'\"]\n")
    flag.touch()


def wheels(folder: Path) -> list[str]:
    return sorted(path.name.split("-")[2] for path in folder.glob("*.whl"))


def test_a_failing_test_keeps_the_other_wheels_and_hands_out_its_own(
    project: MakeProject, wheelkit: Wheelkit, compiler: Compiler, tmp_path: Path
) -> None:
    folder = project("single_version", git=False)
    failing_test(folder, tmp_path / "flag")
    done = wheelkit(*HOST, cwd=folder, env=compiler.env)
    assert done.returncode == 1
    assert re.search(
        r"wheelkit: the test of spin-0\.3-cp312-\S+ on cp312 failed with exit status 1", done.stderr
    )
    assert "3 files passed verification and stay in the cache: spin-0.3.tar.gz, spin-0.3-cp311" in done.stderr
    assert compiler.runs() == 3
    assert [path.name for path in (folder / "dist").iterdir()] == ["failed"]
    (handed,) = (folder / "dist/failed").iterdir()
    assert wheels(handed) == ["cp312"]
    (log,) = handed.glob("*.log")
    assert "sys.version_info" in log.read_text()
    (tmp_path / "flag").unlink()
    again = wheelkit(*HOST, cwd=folder, env=compiler.env)
    assert again.returncode == 0
    assert compiler.runs() == 1
    assert wheels(folder / "dist") == list(TAGS)
    assert not (folder / "dist/failed").exists()
    (path,) = (folder / "dist").glob("*2_28*.wheelkit.json")
    files = json.loads(path.read_text())["files"]
    assert [(file["cells"], file["tested"]) for file in files] == [
        ([tag], [tag]) for tag in ("cp311", "cp313", "cp312")
    ]
    third = wheelkit(*HOST, cwd=folder, env=compiler.env)
    assert third.stderr.count("cached, built ") == 4
    assert compiler.runs() == 0


def test_without_a_cache_everything_is_handed_out(
    project: MakeProject, wheelkit: Wheelkit, tmp_path: Path
) -> None:
    folder = project("single_version", git=False)
    failing_test(folder, tmp_path / "flag")
    done = wheelkit(*HOST, "--no-cache", cwd=folder)
    assert done.returncode == 1
    (handed,) = (folder / "dist/failed").iterdir()
    assert wheels(handed) == list(TAGS)


def test_a_compile_error_on_one_interpreter_keeps_the_others(
    project: MakeProject, wheelkit: Wheelkit, compiler: Compiler
) -> None:
    folder = project("single_version", git=False)
    source = folder / "core.c"
    broken = "#if PY_VERSION_HEX >> 16 == 0x030c\n#error no spin here\n#endif\n"
    source.write_text(source.read_text().replace("static PyObject", f"{broken}static PyObject", 1))
    done = wheelkit(*HOST, cwd=folder, env=compiler.env)
    assert done.returncode == 4
    assert "error no spin here" in done.stderr
    assert "stay in the cache: spin-0.3.tar.gz, spin-0.3-cp311" in done.stderr
    assert compiler.runs() == 3
    assert not (folder / "dist").exists()
    assert wheelkit(*HOST, cwd=folder, env=compiler.env).returncode == 4
    assert compiler.runs() == 1


def test_fail_fast_stops(project: MakeProject, wheelkit: Wheelkit, compiler: Compiler) -> None:
    folder = project("single_version", git=False)
    (folder / "core.c").write_text("#error no spin anywhere\n")
    assert wheelkit(*HOST, "--fail-fast", cwd=folder, env=compiler.env).returncode == 4
    assert compiler.runs() == 1
    done = wheelkit(*HOST, cwd=folder, env=compiler.env)
    assert done.returncode == 4
    assert "also failed: building spin for cp313" in done.stderr
    assert compiler.runs() == 3


def test_single_builds_add_up_to_the_whole(
    project: MakeProject, wheelkit: Wheelkit, compiler: Compiler
) -> None:
    folder = project("single_version", git=False)
    for tag in ("cp312", "cp311"):
        words = (*HOST, "--sdist", "--only", f"{tag}-manylinux_x86_64")
        planned = wheelkit("plan", *words[1:], cwd=folder)
        assert f"next: wheelkit build --sdist --only {tag}-manylinux_x86_64" in planned.stdout
        assert wheelkit(*words, cwd=folder, env=compiler.env).returncode == 0
        assert compiler.runs() == 1
    assert wheels(folder / "dist") == ["cp311", "cp312"]
    (path,) = (folder / "dist").glob("*2_28*.wheelkit.json")
    assert sorted(file["cells"] for file in json.loads(path.read_text())["files"]) == [["cp311"], ["cp312"]]
    assert wheelkit(*HOST, cwd=folder, env=compiler.env).returncode == 0
    assert compiler.runs() == 1
    assert wheels(folder / "dist") == list(TAGS)


def member(name: str, folder: Path, requires: str = "", code: str = "") -> None:
    (folder / name).mkdir(parents=True)
    module = f'static struct PyModuleDef d = {{PyModuleDef_HEAD_INIT, "{name}"}};\n'
    init = f"PyMODINIT_FUNC PyInit_{name}(void) {{ return PyModule_Create(&d); }}\n"
    (folder / name / f"{name}.c").write_text(f"#include <Python.h>\n{code}\n{module}{init}")
    (folder / name / "pyproject.toml").write_text(f"""
[build-system]
requires = ["setuptools>=77"{requires}]
build-backend = "setuptools.build_meta"
[project]
name = "{name}"
version = "1.0"
requires-python = ">=3.11"
[tool.setuptools]
py-modules = []
ext-modules = [{{ name = "{name}", sources = ["{name}.c"] }}]
""")


def test_a_failing_member_keeps_the_rest_of_a_family(
    wheelkit: Wheelkit, compiler: Compiler, tmp_path: Path
) -> None:
    folder = tmp_path / "family"
    member("alpha", folder)
    member("beta", folder, code="#error beta is broken")
    member("gamma", folder, requires=', "beta"')
    member("delta", folder)
    (folder / "wheelkit.toml").write_text(
        f'distributions = ["*"]\n[matrix]\ntargets = ["{TARGET}"]\ninterpreters = ["cp311", "cp312"]\n'
    )
    done = wheelkit(*HOST, cwd=folder, env=compiler.env)
    assert done.returncode == 4
    assert "error beta is broken" in done.stderr
    assert "not built, since beta failed: gamma" in done.stderr
    kept = re.search(r"(\d+) files passed verification", done.stderr)
    assert kept is not None
    assert int(kept[1]) == 7  # the sdists of three, and two wheels of each of alpha and delta
    assert compiler.runs() == 2 + 2 + 2
    assert not (folder / "dist").exists()
    source = folder / "beta/beta.c"
    source.write_text(source.read_text().replace("#error beta is broken", ""))
    again = wheelkit(*HOST, cwd=folder, env=compiler.env)
    assert again.returncode == 0
    assert compiler.runs() == 2 + 2  # beta and gamma alone
    assert len(list((folder / "dist").glob("*.whl"))) == 8


@pytest.mark.container
def test_in_a_container_the_builds_after_a_failing_one_are_made_too(
    project: MakeProject, wheelkit: Wheelkit, image: Mapping[str, str], tmp_path: Path
) -> None:
    first, second, third = image["WHEELKIT_IMAGE_INTERPRETERS"].split()[:3]
    folder = project("single_version", git=False)
    override = f'select = "{second}-*"\ntest-command = "test -e /host{tmp_path}/passes"'
    append(folder, f"\n[[tool.cibuildwheel.overrides]]\n{override}\n")
    words = ("build", "--builder", "cibuildwheel")
    done = wheelkit(*words, cwd=folder, env=image)
    assert done.returncode == 1
    assert f"the test of the repaired wheel on {second} failed" in done.stderr
    assert f"spin-0.3-{first}-{first}-" in done.stderr
    assert f"spin-0.3-{third}-{third}-" in done.stderr
    (handed,) = (folder / "dist/failed").iterdir()
    assert wheels(handed) == [second]
    (tmp_path / "passes").touch()
    again = wheelkit(*words, cwd=folder, env=image)
    assert again.returncode == 0
    assert f"cibuildwheel {second}-manylinux" in again.stderr
    assert wheels(folder / "dist") == [first, second, third]
