"""The compilers on this machine: the C compiler, cargo and zig, and the error messages in their output."""

from __future__ import annotations

import os
import re
import sysconfig
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

from wheelkit.errors import MissingToolError
from wheelkit.machine.process import Command, query, require_answer
from wheelkit.machine.time_limits import ANSWER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wheelkit.project.read import Distribution


COMPILERS = ("cc", "gcc", "clang")
_INSTALL_C = (
    "Debian, Ubuntu:  apt install gcc libc6-dev\n"
    "Fedora:          dnf install gcc\n"
    "Alpine:          apk add gcc musl-dev\n"
    "macOS:           xcode-select --install"
)
_INSTALL_HEADERS = (
    "Debian, Ubuntu:  apt install python3-dev\n"
    "Fedora:          dnf install python3-devel\n"
    "Alpine:          apk add python3-dev"
)
# What Meson, the compilers and CMake print without Python.h.
_NO_HEADERS = re.compile(
    r"Python dependency not found|Python\.h: No such file or directory|'Python\.h' file not found|"
    r"Could NOT find Python3? \(missing: [^)]*(?:INCLUDE_DIR|Development)"
)
_INSTALL_RUST = (
    "Debian, Ubuntu:  apt install cargo\n"
    "Fedora:          dnf install cargo\n"
    "Alpine:          apk add cargo\n"
    "macOS:           brew install rust\n"
    "elsewhere:       rustup, https://rustup.rs"
)
_RUST_BACKEND = re.compile(r"maturin|setuptools[-_]rust", re.IGNORECASE)


def find_compiler(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the C compiler of a build: ``$CC``, else cc, gcc or clang; None if it does not exist."""
    if configured := environ.get("CC", "").strip():
        return configured if which(configured.split()[0]) else None
    return next((name for name in COMPILERS if which(name)), None)


def require_compiler(environ: Mapping[str, str] = os.environ) -> str:
    """Return the C compiler; raise MissingToolError, with the way to install one, where there is none."""
    compiler = find_compiler(environ)
    if compiler is not None:
        return compiler
    if configured := environ.get("CC"):
        message = f"$CC names a compiler that does not exist: {configured}"
        raise MissingToolError(message, hint="set CC to your compiler, or unset it")
    message = f"no C compiler was found (looked for $CC, {', '.join(COMPILERS)})"
    raise MissingToolError(message, hint=_INSTALL_C)


def compiler_version(environ: Mapping[str, str] = os.environ) -> str:
    """Return the first line of the C compiler's ``--version``; empty where there is no compiler."""
    compiler = find_compiler(environ)
    if compiler is None:
        return ""
    completed = query(Command(argv=(*compiler.split(), "--version")), timeout=ANSWER.seconds)
    lines = require_answer(completed, f"{compiler} --version").output.splitlines()
    return lines[0].strip() if lines else compiler


def python_headers() -> Path | None:
    """Return ``Python.h`` of the running Python; None where it is not installed."""
    header = Path(sysconfig.get_path("include"), "Python.h")
    return header if header.is_file() else None


def missing_headers_error(output: str, purpose: str, log: Path | None) -> MissingToolError | None:
    """Return the error for a build that failed because Python's headers are missing; None for others."""
    if not _NO_HEADERS.search(output):
        return None
    hint = "\n".join(filter(None, [_INSTALL_HEADERS, f"full log: {log}" if log else ""]))
    return MissingToolError(
        f"{purpose} failed: the headers of Python (Python.h) are not installed", hint=hint
    )


def missing_rust_error(distribution: Distribution, log: Path | None) -> MissingToolError | None:
    """Return the error for a Rust distribution that failed to build without cargo; None for others.

    It applies only after a failure, since a backend may download a toolchain of its own.
    """
    needs_rust = any(map(_RUST_BACKEND.match, (distribution.backend, *distribution.build_requires)))
    if not needs_rust or which("cargo"):
        return None
    return MissingToolError(
        f"{distribution.name} is built with Rust, and cargo was not found",
        hint=f"{_INSTALL_RUST}\nfull log: {log}",
    )


def find_zig() -> Path:
    """Return the program of the package ziglang; raise MissingToolError where it is not installed."""
    spec = find_spec("ziglang")
    if spec and spec.origin:
        program = Path(spec.origin).parent / ("zig.exe" if os.name == "nt" else "zig")
        if program.is_file():
            return program
    raise MissingToolError(
        "zig was not found; cross builds compile with it", hint="pip install 'wheelkit[cross]'"
    )


def zig_environment() -> dict[str, str]:
    """Return variables with which zig keeps the C libraries that it compiles, each in up to a minute."""
    if "ZIG_GLOBAL_CACHE_DIR" in os.environ:
        return {}
    from platformdirs import user_cache_path

    return {"ZIG_GLOBAL_CACHE_DIR": str(user_cache_path("wheelkit", appauthor=False) / "zig")}


_ERROR_LINE = re.compile(
    r"\S+:\d+(?::\d+)?: (?:fatal )?error: |error C\d{4}:|error LNK\d{4}:|error\[E\d+\]|"
    r"undefined reference to|ld: error:|ld: cannot find |ld: library .*not found|"
    r"^\S+\.p(?:yx|xd|xi):\d+:\d+: "
)
# Cython prints this heading, then the code, and only then the place and the error.
_CYTHON_HEADING, _CYTHON_LINES = "Error compiling Cython file:", 15
_COLOUR = re.compile(r"\x1b\[[\d;]*[mK]")
_LINES_BEFORE, _LINES_AFTER, _MAX_LINES = 1, 4, 40


def compiler_errors(output: str) -> str:
    """Return the errors of compilers and linkers in a build's output, with the lines around them."""
    lines = _COLOUR.sub("", output).splitlines()
    selected: dict[int, None] = {}
    for number, line in enumerate(lines):
        if _ERROR_LINE.search(line):
            end = min(len(lines), number + _LINES_AFTER)
            selected |= dict.fromkeys(range(_error_start(lines, number), end))
    return "\n".join(lines[number] for number in list(selected)[:_MAX_LINES])


def _error_start(lines: Sequence[str], number: int) -> int:
    """Return the number of the line at which the error message of line ``number`` starts."""
    earlier = range(number, max(-1, number - _CYTHON_LINES), -1)
    return next((line for line in earlier if lines[line] == _CYTHON_HEADING), max(0, number - _LINES_BEFORE))
