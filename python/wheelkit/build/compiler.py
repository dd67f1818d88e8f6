"""Whether a compiler is there, and what it said when it refused."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from wheelkit.errors import MissingToolError
from wheelkit.machine import COMPILERS, find_compiler

if TYPE_CHECKING:
    from collections.abc import Mapping

_COMPLAINT = re.compile(
    r"\S+:\d+(?::\d+)?: (?:fatal )?error: |error C\d{4}:|error LNK\d{4}:|error\[E\d+\]|undefined reference to|ld: error:|"
    r"ld: cannot find |ld: library .*not found"
)
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
        raise MissingToolError(f"$CC names a compiler that does not exist: {told}", hint="set CC to your compiler, or unset it")
    raise MissingToolError(f"no C compiler was found (looked for $CC, {', '.join(COMPILERS)})", hint=_INSTALL)


def complaints(output: str) -> str:
    """Pick the compiler's and linker's own lines out of a build's output; empty where there are none."""
    lines = _COLOUR.sub("", output).splitlines()
    wanted: dict[int, None] = {}
    for number, line in enumerate(lines):
        if _COMPLAINT.search(line):
            for near in range(max(0, number - _BEFORE), min(len(lines), number + _AFTER)):
                wanted[near] = None
    return "\n".join(lines[number] for number in list(wanted)[:_MOST])
