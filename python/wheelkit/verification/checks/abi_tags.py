"""Extension modules against each interpreter of the tags: entry points, abi3t, and wheels without an ABI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.analysis.claims import python_and_abi
from wheelkit.analysis.module_files import module_files, modules
from wheelkit.analysis.on_demand import loaded_on_demand
from wheelkit.analysis.python_api import THREADED_ONLY, abi_violations
from wheelkit.analysis.reach import (
    FIRST_ABI3T,
    describe,
    for_several_abis,
    reached,
    too_old_for_abi3t,
)
from wheelkit.text import shorten_list
from wheelkit.verification.findings import finding
from wheelkit.wheel.model import python_dll

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wheelkit.analysis.module_files import ModuleFile
    from wheelkit.matrix import Interpreter
    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Wheel

    # What each member imports of CPython, with the version since which it is in the stable ABI.
    Imports = Mapping[str, Mapping[str, tuple[int, int] | None]]


# These take a PyModuleDef, whose layout abi3t hides (PEP 803; Include/moduleobject.h).
_WITH_MODULE_DEF = frozenset({"PyModuleDef_Init", "PyModule_Create2", "PyModule_FromDefAndSpec2"})


def export_hook(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report modules that only export PyModExport_, for interpreters older than that (PEP 793)."""
    older = [one for one in reached(wheel) if one.implementation == "cp" and one.version[1] < FIRST_ABI3T]
    files = [
        file
        for file in (module_files(wheel) if older else ())
        if _exports_only_hook(file) and any(file.imported_by(one) for one in older)
    ]
    if files:
        members, versions = [file.binary.member for file in files], list(map(describe, older))
        init, hook = files[0].entry_points()
        what = f"{shorten_list(members)} exports {hook} and no {init}, "
        what += f"but the wheel is tagged {_tags(wheel)}, which includes {shorten_list(versions)}"
        yield finding("WK411", what, member=members[0])


def _exports_only_hook(file: ModuleFile) -> bool:
    init, hook = file.entry_points()
    return any(hook in slice_.exports and init not in slice_.exports for slice_ in file.binary.slices)


def hidden_definition(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report modules for abi3t that are defined by a PyModuleDef, which abi3t has none of.

    A module that also exports PyModExport_ never uses its PyModuleDef there.
    """
    if wheel.name is None or "abi3t" not in wheel.name.abis:
        return
    for file in module_files(wheel):
        hook = file.entry_points()[1]
        used = {
            symbol.name
            for slice_ in file.binary.slices
            if hook not in slice_.exports
            for symbol in slice_.imports
            if symbol.name in _WITH_MODULE_DEF
        }
        if used and file.kind in {"abi3t", "plain"}:
            what = (
                f"{file.binary.member} defines its module by a PyModuleDef ({shorten_list(sorted(used))}), "
            )
            what += f"but the wheel is tagged {_tags(wheel)}"
            fix = f"export {hook} with slots (PEP 793), and compile with Py_TARGET_ABI3T"
            yield finding("WK412", what, fix=fix, member=file.binary.member)


def floor_of_abi3t(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report a wheel for abi3t that interpreters without abi3t accept."""
    older = [one for one in reached(wheel) if too_old_for_abi3t(wheel, one)]
    if older:
        what = f"abi3t begins with 3.15, but {shorten_list(map(describe, older))} accepts {_tags(wheel)}"
        yield finding("WK413", what)


def without_abi(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report extension modules in a wheel without an ABI tag that reaches builds which cannot run them."""
    files = [file for file in module_files(wheel) if file.importable] if for_several_abis(wheel) else []
    if not files:
        return
    builds, imports = reached(wheel), _imports(wheel)
    members: list[str] = []
    failing: set[Interpreter] = set()
    # Elsewhere than on its own interpreters such a file is not found, and code that goes on without it works.
    tagged = [file.binary.member for file in files if file.kind != "plain"]
    optional = loaded_on_demand(wheel, tagged) if tagged else frozenset()
    for group in modules(files):
        if optional.issuperset(file.binary.member for file in group):
            continue
        lost = {one for one in builds if not any(_runs_on(file, one, builds, imports) for file in group)}
        failing |= lost
        members += [group[0].binary.member] if lost else []
    if members:
        versions = [describe(one) for one in builds if one in failing]
        are = "is an extension module" if len(members) == 1 else "are extension modules"
        what = f"{shorten_list(members)} {are}, and with the ABI tag none the wheel is also for "
        what += f"{shorten_list(versions)}, which cannot run {'it' if len(members) == 1 else 'them'}"
        yield finding("WK414", what, member=members[0])


def _imports(wheel: Wheel) -> Imports:
    imports: dict[str, dict[str, tuple[int, int] | None]] = {}
    for violation in abi_violations(wheel, (0, 0)):
        imports.setdefault(violation.member, {})[violation.symbol] = violation.added
    return imports


def _runs_on(
    file: ModuleFile, interpreter: Interpreter, builds: Iterable[Interpreter], imports: Imports
) -> bool:
    """Return whether an interpreter, one of the builds of the tags, imports a file and can run it.

    A file that leaves the stable ABI is for one version, and its plain name does not say for which.
    """
    if not file.imported_by(interpreter) or file.kind != "plain":
        return file.imported_by(interpreter)
    dlls = {dll for name in _needed(file) if (dll := python_dll(name)) is not None}
    if any(minor is not None for minor, _ in dlls):
        return (interpreter.version[1], interpreter.free_threaded) in dlls
    symbols = imports.get(file.binary.member, {})
    threaded = not THREADED_ONLY.isdisjoint(symbols)
    if threaded or None in symbols.values():
        return [one for one in builds if one.free_threaded == threaded] == [interpreter]
    own = {name for slice_ in file.binary.slices for name in slice_.exports}
    universal = file.entry_points()[1] in own or (None, True) in dlls
    stable = all(added is not None and added <= interpreter.version for added in symbols.values())
    return stable and (universal or not interpreter.free_threaded)


def _needed(file: ModuleFile) -> Iterable[str]:
    return (library.name for slice_ in file.binary.slices for library in slice_.needed)


def _tags(wheel: Wheel) -> str:
    return python_and_abi(wheel.name) if wheel.name else ""
