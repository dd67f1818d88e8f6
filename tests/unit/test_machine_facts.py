from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from wheelkit.errors import MissingToolError
from wheelkit.machine.compilers import compiler_errors, find_compiler, require_compiler
from wheelkit.machine.facts import Machine, detect, find_engine
from wheelkit.machine.interpreters import find_pythons
from wheelkit.matrix import Interpreter, System, Target

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="stands in for programs with shell scripts")

Script = Callable[..., Path]
DOCKER_DOWN = "echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?' >&2; exit 1"


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Give a PATH that holds only the scripts that a test writes."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    def write(name: str, body: str, place: str = "bin") -> Path:
        path = tmp_path / place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return path

    return write


def test_docker_comes_first_and_podman_where_docker_does_not_answer(script: Script) -> None:
    script("podman", "echo 4.3.1")
    script("docker", "echo 27.1")
    engine, problem = find_engine({})
    assert (str(engine), problem) == ("docker 27.1", "")
    script("docker", DOCKER_DOWN)
    engine, problem = find_engine({})
    assert engine is not None
    assert (str(engine), engine.setting) == ("podman 4.3.1", "podman")


def test_without_an_engine_the_reason_names_each(script: Script) -> None:
    assert find_engine({}) == (None, "docker is not installed; podman is not installed")
    script("docker", DOCKER_DOWN)
    script("podman", "exit 125")
    _, problem = find_engine({})
    assert problem.startswith("docker is installed but does not work: Cannot connect to the Docker daemon")
    assert problem.endswith("podman is installed but does not work: it printed nothing")


def test_an_engine_that_answers_with_nothing_does_not_work(script: Script) -> None:
    script("docker", "exit 0")
    assert find_engine({})[0] is None


def test_the_engine_that_cibuildwheel_was_told_is_the_only_one_asked(script: Script) -> None:
    script("docker", "echo 27.1")
    told = {"CIBW_CONTAINER_ENGINE": "podman; create_args: --network=host"}
    assert find_engine(told) == (None, "podman is not installed")
    script("podman", "echo 4.3.1")
    engine, _ = find_engine(told)
    assert engine is not None
    assert engine.setting == "podman; create_args: --network=host"
    assert str(find_engine({"CIBW_CONTAINER_ENGINE": " "})[0]) == "docker 27.1"


def test_an_engine_that_cibuildwheel_does_not_know_is_told_so(script: Script) -> None:
    script("nerdctl", "echo 2.0")
    engine, problem = find_engine({"CIBW_CONTAINER_ENGINE": "nerdctl"})
    assert engine is None
    assert problem == 'CIBW_CONTAINER_ENGINE is "nerdctl", but cibuildwheel supports only docker and podman'


def test_the_compiler_is_the_one_of_cc_or_the_first_usual_one(script: Script) -> None:
    assert find_compiler({}) is None
    script("clang", "")
    assert find_compiler({}) == "clang"
    script("gcc", "")
    script("cc", "")
    assert find_compiler({}) == "cc"
    assert find_compiler({"CC": "clang -m64"}) == "clang -m64"
    assert find_compiler({"CC": "icc"}) is None
    assert find_compiler({"CC": " "}) == "cc"


def test_a_missing_compiler_is_told_with_where_it_was_looked_for(script: Script) -> None:
    with pytest.raises(MissingToolError, match=r"looked for \$CC, cc, gcc, clang") as caught:
        require_compiler({})
    assert "apt install gcc" in caught.value.hint
    with pytest.raises(MissingToolError, match=r"\$CC names a compiler that does not exist: icc -O2"):
        require_compiler({"CC": "icc -O2"})
    script("gcc", "")
    assert require_compiler({}) == "gcc"


def answer(tag: str, *, headers: bool = True, links: str = "{}") -> str:
    return f"""echo '["{tag}", "3.99.1", {str(headers).lower()}, {links}]'"""


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
    wanted = ("cp395", "cp396", "cp397", "cp397t", "pp398", "cp399")
    assert found(*wanted, home=tmp_path) == {
        "cp395": on_path,
        "cp396": pyenv,
        "cp397": uv,
        "cp397t": threaded,
        "pp398": pypy,
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
def test_what_is_no_such_interpreter_is_passed_over(script: Script, tmp_path: Path, body: str) -> None:
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


def test_this_machine_is_described(script: Script) -> None:
    script("podman", "echo 4.3.1")
    here = detect(containers=False)
    assert here.engine is None
    assert str(here).startswith(str(here.system))
    if here.system is System.LINUX:
        assert str(detect({}).engine) == "podman 4.3.1"


def test_a_machine_runs_its_own_targets_and_no_others() -> None:
    intel = Machine(system=System.LINUX, arch="x86_64", libc="manylinux")
    runs = {
        tag: intel.runs(Target.parse(tag))
        for tag in ("manylinux_2_28_x86_64", "musllinux_1_2_i686", "manylinux_2_28_aarch64", "win_amd64")
    }
    assert list(runs.values()) == [True, True, False, False]
    assert not Machine(system=System.LINUX, arch="vax").runs(Target.parse("manylinux_2_28_x86_64"))
    apple = Machine(system=System.MACOS, arch="arm64")
    assert apple.runs(Target.parse("macosx_11_0_universal2"))
    assert not apple.runs(Target.parse("macosx_10_13_x86_64"))


@pytest.mark.parametrize(
    "line",
    [
        "../core.c:5:99: error: expected ';' before '}' token",
        "core.c:5: fatal error: Python.h: No such file or directory",
        r"C:\src\core.c(5): error C2065: 'x': undeclared identifier",
        "/usr/bin/ld: core.o: undefined reference to `gear_ratio'",
        "ld: error: undefined symbol: gear_ratio",
        "LINK : fatal error LNK1181: cannot open input file 'gear.lib'",
        "ld: library 'gear' not found",
        "error[E0425]: cannot find value `x` in this scope",
        "\x1b[01m\x1b[K../core.c:5:99:\x1b[m\x1b[K \x1b[01;31m\x1b[Kerror: \x1b[m\x1b[Kexpected ';' before '}' token",
        "/usr/bin/ld: cannot find -lgear: No such file or directory",
    ],
)
def test_a_compilers_own_lines_are_picked_with_their_surroundings(line: str) -> None:
    before, after = (
        [f"[{number}/9] fine" for number in range(6)],
        [f"    {number} | code" for number in range(9)],
    )
    picked = compiler_errors("\n".join([*before, line, *after])).splitlines()
    plain = re.sub(r"\x1b\[[^mK]*[mK]", "", line)
    assert picked == [before[-1], plain, *after[:3]]
    assert compiler_errors("\n".join([*before, *after, "warning: unused", "0 errors"])) == ""


def test_cythons_complaint_is_shown_with_the_code_above_it() -> None:
    block = [
        "Error compiling Cython file:",
        "-" * 60,
        "...",
        "def oops(: pass",
        "         ^",
        "-" * 60,
        "",
        "a/_a.pyx:149:9: Expected ')', found ':'",
    ]
    noise = [f"  File {number}" for number in range(40)]
    assert compiler_errors("\n".join(["[1/1] Cythonizing", *block, *noise])).splitlines() == [
        *block,
        *noise[:3],
    ]
    assert compiler_errors("warning: a/_a.pyx:1:2: Unused\nperformance hint: a/_a.pyx:1:2: slow") == ""


def test_of_many_complaints_the_first_are_shown() -> None:
    assert len(compiler_errors("x.c:1:1: error: no\n" * 500).splitlines()) == 40
