"""The main job: everything that was asked for, from the sdist to proven files in the dist folder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from wheelkit import manifest
from wheelkit.build import cibuildwheel, cross, host, pure, siblings
from wheelkit.build.deliver import deliver, require_writable
from wheelkit.build.made import Made
from wheelkit.build.progress import step
from wheelkit.build.sdist import make_sdist
from wheelkit.errors import CheckFailedError, ProjectError
from wheelkit.matrix import System
from wheelkit.plan import Builder
from wheelkit.repair.lines import TOOLS
from wheelkit.report.model import Severity
from wheelkit.verification import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from wheelkit.build.sdist import SourceDist
    from wheelkit.build.workshop import Workshop
    from wheelkit.checks.contract import Contract
    from wheelkit.manifest import Manifest
    from wheelkit.plan import NativeStep, Plan
    from wheelkit.project import Distribution
    from wheelkit.report.model import Report

    Build = Callable[[NativeStep, SourceDist, Workshop], tuple[Made, ...]]

_BUILDERS: Mapping[Builder, Build] = {Builder.CIBUILDWHEEL: cibuildwheel.build, Builder.HOST: host.build}
SDIST_TARGET, PURE_TARGET = "sdist", "any"


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """What of a plan is to be built."""

    native: bool = True
    pure: bool = True
    sdist: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Built:
    """The finished files in the dist folder, their manifests, and the report on them."""

    files: tuple[Path, ...]
    manifests: tuple[Manifest, ...]
    report: Report


@dataclass(frozen=True, kw_only=True, slots=True)
class _Batch:
    """What one builder made of one source for one target: the content of one manifest."""

    source: SourceDist
    target: str
    builder: str
    tools: tuple[str, ...]
    kind: str
    made: tuple[Made, ...]


def execute(plan: Plan, selection: Selection, contract: Contract, shop: Workshop) -> Built:
    """Execute the plan: sdists, wheels, repair, tests, proof, and only then the dist folder.

    Raises what the builders raise, ProjectError when nothing can be built here, CheckFailedError (with the findings) for a wheel that
    is not what it claims. Until the last moment the dist folder stays as it was.
    """
    chosen = [item for item in plan.family.distributions if _wanted(item, plan, selection)]
    if not chosen:
        raise _nothing_to_build(plan)
    require_writable(plan.out)
    if selection.native and any(job.builder is Builder.CROSS for job in plan.steps):
        cross.find_zig()
    batches = list(_all_built(chosen, plan, selection, shop))
    report = _proven(batches, contract, shop)
    return _delivered(_merged(batches), plan, report)


def _all_built(chosen: Sequence[Distribution], plan: Plan, selection: Selection, shop: Workshop) -> Iterator[_Batch]:
    """Build in the family's order; siblings that only serve the build of others are made as well, and not handed on."""
    house = siblings.Wheelhouse(family=plan.family)
    serving = {name for item in chosen for name in siblings.needed(item, plan.family)}
    for item in plan.family.distributions:
        if item in chosen or item.key in serving:
            part = Selection(sdist=selection.sdist) if item.key in serving else selection
            for batch in _build(item, plan, part, house, shop):
                if batch.kind == "wheel" and batch.builder != Builder.CROSS:
                    house.add(item.key, [one.path for one in batch.made])
                if item in chosen and _selected(batch, selection):
                    yield batch


def _selected(batch: _Batch, selection: Selection) -> bool:
    if batch.kind == "sdist":
        return selection.sdist
    return selection.pure if batch.target == PURE_TARGET else selection.native


def _wanted(item: Distribution, plan: Plan, selection: Selection) -> bool:
    if selection.sdist:
        return True
    return selection.native and any(job.distribution == item for job in plan.steps) if item in plan.family.native else selection.pure


def _build(item: Distribution, plan: Plan, selection: Selection, house: siblings.Wheelhouse, shop: Workshop) -> Iterator[_Batch]:
    own = house.for_build(item, shop)
    source = make_sdist(item, own)
    if selection.sdist:
        yield _Batch(
            source=source, target=SDIST_TARGET, builder="pure", tools=("uv",), kind="sdist", made=(Made(path=source.path, cells=()),)
        )
    if item not in plan.family.native:
        if selection.pure:
            made = pure.build(item, source, own)
            yield _Batch(source=source, target=PURE_TARGET, builder="pure", tools=("uv",), kind="wheel", made=(made,))
        return
    jobs = [job for job in plan.steps if job.distribution == item] if selection.native else []
    for job in jobs:
        if job.builder is not Builder.CROSS:
            yield _native(job, plan, source, house.for_step(job, shop))
    yield from _crossed([job for job in jobs if job.builder is Builder.CROSS], source, own)


