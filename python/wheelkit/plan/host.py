"""What the host builder takes from ``[tool.cibuildwheel]``, so that it builds what CI builds, and what of it no host can follow."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


_BRACES = re.compile(r"\{([^{}]*)\}")


def selects(pattern: str, identifier: str) -> bool:
    """Tell whether one glob takes a build such as ``cp311-manylinux_x86_64``."""
    return any(fnmatchcase(identifier, one) for one in _expanded(pattern))


def _expanded(pattern: str) -> Iterator[str]:
    """Expand ``{a,b}`` as a shell does."""
    found = _BRACES.search(pattern)
    if found is None:
        yield pattern
        return
    for one in found[1].split(","):
        yield from _expanded(pattern[: found.start()] + one + pattern[found.end() :])
