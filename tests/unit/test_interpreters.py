from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from support.scripts import Script
from wheelkit.machine.interpreters import PROBE, find_pythons, own_place, parse_answer
from wheelkit.matrix import Interpreter

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="replaces programs by shell scripts")


def answer(
    tag: str, *, headers: bool = True, links: str = "{}", place: tuple[str, str, bool] | None = None
) -> str:
    where = json.dumps(place or own_place())
    return f"""echo '["{tag}", "3.99.1", {str(headers).lower()}, {links}, {where}]'"""


def found(*tags: str, home: Path, environ: Mapping[str, str] | None = None) -> dict[str, Path]:
    places = {
        "PATH": os.environ["PATH"],
        "PYENV_ROOT": str(home / "pyenv"),
        "UV_PYTHON_INSTALL_DIR": str(home / "uv"),
    }
    pythons = find_pythons([Interpreter.parse(tag) for tag in tags], {**places, **(environ or {})})
    return {tag: python.path for tag, python in pythons.items()}


# No machine has these, so nothing but the tests' own scripts can be found.
def test_interpreters_are_found_on_path_in_pyenv_and_in_uv(script: Script, tmp_path: Path) -> None:
    on_path = script("python3.95", answer("cp395"))
    pyenv = script("python3.96", answer("cp396"), "pyenv/versions/3.96.2/bin")
    uv = script("python3.97", answer("cp397"), "uv/cpython-3.97.1-linux/bin")
    threaded = script("python3.97t", answer("cp397t"), "uv/cpython-3.97.1+freethreaded-linux/bin")
    pypy = script("pypy3.98", answer("pp398"), "pyenv/versions/pypy3.98-8.0/bin")
    graalpy = script("graalpy", answer("gp399_990"), "uv/graalpy-3.99.0-linux/bin")
    wanted = ("cp395", "cp396", "cp397", "cp397t", "pp398", "gp399_990", "gp399_991", "cp399")
    assert found(*wanted, home=tmp_path) == {
        "cp395": on_path,
        "cp396": pyenv,
        "cp397": uv,
        "cp397t": threaded,
        "pp398": pypy,
        "gp399_990": graalpy,
    }


def test_interpreters_that_setup_python_keeps_are_found(script: Script, tmp_path: Path) -> None:
    linux = script("python3.96", answer("cp396"), "cache/Python/3.96.2/x64/bin")
    windows = script("python.exe", answer("cp397"), "cache/Python/3.97.0-rc.1/x64")
    threaded = script("python.exe", answer("cp397t"), "cache/Python/3.97.0-rc.1/x64-freethreaded")
    pypy = script("pypy3.98", answer("pp398"), "cache/PyPy/3.98.1/x64/bin")
    where = {"RUNNER_TOOL_CACHE": str(tmp_path / "cache")}
    wanted = ("cp396", "cp397", "cp397t", "pp398")
    assert found(*wanted, home=tmp_path, environ=where) == {
        "cp396": linux,
        "cp397": windows,
        "cp397t": threaded,
        "pp398": pypy,
    }


def test_one_with_headers_is_preferred(script: Script, tmp_path: Path) -> None:
    bare = script("python3.96", answer("cp396", headers=False))
    assert found("cp396", home=tmp_path) == {"cp396": bare}
    full = script("python3.96", answer("cp396"), "pyenv/versions/3.96.2/bin")
    assert found("cp396", home=tmp_path) == {"cp396": full}


def test_an_interpreter_says_its_platform_as_this_module_computes_it() -> None:
    done = subprocess.run([sys.executable, "-I", "-c", PROBE], capture_output=True, text=True, check=True)
    answered = parse_answer(done.stdout, Path(sys.executable))
    assert answered.place == own_place()
    assert answered.python.interpreter.version == sys.version_info[:2]


def test_one_of_another_platform_is_not_this_machines_own(script: Script, tmp_path: Path) -> None:
    name, libc, wide = own_place()
    for number, place in enumerate(
        [("linux-s390x", libc, wide), (name, "other", wide), (name, libc, not wide)]
    ):
        script(f"python3.9{number}", answer(f"cp39{number}", place=place))
        assert found(f"cp39{number}", home=tmp_path) == {}
    quiet = script("python3.97", answer("cp397", place=(name, "", wide)))  # says nothing of its C library
    assert found("cp397", home=tmp_path) == {"cp397": quiet}


@pytest.mark.parametrize(
    "body",
    [
        answer("cp395"),
        answer("graalpy396"),
        "exit 127",
        "echo",
        "echo null",
        "echo 5",
        "echo '[1]'",
        "echo '[5, 1, 2, 3]'",
        "kill -9 $$",
        "echo {",
    ],
)
def test_other_programs_are_skipped(script: Script, tmp_path: Path, body: str) -> None:
    script("python3.96", body)
    assert found("cp396", home=tmp_path) == {}


def test_a_file_that_cannot_run_is_passed_over(script: Script, tmp_path: Path) -> None:
    script("python3.96", answer("cp396")).chmod(0o644)
    broken = script("python3.97", "")
    broken.write_text("#!/no/such/interpreter\n")
    assert found("cp396", "cp397", home=tmp_path) == {}


def test_the_running_interpreter_is_found_with_an_empty_path(tmp_path: Path) -> None:
    tag = f"cp3{sys.version_info[1]}"
    (python,) = find_pythons(
        [Interpreter.parse(tag)], {"PATH": str(tmp_path), "PYENV_ROOT": str(tmp_path)}
    ).values()
    assert python.path == Path(sys.executable)
    assert python.version.startswith(f"3.{sys.version_info[1]}.")
