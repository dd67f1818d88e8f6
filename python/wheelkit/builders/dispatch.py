"""Builds the units that the cache does not hold: the sdist first, then each wheel from it, by its builder."""

from __future__ import annotations

import time
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from wheelkit import manifest
from wheelkit.builders import cibuildwheel, cross, host, pure, siblings
from wheelkit.builders.dist_folder import require_writable
from wheelkit.builders.pure import make_sdist, read_sdist
from wheelkit.builders.results import BuiltWheel, UnitResult, supported_interpreters
from wheelkit.builders.units import PURE_TARGET, SDIST_TARGET, BuildUnit
from wheelkit.builders.zig_compile import FloorMemory
from wheelkit.matrix import System
from wheelkit.plan import Builder
from wheelkit.repair.lines import TOOLS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from wheelkit.builders.pure import SourceDist
    from wheelkit.builders.run import BuildRun
    from wheelkit.builders.units import Selection
    from wheelkit.machine.progress import Progress
    from wheelkit.machine.workspace import Workspace
    from wheelkit.plan import NativeStep, Plan
    from wheelkit.project.read import Distribution


class RecordingProgress:
    """Progress that also remembers the remarks made of one build: whoever gets it from the cache is to read them too."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.begin, self.end = progress.begin, progress.end
        self.command, self.builder_command = progress.command, progress.builder_command
        self.reused, self.output = progress.reused, progress.output
        self.said: list[str] = []

    def note(self, text: str) -> None:
        """Hand a remark on, and remember it."""
        self.said.append(text)
        self._progress.note(text)


class BuildNotes(Struct, frozen=True, kw_only=True):
    """How long a build took, and what was remarked of it."""

    seconds: float
    notes: tuple[str, ...] = ()


def require_buildable(plan: Plan, selection: Selection) -> None:
    """Look, before anything is built, whether it can be, and could be delivered; raises OutputError or MissingToolError."""
    require_writable(plan.out)
    if selection.native and any(job.builder is Builder.CROSS for job in plan.steps):
        cross.find_zig()


class Dispatcher(Struct, kw_only=True):
    """The builders at work in one workshop."""

    run: BuildRun
    shop: Workspace
    _fresh: dict[str, UnitResult] = field(default_factory=dict)

    def make(
        self, item: Distribution, missing: Sequence[BuildUnit], made: Mapping[str, Sequence[UnitResult]]
    ) -> Iterator[UnitResult]:
        """Build the missing units of one distribution; ``made`` is what this run has of the others."""
        house = self._housed(item, made)
        own = house.for_build(item, self.shop)
        source = self._source(item, own)
        for unit in missing:
            if unit.target == SDIST_TARGET:
                yield self._fresh.pop(item.key)
            elif unit.target == PURE_TARGET:
                yield self._built(unit, source, own, lambda shop: (pure.build(item, source, shop),), ("uv",))
            elif unit.builder != Builder.CROSS:
                yield self._native(unit, source, house)
        yield from self._crossed([unit for unit in missing if unit.builder == Builder.CROSS], source, own)

    def sources(self) -> Iterator[UnitResult]:
        """Give the sdists that were made and not asked for."""
        yield from self._fresh.values()

    def _housed(self, item: Distribution, made: Mapping[str, Sequence[UnitResult]]) -> siblings.Wheelhouse:
        """Lay the wheels of the siblings that a build needs where it finds them."""
        house = siblings.Wheelhouse(family=self.run.plan.family)
        for name in siblings.needed(item, self.run.plan.family):
            for batch in made.get(name, ()):
                if batch.unit.kind == "wheel" and batch.unit.builder != Builder.CROSS:
                    house.add(
                        name,
                        batch.lying_in(
                            self.shop.new_folder("sibling") if batch.hit else self.shop.folder
                        ).values(),
                    )
        return house

    def _source(self, item: Distribution, shop: Workspace) -> SourceDist:
        """Take the sdist that everything is built from out of the cache, or make it."""
        unit = BuildUnit(distribution=item, target=SDIST_TARGET)
        state = self.run.checkout(item)
        kept = None if item.from_sdist else self.run.look_up(unit)
        if kept is not None:
            (path,) = kept.lying_in(shop.new_folder("sdist")).values()
            return read_sdist(path, state)
        started = time.monotonic()
        source = make_sdist(item, shop, state, self.run.plan.out)
        seconds = time.monotonic() - started
        if not self.run.settled(item):
            shop.progress.note(
                f"the sources of {item.name} changed while they were packed; what comes of them is not kept in the cache"
            )
        self._fresh[item.key] = self._batch(
            unit, source, (BuiltWheel(path=source.path, cells=()),), ("uv",), BuildNotes(seconds=seconds)
        )
        return source

    def _native(self, unit: BuildUnit, source: SourceDist, house: siblings.Wheelhouse) -> UnitResult:
        first = unit.steps[0]
        if first.builder is Builder.HOST:
            why = next(row.why for row in self.run.plan.targets if row.target == first.target)
            self.shop.progress.note(f"using the host builder ({why})")

        def build(shop: Workspace) -> tuple[BuiltWheel, ...]:
            made: list[BuiltWheel] = []
            for job in unit.steps:
                wheels = self._wheels(job, source, house.for_step(job, shop))
                for remark in _left_out(job, wheels):
                    shop.progress.note(remark)
                made += wheels
            return tuple(made)

        return self._built(unit, source, self.shop, build, _tools(first))

    def _wheels(self, job: NativeStep, source: SourceDist, shop: Workspace) -> tuple[BuiltWheel, ...]:
        if job.builder is Builder.CIBUILDWHEEL:
            return cibuildwheel.build(job, source, shop)
        return host.build(
            job, source, shop, FloorMemory(store=self.run.cache.store if self.run.cache else None)
        )

    def _crossed(
        self, missing: Sequence[BuildUnit], source: SourceDist, shop: Workspace
    ) -> Iterator[UnitResult]:
        """Build all targets of a cross build at once: they share the machine, not each other's files."""
        started = time.monotonic()
        jobs = [job for unit in missing for job in unit.steps]
        made = iter(cross.build_all(jobs, source, shop) if jobs else ())
        for unit in missing:
            tools = ("uv", "ziglang", TOOLS[unit.steps[0].target.system])
            wheels = tuple(next(made) for _ in unit.steps)
            yield self._batch(
                unit, source, wheels, tools, BuildNotes(seconds=(time.monotonic() - started) / len(missing))
            )

    def _built(
        self,
        unit: BuildUnit,
        source: SourceDist,
        shop: Workspace,
        build: Callable[[Workspace], tuple[BuiltWheel, ...]],
        tools: Sequence[str],
    ) -> UnitResult:
        started = time.monotonic()
        remarks = RecordingProgress(shop.progress)
        made = build(replace(shop, progress=remarks))
        return self._batch(
            unit,
            source,
            made,
            tools,
            BuildNotes(seconds=time.monotonic() - started, notes=tuple(remarks.said)),
        )

    def _batch(
        self,
        unit: BuildUnit,
        source: SourceDist,
        made: Sequence[BuiltWheel],
        tools: Sequence[str],
        told: BuildNotes,
    ) -> UnitResult:
        stated = source.distribution
        files = tuple(
            manifest.describe(
                one.path,
                unit.kind,
                cells=one.cells,
                tested=one.tested,
                grafted=one.grafted,
                excluded=one.excluded,
            )
            for one in made
        )
        return UnitResult(
            unit=unit,
            distribution=stated.key,
            version=stated.version or "",
            source=source.sha256,
            checkout=self.run.checkout(unit.distribution),
            tools={name: _version(name) for name in ("wheelkit", *tools)} | _compilers(made),
            files=files,
            paths={one.path.name: one.path for one in made},
            seconds=told.seconds,
            notes=told.notes,
        )


