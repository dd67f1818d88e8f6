"""ABI claims: what extension modules import of CPython against the ABI and Python tags."""

from __future__ import annotations

from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING

from wheelkit.analysis.python_api import AbiViolation, abi_violations, declared_floor
from wheelkit.text import dotted, shorten_list
from wheelkit.verification.checks.suffixes import leftovers, served
from wheelkit.verification.findings import finding
from wheelkit.wheel.model import python_dll

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import FileName, Wheel


def stable(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report abi3 wheels that import more than the stable ABI of their floor; one finding for each binary and kind."""
    floor = declared_floor(wheel.name) if wheel.name else None
    if floor is None:
        return
    by_member: dict[str, list[AbiViolation]] = {}
    for offence in abi_violations(wheel, floor):
        by_member.setdefault(offence.member, []).append(offence)
    for member, group in by_member.items():
        outside = [offence.symbol for offence in group if offence.added is None]
        later = [(offence.symbol, offence.added) for offence in group if offence.added is not None]
        if outside:
            what = f"{member} imports {shorten_list(outside)}, in no version's stable ABI; the wheel is tagged abi3"
            yield finding("WK401", what=what, file=wheel.filename, member=member)
        if later:
            yield _too_late(wheel, member, floor, later)


def _too_late(
    wheel: Wheel, member: str, floor: tuple[int, int], later: list[tuple[str, tuple[int, int]]]
) -> Finding:
    newest = max(added for _, added in later)
    ordered = sorted(later, key=lambda item: item[1], reverse=True)
    names = shorten_list(symbol for symbol, _ in ordered)
    what = f"{member} imports {names}, in the stable ABI from {dotted(newest)} on; the wheel promises {dotted(floor)}"
    fix = (
        f"raise the floor to cp{newest[0]}{newest[1]}, or avoid the {'call' if len(later) == 1 else 'calls'}"
    )
    return finding("WK402", what=what, fix=fix, file=wheel.filename, member=member)


def interpreter_library(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report Windows extensions bound to a DLL of CPython that the promised interpreters do not load."""
    name = wheel.name
    if name is None:
        return
    old = leftovers(wheel)
    for binary, part in ((binary, part) for binary, part in wheel.slices() if binary.member not in old):
        for library in sorted({item.name for item in part.needed}):
            bound = python_dll(library)
            if bound is not None and not _fits(name, bound):
                tags = f"{'.'.join(name.pythons)}-{'.'.join(name.abis)}"
                what = f"{binary.member} loads {library}; the wheel is tagged {tags}"
                yield finding(
                    "WK403", what=what, fix=_dll_fix(name), file=wheel.filename, member=binary.member
                )


def _fits(name: FileName, bound: tuple[int | None, bool]) -> bool:
    minor, threaded = bound
    if minor is None:
        # python3.dll serves every interpreter with the global lock, python3t.dll those without it.
        return any((abi.endswith("t")) == threaded for abi in name.abis) or name.abis == ("none",)
    return f"cp3{minor}{'t' if threaded else ''}" in served(name)


def _dll_fix(name: FileName) -> str:
    if name.stable:
        return "define Py_LIMITED_API when compiling and link python3.lib (meson: limited_api, setuptools: py_limited_api=True)"
    return "build it with the interpreter that the wheel is tagged for"


# Functions that only such builds of the interpreter have (CPython's Include/refcount.h, Include/internal/pycore_object.h).
_THREADED_ONLY = frozenset({"_Py_DecRefShared", "_Py_DecRefSharedDebug", "_Py_MergeZeroLocalRefcount"})
_DEBUG_ONLY = frozenset(
    {"_Py_NegativeRefcount", "_Py_INCREF_IncRefTotal", "_Py_DECREF_DecRefTotal", "PyModule_Create2TraceRefs"}
)

_TELLING = _THREADED_ONLY | _DEBUG_ONLY
_NAME = attrgetter("name")


def interpreter_build(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report extensions that were compiled for a free-threaded or a debug interpreter, while the wheel is tagged for another."""
    name = wheel.name
    if name is None:
        return
    tags = f"{'.'.join(name.pythons)}-{'.'.join(name.abis)}"
    old = leftovers(wheel)
    for binary in (one for one in wheel.binaries if one.extension and one.member not in old):
        imported = _TELLING.intersection(
            chain.from_iterable(map(_NAME, part.imports) for part in binary.slices)
        )
        for kind, marks, ending in (("free-threaded", _THREADED_ONLY, "t"), ("debug", _DEBUG_ONLY, "d")):
            own = imported & marks
            # A debug build's ABI tag is cp311d or cp314td.
            if own and not any(ending in abi[3:] for abi in name.abis):
                names = shorten_list(sorted(own))
                what = f"{binary.member} imports {names}, which only {kind} interpreters have; the wheel is tagged {tags}"
                yield finding("WK406", what=what, file=wheel.filename, member=binary.member)
