"""ABI claims: what extension modules import of CPython against the ABI and Python tags, and their file names' suffixes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheelkit.checks.catalogue import found
from wheelkit.checks.claims import targets
from wheelkit.checks.stable_abi import stable_abi
from wheelkit.checks.words import dotted, some
from wheelkit.matrix import System
from wheelkit.wheel.model import python_dll

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit._core import Slice, Symbol
    from wheelkit.checks.contract import Contract
    from wheelkit.report.model import Finding
    from wheelkit.wheel import Binary, FileName, Wheel

_OLDEST = (3, 2)  # the first version with a stable ABI (PEP 384)
_PREFIXES = ("Py", "_Py")
_CPYTHON_TAG = re.compile(r"cp(?P<major>3)(?P<minor>\d+)")
_LIBPYTHON = re.compile(r"libpython3|/Python(?:3|T)?$")

# How the import system spells extension modules: importlib.machinery.EXTENSION_SUFFIXES on each system, and PyPy's.
_SUFFIX = re.compile(
    r"""(?P<module>[^.]+)\.
    (?:(?P<stable>abi3t?)\.so
      |cpython-(?P<unix>3\d+t?)d?(?:-(?P<triplet>[\w-]+))?\.so
      |cp(?P<windows>3\d+t?)-(?:win\w+)\.pyd
      |pypy(?P<pypy>3\d+)-[\w-]+\.(?:so|pyd)
      |(?:so|pyd))""",
    re.VERBOSE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Offence:
    """One symbol that a binary imports and that a stable ABI floor does not have; ``added`` is None if no version has it."""

    member: str
    symbol: str
    added: tuple[int, int] | None


def offences(wheel: Wheel, floor: tuple[int, int]) -> tuple[Offence, ...]:
    """List what keeps the wheel from being an abi3 wheel for ``floor``, such as (3, 11); empty if nothing does."""
    imports = tuple(_python_imports(wheel))
    known = stable_abi() if imports else {}
    return tuple(
        Offence(member=binary.member, symbol=symbol, added=known.get(symbol))
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
    own = frozenset(name for _, part in wheel.parts() for name in part.exports if name.startswith(_PREFIXES))
    for binary in wheel.binaries:
        names = {symbol.name for part in binary.slices for symbol in _from_python(part)}
        if names - own:
            yield binary, tuple(sorted(names - own))


def _from_python(part: Slice) -> Iterator[Symbol]:
    return (symbol for symbol in part.imports if symbol.name.startswith(_PREFIXES) and not symbol.weak and _may_be_python(symbol.library))


def _may_be_python(library: str | None) -> bool:
    # On Linux and macOS the running interpreter provides the symbols, so they name no library.
    return library is None or python_dll(library) is not None or bool(_LIBPYTHON.search(library))


def stable(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report abi3 wheels that import more than the stable ABI of their floor; one finding for each binary and kind."""
    floor = declared_floor(wheel.name) if wheel.name else None
    if floor is None:
        return
    by_member: dict[str, list[Offence]] = {}
    for offence in offences(wheel, floor):
        by_member.setdefault(offence.member, []).append(offence)
    for member, group in by_member.items():
        outside = [offence.symbol for offence in group if offence.added is None]
        later = [(offence.symbol, offence.added) for offence in group if offence.added is not None]
        if outside:
            what = f"{member} imports {some(outside)}, in no version's stable ABI; the wheel is tagged abi3"
            yield found("WK401", what=what, file=wheel.filename, member=member)
        if later:
            yield _too_late(wheel, member, floor, later)


def _too_late(wheel: Wheel, member: str, floor: tuple[int, int], later: list[tuple[str, tuple[int, int]]]) -> Finding:
    newest = max(added for _, added in later)
    ordered = sorted(later, key=lambda item: item[1], reverse=True)
    names = some(symbol for symbol, _ in ordered)
    what = f"{member} imports {names}, in the stable ABI from {dotted(newest)} on; the wheel promises {dotted(floor)}"
    fix = f"raise the floor to cp{newest[0]}{newest[1]}, or avoid the {'call' if len(later) == 1 else 'calls'}"
    return found("WK402", what=what, fix=fix, file=wheel.filename, member=member)


