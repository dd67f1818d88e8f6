"""The entry points of a wheel: entry_points.txt is valid, and the modules of scripts are in the wheel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.analysis.installed import importable_modules
from wheelkit.text import plural, shorten_list
from wheelkit.verification.findings import finding
from wheelkit.wheel.dist_info import parse_entry_points

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Wheel
    from wheelkit.wheel.dist_info import EntryPoint


# Object references (entry points specification, "File format").
_REFERENCE = re.compile(r"(?P<module>[\w.]+)\s*(?::\s*(?P<attribute>[\w.]+)\s*)?(?:\[[\w.,\s-]*\]\s*)?")
_SCRIPTS = frozenset({"console_scripts", "gui_scripts"})
# The name of a script becomes a file name.
_FILE_NAME = re.compile(r"(?!\.{1,2}$)[^\s/\\:][^/\\:]*")


def readable(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report lines of entry_points.txt that installers reject, or that make no working script."""
    problems = [problem for _, problem in _judge(parse_entry_points(wheel.entry_points)) if problem]
    if problems:
        more = plural(len(problems) - 1, "more line is", "more lines are")
        others = f"; {more} invalid" if len(problems) > 1 else ""
        what = f"entry_points.txt, {problems[0]}{others}"
        yield finding("WK215", what, member=f"{wheel.dist_info}/entry_points.txt")


def scripts(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report scripts whose module is not in the wheel, nor perhaps in a distribution that it requires."""
    declared = [
        (entry.name, entry.reference.partition(":")[0].strip())
        for entry, problem in _judge(parse_entry_points(wheel.entry_points))
        if entry.group in _SCRIPTS and not problem
    ]
    if not declared:
        return
    modules = frozenset(importable_modules(wheel))
    tops = {module.partition(".")[0] for module in modules}
    requires = bool(wheel.metadata.all("Requires-Dist"))
    absent = [
        f"{name} ({module})"
        for name, module in declared
        if module not in modules and (not requires or module.partition(".")[0] in tops)
    ]
    if absent:
        what = f"scripts whose module is not in the wheel: {shorten_list(absent)}"
        yield finding("WK216", what, member=f"{wheel.dist_info}/entry_points.txt")


def _judge(entries: Iterable[EntryPoint]) -> Iterator[tuple[EntryPoint, str]]:
    """Yield each line with why installers cannot use it; the reason is empty where they can."""
    seen = set()
    for entry in entries:
        problem = entry.problem or _script_problem(entry)
        if not problem and (entry.group, entry.name) in seen:
            problem = f"{entry.name} is repeated in [{entry.group}]"
        seen.add((entry.group, entry.name))
        yield entry, f"line {entry.line}: {problem}" if problem and entry.line else problem


def _script_problem(entry: EntryPoint) -> str:
    if entry.group not in _SCRIPTS:
        return ""  # the readers of other groups define what their values look like
    match = _REFERENCE.fullmatch(entry.reference)
    if match is None or not match["attribute"]:
        return f'"{entry.name} = {entry.reference}" is not name = module:function'
    return "" if _FILE_NAME.fullmatch(entry.name) else f'"{entry.name}" cannot be a file name'
