"""CPython's stable ABI: which symbols belong to it, and since when (abi3info, made from CPython's own list)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from wheelkit.errors import MissingToolError

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def stable_abi() -> Mapping[str, tuple[int, int]]:
    """Map every function and variable of the stable ABI to the Python version that it joined in.

    Importing abi3info builds thousands of objects, so it waits until the first abi3 wheel is there.
    """
    try:
        from abi3info import DATAS, FUNCTIONS
    except ImportError as error:
        raise MissingToolError("abi3info was not found, the list of CPython's stable ABI", hint="pip install abi3info") from error
    members = (*FUNCTIONS.values(), *DATAS.values())
    return {item.symbol.name: (item.added.major, item.added.minor) for item in members}
