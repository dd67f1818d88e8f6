"""What a build would take from the cache, and why it would build the rest: for those who ask before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.builders import siblings
from wheelkit.builders.run import BuildRun
from wheelkit.builders.units import Selection, build_units

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.builders.cache.lookup import Cache
    from wheelkit.builders.units import BuildUnit
    from wheelkit.machine.progress import Progress
    from wheelkit.machine.workspace import Workspace
    from wheelkit.plan import Plan


class CacheStatus(Struct, frozen=True, kw_only=True):
    """One unit of the plan: ``why`` says what keeps it from coming from the cache, empty where it does.

    ``built`` is when it was built, in seconds since 1970, ``seconds`` how long that took.
    """

    unit: BuildUnit
    why: str
    built: float = 0.0
    seconds: float = 0.0


def cache_statuses(plan: Plan, cache: Cache, progress: Progress) -> Iterator[CacheStatus]:
    """Look every unit of a plan up, in the order in which they would be built."""
    run = BuildRun(plan=plan, selection=Selection(), cache=cache, progress=progress, open_shop=_no_shop)
    missing: set[str] = set()
    for item in plan.family.distributions:
        first = [name for name in siblings.needed(item, plan.family) if name in missing]
        for unit in build_units(item, plan):
            found = cache.find(unit, run.needs(unit))
            if found.hit is not None and not first:
                run.take(unit, found.hit)
                yield CacheStatus(
                    unit=unit, why="", built=found.hit.entry.built, seconds=found.hit.entry.seconds
                )
                continue
            if unit.kind == "wheel":
                missing.add(item.key)
            yield CacheStatus(
                unit=unit,
                why=f"{', '.join(first)} is built first" if first else cache.rebuild_reason(unit, found),
            )


def _no_shop() -> Workspace:
    raise AssertionError("nothing is built to look ahead")
