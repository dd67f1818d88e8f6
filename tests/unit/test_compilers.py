from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from support.rows import rows
from support.scripts import Script
from wheelkit.errors import MissingToolError
from wheelkit.machine.compilers import (
    compiler_errors,
    find_compiler,
    find_zig,
    missing_headers_error,
    require_compiler,
    zig_environment,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="replaces programs by shell scripts")


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


def test_a_missing_compiler_is_reported_with_where_it_was_looked_for(script: Script) -> None:
    with pytest.raises(MissingToolError, match=r"looked for \$CC, cc, gcc, clang") as caught:
        require_compiler({})
    assert "apt install gcc" in caught.value.hint
    with pytest.raises(MissingToolError, match=r"\$CC names a compiler that does not exist: icc -O2"):
        require_compiler({"CC": "icc -O2"})
    script("gcc", "")
    assert require_compiler({}) == "gcc"


@rows(
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
        (
            "\x1b[01m\x1b[K../core.c:5:99:\x1b[m\x1b[K \x1b[01;31m\x1b[Kerror: \x1b[m\x1b[Kexpected "
            "';' before '}'"
        ),
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


def test_without_zig_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_zig().is_file()
    monkeypatch.setattr("wheelkit.machine.compilers.find_spec", lambda _: None)
    with pytest.raises(MissingToolError) as caught:
        find_zig()
    assert caught.value.hint == "pip install 'wheelkit[cross]'"
    assert caught.value.exit_code == 3


def test_zigs_cache_is_kept_unless_the_user_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZIG_GLOBAL_CACHE_DIR", raising=False)
    assert Path(zig_environment()["ZIG_GLOBAL_CACHE_DIR"]).name == "zig"
    monkeypatch.setenv("ZIG_GLOBAL_CACHE_DIR", "/own")
    assert zig_environment() == {}


@pytest.mark.parametrize(
    "output",
    [
        "../src/meson.build:34:33: ERROR: Python dependency not found",
        "core.c:1:10: fatal error: Python.h: No such file or directory",
        "core.c:1:10: fatal error: 'Python.h' file not found",
        "CMake Error: Could NOT find Python (missing: Python_INCLUDE_DIRS Development.Module) (found 3.13)",
    ],
)
def test_a_build_without_pythons_headers_says_how_to_install_them(output: str, tmp_path: Path) -> None:
    error = missing_headers_error(output, "building the sdist of demo", tmp_path / "log")
    assert error is not None
    assert (
        error.message
        == "building the sdist of demo failed: the headers of Python (Python.h) are not installed"
    )
    assert "apt install python3-dev" in error.hint
    assert "dnf install python3-devel" in error.hint
    assert error.hint.endswith(f"full log: {tmp_path / 'log'}")
    assert error.exit_code == 3


def test_other_failures_are_not_about_headers() -> None:
    assert (
        missing_headers_error("core.c:1:10: fatal error: zlib.h: No such file or directory", "x", None)
        is None
    )
