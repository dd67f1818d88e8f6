"""Builds the selected units of a plan: each from the cache if it is there, else by its builder."""

from __future__ import annotations

from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.builders import siblings
from wheelkit.builders.units import BuildUnit, Selection, build_units
from wheelkit.errors import WheelkitError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wheelkit.builders.dispatch import Dispatcher
    from wheelkit.builders.results import Results, UnitResult
    from wheelkit.builders.units import BuildOrder
    from wheelkit.machine.concurrency import Stop
    from wheelkit.machine.workspace import Workspace


class BuildRun(Struct, frozen=True, kw_only=True):
    """Builds an order in the family's order, independent distributions in parallel."""

    order: BuildOrder
    results: Results
    workspace: Workspace

    def selected(self) -> tuple[BuildUnit, ...]:
        """Return the selected units."""
        plan, selection = self.order.plan, self.order.selection
        units = chain.from_iterable(build_units(member, plan) for member in plan.family.distributions)
        return tuple(filter(selection.includes, units))

    def build(self) -> tuple[UnitResult, ...]:
        """Build the selected units, and the siblings that they need, and return the results of the former.

        The results of the latter are in ``results`` too.
        """
        wanted = self._wanted()
        complete: set[str] = set()
        for key, units in wanted.items():
            if complete.issuperset(self._siblings(key)) and all(map(self.results.look_up, units)):
                complete.add(key)
        missing = {key: units for key, units in wanted.items() if key not in complete}
        if missing:
            self._build(missing)
        found = map(self.results.look_up, self.selected())
        return tuple(result for result in found if result is not None)

    def _siblings(self, key: str) -> tuple[str, ...]:
        family = self.order.plan.family
        return siblings.needed(family.members[key], family)

    def _wanted(self) -> dict[str, Sequence[BuildUnit]]:
        """Return the units to build by distribution: the selected ones, and the wheels of needed siblings."""
        plan, selection = self.order.plan, self.order.selection
        chosen = dict.fromkeys(unit.distribution.key for unit in self.selected())
        serving = {name for key in chosen for name in self._siblings(key)}
        wanted: dict[str, Sequence[BuildUnit]] = {}
        for key, distribution in plan.family.members.items():
            if key in chosen or key in serving:
                part = Selection(sdist=selection.sdist) if key in serving else selection
                wanted[key] = [unit for unit in build_units(distribution, plan) if part.includes(unit)]
        return wanted

    def _build(self, missing: Mapping[str, Sequence[BuildUnit]]) -> None:
        # Loading all builders takes longer than a build that finds everything in the cache.
        from wheelkit.builders.dispatch import Dispatcher, require_buildable
        from wheelkit.machine.concurrency import run_jobs

        require_buildable(self.order)

        def build(key: str, stop: Stop | None) -> None:
            if lacking := self.results.failed_names().intersection(self._siblings(key)):
                self.results.skipped[key] = min(lacking)
                return
            units = [unit for unit in missing[key] if self.results.look_up(unit) is None]
            if units:
                workspace = self.workspace.for_job(key, stop)
                dispatcher = Dispatcher(
                    results=self.results, workspace=workspace, fail_fast=self.order.fail_fast
                )
                self.results.add(_built(dispatcher, units, self.results))
                if self.order.fail_fast and self.results.failed:
                    raise _EndedError

        with suppress(_EndedError):
            run_jobs(tuple(missing), build, needs={key: self._siblings(key) for key in missing})


class _EndedError(Exception):
    """Something failed, and nothing more is to be begun."""


def _built(dispatcher: Dispatcher, units: Sequence[BuildUnit], results: Results) -> list[UnitResult]:
    """Build units of one distribution; if that fails before the first of them, so do all."""
    from wheelkit.builders.kinds import WrongKindError

    try:
        return dispatcher.build(units)
    except WrongKindError:
        raise
    except WheelkitError as error:
        return [results.failure(units[0], error)]