def interpreter_library(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report Windows extensions bound to a DLL of CPython that the promised interpreters do not load."""
    name = wheel.name
    if name is None:
        return
    for binary, part in wheel.parts():
        for library in sorted({item.name for item in part.needed}):
            bound = python_dll(library)
            if bound is not None and not _fits(name, *bound):
                tags = f"{'.'.join(name.pythons)}-{'.'.join(name.abis)}"
                what = f"{binary.member} loads {library}; the wheel is tagged {tags}"
                yield found("WK403", what=what, fix=_dll_fix(name), file=wheel.filename, member=binary.member)


def _fits(name: FileName, minor: int | None, threaded: bool) -> bool:  # noqa: FBT001
    if minor is None:
        # python3.dll serves every interpreter with the global lock, python3t.dll those without it.
        return any((abi.endswith("t")) == threaded for abi in name.abis) or name.abis == ("none",)
    return f"cp3{minor}{'t' if threaded else ''}" in name.abis


def _dll_fix(name: FileName) -> str:
    if name.stable:
        return "define Py_LIMITED_API when compiling and link python3.lib (meson: limited_api, setuptools: py_limited_api=True)"
    return "build it with the interpreter that the wheel is tagged for"


# Functions that only such builds of the interpreter have (CPython's Include/refcount.h, Include/internal/pycore_object.h).
_THREADED_ONLY = frozenset({"_Py_DecRefShared", "_Py_DecRefSharedDebug", "_Py_MergeZeroLocalRefcount"})
_DEBUG_ONLY = frozenset({"_Py_NegativeRefcount", "_Py_INCREF_IncRefTotal", "_Py_DECREF_DecRefTotal", "PyModule_Create2TraceRefs"})


def interpreter_build(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report extensions that were compiled for a free-threaded or a debug interpreter, while the wheel is tagged for another."""
    name = wheel.name
    if name is None:
        return
    tags = f"{'.'.join(name.pythons)}-{'.'.join(name.abis)}"
    for binary in wheel.binaries:
        imported = {symbol.name for part in binary.slices for symbol in part.imports} if binary.extension else set()
        for kind, marks, ending in (("free-threaded", _THREADED_ONLY, "t"), ("debug", _DEBUG_ONLY, "d")):
            own = imported & marks
            # A debug build's ABI tag is cp311d or cp314td.
            if own and not any(ending in abi[3:] for abi in name.abis):
                what = f"{binary.member} imports {some(sorted(own))}, which only {kind} interpreters have; the wheel is tagged {tags}"
                yield found("WK406", what=what, file=wheel.filename, member=binary.member)


def suffix(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report extension modules whose file name says other interpreters than the wheel's tags."""
    if wheel.name is None:
        return
    for binary in wheel.binaries:
        match = _SUFFIX.fullmatch(binary.name)
        if match is None or not binary.extension:
            continue
        trouble = _suffix_trouble(match, wheel.name) or _triplet_trouble(match, wheel)
        if trouble:
            yield found("WK404", what=f"{binary.member} {trouble}", file=wheel.filename, member=binary.member)


def _suffix_trouble(match: re.Match[str], name: FileName) -> str:
    tags = f"{'.'.join(name.pythons)}-{'.'.join(name.abis)}"
    version = match["unix"] or match["windows"]
    if version and f"cp{version}" not in name.abis:
        return f"is imported by cp{version} only; the wheel is tagged {tags}"
    if match["pypy"] and f"pp{match['pypy']}" not in name.pythons:
        return f"is imported by pp{match['pypy']} only; the wheel is tagged {tags}"
    threaded = [abi for abi in name.abis if abi.endswith("t")]
    if match["stable"] == "abi3" and threaded == list(name.abis):
        return f"is not imported by free-threaded interpreters; the wheel is tagged {tags}"
    return ""


def _triplet_trouble(match: re.Match[str], wheel: Wheel) -> str:
    libcs = {target.libc for target in targets(wheel, System.LINUX)}
    triplet = match["triplet"] or ""
    for libc, ending in (("manylinux", "-linux-musl"), ("musllinux", "-linux-gnu")):
        if libcs == {libc} and triplet.endswith(ending):
            return f"is named for {triplet}; the wheel is tagged {libc}"
    return ""


def entry_point(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report files named like extension modules that export no entry point: their import fails.

    One that exports functions and asks nothing of Python was never meant for import: setuptools names every library that it links so, and
    projects load such a library with ctypes or cffi. Those are noted together.
    """
    plain = []
    for binary in wheel.binaries:
        match = _SUFFIX.fullmatch(binary.name)
        if match is None or not binary.slices or not _named_as_module(match) or binary.extension or not binary.name.isascii():
            continue
        if all(_without_python(part) for part in binary.slices):
            plain.append(binary.member)
            continue
        what = f"{binary.member} exports no PyInit_{match['module']}, so Python cannot import it"
        yield found("WK405", what=what, file=wheel.filename, member=binary.member)
    if plain:
        named = "is named like an extension module, and asks" if len(plain) == 1 else "are named like extension modules, and ask"
        what = f"{some(plain)} {named} nothing of Python"
        yield found("WK407", what=what, file=wheel.filename, member=plain[0])


def _without_python(part: Slice) -> bool:
    """Tell whether a binary is a library of its own: it offers functions, and neither links Python nor wants a symbol of it."""
    offers = any(name not in _LINKERS_OWN for name in part.exports)
    linked = any(python_dll(library.name) is not None for library in part.needed)
    return offers and not linked and next(_from_python(part), None) is None


# What every shared library of an older toolchain exports, whatever its sources are.
_LINKERS_OWN = frozenset({"_init", "_fini", "_edata", "_end", "__bss_start"})


def _named_as_module(match: re.Match[str]) -> bool:
    return any(match[kind] for kind in ("stable", "unix", "windows", "pypy")) or match.string.endswith(".pyd")
