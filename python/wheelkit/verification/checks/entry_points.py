"""The entry points of a wheel: entry_points.txt is valid, and the modules of scripts are in the wheel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.analysis.layout import importable_modules
from wheelkit.text import plural, shorten_list
from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Wheel


# Object references (entry points specification, "File format").
_REFERENCE = re.compile(r"(?P<module>[\w.]+)\s*(?::\s*(?P<attribute>[\w.]+)\s*)?(?:\[[\w.,\s-]*\]\s*)?")
_SCRIPTS = frozenset({"console_scripts", "gui_scripts"})
# The name of a script becomes a file name.
_FILE_NAME = re.compile(r"(?!\.{1,2}$)[^\s/\\:][^/\\:]*")


class EntryPoint(Struct, frozen=True, kw_only=True):
    """One line of entry_points.txt; ``problem`` says why installers cannot use it."""

    group: str = ""
    name: str = ""
    module: str = ""
    problem: str = ""


def readable(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report lines of entry_points.txt that installers reject, or that make no working script."""
    problems = [entry.problem for entry in parse_entry_points(wheel.entry_points) if entry.problem]
    if problems:
        more = plural(len(problems) - 1, "more line is", "more lines are")
        others = f"; {more} invalid" if len(problems) > 1 else ""
        what = f"entry_points.txt, {problems[0]}{others}"
        yield finding("WK215", what, member=f"{wheel.dist_info}/entry_points.txt")


def scripts(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report scripts whose module is not in the wheel.

    If the wheel has nothing of the module's top-level package, a distribution that it requires may have it.
    """
    entries = parse_entry_points(wheel.entry_points)
    declared = [entry for entry in entries if entry.group in _SCRIPTS and not entry.problem]
    if not declared:
        return
    modules = frozenset(importable_modules(wheel))
    tops = {module.partition(".")[0] for module in modules}
    requires = bool(wheel.metadata.all("Requires-Dist"))
    absent = [
        f"{entry.name} ({entry.module})"
        for entry in declared
        if entry.module not in modules and not (requires and entry.module.partition(".")[0] not in tops)
    ]
    if absent:
        what = f"scripts whose module is not in the wheel: {shorten_list(absent)}"
        yield finding("WK216", what, member=f"{wheel.dist_info}/entry_points.txt")


def parse_entry_points(text: bytes) -> list[EntryPoint]:
    """Parse entry_points.txt: an INI file with ``=`` as its only delimiter, and case-sensitive names."""
    try:
        lines = text.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        return [EntryPoint(problem=f"byte {error.start}: not UTF-8")]
    return list(_parse_lines(lines))


def _parse_lines(lines: Iterable[str]) -> Iterator[EntryPoint]:
    group, seen = "", set()
    for number, line in enumerate(map(str.strip, lines), 1):
        if not line or line[0] in "#;":
            continue
        if line[0] == "[" and line[-1] == "]":
            group = line[1:-1].strip()
            continue
        name, equals, value = (part.strip() for part in line.partition("="))
        problem = _problem(group, name, value) if equals else f'"{line}" is not name = module:function'
        if not problem and (group, name) in seen:
            problem = f"{name} is repeated in [{group}]"
        seen.add((group, name))
        match = _REFERENCE.fullmatch(value)
        yield EntryPoint(
            group=group,
            name=name,
            module=match["module"] if match else "",
            problem=f"line {number}: {problem}" if problem else "",
        )


def _problem(group: str, name: str, value: str) -> str:
    if not group:
        return f"{name} is not in a [group]"
    if not name:
        return f'"{value}" has no name'
    if group not in _SCRIPTS:
        return ""  # the readers of other groups define what their values look like
    match = _REFERENCE.fullmatch(value)
    if match is None or not match["attribute"]:
        return f'"{name} = {value}" is not name = module:function'
    return "" if _FILE_NAME.fullmatch(name) else f'"{name}" cannot be a file name'
