"""Windows wheels: no debug builds of the C runtime or the interpreter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.analysis.claims import system_of
from wheelkit.matrix import System
from wheelkit.text import shorten_list
from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Wheel


# The debug builds of Microsoft's C and C++ runtime, which may not be redistributed, and of the interpreter.
_DEBUG_RUNTIME = re.compile(
    r"(?:ucrtbased|(?:vcruntime|msvcp|concrt|vccorlib|mfc|msvcr)\d+(?:_\d+)?d)\.dll|python3\d*t?_d\.dll",
    re.IGNORECASE,
)


def debug_runtime(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report binaries that load a debug C runtime or a debug interpreter."""
    for binary, slice_ in wheel.slices():
        debug = {library.name for library in slice_.needed if _DEBUG_RUNTIME.fullmatch(library.name)}
        if debug and system_of(binary) is System.WINDOWS:
            what = f"{binary.member} loads {shorten_list(sorted(debug))}, which only developers have"
            yield finding("WK331", what, member=binary.member)
