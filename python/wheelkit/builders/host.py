"""The host builder: builds Linux wheels with this machine's compiler and interpreters, no container."""

from __future__ import annotations

import shutil
import threading
from typing import TYPE_CHECKING

from msgspec.structs import replace

from wheelkit import wheel as wheels
from wheelkit.analysis import python_api
from wheelkit.builders.host_compile import HostCompiler
from wheelkit.builders.results import BuiltWheel, supported_interpreters
from wheelkit.errors import CheckFailedError, MissingToolError
from wheelkit.machine.compilers import require_compiler
from wheelkit.machine.concurrency import run_jobs
from wheelkit.machine.interpreters import find_pythons
from wheelkit.machine.process import Command, find_tool, run_checked, tool_error
from wheelkit.repair.commands import RepairRecipe
from wheelkit.repair.run import repair

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from wheelkit.builders.host_compile import CompiledWheel
    from wheelkit.builders.sdist import SourceDist
    from wheelkit.builders.zig_compile import TooNewModules
    from wheelkit.machine.concurrency import Stop
    from wheelkit.machine.interpreters import Python
    from wheelkit.machine.workspace import Workspace
    from wheelkit.plan import NativeStep


def build(
    step: NativeStep, source: SourceDist, workspace: Workspace, too_new: TooNewModules
) -> tuple[BuiltWheel, ...]:
    """Build, repair and test the wheels of a step from the sdist, for the interpreters installed here.

    If this machine's libraries are too new for the target, zig compiles against older ones; ``too_new`` knows
    for which projects that was so before. Raises MissingToolError without a compiler or interpreter,
    ToolFailedError when the backend or auditwheel fails, and CheckFailedError when a test fails or a wheel
    needs a newer system than its target.
    """
    require_compiler()
    pythons = _usable_pythons(step)
    if step.overridden:
        workspace.progress.note(
            f"[tool.cibuildwheel] {', '.join(step.overridden)}: ignored, "
            "since the host builder does not run these commands"
        )
    compiler = HostCompiler(step=step, source=source, workspace=workspace, modules=too_new.load(step))
    built: list[BuiltWheel] = []
    for tag, python in pythons.items():
        if not any(tag in wheel.cells for wheel in built):
            built.append(_repair(step, compiler.compile(python), pythons, workspace))
    with workspace.step("tests on " + " ".join(pythons)):
        _test_all(built, step, pythons, workspace)
    too_new.save(step, compiler.modules)
    return tuple(replace(wheel, tested=wheel.cells) for wheel in built)


def _usable_pythons(step: NativeStep) -> Mapping[str, Python]:
    """Find the step's interpreters that are installed with headers, oldest first."""
    wanted = sorted(step.interpreters, key=lambda interpreter: (interpreter.version, interpreter.tag))
    tags = [interpreter.tag for interpreter in wanted]
    pythons = find_pythons(wanted)
    usable = {tag: pythons[tag] for tag in tags if tag in pythons and pythons[tag].headers}
    if not usable:
        raise MissingToolError(
            f"none of the promised interpreters ({', '.join(tags)}) is installed here with its headers",
            hint=f"uv python install {wanted[0].python}",
        )
    return usable


def _lower_python_tag(step: NativeStep, path: Path, workspace: Workspace) -> Path:
    """Rename an abi3 wheel for the oldest promised interpreter, if its stable ABI has all imports."""
    wheel = wheels.read(path)
    name = wheel.name
    floor = min(step.interpreters, key=lambda interpreter: interpreter.version)
    declared = python_api.declared_floor(name) if name else None
    if name is None or declared is None or declared <= floor.version:
        return path
    violations = python_api.abi_violations(wheel, floor.version)
    if violations:
        workspace.progress.note(
            f"the wheel stays tagged {name.pythons[0]}: "
            f"{violations[0].symbol} is not in the stable ABI of {floor.python}"
        )
        return path
    command = Command(argv=(find_tool("wheel"), "tags", "--remove", "--python-tag", floor.tag, str(path)))
    run_checked(workspace.run, command, f"renaming {path.name} for {floor.tag}")
    workspace.progress.note(
        f"built on {name.pythons[0]}, "
        f"verified against the stable ABI of {floor.python} and tagged {floor.tag}"
    )
    return next(path.parent.glob("*.whl"))


def _repair(
    step: NativeStep, compiled: CompiledWheel, pythons: Mapping[str, Python], workspace: Workspace
) -> BuiltWheel:
    path = _lower_python_tag(step, compiled.path, workspace)
    recipe = RepairRecipe(target=step.target, patterns=step.patterns, lib_paths=step.lib_paths)
    with workspace.step(f"auditwheel repair --plat {step.target}"):
        repaired = repair(path, recipe, workspace.new_folder("repaired"), workspace.run)
    return BuiltWheel(
        path=repaired.path,
        cells=supported_interpreters(
            repaired.path, step, [python.interpreter for python in pythons.values()]
        ),
        grafted=repaired.grafted,
        excluded=repaired.excluded,
        compiler=compiled.compiler,
    )


def _test_all(
    built: Sequence[BuiltWheel], step: NativeStep, pythons: Mapping[str, Python], workspace: Workspace
) -> None:
    """Test every wheel on each of its interpreters, several at a time.

    Only one is installed at a time: uv downloads in parallel by itself, and takes what it has downloaded from
    its cache the next time.
    """
    installing = threading.Lock()

    def test(case: tuple[Path, str], stop: Stop | None) -> None:
        path, tag = case
        own = workspace.for_job(tag, stop)
        with installing:
            folder = _install(path, pythons[tag], own)
        _test(path, pythons[tag], step.tests, folder, own)
        shutil.rmtree(folder, ignore_errors=True)

    run_jobs([(wheel.path, tag) for wheel in built for tag in wheel.cells], test)


def _install(path: Path, python: Python, workspace: Workspace) -> Path:
    """Install the wheel into a new environment, and return the folder that contains it as ``env``."""
    folder = workspace.new_folder(f"test-{python.interpreter.tag}")
    uv, env = find_tool("uv"), folder / "env"
    for argv in (
        (uv, "venv", "--quiet", "--python", str(python.path), str(env)),
        (uv, "pip", "install", "--quiet", "--python", str(env / "bin/python"), str(path)),
    ):
        run_checked(workspace.run, Command(argv=argv), f"installing {path.name} on {python.interpreter}")
    return folder


def _test(path: Path, python: Python, tests: Sequence[str], folder: Path, workspace: Workspace) -> None:
    """Run the step's tests in the folder's environment."""
    env = folder / "env"
    for test in tests:
        command = Command(
            argv=("sh", "-c", test),
            cwd=folder,
            env={"VIRTUAL_ENV": str(env)},
            unset=("PYTHONPATH", "PYTHONHOME"),
            prefix_path=(str(env / "bin"),),
        )
        completed = workspace.run(command)
        if completed.returncode != 0:
            error = tool_error(completed, f"the test of {path.name} on {python.interpreter}")
            raise CheckFailedError(
                f"{error.message}: {test}", detail=error.detail, hint=f"full log: {workspace.log}"
            )
