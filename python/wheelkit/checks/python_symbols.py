"""Which symbols a binary wants of the interpreter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.patterns import pattern
from wheelkit.wheel.model import python_dll

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit._core import Slice, Symbol

# How the names of CPython's functions and variables begin.
PREFIXES = ("Py", "_Py")
_LIBPYTHON = pattern(r"libpython3|/Python(?:3|T)?$")


def from_python(part: Slice) -> Iterator[Symbol]:
    """Walk the symbols that a binary cannot do without and that may be the interpreter's, by their names and libraries."""
    return (symbol for symbol in part.imports if symbol.name.startswith(PREFIXES) and not symbol.weak and _may_be_python(symbol.library))


def _may_be_python(library: str | None) -> bool:
    # On Linux and macOS the running interpreter provides the symbols, so they name no library.
    return library is None or python_dll(library) is not None or bool(_LIBPYTHON.search(library))
