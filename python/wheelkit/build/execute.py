"""The main job: everything that was asked for, from the sdist to proven files in the dist folder."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.build.deliver import deliver
from wheelkit.build.proof import prove
from wheelkit.build.run import Run
from wheelkit.errors import InterruptedByUserError, ProjectError, WheelkitError
from wheelkit.machine.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from wheelkit.build.batch import Batch
    from wheelkit.build.cache.lookup import Cache
    from wheelkit.build.unit import Selection
    from wheelkit.config import Config
    from wheelkit.machine.progress import Progress
    from wheelkit.machine.workspace import Workspace
    from wheelkit.manifest import Manifest
    from wheelkit.plan import Plan


class Order(Struct, frozen=True, kw_only=True):
    """What is to be built: the plan, what of it, and the configuration that says what the result is held against."""

    plan: Plan
    selection: Selection
    config: Config


class Built(Struct, frozen=True, kw_only=True):
    """The finished files in the dist folder, and their manifests."""

    files: tuple[Path, ...]
    manifests: tuple[Manifest, ...]


def execute(order: Order, cache: Cache | None, progress: Progress, open_shop: Callable[[], Workspace]) -> Built:
    """Execute the plan: sdists, wheels, repair, tests, proof, and only then the dist folder; what the cache holds is not built again.

    ``open_shop`` is called once something has to be built or proved. Raises what the builders raise, ProjectError when nothing can be
    built here, CheckFailedError (with the findings) for a wheel that is not what it claims. Until the last moment the dist folder stays as
    it was.
    """
    run = Run(plan=order.plan, selection=order.selection, cache=cache, progress=progress, open_shop=open_shop)
    if not run.chosen:
        raise _nothing_to_build(order)
    try:
        batches = run.batches()
    except InterruptedByUserError:
        raise
    except WheelkitError:
        _keep_proven(run.finished(), order, cache, run)
        raise
    prove(batches, order, run)
    _keep(batches, cache, run)
    _keep_proven(run.extra(), order, cache, run)
    return _delivered(batches, order.plan, progress)


def _keep_proven(batches: Sequence[Batch], order: Order, cache: Cache | None, run: Run) -> None:
    """Keep what was built but is not delivered, if it is what it claims: the next run need not build it again."""
    fresh = [batch for batch in batches if batch.hit is None]
    if fresh and cache is not None:
        with suppress(WheelkitError):
            prove(fresh, order, replace(run, progress=Silent()))
            _keep(fresh, cache, run)


def _keep(batches: Sequence[Batch], cache: Cache | None, run: Run) -> None:
    if cache is None or all(batch.hit for batch in batches):
        return
    from wheelkit.build.cache.lookup import Outcome

    for batch in batches:
        if batch.hit is None:
            outcome = Outcome(
                distribution=batch.distribution,
                version=batch.version,
                source=batch.source,
                tools=batch.tools,
                files=batch.files,
                paths=batch.paths,
                seconds=batch.seconds,
                notes=batch.notes,
            )
            cache.keep(batch.unit, outcome, run.needs(batch.unit))
    cache.shrink()


def _nothing_to_build(order: Order) -> ProjectError:
    plan = order.plan
    if order.selection.names:
        return ProjectError(f"nothing of that kind of {', '.join(sorted(order.selection.names))} can be built here", hint="wheelkit plan")
    if not plan.family.native:
        names = ", ".join(item.name for item in plan.family.distributions)
        key = plan.family.distributions[0].key if len(plan.family.distributions) == 1 else "NAME"
        return ProjectError(
            f"no native distribution was found ({names}: pure Python)",
            hint=f'wheelkit build builds it; if it compiles code, say so: [tool.wheelkit.distribution.{key}] kind = "native"',
        )
    if not plan.steps:
        reasons = "\n".join(f"{row.target}: {row.why}" for row in plan.targets)
        return ProjectError("none of the promised targets can be built on this machine", detail=reasons, hint="wheelkit plan")
    return ProjectError("no pure distribution was found: all of them hold native code", hint="wheelkit build --native")


def _delivered(batches: Sequence[Batch], plan: Plan, progress: Progress) -> Built:
    files: list[Path] = []
    records: list[Manifest] = []
    for batch in batches:
        record = batch.record()
        stored = batch.hit.files if batch.hit else tuple(batch.paths[one.file] for one in batch.files)
        files += deliver(stored, record, plan.out)
        records.append(record)
        if batch.hit is not None:
            for one in batch.files:
                progress.kept(one.file, batch.hit.entry.built, batch.seconds / len(batch.files))
            for note in batch.notes:
                progress.note(note)
    return Built(files=tuple(files), manifests=tuple(records))
