"""Executes a build order: from the sdists to verified files in the dist folder."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.builders.dist_folder import Delivery, deliver, with_other_cells
from wheelkit.builders.handout import clear, failure_of, hand_out, keep
from wheelkit.builders.parts import built_parts
from wheelkit.builders.results import Results
from wheelkit.builders.run import BuildRun
from wheelkit.builders.verify import verify_built
from wheelkit.errors import NothingToBuildError, WheelkitError
from wheelkit.verification.contract import contract_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wheelkit.builders.cache.lookup import Cache
    from wheelkit.builders.results import UnitResult
    from wheelkit.builders.units import BuildOrder
    from wheelkit.machine.progress import Progress
    from wheelkit.machine.workspace import Workspace
    from wheelkit.manifest import Manifest
    from wheelkit.plan import Plan
    from wheelkit.verification.contract import Contract


class BuildOutcome(Struct, frozen=True, kw_only=True):
    """The delivered files and their manifests."""

    files: tuple[Path, ...]
    manifests: tuple[Manifest, ...]


def execute(order: BuildOrder, cache: Cache | None, workspace: Workspace) -> BuildOutcome:
    """Build, repair, test, verify and deliver what is selected; units in the cache are not built again.

    The dist folder changes only in the end. What fails does not keep the rest from being built, verified and
    saved, unless the order says so. Raises what the builders raise, NothingToBuildError when nothing can be
    built here, and CheckFailedError with the findings when a file fails verification.
    """
    first = order.first_wheels
    results = Results(plan=order.plan, cache=cache, progress=workspace.progress, first_wheels=first)
    run = BuildRun(order=order, results=results, workspace=workspace)
    if not run.selected():
        raise _nothing_to_build(order)
    contract = contract_of(order.config, order.plan.family)
    try:
        selected = run.build()
        if not results.failed:
            verify_built(selected, contract, workspace, results.store)
    except WheelkitError:
        keep(results, contract, workspace)
        raise
    clear([*results, *results.failed], order.plan.out)
    if results.failed:
        kept = keep(results, contract, workspace)
        raise failure_of(results, replace(kept, folders=hand_out(results, workspace)))
    parts = [part for result in selected if order.plan.partial for part in built_parts(result)]
    results.save_built([*selected, *parts])
    extra = [result for result in results if not order.selection.includes(result.unit)]
    _save_verified(extra, results, contract, workspace)
    return _deliver(selected, order.plan, workspace.progress)


def _save_verified(
    extra: Sequence[UnitResult], results: Results, contract: Contract, workspace: Workspace
) -> None:
    """Save newly built files that are not delivered in the cache, if they pass verification."""
    built = [result for result in extra if result.hit is None]
    if built and results.cache is not None:
        with suppress(WheelkitError):
            verify_built(built, contract, workspace.silent(), results.store)
            results.save_built(built)


def _nothing_to_build(order: BuildOrder) -> NothingToBuildError:
    plan = order.plan
    distributions = plan.family.distributions
    if order.selection.names:
        names = ", ".join(sorted(order.selection.names))
        return NothingToBuildError(f"nothing of that kind of {names} can be built here", hint="wheelkit plan")
    if not plan.family.native:
        names = ", ".join(distribution.name for distribution in distributions)
        key = distributions[0].key if len(distributions) == 1 else "NAME"
        return NothingToBuildError(
            f"no native distribution was found ({names}: pure Python)",
            hint="wheelkit build builds it; if it compiles code, set"
            f'  [tool.wheelkit.distribution.{key}] kind = "native"',
        )
    if not plan.steps:
        reasons = "\n".join(f"{row.target}: {row.why}" for row in plan.targets)
        message = "none of the promised targets can be built on this machine"
        return NothingToBuildError(message, detail=reasons, hint="wheelkit plan")
    message = "no pure distribution was found: all of them contain native code"
    return NothingToBuildError(message, hint="wheelkit build --native")


def _deliver(results: Sequence[UnitResult], plan: Plan, progress: Progress) -> BuildOutcome:
    units = [
        Delivery(
            files=result.hit.files if result.hit else tuple(result.paths.values()),
            record=with_other_cells(result.manifest(), plan.out) if plan.partial else result.manifest(),
        )
        for result in results
    ]
    files = deliver(units, plan.out)
    for result in results:
        if result.hit is not None:
            for name, built, seconds in result.reused():
                progress.reused(name, built, seconds)
            for note in result.record.notes:
                progress.note(note)
    return BuildOutcome(files=files, manifests=tuple(unit.record for unit in units))
