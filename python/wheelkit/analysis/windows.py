"""The DLLs of the interpreters that Windows wheels load."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.wheel.model import python_dll

if TYPE_CHECKING:
    from wheelkit.wheel import Wheel


# PyPy for Windows has its symbols in a DLL, as CPython has.
_PYPY_DLL = re.compile(r"libpypy(?P<major>3)\.(?P<minor>\d+)-c\.dll", re.IGNORECASE)
_GRAALPY_DLL = "python-native.dll"


def python_needed(wheel: Wheel) -> frozenset[str]:
    """Return the interpreters' DLLs that the wheel loads: ``python3.dll``, ``libpypy3.11-c.dll``."""
    return frozenset(
        library.lower()
        for library in wheel.needed
        if python_dll(library) or pypy_dll(library) or graalpy_dll(library)
    )


def pypy_dll(library: str) -> str | None:
    """Return the Python tag of the PyPy that a DLL belongs to, such as ``pp311``; None for other DLLs."""
    match = _PYPY_DLL.fullmatch(library)
    return f"pp{match['major']}{match['minor']}" if match else None


def graalpy_dll(library: str) -> bool:
    """Return whether this is GraalPy's DLL, which has one name for all versions."""
    return library.lower() == _GRAALPY_DLL
