"""A plan in words: its interpreters, what is not promised and why, and what is not built here."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from wheelkit.matrix import Absence, System, build_identifier, offered_builds
from wheelkit.plan.model import Builder
from wheelkit.plan.options import CibuildwheelOptions
from wheelkit.text import shorten_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wheelkit.matrix import AbsentCell, Interpreter, Target
    from wheelkit.plan.model import Plan


_GROUPS_SHOWN = 8


def identifiers(plan: Plan) -> dict[System, tuple[str, ...]]:
    """Return the builds that cibuildwheel makes of the plan on all machines together, in its order."""
    promised = {name for matrix in plan.matrices.values() for name in matrix.identifiers()}
    return {
        system: tuple(build for build in builds if build in promised)
        for system, builds in offered_builds().items()
    }


def interpreters_on(plan: Plan, target: Target) -> str:
    """Return the interpreters that the family promises on a target: ``cp311-cp314 cp314t pp311``.

    Where single builds are selected, return those that are built here.
    """
    promised = [matrix.interpreters_on(target) for matrix in plan.matrices.values()]
    if plan.partial:
        promised = [step.interpreters for step in plan.steps if step.target == target] or promised
    return _ranges(dict.fromkeys(interpreter for members in promised for interpreter in members))


def _ranges(interpreters: Iterable[Interpreter]) -> str:
    """Join tags; three or more consecutive versions of one kind become a range."""
    ordered = sorted(interpreters, key=lambda one: (one.implementation, one.free_threaded, one.version))
    numbered = enumerate(ordered)
    runs = groupby(
        numbered,
        lambda pair: (
            pair[1].implementation,
            pair[1].free_threaded,
            pair[1].release,
            pair[1].version[1] - pair[0],
        ),
    )
    words = []
    for _, pairs in runs:
        tags = [interpreter.tag for _, interpreter in pairs]
        words.append(f"{tags[0]}-{tags[-1]}" if len(tags) > 2 else " ".join(tags))  # noqa: PLR2004
    return " ".join(words)


def details(plan: Plan) -> Iterator[str]:
    """Yield what the table of targets leaves out, one line for each reason."""
    for why, text in _REASONS.items():
        if cells := _absent(plan, why):
            yield f"{text}: {_grouped(cells)}"
    unused = dict.fromkeys(pattern for matrix in plan.matrices.values() for pattern in matrix.unused)
    if everywhere := [
        one for one in unused if all(one in matrix.unused for matrix in plan.matrices.values())
    ]:
        yield f"skip has no effect: {', '.join(everywhere)} (the matrix has no such cell)"
    elsewhere: dict[str, list[str]] = {}
    for row in plan.targets:
        if row.builder is None:
            elsewhere.setdefault(row.why, []).append(row.target.tag)
    for reason, targets in elsewhere.items():
        yield f"not built here: {shorten_list(targets)} ({reason})"
    yield from _own_options(plan)


_REASONS: Mapping[Absence, str] = {
    Absence.NOT_BUILT: "not promised, since cibuildwheel does not build it",
    Absence.SKIPPED: "not promised, by skip",
    Absence.OVERRIDDEN: "not promised, by override",
}


def _absent(plan: Plan, why: Absence) -> list[AbsentCell]:
    """Return the cells that no member promises, for one reason."""
    promised = {
        (target.tag, interpreter.tag)
        for matrix in plan.matrices.values()
        for target in matrix.targets
        for interpreter in matrix.interpreters_on(target)
    }
    cells = dict.fromkeys(
        cell for matrix in plan.matrices.values() for cell in matrix.absent if cell.why is why
    )
    told = (cell for cell in cells if cell.selector or why is not Absence.OVERRIDDEN)
    return [cell for cell in told if (cell.target, cell.interpreter) not in promised]


def _grouped(cells: Iterable[AbsentCell]) -> str:
    """Return cells as ``pp311, gp312_250 on win_arm64, win32``, with the selectors that match them."""
    by_target: dict[tuple[str, str], list[str]] = {}
    for cell in cells:
        by_target.setdefault((cell.selector, cell.target), []).append(cell.interpreter)
    groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (selector, target), tags in by_target.items():
        groups.setdefault((selector, tuple(tags)), []).append(target)
    texts = [
        f"{', '.join(tags)} on {', '.join(targets)}{f' ({selector})' if selector else ''}"
        for (selector, tags), targets in groups.items()
    ]
    more = f"; and {len(texts) - _GROUPS_SHOWN} more (--json lists all)" if len(texts) > _GROUPS_SHOWN else ""
    return "; ".join(texts[:_GROUPS_SHOWN]) + more


def _own_options(plan: Plan) -> Iterator[str]:
    """Yield the keys of the project's own configuration of cibuildwheel that do not apply here."""
    for builder, effect in (
        (Builder.CIBUILDWHEEL, "overridden by the matrix and the exclude list"),
        (Builder.HOST, "ignored by the host builder"),
    ):
        steps = (step for step in plan.steps if step.builder is builder)
        if keys := dict.fromkeys(key for step in steps for key in step.overridden):
            yield f"[tool.cibuildwheel] {', '.join(keys)}: {effect}"
    here = {key for step in plan.steps for key in step.overridden}
    elsewhere: dict[str, dict[str, None]] = {}
    for system, key in _overridden_elsewhere(plan):
        if key not in here:
            elsewhere.setdefault(key, {})[system] = None
    if elsewhere:
        told = ", ".join(f"{key} ({', '.join(systems)})" for key, systems in elsewhere.items())
        yield f"[tool.cibuildwheel] {told}: overridden where these are built"


def _overridden_elsewhere(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield the system and the key of what the matrix and the exclude list override on other machines."""
    for distribution in plan.family.native:
        matrix = plan.matrices.get(distribution.key)
        for row in plan.targets:
            if matrix is None or row.builder is not None or not distribution.cibuildwheel:
                continue
            builds = [build_identifier(one, row.target) for one in matrix.interpreters_on(row.target)]
            options = CibuildwheelOptions(distribution, row.target.system, {})
            for key in options.overridden(builds, skip=False):
                yield row.target.system.value, key
