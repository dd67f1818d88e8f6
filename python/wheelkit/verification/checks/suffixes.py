"""The file names of extension modules against the tags, and files that are only named like a module."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.analysis.claims import claims, python_and_abi
from wheelkit.analysis.libraries import of_windows
from wheelkit.analysis.module_files import module_file, module_files, modules, named_as_module
from wheelkit.analysis.on_demand import loaded_on_demand
from wheelkit.analysis.placeholders import placeholders
from wheelkit.analysis.python_api import from_python
from wheelkit.analysis.reach import describe, for_several_abis, reached, too_old_for_abi3t
from wheelkit.text import shorten_list, size
from wheelkit.verification.findings import finding
from wheelkit.wheel.model import python_dll

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit._core import Slice
    from wheelkit.analysis.module_files import ModuleFile
    from wheelkit.matrix import Interpreter
    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Wheel


_ENTRY_POINTS = ("PyInit_", "PyInitU_", "PyModExport_", "PyModExportU_")
# Exported by every shared library of an older toolchain.
_LINKER_SYMBOLS = frozenset({"_init", "_fini", "_edata", "_end", "__bss_start"})
_COMPILER_LIBRARIES = r"(?i)msvcp|vcomp|concrt|libgcc_|libstdc|libwinpthread|libc\+\+|libomp"


def leftovers(wheel: Wheel) -> frozenset[str]:
    """Return the modules for other interpreters that the wheel's own never need.

    They have the right build of the same module, or code that goes on without it. An abi3 wheel has none:
    some of its interpreters prefer a module of their own version.
    """
    if wheel.name is None or wheel.name.stable:
        return frozenset()
    found: set[str] = set()
    alone: set[str] = set()
    builds = _builds(wheel)
    for files in modules(module_files(wheel)):
        wrong = {file.binary.member for file in files if _problem(file, wheel, builds)}
        (found if len(wrong) < len(files) else alone).update(wrong)
    return frozenset(found) | (loaded_on_demand(wheel, alone) if alone else frozenset())


def suffix(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report extension modules whose file names are for other interpreters than the wheel's tags.

    A wheel without an ABI tag, for several builds of Python, is left to ``abi_tags.without_abi``.
    """
    ignored, builds = leftovers(wheel), _builds(wheel)
    for files in modules(module_files(wheel)) if wheel.name else ():
        problems = [_problem(file, wheel, builds) for file in files]
        right = [file for file, problem in zip(files, problems, strict=True) if not problem]
        for file, problem in zip(files, problems, strict=True):
            if problem and file.binary.member not in ignored:
                yield finding("WK404", f"{file.binary.member} {problem}", member=file.binary.member)
        missing = [one for one in builds if not any(file.imported_by(one) for file in right)]
        if right and missing and not for_several_abis(wheel):
            member = right[0].binary.member
            what = f"{member} is not imported by {shorten_list(map(describe, missing))}, "
            what += f"but the wheel is tagged {_tags(wheel)}"
            yield finding("WK404", what, member=member)
    if ignored:
        what = "modules for another interpreter, which the wheel's own do not need: "
        what += shorten_list(sorted(ignored))
        yield finding("WK408", what, member=min(ignored))


def _builds(wheel: Wheel) -> list[Interpreter]:
    """Return the interpreters that have to find the modules; ``floor_of_abi3t`` reports the others."""
    return [one for one in reached(wheel) if not too_old_for_abi3t(wheel, one)]


def _tags(wheel: Wheel) -> str:
    return python_and_abi(wheel.name) if wheel.name else ""


def _problem(file: ModuleFile, wheel: Wheel, builds: list[Interpreter]) -> str:
    of_one_version = file.kind in {"cpython", "pypy"}
    if file.kind == "nobody":
        return "has a suffix that no Python looks for"
    if (of_one_version and wheel.name and wheel.name.stable) or (
        builds and not any(file.imported_by(one) for one in builds)
    ):
        return f"is imported only by {_importers(file)}, but the wheel is tagged {_tags(wheel)}"
    if wheel.name and file.named_for_another(wheel.name.platforms):
        return f"is named for {file.triplet}, but the wheel is tagged {'.'.join(wheel.name.platforms)}"
    return ""


def _importers(file: ModuleFile) -> str:
    """Describe who looks for a suffix."""
    if file.kind == "abi3":
        return f"CPython{' 3.15 and later' if file.triplet else ''} with the global lock"
    if file.kind == "abi3t":
        return "CPython 3.15 and later"
    prefix = {"cpython": "cp", "pypy": "pp"}.get(file.kind, "")
    return f"{prefix}{file.version}{' built for debugging' if file.debug else ''}" if prefix else "GraalPy"


def entry_point(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report files named like extension modules that export no entry point, so their import fails.

    A library that exports functions and uses nothing of Python was never meant to be imported: setuptools
    names each library that it links like a module, and projects load it with ctypes or cffi. Such libraries
    are one note.
    """
    libraries = []
    for binary in wheel.binaries:
        if binary.extension or not named_as_module(binary.name) or not binary.slices:
            continue
        if any(f"init{binary.name.partition('.')[0]}" in slice_.exports for slice_ in binary.slices):
            continue  # a module of Python 2
        if all(_without_python(slice_) for slice_ in binary.slices):
            libraries.append(binary.member)
        else:
            wanted = file.entry_points()[0] if (file := module_file(binary)) else ""
            what = f"{binary.member} exports no {wanted}, so Python cannot import it"
            yield finding("WK405", what, member=binary.member)
    if libraries:
        what = f"named like extension modules, but use nothing of Python: {shorten_list(libraries)}"
        yield finding("WK407", what, member=libraries[0])


def own_name(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report extension modules that Python cannot import by their file name, on some or all architectures."""
    loaded_by_path = []
    for file in module_files(wheel):
        binary, expected = file.binary, file.entry_points()
        without = [one for one in binary.slices if not set(expected).intersection(one.exports)]
        if not without:
            continue
        others = {name for slice_ in without for name in slice_.exports if name.startswith(_ENTRY_POINTS)}
        if others and _named_as_library(binary.name, others):
            loaded_by_path.append(binary.member)
            continue
        arch = f" for {without[0].arch}" if len(without) < len(binary.slices) else ""
        exports = shorten_list(sorted(others)) or "no entry point"
        what = f"{binary.member} exports {exports}{arch}, but Python looks for {expected[0]}"
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
        named = named_as_module(member.name.rpartition("/")[2])
        if named and member.name not in known and not member.problem:
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
    return any(not of_windows(dll) and not re.match(_COMPILER_LIBRARIES, dll) for dll in dlls)
