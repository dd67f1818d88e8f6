"""What extension modules import of CPython, against the ABI and Python tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.analysis.claims import python_and_abi
from wheelkit.analysis.python_api import AbiViolation, abi_violations, declared_floor
from wheelkit.text import dotted, shorten_list
from wheelkit.verification.checks.suffixes import leftovers, served_builds
from wheelkit.verification.findings import finding
from wheelkit.wheel.model import python_dll

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import FileName, Wheel


# Functions that only such builds of the interpreter have (CPython's Include/refcount.h,
# Include/internal/pycore_object.h).
_THREADED_ONLY = frozenset({"_Py_DecRefShared", "_Py_DecRefSharedDebug", "_Py_MergeZeroLocalRefcount"})
_DEBUG_ONLY = frozenset(
    {"_Py_NegativeRefcount", "_Py_INCREF_IncRefTotal", "_Py_DECREF_DecRefTotal", "PyModule_Create2TraceRefs"}
)
_RIGHT_INTERPRETER = "build it with the interpreter that the wheel is tagged for"
_LIMITED_API = "define Py_LIMITED_API when compiling and link python3.lib "
_LIMITED_API += "(meson: limited_api, setuptools: py_limited_api=True)"
# Each build with the letter of its ABI tag: cp314t, cp311d.
_BUILDS = (("free-threaded", "t", _THREADED_ONLY), ("debug", "d", _DEBUG_ONLY))


def stable(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report abi3 wheels that import more than the stable ABI of their floor, once per binary and code."""
    floor = declared_floor(wheel.name) if wheel.name else None
    if floor is None:
        return
    by_member: dict[str, list[AbiViolation]] = {}
    for violation in abi_violations(wheel, floor):
        by_member.setdefault(violation.member, []).append(violation)
    for member, violations in by_member.items():
        outside = [violation.symbol for violation in violations if violation.added is None]
        later = [(one.symbol, one.added) for one in violations if one.added is not None]
        if outside:
            what = f"{member} imports {shorten_list(outside)}: not in the stable ABI, but the tag is abi3"
            yield finding("WK401", what, member=member)
        if later:
            yield _too_late(member, floor, later)


def _too_late(member: str, floor: tuple[int, int], later: list[tuple[str, tuple[int, int]]]) -> Finding:
    newest_first = sorted(later, key=lambda item: item[1], reverse=True)
    newest = newest_first[0][1]
    names = shorten_list(symbol for symbol, _ in newest_first)
    what = f"{member} imports {names}, in the stable ABI since {dotted(newest)}, "
    what += f"but the tag promises {dotted(floor)}"
    calls = "call" if len(later) == 1 else "calls"
    fix = f"raise the floor to cp{newest[0]}{newest[1]}, or avoid the {calls}"
    return finding("WK402", what, fix=fix, member=member)


def interpreter_library(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report Windows extensions that load a CPython DLL of other interpreters than the tags name."""
    name = wheel.name
    if name is None:
        return
    ignored = leftovers(wheel)
    for binary, slice_ in wheel.slices():
        if binary.member in ignored:
            continue
        for library in sorted({library.name for library in slice_.needed}):
            dll = python_dll(library)
            if dll is not None and not _serves(name, dll):
                what = f"{binary.member} loads {library}, but the wheel is tagged {python_and_abi(name)}"
                fix = _LIMITED_API if name.stable else _RIGHT_INTERPRETER
                yield finding("WK403", what, fix=fix, member=binary.member)


def _serves(name: FileName, dll: tuple[int | None, bool]) -> bool:
    minor, threaded = dll
    if minor is None:
        # python3.dll is for interpreters with the global lock, python3t.dll for those without.
        return name.abis == ("none",) or any(abi.endswith("t") == threaded for abi in name.abis)
    return f"cp3{minor}{'t' if threaded else ''}" in served_builds(name)


def interpreter_build(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report extensions compiled for a free-threaded or debug interpreter in a wheel for another one."""
    name = wheel.name
    if name is None:
        return
    ignored = leftovers(wheel)
    for binary in wheel.binaries:
        if not binary.extension or binary.member in ignored:
            continue
        imports = (_THREADED_ONLY | _DEBUG_ONLY).intersection(
            symbol.name for slice_ in binary.slices for symbol in slice_.imports
        )
        for build, letter, symbols in _BUILDS:
            used = imports & symbols
            if used and not any(letter in abi[3:] for abi in name.abis):
                what = f"{binary.member} imports {shorten_list(sorted(used))}, "
                what += f"which only {build} interpreters have, but the tags are {python_and_abi(name)}"
                yield finding("WK406", what, member=binary.member)
