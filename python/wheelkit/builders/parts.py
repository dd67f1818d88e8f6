"""Parts of native units: what a build that failed in part keeps, so that the next one builds only the rest.

A part is what one wheel serves: one interpreter, or all those with a stable ABI. It is cached under the key
of a unit that promises no more than this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.builders.results import BuiltWheel, UnitResult
from wheelkit.plan.model import reduced

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from wheelkit.builders.results import Results
    from wheelkit.builders.units import BuildUnit
    from wheelkit.plan import NativeStep

_STABLE = frozenset({"abi3", "abi3t", "none"})


class Remainder(Struct, frozen=True, kw_only=True):
    """The wheels of a unit that are there already, and the steps that make the others.

    ``cached`` are the parts to which the wheels belong.
    """

    wheels: tuple[BuiltWheel, ...]
    steps: tuple[NativeStep, ...]
    cached: tuple[UnitResult, ...]


def remainder(unit: BuildUnit, results: Results, folder: Path) -> Remainder:
    """Take the parts of a unit that are cached, copied into ``folder``, and return what is left to build."""
    wheels: list[BuiltWheel] = []
    steps: list[NativeStep] = []
    found: list[UnitResult] = []
    for step in unit.steps:
        served: set[str] = set()
        for part in _parts(unit, step):
            if served.isdisjoint(_tags(part.steps[0])) and (cached := results.find_part(part)) is not None:
                served |= _tags(part.steps[0])
                found.append(cached)
                wheels += _wheels(cached, folder)
        missing = [one.tag for one in step.interpreters if one.tag not in served]
        if missing:
            steps.append(reduced(step, missing) if served else step)
    return Remainder(wheels=tuple(wheels), steps=tuple(steps), cached=tuple(found))


def built_parts(result: UnitResult) -> Iterator[UnitResult]:
    """Yield the result of each part that a build made in full; a wheel that serves no whole part has none."""
    for file in result.record.files:
        for step in result.unit.steps:
            tags = _tags(step).intersection(file.cells)
            if tags and tags == _served(file.file, step, tags):
                part = _part(result.unit, step, tags)
                record = replace(result.record, files=(file,), notes=())
                yield replace(result, unit=part, record=record, failures=())


def _served(file: str, step: NativeStep, tags: Collection[str]) -> set[str]:
    """Return the interpreters of the part that a wheel is: its own one, or all with a stable ABI."""
    from wheelkit.wheel.names import parse_file_name

    name = parse_file_name(file)
    if not _STABLE.intersection(name.abis):
        return set(tags) if len(tags) == 1 else set()
    return {one.tag for one in step.interpreters if one.has_stable_abi}


def _parts(unit: BuildUnit, step: NativeStep) -> Iterator[BuildUnit]:
    """Yield the parts in which a step may have been built."""
    stable = [one.tag for one in step.interpreters if one.has_stable_abi]
    choices = [stable] if stable[1:] else []
    choices += [[one.tag] for one in step.interpreters]
    return (_part(unit, step, tags) for tags in choices)


def _part(unit: BuildUnit, step: NativeStep, tags: Iterable[str]) -> BuildUnit:
    kept = set(tags)
    name = "-".join(one.tag for one in step.interpreters if one.tag in kept)
    return replace(unit, steps=(reduced(step, kept),), part=name)


def _tags(step: NativeStep) -> set[str]:
    return {interpreter.tag for interpreter in step.interpreters}


def _wheels(cached: UnitResult, folder: Path) -> Iterator[BuiltWheel]:
    paths = cached.paths_in(folder)
    for file in cached.record.files:
        yield BuiltWheel(
            path=paths[file.file],
            cells=file.cells,
            tested=file.tested,
            grafted=file.grafted,
            excluded=file.excluded,
            compiler=cached.record.tools.get("compiler", ""),
        )
