"""The host builder: builds Linux wheels with this machine's compiler and interpreters, no container."""

from __future__ import annotations

import shutil
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from wheelkit import wheel as wheels
from wheelkit.analysis import python_api
from wheelkit.builders.frontend import repair_wheel
from wheelkit.builders.host_compile import HostCompiler
from wheelkit.builders.results import Failure, StepResult
from wheelkit.command_lines import split_command
from wheelkit.errors import CheckFailedError, ToolFailedError
from wheelkit.machine import uv_settings
from wheelkit.machine.compilers import require_compiler
from wheelkit.machine.concurrency import run_jobs
from wheelkit.machine.interpreters import pythons_with_headers
from wheelkit.machine.process import Command, find_tool, run_checked, run_configured, tool_error
from wheelkit.machine.time_limits import ENVIRONMENT, REWRITE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from wheelkit.builders.results import BuiltWheel
    from wheelkit.builders.sdist import SourceDist
    from wheelkit.builders.units import FirstWheel
    from wheelkit.builders.zig_compile import TooNewModules
    from wheelkit.machine.concurrency import Stop
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
            "since the host builder does not run these commands"
        )
    if step.warning:
        workspace.note(step.warning)
    modules = too_new.load(step)
    compiler = HostCompiler(step=step, source=source, workspace=workspace, modules=modules, first=first)
    built, failures = _build_all(compiler, pythons, fail_fast=fail_fast)
    if fail_fast and failures:
        return StepResult(failures=tuple(failures))
    tests = _Tests(step=step, pythons=pythons, workspace=workspace, fail_fast=fail_fast)
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


class _TestsFailedError(Exception):
    """Some tests failed; each failure is kept by itself."""


class _Tests(Struct, frozen=True, kw_only=True):
    """Tests every wheel on each of its interpreters, several at a time.

    Only one is installed at a time: uv downloads in parallel by itself, and each file once.
    """

    step: NativeStep
    pythons: Mapping[str, Python]
    workspace: Workspace
    fail_fast: bool
    installing: threading.Lock = field(default_factory=threading.Lock)

    def run(self, built: Sequence[BuiltWheel]) -> tuple[tuple[BuiltWheel, ...], tuple[Failure, ...]]:
        """Return the wheels that passed on all of their interpreters, and the failures of the others."""
        passed: set[tuple[Path, str]] = set()
        failures: list[Failure] = []

        def test(case: tuple[Path, str], stop: Stop | None) -> None:
            path, tag = case
            own = self.workspace.for_job(tag, stop)
            try:
                self._test(path, tag, own)
                passed.add(case)
            except (CheckFailedError, ToolFailedError) as error:
                cells = next(wheel.cells for wheel in built if wheel.path == path)
                failures.append(Failure(error=error, interpreters=cells, wheel=path, log=own.log))
                if self.fail_fast:
                    raise _TestsFailedError from error

        with suppress(_TestsFailedError), self.workspace.step("tests on " + " ".join(self.pythons)):
            run_jobs([(wheel.path, tag) for wheel in built for tag in wheel.cells], test)
            if failures:
                raise _TestsFailedError
        good = (wheel for wheel in built if all((wheel.path, tag) in passed for tag in wheel.cells))
        return tuple(replace(wheel, tested=wheel.cells) for wheel in good), tuple(failures)

    def _test(self, path: Path, tag: str, workspace: Workspace) -> None:
        with self.installing:
            folder = _install(path, self.pythons[tag], workspace)
        _test(path, self.pythons[tag], self.step.tests, folder, workspace)
        shutil.rmtree(folder, ignore_errors=True)


def _install(path: Path, python: Python, workspace: Workspace) -> Path:
    """Install the wheel into a new environment, and return the folder that contains it as ``env``."""
    folder = workspace.new_folder(f"test-{python.interpreter.tag}")
    uv, env = find_tool("uv"), folder / "env"
    install = ("install", "--quiet", *uv_settings.options())
    for argv in (
        (uv, "venv", "--quiet", "--python", str(python.path), str(env)),
        (uv, "pip", *install, "--python", str(env / "bin/python"), str(path)),
    ):
        command = Command(argv=argv, env=uv_settings.variables(), timeout=ENVIRONMENT.seconds)
        run_checked(workspace.run, command, f"installing {path.name} on {python.interpreter}")
    return folder


def _test(path: Path, python: Python, tests: Sequence[str], folder: Path, workspace: Workspace) -> None:
    """Run the step's tests in the folder's environment."""
    env = folder / "env"
    for test in tests:
        command = Command(
            argv=split_command(test),
            cwd=folder,
            env={"VIRTUAL_ENV": str(env)},
            unset=("PYTHONPATH", "PYTHONHOME"),
            prefix_path=(str(env / "bin"),),
        )
        completed = run_configured(workspace.run, command)
        if completed.returncode != 0:
            error = tool_error(completed, f"the test of {path.name} on {python.interpreter}")
            log = f"full log: {workspace.log}"
            raise CheckFailedError(f"{error.message}: {test}", detail=error.detail, hint=log)
