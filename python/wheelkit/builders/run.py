"""One run through the family: each unit from the cache where it is there, else from its builder."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from msgspec import Struct, field

from wheelkit.builders import siblings
from wheelkit.builders.results import UnitResult
from wheelkit.builders.units import PURE_TARGET, BuildUnit, Selection, build_units
from wheelkit.plan.model import Builder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wheelkit.builders.cache.lookup import Cache
    from wheelkit.builders.cache.store import CacheHit
    from wheelkit.builders.dispatch import Dispatcher
    from wheelkit.machine.git import Checkout
    from wheelkit.machine.progress import Progress
    from wheelkit.machine.workspace import Workspace
    from wheelkit.plan import Plan
    from wheelkit.project.read import Distribution


class DistributionJob(Struct, frozen=True, kw_only=True):
    """One distribution and the units of it that are wanted."""

    item: Distribution
    wanted: tuple[BuildUnit, ...]


class BuildRun(Struct, kw_only=True):
    """Builds what is selected of a plan; the workshop is opened only once something has to be built."""

    plan: Plan
    selection: Selection
    cache: Cache | None
    progress: Progress
    open_shop: Callable[[], Workspace]
    _makers: list[Dispatcher] = field(default_factory=list)
    _shop: Workspace | None = None
    _checkouts: dict[str, Checkout] = field(default_factory=dict)
    _made: dict[str, list[UnitResult]] = field(default_factory=dict)
    _partial: dict[str, list[UnitResult]] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def chosen(self) -> tuple[Distribution, ...]:
        """The distributions of which something is asked for."""
        return tuple(
            item
            for item in self.plan.family.distributions
            if any(one.within(self.selection) for one in self._units(item))
        )

    def batches(self) -> tuple[UnitResult, ...]:
        """Build what is asked for, in the family's order; siblings that only serve the build of others are made and not handed on."""
        chosen = self.chosen
        serving = {name for item in chosen for name in siblings.needed(item, self.plan.family)}
        jobs = []
        for item in self.plan.family.distributions:
            if item in chosen or item.key in serving:
                part = Selection(sdist=self.selection.sdist) if item.key in serving else self.selection
                jobs.append(
                    DistributionJob(
                        item=item, wanted=tuple(one for one in self._units(item) if one.within(part))
                    )
                )
        waiting = [job for job in jobs if not self._from_cache(job)]
        if waiting:
            self._build(waiting)
        done = (batch for job in jobs if job.item in chosen for batch in self._made[job.item.key])
        return tuple(batch for batch in done if batch.unit.within(self.selection))

    def extra(self) -> tuple[UnitResult, ...]:
        """Give what was built on the way and was not asked for: sdists, and siblings that serve others."""
        sources = (batch for maker in self._makers for batch in maker.sources())
        return (*sources, *(batch for batch in self.finished() if not batch.unit.within(self.selection)))

    def finished(self) -> tuple[UnitResult, ...]:
        """Give what was built until something failed."""
        return tuple(batch for batches in self._made.values() for batch in batches)

    def _units(self, item: Distribution) -> tuple[BuildUnit, ...]:
        return tuple(build_units(item, self.plan))

    def _from_cache(self, job: DistributionJob) -> bool:
        """Take all of a distribution from the cache, if it holds all of it and all that it needs."""
        if any(name not in self._made for name in siblings.needed(job.item, self.plan.family)):
            return False
        found = [self.look_up(unit) for unit in job.wanted]
        self._made.setdefault(job.item.key, []).extend(batch for batch in found if batch is not None)
        if None in found:
            self._partial[job.item.key] = self._made.pop(job.item.key)
            return False
        return True

    def _build(self, waiting: Sequence[DistributionJob]) -> None:
        """Build distributions, those that do not need each other at a time."""
        from wheelkit.machine.concurrency import run_jobs

        needs = {job.item.key: siblings.needed(job.item, self.plan.family) for job in waiting}
        maker = (
            self.maker()
        )  # what is wrong with the machine or the dist folder shows before anything is built

        def build(key: str, stop: Callable[[], bool] | None) -> None:
            job = next(job for job in waiting if job.item.key == key)
            with self._lock:
                known = {batch.unit.target: batch for batch in self._partial.get(key, ())}
                found = [(unit, known.get(unit.target) or self.look_up(unit)) for unit in job.wanted]
            own = maker if stop is None else self._apart(key, stop)
            made = own.make(job.item, [unit for unit, batch in found if batch is None], self._made)
            fresh = {batch.unit.target: batch for batch in made}
            with self._lock:
                self._made[key] = [batch or fresh[unit.target] for unit, batch in found]

        run_jobs(tuple(needs), build, needs=needs)

    def _apart(self, name: str, stop: Callable[[], bool]) -> Dispatcher:
        from wheelkit.builders.dispatch import Dispatcher

        maker = Dispatcher(run=self, shop=self.shop.for_job(name, stop))
        self._makers.append(maker)
        return maker

    def look_up(self, unit: BuildUnit) -> UnitResult | None:
        """Take a unit from the cache, None where it has to be built."""
        if self.cache is None:
            return None
        with self._lock:
            found = self.cache.find(unit, self.needs(unit))
            return None if found.hit is None else self._kept(unit, found.hit)

    def settled(self, item: Distribution) -> bool:
        """Tell, once its sdist stands, whether what is built of a distribution may be kept in the cache."""
        with self._lock:
            return self.cache is None or self.cache.sources_unchanged(item)

    def take(self, unit: BuildUnit, hit: CacheHit) -> None:
        """Count on a unit from the cache, for those that need it."""
        self._made.setdefault(unit.distribution.key, []).append(self._kept(unit, hit))

    def _kept(self, unit: BuildUnit, hit: CacheHit) -> UnitResult:
        entry = hit.entry
        return UnitResult(
            unit=unit,
            distribution=entry.distribution,
            version=entry.version,
            source=entry.source,
            checkout=self.checkout(unit.distribution),
            tools=entry.tools,
            files=entry.files,
            paths={},
            hit=hit,
            seconds=entry.seconds,
            notes=entry.notes,
        )

    def needs(self, unit: BuildUnit) -> dict[str, str]:
        """Give the digests of the family's wheels that a unit's build or tests may take, by name."""
        names = siblings.needed(unit.distribution, self.plan.family)
        fitting = {unit.target, PURE_TARGET} if unit.steps else None
        return {
            one.file: one.sha256
            for name in names
            for batch in self._made.get(name, ())
            if batch.unit.kind == "wheel"
            and batch.unit.builder != Builder.CROSS
            and (fitting is None or batch.unit.target in fitting)
            for one in batch.files
        }

    def checkout(self, item: Distribution) -> Checkout:
        """Tell of version control what the manifest says, and say once where it differs from what was committed."""
        with self._lock:
            return self._checked_out(item)

    def _checked_out(self, item: Distribution) -> Checkout:
        if item.key not in self._checkouts:
            from wheelkit.machine import git

            if item.from_sdist:
                state = git.Checkout()
            elif self.cache is None:
                state = (
                    git.Repository(folder=item.source)
                    .start_status()
                    .wait()
                    .checkout(item.source, self.plan.out)
                )
            else:
                state = self.cache.keys.view(item).checkout(item.source, self.plan.out)
            if state.trust_command and all(
                one.trust_command != state.trust_command for one in self._checkouts.values()
            ):
                self.progress.note(
                    f"{git.UNTRUSTED}; publish will refuse it. If you trust it:  {state.trust_command}"
                )
            self._checkouts[item.key] = state
            if count := len(state.changed):
                names = ", ".join(state.changed[:3]) + (", …" if count > 3 else "")  # noqa: PLR2004 - a glimpse is enough
                self.progress.note(
                    f"built with {count} uncommitted change{'s' if count > 1 else ''} ({names}); publish will refuse it"
                )
        return self._checkouts[item.key]

    def maker(self) -> Dispatcher:
        """Give what builds, when it is sure that the result can be delivered."""
        from wheelkit.builders import dispatch

        dispatch.require_buildable(self.plan, self.selection)
        maker = dispatch.Dispatcher(run=self, shop=self.shop)
        self._makers.append(maker)
        return maker

    @property
    def shop(self) -> Workspace:
        """The workshop, opened when it is first asked for."""
        if self._shop is None:
            self._shop = self.open_shop()
        return self._shop
