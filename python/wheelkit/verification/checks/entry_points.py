"""The entry points of a wheel: installers agree on them, and the modules of scripts are in the wheel."""

from __future__ import annotations

import re
from keyword import iskeyword
from typing import TYPE_CHECKING

from wheelkit.analysis.installed import importable_modules
from wheelkit.text import plural, shorten_list
from wheelkit.verification.findings import finding
from wheelkit.wheel.entry_points import SCRIPTS, parse_entry_points

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Wheel
    from wheelkit.wheel.entry_points import EntryPoint


# An object reference as pip reads it (pip/_vendor/distlib/util.py, ENTRY_RE): whatever follows is ignored,
# unless it has brackets.
_PIP = r"\w+(?:[:.]\w+)*"
_PIP_EXTRAS = r"\[\s*[\w-]+(?:=\w+)?(?:,\s*\w+(?:=\w+)?)*\s*\]"
# As uv reads it (uv-install-wheel, script.rs), without extras.
_UV = r"(?P<module>[\w.-]+)\s*:\s*(?P<attribute>[\w.-]+)\s*"
# pip before 24.1 makes a file of the last part of a name that consists of these, or none.
_NAME = r"[\w.+-]+"
_LONGEST_NAME = 255


def readable(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report lines of entry_points.txt that installers reject, or that make no working script."""
    problems = [problem for _, problem in judge(parse_entry_points(wheel.entry_points)) if problem]
    if problems:
        more = plural(len(problems) - 1, "more line is", "more lines are")
        others = f"; {more} invalid" if len(problems) > 1 else ""
        what = f"entry_points.txt, {problems[0]}{others}"
        yield finding("WK215", what, member=f"{wheel.dist_info}/entry_points.txt")


def scripts(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report scripts whose module is not in the wheel, nor perhaps in a distribution that it requires."""
    declared = [
        (entry.name, entry.reference.partition(":")[0].strip())
        for entry, problem in judge(parse_entry_points(wheel.entry_points))
        if entry.group in SCRIPTS and not problem
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


def judge(entries: Iterable[EntryPoint]) -> Iterator[tuple[EntryPoint, str]]:
    """Yield each line with why installers cannot use it, or differ; the reason is empty where they agree."""
    seen = set()
    for entry in entries:
        problem = entry.problem or _script_problem(entry)
        if not problem and (entry.group, entry.name) in seen:
            problem = f"{entry.name} is repeated in [{entry.group}], and uv refuses that"
        seen.add((entry.group, entry.name))
        yield entry, f"line {entry.line}: {problem}" if problem and entry.line else problem


def _script_problem(entry: EntryPoint) -> str:
    if entry.group not in SCRIPTS:
        return ""  # the readers of other groups define what their values look like
    return _reference_problem(entry) or _name_problem(entry.name)


def _reference_problem(entry: EntryPoint) -> str:
    line = f'"{entry.name} = {entry.reference}"'
    base, bracket, extras = entry.reference.partition("[")
    uv = re.fullmatch(_UV, base) if not bracket or _are_extras_of_uv(extras) else None
    if uv is None or not _is_reference_of_pip(entry.reference):
        both = uv is None and not _is_reference_of_pip(entry.reference)
        refusing = "pip and uv refuse" if both else "uv refuses" if uv is None else "pip refuses"
        return f"{line} is not name = module:function, and {refusing} it"
    if not all(map(_importable, (*uv["module"].split("."), *uv["attribute"].split(".")))):
        return f"{line} is not name = module:function, and the script cannot run"
    return ""


def _is_reference_of_pip(reference: str) -> bool:
    match = re.match(_PIP, reference)
    if match is None or match[0].count(":") != 1:
        return False
    rest = reference[match.end() :].lstrip()
    return re.match(_PIP_EXTRAS, rest) is not None or set(rest).isdisjoint("[]")


def _are_extras_of_uv(text: str) -> bool:
    """Return whether uv accepts what follows the opening bracket."""
    *extras, last = text.rstrip().removesuffix("]").split(",")
    return text.rstrip().endswith("]") and all(extras) and bool(extras or last)


def _importable(name: str) -> bool:
    return name.isidentifier() and not iskeyword(name)


def _name_problem(name: str) -> str:
    if re.fullmatch(_NAME, name) and name not in {".", ".."}:
        return "" if len(name.encode()) <= _LONGEST_NAME else f'"{name[:40]}..." is too long for a file name'
    if "/" in name or "\\" in name or ":" in name or name in {".", ".."}:
        return f'"{name}" cannot be a file name, and pip and uv refuse it or put the script elsewhere'
    return f"pip and uv give the script {name!r} different names, or refuse it"