def _left_out(job: NativeStep, made: Sequence[BuiltWheel]) -> Iterator[str]:
    """Say for which promised interpreters there is no wheel, and on which ones none was tested."""
    served = {tag for one in made for tag in supported_interpreters(one.path, job, job.interpreters)}
    unserved = [one for one in job.interpreters if one.tag not in served]
    if unserved:
        install = (
            f"; to build them here: uv python install {' '.join(one.python for one in unserved)}"
            if job.builder is Builder.HOST
            else ""
        )
        yield f"no wheel for {', '.join(one.tag for one in unserved)}: not on this machine, or skipped{install}"
    untested = [
        one.tag
        for one in job.interpreters
        if one.tag in served and not any(one.tag in wheel.tested for wheel in made)
    ]
    if untested:
        yield f"not tested on {', '.join(untested)}: not on this machine, or skipped"


def _tools(job: NativeStep) -> tuple[str, ...]:
    """Name what built and repaired; inside a container the repair tool is the image's own."""
    builder = "cibuildwheel" if job.builder is Builder.CIBUILDWHEEL else "uv"
    repairs_here = job.builder is Builder.HOST or job.target.system is not System.LINUX
    return (builder, TOOLS[job.target.system]) if repairs_here else (builder,)


def _compilers(made: Sequence[BuiltWheel]) -> dict[str, str]:
    """Name what compiled the wheels, where this machine's compilers did."""
    names = dict.fromkeys(one.compiler for one in made if one.compiler)
    return {"compiler": "; ".join(names)} if names else {}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"
