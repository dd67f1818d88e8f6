"""The file names of extension modules against the tags, and files that are only named like a module."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.analysis.claims import claims, python_and_abi, targets
from wheelkit.analysis.libraries import of_windows
from wheelkit.analysis.placeholders import placeholders
from wheelkit.analysis.python_api import from_python
from wheelkit.matrix import System
from wheelkit.text import shorten_list, size
from wheelkit.verification.findings import finding
from wheelkit.wheel.model import python_dll

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit._core import Slice
    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Binary, FileName, Wheel


# importlib.machinery.EXTENSION_SUFFIXES of each system, and PyPy's.
_SUFFIX = re.compile(
    r"""(?P<module>[^.]+)\.
    (?:(?P<stable>abi3t?)\.so
      |cpython-(?P<unix>3\d+t?)[dmu]*(?:-(?P<triplet>[\w-]+))?\.so
      |cp(?P<windows>3\d+t?)-(?:win\w+)\.pyd
      |pypy(?P<pypy>3\d+)-[\w-]+\.(?:so|pyd)
      |(?:so|pyd))""",
    re.VERBOSE,
)
_OLD_ABI = re.compile(r"(cp3[2-7])[dmu]+")
# CPython's suffixes distinguish musl from glibc since 3.11; before, both were linux-gnu.
_ONE_TRIPLET = frozenset({"32", "33", "34", "35", "36", "37", "38", "39", "310"})
_ENTRY_POINTS = ("PyInit_", "PyModExport_")
# Exported by every shared library of an older toolchain.
_LINKER_SYMBOLS = frozenset({"_init", "_fini", "_edata", "_end", "__bss_start"})
_COMPILER_LIBRARIES = re.compile(r"(?i)msvcp|vcomp|concrt|libgcc_|libstdc|libwinpthread|libc\+\+|libomp")


def served_builds(name: FileName) -> frozenset[str]:
    """Return the builds of CPython that a wheel's tags name, as file names spell them: ``cp311``, ``cp314t``.

    The flags of ABI tags before Python 3.8 are dropped, since no file name on Windows has them. A wheel
    without an ABI tag (cp311-none, once maturin's for Windows) is for the builds of its Python tags.
    """
    abis = frozenset(match[1] if (match := _OLD_ABI.fullmatch(abi)) else abi for abi in name.abis)
    return abis.union(name.pythons) if "none" in abis else abis


def leftovers(wheel: Wheel) -> frozenset[str]:
    """Return the modules for other interpreters, never imported next to the right build of the same module.

    An abi3 wheel has none: some of its interpreters prefer a module of their own version.
    """
    if wheel.name is None or wheel.name.stable:
        return frozenset()
    right, wrong = set(), {}
    for binary, match in _modules(wheel):
        module = binary.member.rpartition("/")[0], match["module"]
        if _suffix_problem(match, wheel.name):
            wrong[binary.member] = module
        else:
            right.add(module)
    return frozenset(member for member, module in wrong.items() if module in right)


def _modules(wheel: Wheel) -> Iterator[tuple[Binary, re.Match[str]]]:
    for binary in wheel.binaries:
        match = _SUFFIX.fullmatch(binary.name)
        if match is not None and binary.extension:
            yield binary, match


def suffix(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report extension modules whose file names are for other interpreters than the wheel's tags."""
    if wheel.name is None:
        return
    ignored = leftovers(wheel)
    for binary, match in _modules(wheel):
        problem = _suffix_problem(match, wheel.name) or _triplet_problem(match, wheel)
        if problem and binary.member not in ignored:
            yield finding("WK404", f"{binary.member} {problem}", member=binary.member)
    if ignored:
        what = f"modules for another interpreter, next to the right ones: {shorten_list(sorted(ignored))}"
        yield finding("WK408", what, member=min(ignored))


def _suffix_problem(match: re.Match[str], name: FileName) -> str:
    version = match["unix"] or match["windows"]
    if version and f"cp{version}" not in served_builds(name):
        problem = f"is imported only by cp{version}"
    elif match["pypy"] and f"pp{match['pypy']}" not in name.pythons:
        problem = f"is imported only by pp{match['pypy']}"
    elif match["stable"] == "abi3" and all(abi.endswith("t") for abi in name.abis):
        problem = "is not imported by free-threaded interpreters"
    else:
        return ""
    return f"{problem}, but the wheel is tagged {python_and_abi(name)}"


def _triplet_problem(match: re.Match[str], wheel: Wheel) -> str:
    triplet = match["triplet"] or ""
    libcs = {target.libc for target in targets(wheel, System.LINUX)}
    for libc, ending in (("manylinux", "-linux-musl"), ("musllinux", "-linux-gnu")):
        if libcs == {libc} and triplet.endswith(ending) and match["unix"] not in _ONE_TRIPLET:
            return f"is named for {triplet}, but the wheel is tagged {libc}"
    return ""


def entry_point(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report files named like extension modules that export no entry point, so their import fails.

    A library that exports functions and uses nothing of Python was never meant to be imported: setuptools
    names each library that it links like a module, and projects load it with ctypes or cffi. Such libraries
    are one note.
    """
    libraries = []
    for binary in wheel.binaries:
        match = _SUFFIX.fullmatch(binary.name)
        if match is None or not _named_as_module(match) or binary.extension or not binary.slices:
            continue
        if not binary.name.isascii():
            continue  # its entry point is spelled in Punycode (PEP 489)
        if all(_without_python(slice_) for slice_ in binary.slices):
            libraries.append(binary.member)
        else:
            what = f"{binary.member} exports no PyInit_{match['module']}, so Python cannot import it"
            yield finding("WK405", what, member=binary.member)
    if libraries:
        what = f"named like extension modules, but use nothing of Python: {shorten_list(libraries)}"
        yield finding("WK407", what, member=libraries[0])


def own_name(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report extension modules that Python cannot import by their file name, on some or all architectures."""
    loaded_by_path = []
    for binary, match in _modules(wheel):
        folder = binary.member.rpartition("/")[0].rpartition("/")[2]
        module = folder if match["module"] == "__init__" else match["module"]
        expected = {prefix + module for prefix in _ENTRY_POINTS}
        # The entry points of other names are spelled in Punycode (PEP 489).
        without = [one for one in binary.slices if module.isascii() and expected.isdisjoint(one.exports)]
        if not without:
            continue
        others = {name for slice_ in without for name in slice_.exports if name.startswith(_ENTRY_POINTS)}
        if others and _named_as_library(binary.name, others):
            loaded_by_path.append(binary.member)
            continue
        arch = f" for {without[0].arch}" if len(without) < len(binary.slices) else ""
        exports = shorten_list(sorted(others)) or "no entry point"
        what = f"{binary.member} exports {exports}{arch}, but Python looks for PyInit_{module}"
        yield finding("WK409", what, member=binary.member)
    if loaded_by_path:
        what = f"the init function does not match the file name of {shorten_list(loaded_by_path)}"
        yield finding("WK410", what, member=loaded_by_path[0])


def _named_as_library(name: str, entry_points: Iterable[str]) -> bool:
    """Return whether a file is named like a library, and not like one of its modules with ``lib`` in front.

    Code loads libdemo_ops4.so with PyInit_ops by its path; lib_core.so with PyInit__core is a mistake.
    """
    stem, _, ending = name.partition(".")
    modules = {entry_point.partition("_")[2] for entry_point in entry_points}
    return stem.startswith("lib") and ending == "so" and stem.removeprefix("lib") not in modules


def no_binary(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report files named like extension modules that are no binaries, such as empty ones.

    Placeholders of Git are another finding.
    """
    if not claims(wheel) or wheel.shallow:
        return
    known = {binary.member for binary in wheel.binaries}.union(placeholders(wheel))
    for member in wheel.members:
        match = _SUFFIX.fullmatch(member.name.rpartition("/")[2])
        if match and _named_as_module(match) and member.name not in known and not member.problem:
            bytes_ = size(member.size)
            what = f"{member.name} is named like an extension module, but is not a binary ({bytes_})"
            yield finding("WK308", what, member=member.name)


def _without_python(slice_: Slice) -> bool:
    """Return whether a binary is a plain library: it exports functions, and neither links nor imports Python.

    So is a DLL without exports that registers itself with another library, as some of torch's do.
    """
    exports = any(name not in _LINKER_SYMBOLS for name in slice_.exports)
    linked = any(python_dll(library.name) is not None for library in slice_.needed)
    return (exports or _registers(slice_)) and not linked and next(from_python(slice_), None) is None


def _registers(slice_: Slice) -> bool:
    """Return whether a DLL imports from a library that belongs neither to Windows nor to a compiler."""
    libraries = {symbol.library for symbol in slice_.imports if symbol.library}
    dlls = [library for library in libraries if library.lower().endswith(".dll")]
    return any(not of_windows(dll) and not _COMPILER_LIBRARIES.match(dll) for dll in dlls)


def _named_as_module(match: re.Match[str]) -> bool:
    return any(match[kind] for kind in ("stable", "unix", "windows", "pypy")) or match.string.endswith(".pyd")
