"""The scripts and plug-ins that a wheel declares: entry_points.txt readable, and what scripts start is in the wheel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.text import shorten_list
from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Wheel


# Entry points specification, "File format": what is behind the equals sign, with an attribute for everything that is called.
_REFERENCE = re.compile(r"(?P<module>[\w.]+)\s*(?::\s*(?P<attribute>[\w.]+)\s*)?(?:\[[\w.,\s-]*\]\s*)?")
_SCRIPTS = frozenset({"console_scripts", "gui_scripts"})
# The name of a script becomes the name of a file.
_FILE_NAME = re.compile(r"[^\s/\\:][^/\\:]*")
_NO_FILE_NAMES = frozenset({".", ".."})
# The folders of .data that modules are installed from.
_MODULE_SCHEMES = frozenset({"purelib", "platlib"})


class EntryPoint(Struct, frozen=True, kw_only=True):
    """One line of the file: its group, name and object reference; ``trouble`` says what keeps installers from using it."""

    group: str
    name: str
    module: str = ""
    trouble: str = ""


def readable(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report lines of entry_points.txt that installers stop at, or that no program can be started by."""
    bad = [one.trouble for one in parse(wheel.entry_points) if one.trouble]
    if bad:
        others = f"; {len(bad) - 1} more like it" if len(bad) > 1 else ""
        member = f"{wheel.dist_info}/entry_points.txt"
        yield finding("WK215", what=f"entry_points.txt: {bad[0]}{others}", file=wheel.filename, member=member)


def scripts(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report scripts whose module the wheel does not hold.

    Where the wheel holds nothing of the module's top package, a distribution that it requires may bring it.
    """
    declared = [one for one in parse(wheel.entry_points) if one.group in _SCRIPTS and not one.trouble]
    modules = frozenset(_modules(wheel)) if declared else frozenset()
    tops = {module.partition(".")[0] for module in modules}
    foreign = bool(wheel.metadata.all("Requires-Dist"))
    absent = [
        one
        for one in declared
        if one.module not in modules and not (foreign and one.module.partition(".")[0] not in tops)
    ]
    if absent:
        starts = shorten_list([f"{one.name} ({one.module})" for one in absent])
        what = f"{'a script starts' if len(absent) == 1 else 'scripts start'} a module that the wheel does not hold: {starts}"
        yield finding("WK216", what=what, file=wheel.filename, member=f"{wheel.dist_info}/entry_points.txt")


def parse(text: bytes) -> list[EntryPoint]:
    """Read entry_points.txt (an INI file with "=" alone between name and value, and case-sensitive names)."""
    try:
        lines = text.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        return [
            EntryPoint(group="", name="", trouble=f"it is not UTF-8: {error.reason} at byte {error.start}")
        ]
    return list(_parsed(lines))


def _parsed(lines: Iterable[str]) -> Iterator[EntryPoint]:
    group, seen = "", set()
    for number, line in enumerate(map(str.strip, lines), 1):
        if not line or line[0] in "#;":
            continue
        if line[0] == "[" and line[-1] == "]":
            group = line[1:-1].strip()
            continue
        name, equals, value = (part.strip() for part in line.partition("="))
        trouble = (
            _trouble(group, name, value)
            if equals
            else f'"{line}" is neither [group] nor name = module:function'
        )
        if not trouble and (group, name) in seen:
            trouble = f"[{group}] has {name} twice"
        seen.add((group, name))
        match = _REFERENCE.fullmatch(value)
        module = match["module"] if match else ""
        yield EntryPoint(
            group=group, name=name, module=module, trouble=f"line {number}: {trouble}" if trouble else ""
        )


def _trouble(group: str, name: str, value: str) -> str:
    if not group:
        return f"{name} stands before any [group]"
    if not name:
        return f'"{value}" has no name'
    if group not in _SCRIPTS:
        # What the reference of other groups looks like is between them and who reads them.
        return ""
    match = _REFERENCE.fullmatch(value)
    if match is None or not match["attribute"]:
        return f'{name} starts "{value}", which is not module:function'
    if not _FILE_NAME.fullmatch(name) or name in _NO_FILE_NAMES:
        return f'"{name}" cannot be the name of a program'
    return ""


def _modules(wheel: Wheel) -> Iterator[str]:
    """Name every module and package that the wheel's members make, as it is imported."""
    for member in wheel.members:
        path = member.name.split("/")
        if path[2:] and path[0].endswith(".data") and path[1] in _MODULE_SCHEMES:
            path = path[2:]
        *folders, file = path
        stem = file.partition(".")[0]
        if file.endswith((".py", ".pyc", ".so", ".pyd")):
            yield ".".join(folders if stem == "__init__" else [*folders, stem])
