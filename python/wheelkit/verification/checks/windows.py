"""Windows wheels: no debug C runtime, and which of the interpreters' DLLs they load."""

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


# The debug builds of Microsoft's C and C++ runtime; they come with Visual Studio only and must not be handed on.
_DEBUG_RUNTIME = re.compile(
    r"(?:ucrtbased|(?:vcruntime|msvcp|concrt|vccorlib|mfc|msvcr)\d+(?:_\d+)?d)\.dll|python3\d*t?_d\.dll",
    re.IGNORECASE,
)


def debug_runtime(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report binaries that load a debug C runtime or a debug interpreter."""
    for binary, part in wheel.slices():
        if system_of(binary) is not System.WINDOWS:
            continue
        debug = sorted({library.name for library in part.needed if _DEBUG_RUNTIME.fullmatch(library.name)})
        if debug:
            what = f"{binary.member} loads {shorten_list(debug)}, which only developers' machines have"
            yield finding("WK331", what=what, file=wheel.filename, member=binary.member)
