"""Builds the units of one distribution: the sdist first, then each wheel from it, by the unit's builder."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit import manifest
from wheelkit.builders import cibuildwheel, cross, host, pure, sdist, siblings, source_date
from wheelkit.builders.cache.entry import BuildRecord
from wheelkit.builders.cache.tools import installed_versions
from wheelkit.builders.dist_folder import require_writable
from wheelkit.builders.kinds import WrongKindError
from wheelkit.builders.parts import remainder
from wheelkit.builders.results import (
    BuiltWheel,
    Failure,
    StepResult,
    UnitResult,
    supported_interpreters,
)
from wheelkit.builders.sbom import add_sboms, normal_wheel
from wheelkit.builders.source_date import epoch_of
from wheelkit.builders.units import BuildUnit, FirstWheel, UnitKind
from wheelkit.builders.zig_compile import TooNewModules
from wheelkit.errors import ProjectError, WheelkitError
from wheelkit.machine.compilers import find_zig
from wheelkit.matrix import System
from wheelkit.plan import Builder
from wheelkit.repair.commands import TOOLS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from wheelkit.builders.results import Results
    from wheelkit.builders.sdist import SourceDist
    from wheelkit.builders.units import BuildOrder
    from wheelkit.machine.workspace import Workspace
    from wheelkit.plan import NativeStep
    from wheelkit.project.read import Distribution


def require_buildable(order: BuildOrder) -> None:
    """Check that the order can be built and delivered. Raises OutputError or MissingToolError."""
    require_writable(order.plan.out)
    if order.selection.native and any(step.builder is Builder.CROSS for step in order.plan.steps):
        find_zig()


class Dispatcher(Struct, frozen=True, kw_only=True):
    """Runs the builders in one workspace; siblings are taken from the results."""

    results: Results
    workspace: Workspace
    fail_fast: bool = False
    epoch: int | None = None

    def build(self, units: Sequence[BuildUnit]) -> list[UnitResult]:
        """Build units of one distribution; a newly built sdist is always among the results.

        A unit that fails does not keep the others from being built, unless ``fail_fast``: its result has the
        failures. Raises what concerns all of them: an sdist that fails, or a wheel of another kind.
        """
        epoch = epoch_of(units[0].distribution)
        workspace = self.workspace.with_env(source_date.variables(epoch))
        return replace(self, workspace=workspace, epoch=epoch).build_at_epoch(units)

    def build_at_epoch(self, units: Sequence[BuildUnit]) -> list[UnitResult]:
        """Build units whose files get the time ``epoch``."""
        distribution = units[0].distribution
        wheelhouse = self._wheelhouse(distribution)
        workspace = wheelhouse.for_build(distribution, self.workspace)
        source, built = self._sdist(distribution, workspace)
        crossed = [unit for unit in units if unit.builder is Builder.CROSS]
        for unit in units:
            if self.fail_fast and any(result.failures for result in built):
                return built
            if unit.kind is UnitKind.PURE:
                first = self.results.first_wheels.get(distribution.key)
                built.append(self._pure(unit, source, first, workspace))
            elif unit.kind is UnitKind.NATIVE and unit not in crossed:
                built.append(self._native(unit, source, wheelhouse))
        return [*built, *self._crossed(crossed, source, workspace)]

    def _pure(
        self, unit: BuildUnit, source: SourceDist, first: FirstWheel | None, workspace: Workspace
    ) -> UnitResult:
        def build(workspace: Workspace) -> StepResult:
            wheel = pure.build(unit.distribution, source, workspace, first)
            return StepResult(wheels=(normal_wheel(wheel, workspace, self.epoch),))

        return self._timed(unit, source, build, workspace)

    def _wheelhouse(self, distribution: Distribution) -> siblings.Wheelhouse:
        wheelhouse = siblings.Wheelhouse(family=self.results.plan.family)
        for result in self.results.sibling_wheels(distribution):
            folder = self.workspace.new_folder("sibling") if result.hit else self.workspace.folder
            wheelhouse.add(result.unit.distribution.key, result.paths_in(folder).values())
        return wheelhouse

    def _sdist(self, distribution: Distribution, workspace: Workspace) -> tuple[SourceDist, list[UnitResult]]:
        """Take the sdist from the cache or build it; the list holds the result of a new one."""
        unit = BuildUnit(distribution=distribution, kind=UnitKind.SDIST)
        checkout = self.results.checkout(distribution)
        first = self.results.first_wheels.get(distribution.key)
        cached = None if distribution.from_sdist or first else self.results.look_up(unit)
        if cached is not None:
            (path,) = cached.paths_in(workspace.new_folder("sdist")).values()
            return sdist.read_sdist(path), []
        started = time.monotonic()
        if first is not None:
            source = sdist.read_sdist(first.sdist)
        else:
            source = sdist.make_sdist(distribution, workspace, checkout, self.results.plan.out, self.epoch)
        seconds = time.monotonic() - started
        if not self.results.sources_unchanged(distribution):
            changed = f"the sources of {distribution.name} changed while the sdist was built"
            workspace.progress.note(f"{changed}; this build is not cached")
        wheels = (BuiltWheel(path=source.path, cells=()),)
        return source, [self._result(unit, source, wheels, seconds)]

    def _native(self, unit: BuildUnit, source: SourceDist, wheelhouse: siblings.Wheelhouse) -> UnitResult:
        if unit.builder is Builder.HOST:
            why = next(row.why for row in self.results.plan.targets if row.target == unit.target)
            self.workspace.progress.note(f"using the host builder ({why})")

        def build(workspace: Workspace) -> StepResult:
            rest = remainder(unit, self.results, workspace.new_folder("parts"))
            wheels, failures = list(rest.wheels), list[Failure]()
            for part in rest.cached:
                for name, built, seconds in part.reused():
                    workspace.progress.reused(name, built, seconds)
            for step in rest.steps:
                if self.fail_fast and failures:
                    break
                result = self._run_step(step, source, wheelhouse.for_step(step, workspace))
                wheels += (
                    add_sboms(result.wheels, step, source, workspace, self.epoch) if result.wheels else ()
                )
                failures += result.failures
            for step in unit.steps:
                for note in _left_out(step, wheels, failures):
                    workspace.note(note)
            _require_own_names(wheels, unit)
            return StepResult(wheels=tuple(wheels), failures=tuple(failures))

        return self._timed(unit, source, build, self.workspace)

    def _run_step(self, step: NativeStep, source: SourceDist, workspace: Workspace) -> StepResult:
        if step.builder is Builder.CIBUILDWHEEL:
            return cibuildwheel.build(step, source, workspace, fail_fast=self.fail_fast)
        first = self.results.first_wheels.get(step.distribution.key)
        too_new = TooNewModules(store=self.results.store)
        return host.build(step, source, workspace, too_new, first, fail_fast=self.fail_fast)

    def _crossed(
        self, units: Sequence[BuildUnit], source: SourceDist, workspace: Workspace
    ) -> Iterator[UnitResult]:
        """Build the wheels of all targets of a cross build at once, and share the time equally."""
        if not units:
            return
        started = time.monotonic()
        steps = [step for unit in units for step in unit.steps]
        built = iter(cross.build_all(steps, source, workspace, fail_fast=self.fail_fast))
        seconds = (time.monotonic() - started) / len(units)
        for unit in units:
            made = [(step, next(built)) for step in unit.steps]
            wheels = [
                wheel
                for step, one in made
                for wheel in add_sboms(one.wheels, step, source, workspace, self.epoch)
            ]
            failures = tuple(failure for _, one in made for failure in one.failures)
            yield replace(self._result(unit, source, wheels, seconds), failures=failures)

    def _timed(
        self,
        unit: BuildUnit,
        source: SourceDist,
        build: Callable[[Workspace], StepResult],
        workspace: Workspace,
    ) -> UnitResult:
        started = time.monotonic()
        workspace = replace(workspace, notes=[])
        try:
            built = build(workspace)
        except WrongKindError:
            raise
        except WheelkitError as error:
            built = StepResult(failures=(Failure(error=error, log=getattr(error, "log", None)),))
        result = self._result(unit, source, built.wheels, time.monotonic() - started, workspace.notes)
        return replace(result, failures=built.failures)

    def _result(
        self,
        unit: BuildUnit,
        source: SourceDist,
        wheels: Sequence[BuiltWheel],
        seconds: float,
        notes: Sequence[str] = (),
    ) -> UnitResult:
        installed = installed_versions()
        tools = {name: installed.get(name, "unknown") for name in ("wheelkit", *_tools(unit))}
        if compilers := dict.fromkeys(wheel.compiler for wheel in wheels if wheel.compiler):
            tools["compiler"] = "; ".join(compilers)
        kind = "sdist" if unit.kind is UnitKind.SDIST else "wheel"
        record = BuildRecord(
            distribution=source.distribution.key,
            version=source.distribution.version or "",
            source=source.sha256,
            tools=tools,
            files=tuple(manifest.describe(wheel.path, kind, **wheel.facts) for wheel in wheels),
            seconds=seconds,
            notes=tuple(notes),
            epoch=self.epoch,
        )
        return UnitResult(
            unit=unit,
            record=record,
            checkout=self.results.checkout(unit.distribution),
            paths={wheel.path.name: wheel.path for wheel in wheels},
        )


def _require_own_names(wheels: Sequence[BuiltWheel], unit: BuildUnit) -> None:
    """Raise ProjectError if builds made wheels of one name, as those of a stable ABI in two containers do."""
    names = [wheel.path.name for wheel in wheels]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ProjectError(
            f"two builds of {unit.distribution.name} for {unit.target_name} made {twice[0]}",
            hint="a wheel for several Python versions is built once: give its builds one image and one"
            " container engine in [tool.cibuildwheel]",
        )


def _left_out(step: NativeStep, wheels: Sequence[BuiltWheel], failures: Sequence[Failure]) -> Iterator[str]:
    """Yield notes about promised interpreters without a wheel, and those without a test.

    Those whose build failed are reported as failures.
    """
    failed = {tag for failure in failures for tag in failure.interpreters}
    supported = {
        tag for wheel in wheels for tag in supported_interpreters(wheel.path, step, step.interpreters)
    }
    unsupported = [one for one in step.interpreters if one.tag not in supported | failed]
    if unsupported:
        pythons = " ".join(interpreter.request for interpreter in unsupported)
        install = f"; to build them: uv python install {pythons}" if step.builder is Builder.HOST else ""
        tags = ", ".join(interpreter.tag for interpreter in unsupported)
        yield f"no wheel for {tags}: not installed here, or skipped{install}"
    tested = {tag for wheel in wheels for tag in wheel.tested}
    untested = [interpreter.tag for interpreter in step.interpreters if interpreter.tag in supported - tested]
    if untested:
        yield f"not tested on {', '.join(untested)}: not installed here, or skipped"


def _tools(unit: BuildUnit) -> tuple[str, ...]:
    """Return the tools that build and repair a unit; in a container, the repair tool is the image's own."""
    if unit.target is None:
        return ("uv",)
    if unit.builder is Builder.CIBUILDWHEEL:
        own = {System.MACOS, System.WINDOWS}
        return ("cibuildwheel", *(TOOLS[system] for system in own if system is unit.target.system))
    repair = TOOLS[unit.target.system]
    return ("uv", "ziglang", repair) if unit.builder is Builder.CROSS else ("uv", repair)
