"""The host builder: builds Linux wheels with this machine's compiler and interpreters, no container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit import wheel as wheels
from wheelkit.analysis import python_api
from wheelkit.builders.frontend import repair_wheel
from wheelkit.builders.host_compile import HostCompiler
from wheelkit.builders.host_tests import WheelTests
from wheelkit.builders.results import Failure, StepResult
from wheelkit.errors import ToolFailedError
from wheelkit.machine.compilers import require_compiler
from wheelkit.machine.interpreters import pythons_with_headers
from wheelkit.machine.process import Command, find_tool, run_checked
from wheelkit.machine.time_limits import REWRITE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wheelkit.builders.results import BuiltWheel
    from wheelkit.builders.sdist import SourceDist
    from wheelkit.builders.units import FirstWheel
    from wheelkit.builders.zig_compile import TooNewModules
    from wheelkit.machine.interpreters import Python
    from wheelkit.machine.workspace import Workspace
    from wheelkit.plan import NativeStep


def build(  # noqa: PLR0913 - what a step needs besides its source
    step: NativeStep,
    source: SourceDist,
    workspace: Workspace,
    too_new: TooNewModules,
    first: FirstWheel | None = None,
    *,
    fail_fast: bool = False,
) -> StepResult:
    """Build, repair and test the wheels of a step from the sdist, for the interpreters installed here.

    If this machine's libraries are too new for the target, zig compiles against older ones; ``too_new`` knows
    for which projects that was so before, and ``first`` is a wheel of the project that is there already. What
    fails for one interpreter does not keep the others from being built, unless ``fail_fast``.
    Raises MissingToolError without a compiler or interpreter, and CheckFailedError when a wheel needs a newer
    system than its target.
    """
    require_compiler()
    pythons = pythons_with_headers(step.interpreters)
    if step.overridden:
        workspace.note(
            f"[tool.cibuildwheel] {', '.join(step.overridden)}: ignored, "
            "since the host builder does not follow them"
        )
    if step.warning:
        workspace.note(step.warning)
    modules = too_new.load(step)
    compiler = HostCompiler(step=step, source=source, workspace=workspace, modules=modules, first=first)
    built, failures = _build_all(compiler, pythons, fail_fast=fail_fast)
    if fail_fast and failures:
        return StepResult(failures=tuple(failures))
    tests = WheelTests(step=step, source=source, pythons=pythons, workspace=workspace, fail_fast=fail_fast)
    wheels, failed = tests.run(built) if built else ((), ())
    too_new.save(step, compiler.modules)
    return StepResult(wheels=wheels, failures=(*failures, *failed))


def _build_all(
    compiler: HostCompiler, pythons: Mapping[str, Python], *, fail_fast: bool
) -> tuple[list[BuiltWheel], list[Failure]]:
    """Compile and repair a wheel for each interpreter that no earlier wheel serves."""
    step, workspace = compiler.step, compiler.workspace
    usable = [python.interpreter for python in pythons.values()]
    built: list[BuiltWheel] = []
    failures: list[Failure] = []
    for tag, python in pythons.items():
        if any(tag in wheel.cells for wheel in built):
            continue
        try:
            compiled = compiler.compile(python)
            path = _lower_python_tag(step, compiled.path, workspace)
            with workspace.step(f"auditwheel repair --plat {step.target}"):
                built.append(repair_wheel(path, step, usable, workspace, compiled.compiler))
        except ToolFailedError as error:
            # The one wheel of the limited API would fail for all of them.
            tags = tuple(pythons) if step.distribution.limited_api else (tag,)
            failures.append(Failure(error=error, interpreters=tags, log=error.log))
            if fail_fast or step.distribution.limited_api:
                break
    return built, failures


def _lower_python_tag(step: NativeStep, path: Path, workspace: Workspace) -> Path:
    """Rename an abi3 wheel for the oldest promised interpreter, if its stable ABI has all imports."""
    wheel = wheels.read(path)
    name = wheel.name
    floor = min(
        (interpreter for interpreter in step.interpreters if interpreter.has_stable_abi),
        key=lambda interpreter: interpreter.version,
        default=None,
    )
    declared = python_api.declared_floor(name) if name else None
    if name is None or floor is None or declared is None or declared <= floor.version:
        return path
    violations = python_api.abi_violations(wheel, floor.version)
    if violations:
        workspace.note(
            f"the wheel stays tagged {name.pythons[0]}: "
            f"{violations[0].symbol} is not in the stable ABI of {floor.python}"
        )
        return path
    argv = (find_tool("wheel"), "tags", "--remove", "--python-tag", floor.tag, str(path))
    command = Command(argv=argv, timeout=REWRITE.of_files([path]))
    run_checked(workspace.run, command, f"renaming {path.name} for {floor.tag}")
    workspace.note(
        f"built on {name.pythons[0]}, "
        f"verified against the stable ABI of {floor.python} and tagged {floor.tag}"
    )
    return next(path.parent.glob("*.whl"))
