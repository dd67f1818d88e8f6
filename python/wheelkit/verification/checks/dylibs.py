"""Whether dyld finds the libraries that a wheel for macOS holds."""

from __future__ import annotations

import re
from posixpath import basename
from typing import TYPE_CHECKING

from wheelkit.analysis.claims import targets
from wheelkit.analysis.dylibs import lost_dylibs
from wheelkit.analysis.installed import installed_path
from wheelkit.matrix import System
from wheelkit.text import first_and_count
from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Wheel


# Where delocate puts what it grafts.
_GRAFT_FOLDER = r"(?:^|/)(?:[^/]+\.libs|\.dylibs|\.libs)/[^/]+"
_LOADER, _EXECUTABLE = "@loader_path/", "@executable_path/"


def reachable(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report files that need a library of the wheel, and name a path where it is not."""
    lost = lost_dylibs(wheel) if targets(wheel, System.MACOS) else []
    files = (installed_path(member.name) for member in wheel.members if not member.directory)
    by_name = {basename(path): path for path in files} if lost else {}
    for library in lost:
        path = by_name.get(basename(library.name), "")
        repaired = not path or library.name.startswith(_LOADER) or re.search(_GRAFT_FOLDER, path) is not None
        what = f"{first_and_count(library.users)} needs {library.name}, but {_problem(library.name, path)}"
        if library.name.startswith(_EXECUTABLE) and library.certain:
            yield finding("WK357", what, member=library.users[0])
        elif library.certain or repaired:
            code = "WK511" if library.certain and repaired else "WK512"
            yield finding(code, what, member=library.users[0])


def _problem(name: str, path: str) -> str:
    if not path:
        return "the wheel has it under another file name"
    if name.startswith(_EXECUTABLE):
        return f"that is beside the interpreter; the wheel has it at {path}"
    return f"the wheel has it at {path}" if name.startswith(_LOADER) else f"no search path leads to {path}"
