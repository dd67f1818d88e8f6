"""How extension modules are named: their suffixes against the wheel's tags, and files that are only named like one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.analysis.claims import claims, targets
from wheelkit.analysis.python_api import from_python
from wheelkit.analysis.system_libraries import of_windows
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


# How the import system spells extension modules: importlib.machinery.EXTENSION_SUFFIXES on each system, and PyPy's.
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


def served(name: FileName) -> frozenset[str]:
    """Name the builds of the interpreter that a wheel's tags are for, as file names of modules spell them: ``cp311``, ``cp314t``.

    The flags that ABI tags had before Python 3.8 are left out: no file name on Windows has them. A wheel without an ABI tag
    (cp311-none, as maturin long tagged those for Windows) is for the builds that its Python tags name.
    """
    abis = frozenset(
        match[1] if abi[-1:] in "dmu" and (match := _OLD_ABI.fullmatch(abi)) else abi for abi in name.abis
    )
    return abis.union(name.pythons) if "none" in abis else abis


def leftovers(wheel: Wheel) -> frozenset[str]:
    """Name the modules for other interpreters that lie beside the same module for the wheel's own, which never import them.

    A wheel for the stable ABI has none: some of the interpreters that it serves prefer the module of their own version.
    """
    if wheel.name is None or wheel.name.stable:
        return frozenset()
    right, wrong = set(), {}
    for binary, match in _modules(wheel):
        module = binary.member.rpartition("/")[0], match["module"]
        if _suffix_trouble(match, wheel.name):
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
    """Report extension modules whose file name says other interpreters than the wheel's tags."""
    if wheel.name is None:
        return
    old = leftovers(wheel)
    for binary, match in _modules(wheel):
        trouble = _suffix_trouble(match, wheel.name) or _triplet_trouble(match, wheel)
        if trouble and binary.member not in old:
            yield finding(
                "WK404", what=f"{binary.member} {trouble}", file=wheel.filename, member=binary.member
            )
    if old:
        names = sorted(old)
        modules = "is a module" if len(names) == 1 else "are modules"
        what = f"{shorten_list(names)} {modules} for another interpreter; the wheel holds the right one, too"
        yield finding("WK408", what=what, file=wheel.filename, member=names[0])


def _suffix_trouble(match: re.Match[str], name: FileName) -> str:
    tags = f"{'.'.join(name.pythons)}-{'.'.join(name.abis)}"
    version = match["unix"] or match["windows"]
    if version and f"cp{version}" not in served(name):
        return f"is imported by cp{version} only; the wheel is tagged {tags}"
    if match["pypy"] and f"pp{match['pypy']}" not in name.pythons:
        return f"is imported by pp{match['pypy']} only; the wheel is tagged {tags}"
    threaded = [abi for abi in name.abis if abi.endswith("t")]
    if match["stable"] == "abi3" and threaded == list(name.abis):
        return f"is not imported by free-threaded interpreters; the wheel is tagged {tags}"
    return ""


# CPython told musl from glibc in its suffixes from 3.11 on; before, both were linux-gnu.
_ONE_TRIPLET = frozenset({"32", "33", "34", "35", "36", "37", "38", "39", "310"})


def _triplet_trouble(match: re.Match[str], wheel: Wheel) -> str:
    libcs = {target.libc for target in targets(wheel, System.LINUX)}
    triplet = match["triplet"] or ""
    if match["unix"] in _ONE_TRIPLET:
        return ""
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
        if (
            match is None
            or not binary.slices
            or not _named_as_module(match)
            or binary.extension
            or not binary.name.isascii()
        ):
            continue
        if all(_without_python(part) for part in binary.slices):
            plain.append(binary.member)
            continue
        what = f"{binary.member} exports no PyInit_{match['module']}, so Python cannot import it"
        yield finding("WK405", what=what, file=wheel.filename, member=binary.member)
    if plain:
        named = (
            "is named like an extension module, and asks"
            if len(plain) == 1
            else "are named like extension modules, and ask"
        )
        what = f"{shorten_list(plain)} {named} nothing of Python"
        yield finding("WK407", what=what, file=wheel.filename, member=plain[0])


