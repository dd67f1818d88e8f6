"""What extension modules import of CPython, against the ABI and Python tags."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.analysis.claims import python_and_abi
from wheelkit.analysis.python_api import (
    DEBUG_ONLY,
    THREADED_ONLY,
    AbiViolation,
    abi_violations,
    declared_floor,
)
from wheelkit.analysis.reach import for_several_abis
from wheelkit.text import dotted, first_and_count, shorten_list
from wheelkit.verification.checks.suffixes import leftovers
from wheelkit.verification.findings import finding
from wheelkit.wheel.model import python_dll

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import FileName, Wheel


# What code calls where a reference count falls to zero; for free-threaded builds it calls THREADED_ONLY.
_LOCKED = "_Py_Dealloc"
_FREE_THREADED = re.compile(r"cp3\d+td?")
_OLD_ABI = re.compile(r"(cp3[2-7])[dmu]+")
_RIGHT_INTERPRETER = "build it with the interpreter that the wheel is tagged for"
_LIMITED_API = "define Py_LIMITED_API when compiling and link python3.lib "
_LIMITED_API += "(meson: limited_api, setuptools: py_limited_api=True)"
# Each build with the letter of its ABI tag: cp314t, cp311d.
_BUILDS = (("free-threaded", "t", THREADED_ONLY), ("debug", "d", DEBUG_ONLY))
_OF_ONE_BUILD = THREADED_ONLY | DEBUG_ONLY | {_LOCKED}


def stable(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report abi3 wheels that import more than the stable ABI of their floor, each kind once."""
    floor = declared_floor(wheel.name) if wheel.name else None
    if floor is None:
        return
    violations = abi_violations(wheel, floor)
    outside = [violation for violation in violations if violation.added is None]
    later = [violation for violation in violations if violation.added is not None]
    if outside:
        what = (
            f"{_importers(outside)} imports {_symbols(outside)}: not in the stable ABI, but the tag is abi3"
        )
        yield finding("WK401", what, member=outside[0].member)
    if later:
        yield _too_late(floor, later)


def _importers(violations: Iterable[AbiViolation]) -> str:
    return first_and_count(list(dict.fromkeys(violation.member for violation in violations)))


def _symbols(violations: Iterable[AbiViolation]) -> str:
    return shorten_list(dict.fromkeys(violation.symbol for violation in violations))


def _too_late(floor: tuple[int, int], later: list[AbiViolation]) -> Finding:
    newest_first = sorted(later, key=lambda violation: violation.added or floor, reverse=True)
    newest = newest_first[0].added or floor
    what = f"{_importers(later)} imports {_symbols(newest_first)}, in the stable ABI since {dotted(newest)}, "
    what += f"but the tag promises {dotted(floor)}"
    calls = "call" if len({violation.symbol for violation in later}) == 1 else "calls"
    fix = f"raise the floor to cp{newest[0]}{newest[1]}, or avoid the {calls}"
    return finding("WK402", what, fix=fix, member=later[0].member)


def interpreter_library(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report Windows extensions that load a CPython DLL of other interpreters than the tags name.

    A wheel without an ABI tag, for several builds of Python, is left to ``abi_tags.without_abi``.
    """
    name = wheel.name
    if name is None or for_several_abis(wheel):
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
    return f"cp3{minor}{'t' if threaded else ''}" in _served_builds(name)


def _served_builds(name: FileName) -> frozenset[str]:
    """Return the builds of CPython that a wheel's tags name, as file names spell them: ``cp311``, ``cp314t``.

    The flags of ABI tags before Python 3.8 are dropped, since no file name on Windows has them. A wheel
    without an ABI tag (cp311-none, once maturin's for Windows) is for the builds of its Python tags.
    """
    abis = frozenset(match[1] if (match := _OLD_ABI.fullmatch(abi)) else abi for abi in name.abis)
    return abis.union(name.pythons) if "none" in abis else abis


def interpreter_build(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report extensions compiled for a build of the interpreter in a wheel for another one."""
    name = wheel.name
    if name is None or for_several_abis(wheel):
        return
    ignored = leftovers(wheel)
    threaded = all(_FREE_THREADED.fullmatch(abi) for abi in name.abis)
    for binary in wheel.binaries:
        if not binary.extension or binary.member in ignored:
            continue
        imports = _OF_ONE_BUILD.intersection(
            symbol.name for slice_ in binary.slices for symbol in slice_.imports
        )
        for build, letter, symbols in _BUILDS:
            used = imports & symbols
            if used and not any(letter in abi[3:] for abi in name.abis):
                what = f"{binary.member} imports {shorten_list(sorted(used))}, "
                what += f"which only {build} interpreters have, but the tags are {python_and_abi(name)}"
                yield finding("WK406", what, member=binary.member)
        if threaded and imports == {_LOCKED}:
            what = f"{binary.member} counts references as builds with the global lock do ({_LOCKED}), "
            what += f"but the tags are {python_and_abi(name)}"
            yield finding("WK406", what, member=binary.member)
