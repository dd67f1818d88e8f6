"""The main job: everything that was asked for, from the sdist to proven files in the dist folder."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.builders.dist_folder import deliver
from wheelkit.builders.run import BuildRun
from wheelkit.builders.verify import verify_built
from wheelkit.errors import InterruptedByUserError, ProjectError, WheelkitError
from wheelkit.machine.progress import SilentProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from wheelkit.builders.cache.lookup import Cache
    from wheelkit.builders.results import UnitResult
    from wheelkit.builders.units import BuildOrder
    from wheelkit.machine.progress import Progress
    from wheelkit.machine.workspace import Workspace
    from wheelkit.manifest import Manifest
    from wheelkit.plan import Plan


class BuildOutcome(Struct, frozen=True, kw_only=True):
    """The finished files in the dist folder, and their manifests."""

    files: tuple[Path, ...]
    manifests: tuple[Manifest, ...]


def execute(
    order: BuildOrder, cache: Cache | None, progress: Progress, open_shop: Callable[[], Workspace]
) -> BuildOutcome:
    """Execute the plan: sdists, wheels, repair, tests, proof, and only then the dist folder; what the cache holds is not built again.

    ``open_shop`` is called once something has to be built or proved. Raises what the builders raise, ProjectError when nothing can be
    built here, CheckFailedError (with the findings) for a wheel that is not what it claims. Until the last moment the dist folder stays as
    it was.
    """
    run = BuildRun(
        plan=order.plan, selection=order.selection, cache=cache, progress=progress, open_shop=open_shop
    )
    if not run.chosen:
        raise _nothing_to_build(order)
    try:
        batches = run.batches()
    except InterruptedByUserError:
        raise
    except WheelkitError:
        _keep_proven(run.finished(), order, cache, run)
        raise
    verify_built(batches, order, run)
    _keep(batches, cache, run)
    _keep_proven(run.extra(), order, cache, run)
    return _delivered(batches, order.plan, progress)


def _keep_proven(
    batches: Sequence[UnitResult], order: BuildOrder, cache: Cache | None, run: BuildRun
) -> None:
    """Keep what was built but is not delivered, if it is what it claims: the next run need not build it again."""
    fresh = [batch for batch in batches if batch.hit is None]
    if fresh and cache is not None:
        with suppress(WheelkitError):
            verify_built(fresh, order, replace(run, progress=SilentProgress()))
            _keep(fresh, cache, run)


def _keep(batches: Sequence[UnitResult], cache: Cache | None, run: BuildRun) -> None:
    if cache is None or all(batch.hit for batch in batches):
        return
    from wheelkit.builders.cache.lookup import BuildResult

    for batch in batches:
        if batch.hit is None:
            outcome = BuildResult(
                distribution=batch.distribution,
                version=batch.version,
                source=batch.source,
                tools=batch.tools,
                files=batch.files,
                paths=batch.paths,
                seconds=batch.seconds,
                notes=batch.notes,
            )
            cache.save(batch.unit, outcome, run.needs(batch.unit))
    cache.evict()


def _nothing_to_build(order: BuildOrder) -> ProjectError:
    plan = order.plan
    if order.selection.names:
        return ProjectError(
            f"nothing of that kind of {', '.join(sorted(order.selection.names))} can be built here",
            hint="wheelkit plan",
        )
    if not plan.family.native:
        names = ", ".join(item.name for item in plan.family.distributions)
        key = plan.family.distributions[0].key if len(plan.family.distributions) == 1 else "NAME"
        return ProjectError(
            f"no native distribution was found ({names}: pure Python)",
            hint=f'wheelkit build builds it; if it compiles code, say so: [tool.wheelkit.distribution.{key}] kind = "native"',
        )
    if not plan.steps:
        reasons = "\n".join(f"{row.target}: {row.why}" for row in plan.targets)
        return ProjectError(
            "none of the promised targets can be built on this machine", detail=reasons, hint="wheelkit plan"
        )
    return ProjectError(
        "no pure distribution was found: all of them hold native code", hint="wheelkit build --native"
    )


def _delivered(batches: Sequence[UnitResult], plan: Plan, progress: Progress) -> BuildOutcome:
    files: list[Path] = []
    records: list[Manifest] = []
    for batch in batches:
        record = batch.record()
        stored = batch.hit.files if batch.hit else tuple(batch.paths[one.file] for one in batch.files)
        files += deliver(stored, record, plan.out)
        records.append(record)
        if batch.hit is not None:
            for one in batch.files:
                progress.reused(one.file, batch.hit.entry.built, batch.seconds / len(batch.files))
            for note in batch.notes:
                progress.note(note)
    return BuildOutcome(files=tuple(files), manifests=tuple(records))
