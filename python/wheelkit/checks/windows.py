"""Windows wheels: no debug C runtime, and which of the interpreters' DLLs they load."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.checks.catalogue import found
from wheelkit.checks.claims import system_of
from wheelkit.checks.words import some
from wheelkit.matrix import System
from wheelkit.patterns import pattern
from wheelkit.wheel.model import python_dll

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.checks.contract import Contract
    from wheelkit.report.model import Finding
    from wheelkit.wheel import Wheel

# The debug builds of Microsoft's C and C++ runtime; they come with Visual Studio only and must not be handed on.
_DEBUG_RUNTIME = pattern(
    r"(?:ucrtbased|(?:vcruntime|msvcp|concrt|vccorlib|mfc|msvcr)\d+(?:_\d+)?d)\.dll|python3\d*t?_d\.dll",
    re.IGNORECASE,
)
# PyPy for Windows has its symbols in a DLL, as CPython has: what its python311.lib names.
_PYPY_DLL = pattern(r"libpypy(?P<major>3)\.(?P<minor>\d+)-c\.dll", re.IGNORECASE)

_GRAALPY_DLL = "python-native.dll"


def debug_runtime(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report binaries that load a debug C runtime or a debug interpreter."""
    for binary, part in wheel.parts():
        if system_of(binary) is not System.WINDOWS:
            continue
        debug = sorted({library.name for library in part.needed if _DEBUG_RUNTIME.fullmatch(library.name)})
        if debug:
            what = f"{binary.member} loads {some(debug)}, which only developers' machines have"
            yield found("WK331", what=what, file=wheel.filename, member=binary.member)


def python_needed(wheel: Wheel) -> frozenset[str]:
    """Name the interpreters' DLLs that the wheel's binaries load: ``python3.dll``, ``python311.dll``, ``libpypy3.11-c.dll``."""
    return frozenset(library.lower() for library in wheel.needed if python_dll(library) or pypy_dll(library) or graalpy_dll(library))


def pypy_dll(library: str) -> str | None:
    """Read the Python tag of the PyPy whose DLL this is, such as ``pp311``; None for every other library."""
    match = _PYPY_DLL.fullmatch(library) if library[:7].lower() == "libpypy" else None
    return f"pp{match['major']}{match['minor']}" if match else None


def graalpy_dll(library: str) -> bool:
    """Tell whether this is GraalPy's DLL, which has one name for all versions."""
    return library.lower() == _GRAALPY_DLL
