"""CPython's stable ABI: which symbols belong to it, and since when (abi3info, made from CPython's own list)."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.errors import MissingToolError
from wheelkit.wheel.model import python_dll

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wheelkit._core import Slice, Symbol
    from wheelkit.wheel import Binary, FileName, Wheel


@cache
def stable_abi() -> Mapping[str, tuple[int, int]]:
    """Map every function and variable of the stable ABI to the Python version that it joined in.

    Importing abi3info builds thousands of objects, so it waits until the first abi3 wheel is there.
    """
    try:
        from abi3info import DATAS, FUNCTIONS
    except ImportError as error:
        raise MissingToolError(
            "abi3info was not found, the list of CPython's stable ABI", hint="pip install abi3info"
        ) from error
    members = (*FUNCTIONS.values(), *DATAS.values())
    return {item.symbol.name: (item.added.major, item.added.minor) for item in members}


_OLDEST = (3, 2)  # the first version with a stable ABI (PEP 384)
_CPYTHON_TAG = re.compile(r"cp(?P<major>3)(?P<minor>\d+)")


class AbiViolation(Struct, frozen=True, kw_only=True):
    """One symbol that a binary imports and that a stable ABI floor does not have; ``added`` is None if no version has it."""

    member: str
    symbol: str
    added: tuple[int, int] | None


def abi_violations(wheel: Wheel, floor: tuple[int, int]) -> tuple[AbiViolation, ...]:
    """List what keeps the wheel from being an abi3 wheel for ``floor``, such as (3, 11); empty if nothing does."""
    imports = tuple(_python_imports(wheel))
    known = stable_abi() if imports else {}
    return tuple(
        AbiViolation(member=binary.member, symbol=symbol, added=known.get(symbol))
        for binary, symbols in imports
        for symbol in symbols
        if known.get(symbol, (99, 0)) > floor
    )


def computed_floor(wheel: Wheel) -> tuple[int, int] | None:
    """Give the oldest Python whose stable ABI has all that the wheel imports; None if some of it is in no version's."""
    known = stable_abi()
    added = [known.get(symbol) for _, symbols in _python_imports(wheel) for symbol in symbols]
    if None in added:
        return None
    return max((version for version in added if version is not None), default=_OLDEST)


def declared_floor(name: FileName) -> tuple[int, int] | None:
    """Read the oldest Python that an abi3 wheel's name promises; None for a wheel that promises no stable ABI."""
    if not name.stable:
        return None
    matches = (_CPYTHON_TAG.fullmatch(tag) for tag in name.pythons)
    return min(((int(match["major"]), int(match["minor"])) for match in matches if match), default=_OLDEST)


def _python_imports(wheel: Wheel) -> Iterator[tuple[Binary, tuple[str, ...]]]:
    """Walk the binaries with the sorted symbols that each wants of the interpreter.

    A name that merely begins with ``Py`` is not accused where another binary of the wheel defines it, or where it is asked of a library
    that is not Python's; weak imports are those that the code is ready to miss.
    """
    own = frozenset(name for _, part in wheel.slices() for name in part.exports if name.startswith(PREFIXES))
    for binary in wheel.binaries:
        names = {symbol.name for part in binary.slices for symbol in from_python(part)}
        if names - own:
            yield binary, tuple(sorted(names - own))


# How the names of CPython's functions and variables begin.
PREFIXES = ("Py", "_Py")
_LIBPYTHON = re.compile(r"libpython3|/Python(?:3|T)?$")


def from_python(part: Slice) -> Iterator[Symbol]:
    """Walk the symbols that a binary cannot do without and that may be the interpreter's, by their names and libraries."""
    return (
        symbol
        for symbol in part.imports
        if symbol.name.startswith(PREFIXES) and not symbol.weak and _may_be_python(symbol.library)
    )


def _may_be_python(library: str | None) -> bool:
    # On Linux and macOS the running interpreter provides the symbols, so they name no library.
    return library is None or python_dll(library) is not None or bool(_LIBPYTHON.search(library))