def _native(job: NativeStep, plan: Plan, source: SourceDist, shop: Workshop) -> _Batch:
    if job.builder is Builder.HOST:
        why = next(row.why for row in plan.targets if row.target == job.target)
        shop.progress.note(f"using the host builder ({why})")
    made = _BUILDERS[job.builder](job, source, shop)
    untested = [one.tag for one in job.interpreters if not any(one.tag in wheel.tested for wheel in made)]
    if untested:
        shop.progress.note(f"not tested on {', '.join(untested)}: not on this machine, or skipped")
    return _Batch(source=source, target=job.target.tag, builder=job.builder, tools=_tools(job), kind="wheel", made=made)


def _crossed(jobs: Sequence[NativeStep], source: SourceDist, shop: Workshop) -> Iterator[_Batch]:
    """Build all targets of a cross build at once: they share the machine, not each other's files."""
    for job, one in zip(jobs, cross.build_all(jobs, source, shop) if jobs else (), strict=True):
        tools = ("uv", "ziglang", TOOLS[job.target.system])
        yield _Batch(source=source, target=job.target.tag, builder=job.builder, tools=tools, kind="wheel", made=(one,))


def _tools(job: NativeStep) -> tuple[str, ...]:
    """Name what built and repaired; inside a container the repair tool is the image's own."""
    builder = "cibuildwheel" if job.builder is Builder.CIBUILDWHEEL else "uv"
    repairs_here = job.builder is Builder.HOST or job.target.system is not System.LINUX
    return (builder, TOOLS[job.target.system]) if repairs_here else (builder,)


def _nothing_to_build(plan: Plan) -> ProjectError:
    if not plan.family.native:
        names = ", ".join(item.name for item in plan.family.distributions)
        return ProjectError(
            f"no native distribution was found ({names}: pure Python)",
            hint='wheelkit build builds it; if it compiles code, say so: [tool.wheelkit.distribution.NAME] kind = "native"',
        )
    if not plan.steps:
        reasons = "\n".join(f"{row.target}: {row.why}" for row in plan.targets)
        return ProjectError("none of the promised targets can be built on this machine", detail=reasons, hint="wheelkit plan")
    return ProjectError("no pure distribution was found: all of them hold native code", hint="wheelkit build --native")


def _proven(batches: Iterable[_Batch], contract: Contract, shop: Workshop) -> Report:
    """Verify the files as they are about to ship; coverage is judged later, over the whole dist folder."""
    files = [one.path for batch in batches for one in batch.made]
    with step(shop.progress, "verify"):
        report = verify(files, contract)
        failing = [finding for finding in report.findings if finding.fails]
        if failing:
            lines = [f"{one.code}  {one.file}: {one.what}\n       {one.fix}" for one in failing]
            count = f"{len(failing)} finding{'s' if len(failing) > 1 else ''}"
            raise CheckFailedError(
                f"what was built is not what it claims: {count}; the dist folder is as it was",
                detail="\n".join(lines),
                hint=f"wheelkit explain {failing[0].code}",
            )
    for one in report.findings:
        if one.severity is Severity.WARNING and not one.accepted:
            shop.progress.note(f"{one.code}  {one.file}{': ' if one.file else ''}{one.what}")
    return report


def _merged(batches: Iterable[_Batch]) -> tuple[_Batch, ...]:
    """Join the batches of one distribution and target, which several runs of a builder may have made."""
    groups: dict[tuple[str, str], list[_Batch]] = {}
    for batch in batches:
        groups.setdefault((batch.source.distribution.key, batch.target), []).append(batch)
    return tuple(
        _Batch(
            source=first.source,
            target=first.target,
            builder=first.builder,
            tools=first.tools,
            kind=first.kind,
            made=tuple(one for batch in group for one in batch.made),
        )
        for group in groups.values()
        for first in group[:1]
    )


def _delivered(batches: Iterable[_Batch], plan: Plan, report: Report) -> Built:
    files: list[Path] = []
    records: list[Manifest] = []
    for batch in batches:
        record = _record(batch)
        files += deliver([one.path for one in batch.made], record, plan.out)
        records.append(record)
    return Built(files=tuple(files), manifests=tuple(records), report=report)


def _record(batch: _Batch) -> Manifest:
    stated = batch.source.distribution
    return manifest.Manifest(
        distribution=stated.key,
        version=stated.version or "",
        target=batch.target,
        builder=batch.builder,
        source=batch.source.sha256,
        commit=batch.source.commit,
        dirty=batch.source.dirty,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        tools={name: _version(name) for name in ("wheelkit", *batch.tools)},
        files=tuple(
            manifest.describe(one.path, batch.kind, cells=one.cells, tested=one.tested, grafted=one.grafted, excluded=one.excluded)
            for one in batch.made
        ),
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"
