"""Whether a compiler is there, and what it said when it refused."""

from __future__ import annotations

import os
import re
import shutil
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

from wheelkit.errors import MissingToolError
from wheelkit.machine.process import Command, query

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wheelkit.project.read import Distribution


_ERROR_LINE = re.compile(
    r"\S+:\d+(?::\d+)?: (?:fatal )?error: |error C\d{4}:|error LNK\d{4}:|error\[E\d+\]|undefined reference to|ld: error:|"
    r"ld: cannot find |ld: library .*not found|^\S+\.p(?:yx|xd|xi):\d+:\d+: "
)
# Cython prints the lines in question first, below this heading, and then where they are and what is wrong.
_CYTHON, _CYTHON_LINES = "Error compiling Cython file:", 15
_COLOUR = re.compile(r"\x1b\[[\d;]*[mK]")
_BEFORE, _AFTER, _MOST = 1, 4, 40
_INSTALL = (
    "Debian, Ubuntu:  apt install gcc libc6-dev\n"
    "Fedora:          dnf install gcc\n"
    "Alpine:          apk add gcc musl-dev\n"
    "macOS:           xcode-select --install"
)


def require_compiler(environ: Mapping[str, str] = os.environ) -> str:
    """Return the C compiler's name; raise MissingToolError with where it was looked for and how to install one."""
    found = find_compiler(environ)
    if found is not None:
        return found
    if told := environ.get("CC"):
        raise MissingToolError(
            f"$CC names a compiler that does not exist: {told}", hint="set CC to your compiler, or unset it"
        )
    raise MissingToolError(f"no C compiler was found (looked for $CC, {', '.join(COMPILERS)})", hint=_INSTALL)


def compiler_version(environ: Mapping[str, str] = os.environ) -> str:
    """Give the C compiler's name and version in its own words, for the manifest; only its name where it does not tell."""
    found = find_compiler(environ)
    if found is None:
        return ""
    said = query(Command(argv=(*found.split(), "--version"))).output.splitlines()
    return said[0].strip() if said else found


_RUST = re.compile(r"maturin|setuptools[-_]rust", re.IGNORECASE)
_INSTALL_RUST = (
    "Debian, Ubuntu:  apt install cargo\n"
    "Fedora:          dnf install cargo\n"
    "Alpine:          apk add cargo\n"
    "macOS:           brew install rust\n"
    "anywhere:        rustup, https://rustup.rs"
)


def rust_missing(item: Distribution, log: Path | None) -> MissingToolError | None:
    """Make the error for a distribution of Rust that could not be built on a machine without cargo; None where that is not the reason.

    It is asked after the failure: a backend may fetch a toolchain of its own.
    """
    needs_rust = any(_RUST.match(text) for text in (item.backend, *item.build_requires))
    if not needs_rust or which("cargo"):
        return None
    return MissingToolError(
        f"{item.name} is built with Rust, and no cargo was found", hint=f"{_INSTALL_RUST}\nfull log: {log}"
    )


def compiler_errors(output: str) -> str:
    """Pick the compiler's and linker's own lines out of a build's output; empty where there are none."""
    lines = _COLOUR.sub("", output).splitlines()
    wanted: dict[int, None] = {}
    for number, line in enumerate(lines):
        if _ERROR_LINE.search(line):
            for near in range(_first_lines(lines, number), min(len(lines), number + _AFTER)):
                wanted[near] = None
    return "\n".join(lines[number] for number in list(wanted)[:_MOST])


def first_compiler_error(output: str) -> str:
    """Give the first line in which the compiler or linker says what is wrong, else the first that says anything; empty where none does."""
    lines = [line.strip() for line in _COLOUR.sub("", output).splitlines() if line.strip()]
    return next((line for line in lines if _ERROR_LINE.search(line)), next(iter(lines), ""))


def _first_lines(lines: Sequence[str], number: int) -> int:
    """Give the line at which the complaint that stands in line ``number`` begins."""
    back = range(number, max(-1, number - _CYTHON_LINES), -1)
    return next((near for near in back if lines[near] == _CYTHON), max(0, number - _BEFORE))


def find_zig() -> Path:
    """Find the zig of the distribution ziglang; raise MissingToolError with the way to install it."""
    spec = find_spec("ziglang")
    folder = Path(spec.origin).parent if spec and spec.origin else None
    program = folder / ("zig.exe" if os.name == "nt" else "zig") if folder else None
    if program is None or not program.is_file():
        raise MissingToolError(
            "zig was not found, the compiler of cross builds", hint="pip install 'wheelkit[cross]'"
        )
    return program


def zig_environment() -> dict[str, str]:
    """Give zig's settings: its compiled C libraries are kept between builds, since the first use of a target costs up to a minute."""
    if "ZIG_GLOBAL_CACHE_DIR" in os.environ:
        return {}
    from platformdirs import user_cache_path

    return {"ZIG_GLOBAL_CACHE_DIR": str(user_cache_path("wheelkit", appauthor=False) / "zig")}


COMPILERS = ("cc", "gcc", "clang")


def find_compiler(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the C compiler that a build would take: ``$CC``, else the first of cc, gcc and clang; None where there is none."""
    if told := environ.get("CC", "").strip():
        return told if shutil.which(told.split()[0]) else None
    return next((name for name in COMPILERS if shutil.which(name)), None)