def own_name(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report extension modules that Python cannot import by their file's name, on every processor or on one."""
    by_path = []
    for binary, match in _modules(wheel):
        folder = binary.member.rpartition("/")[0].rpartition("/")[2]
        module = folder if match["module"] == "__init__" else match["module"]
        # Names that are not ASCII are written in Punycode there (PEP 489).
        wanted = {f"PyInit_{module}", f"PyModExport_{module}"}
        lacking = [part for part in binary.slices if module.isascii() and wanted.isdisjoint(part.exports)]
        if not lacking:
            continue
        others = sorted({name for part in lacking for name in part.exports if name.startswith(_ENTRY_POINTS)})
        if others and _called_a_library(binary.name, others):
            by_path.append(binary.member)
            continue
        arch = f" for {lacking[0].arch}" if len(lacking) < len(binary.slices) else ""
        what = f"{binary.member} exports {shorten_list(others) or 'no entry point'}{arch}; Python looks for PyInit_{module}"
        yield finding("WK409", what=what, file=wheel.filename, member=binary.member)
    if by_path:
        exports, named = ("exports", "its file is") if len(by_path) == 1 else ("export", "their files are")
        what = f"{shorten_list(by_path)} {exports} the entry point of a module that is called otherwise than {named}"
        yield finding("WK410", what=what, file=wheel.filename, member=by_path[0])


def _called_a_library(name: str, entry_points: Iterable[str]) -> bool:
    """Tell libdemo_ops4.so with PyInit_ops, which code loads by its path, from lib_core.so with PyInit__core, which was to be _core.so."""
    stem, _, ending = name.partition(".")
    return (
        stem.startswith("lib")
        and ending == "so"
        and stem.removeprefix("lib") not in {one.partition("_")[2] for one in entry_points}
    )


_ENTRY_POINTS = ("PyInit_", "PyModExport_")


def no_binary(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report files named like extension modules that are no binaries: empty, or a pointer to a large file that was never fetched."""
    if not claims(wheel) or wheel.shallow:
        return
    binaries = {binary.member for binary in wheel.binaries}
    for member in wheel.members:
        match = _SUFFIX.fullmatch(member.name.rpartition("/")[2])
        if (
            match is not None
            and _named_as_module(match)
            and member.name not in binaries
            and not member.problem
        ):
            what = f"{member.name} is named like an extension module, and is no binary ({size(member.size)})"
            yield finding("WK308", what=what, file=wheel.filename, member=member.name)


def _without_python(part: Slice) -> bool:
    """Tell whether a binary is a library of its own: it offers functions, and neither links Python nor wants a symbol of it.

    So is one that offers none and registers itself with another library on loading, as torch's do.
    """
    offers = any(name not in _LINKERS_OWN for name in part.exports)
    linked = any(python_dll(library.name) is not None for library in part.needed)
    return (offers or _registers(part)) and not linked and next(from_python(part), None) is None


def _registers(part: Slice) -> bool:
    """Tell whether a DLL calls a library that is neither Windows' nor a compiler's."""
    libraries = {
        symbol.library
        for symbol in part.imports
        if symbol.library and symbol.library.lower().endswith(".dll")
    }
    return any(not of_windows(library) and not _COMPILERS.match(library) for library in libraries)


_COMPILERS = re.compile(
    r"(?:msvcp|vcomp|concrt|libgcc_|libstdc|libwinpthread|libc\+\+|libomp)", re.IGNORECASE
)


# What every shared library of an older toolchain exports, whatever its sources are.
_LINKERS_OWN = frozenset({"_init", "_fini", "_edata", "_end", "__bss_start"})


def _named_as_module(match: re.Match[str]) -> bool:
    return any(match[kind] for kind in ("stable", "unix", "windows", "pypy")) or match.string.endswith(".pyd")
