"""Previews which units of a plan are cached, and why the others have to be built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.builders import siblings
from wheelkit.builders.cache.lookup import rebuild_reason
from wheelkit.builders.results import Results
from wheelkit.builders.units import UnitKind, build_units

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.builders.cache.lookup import Cache
    from wheelkit.builders.units import BuildUnit
    from wheelkit.machine.progress import Progress
    from wheelkit.plan import Plan


class CacheStatus(Struct, frozen=True, kw_only=True):
    """Whether a unit is cached, or ``why`` it is not.

    ``built`` is when it was built, in seconds since 1970, and ``seconds`` how long that took.
    """

    unit: BuildUnit
    why: str
    built: float = 0.0
    seconds: float = 0.0


def cache_statuses(plan: Plan, cache: Cache, progress: Progress) -> Iterator[CacheStatus]:
    """Look up every unit of a plan, in the order in which they would be built."""
    results = Results(plan=plan, cache=cache, progress=progress)
    missing: set[str] = set()
    for distribution in plan.family.distributions:
        first = [name for name in siblings.needed(distribution, plan.family) if name in missing]
        for unit in build_units(distribution, plan):
            hit, inputs = cache.find(unit, results.sibling_digests(unit))
            if hit is not None and not first:
                results.add_cached(unit, hit)
                yield CacheStatus(unit=unit, why="", built=hit.entry.built, seconds=hit.entry.seconds)
                continue
            if unit.kind is not UnitKind.SDIST:
                missing.add(distribution.key)
            why = f"{', '.join(first)} is built first" if first else ""
            yield CacheStatus(unit=unit, why=why or rebuild_reason(unit.label, inputs, cache.store))
