"""The host builder: this Linux machine's own toolchain and interpreters, where no container engine works."""

from __future__ import annotations

import shutil
import threading
from typing import TYPE_CHECKING

from msgspec.structs import replace

from wheelkit import wheel as wheels
from wheelkit.analysis import python_api
from wheelkit.builders.host_compile import HostCompiler
from wheelkit.builders.results import BuiltWheel, supported_interpreters
from wheelkit.builders.zig_compile import TooNewModules
from wheelkit.errors import CheckFailedError, MissingToolError
from wheelkit.machine.compilers import require_compiler
from wheelkit.machine.concurrency import run_jobs
from wheelkit.machine.interpreters import find_pythons
from wheelkit.machine.process import Command, find_tool, run_checked, tool_error
from wheelkit.machine.progress import step
from wheelkit.repair.commands import RepairRecipe
from wheelkit.repair.run import repair

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from wheelkit.builders.sdist import SourceDist
    from wheelkit.machine.interpreters import Python
    from wheelkit.machine.workspace import Workspace
    from wheelkit.plan import NativeStep


_NO_MEMORY = TooNewModules()


def build(
    job: NativeStep, source: SourceDist, shop: Workspace, memory: TooNewModules = _NO_MEMORY
) -> tuple[BuiltWheel, ...]:
    """Build, repair and test the step's wheels on this machine, from the sdist.

    Where this machine's own libraries are too new for the target, zig compiles against older ones; ``memory`` knows of which projects that
    is so. Interpreters that are not here are left to other builders, and said so. Raises MissingToolError without a compiler or any
    interpreter, ToolFailedError when the backend or auditwheel refuses, CheckFailedError when the wheel needs a newer system than its
    target.
    """
    require_compiler()
    pythons = _pythons(job)
    if job.overridden:
        shop.progress.note(
            f"[tool.cibuildwheel] {', '.join(job.overridden)}: left out by the host builder, as it runs none of these commands"
        )
    forge = HostCompiler(job=job, source=source, shop=shop, modules=memory.recall(job))
    made: list[BuiltWheel] = []
    for tag, python in pythons.items():
        if any(tag in one.cells for one in made):
            continue
        raw = forge.wheel(python)
        made.append(
            replace(_repaired(job, _retagged(job, raw.path, shop), pythons, shop), compiler=raw.compiler)
        )
    with step(shop.progress, "tests on " + " ".join(pythons)):
        _test_all(made, job, pythons, shop)
    memory.remember(job, forge.modules)
    return tuple(replace(one, tested=one.cells) for one in made)


def _pythons(job: NativeStep) -> Mapping[str, Python]:
    """Find the interpreters of the step that are here and can compile, oldest first."""
    wanted = sorted(job.interpreters, key=lambda one: (one.version, one.tag))
    found = find_pythons(wanted)
    usable = {one.tag: found[one.tag] for one in wanted if one.tag in found and found[one.tag].headers}
    missing = [one.tag for one in wanted if one.tag not in usable]
    if not usable:
        raise MissingToolError(
            f"none of the promised interpreters ({', '.join(missing)}) is on this machine with its headers",
            hint=f"uv python install {wanted[0].python}",
        )
    return usable


def _retagged(job: NativeStep, path: Path, shop: Workspace) -> Path:
    """Lower an abi3 wheel's python tag to the promised floor, once its imports have proved that it holds there."""
    wheel = wheels.read(path)
    name = wheel.name
    floor = min(job.interpreters, key=lambda one: one.version)
    declared = python_api.declared_floor(name) if name else None
    if name is None or declared is None or declared <= floor.version:
        return path
    offending = python_api.abi_violations(wheel, floor.version)
    if offending:
        shop.progress.note(
            f"built on {name.pythons[0]} and left there: {offending[0].symbol} is not in the stable ABI of {floor.python}"
        )
        return path
    command = Command(argv=(find_tool("wheel"), "tags", "--remove", "--python-tag", floor.tag, str(path)))
    run_checked(shop.run, command, f"renaming {path.name} for {floor.tag}")
    shop.progress.note(
        f"built on {name.pythons[0]}, proved against the stable ABI of {floor.python} and named for it"
    )
    return next(path.parent.glob("*.whl"))


def _repaired(job: NativeStep, raw: Path, pythons: Mapping[str, Python], shop: Workspace) -> BuiltWheel:
    recipe = RepairRecipe(target=job.target, patterns=job.patterns, lib_paths=job.lib_paths)
    with step(shop.progress, f"auditwheel repair --plat {job.target}"):
        done = repair(raw, recipe, shop.new_folder("repaired"), shop.run)
    cells = supported_interpreters(done.path, job, [python.interpreter for python in pythons.values()])
    return BuiltWheel(path=done.path, cells=cells, grafted=done.grafted, excluded=done.excluded)


def _test_all(
    made: Sequence[BuiltWheel], job: NativeStep, pythons: Mapping[str, Python], shop: Workspace
) -> None:
    """Test every wheel on each of its interpreters, several at a time.

    They are installed one after the other: uv fetches in parallel by itself, and finds what it asked an index for the first time in its
    cache the next time.
    """
    cases = {f"{one.path.name} {tag}": (one.path, pythons[tag]) for one in made for tag in one.cells}
    installing = threading.Lock()

    def test(key: str, stop: Callable[[], bool] | None) -> None:
        path, python = cases[key]
        own = shop.for_job(python.interpreter.tag, stop)
        with installing:
            folder = _installed(path, python, own)
        _test(path, python, job.tests, folder, own)
        shutil.rmtree(folder, ignore_errors=True)

    run_jobs(tuple(cases), test)


def _installed(path: Path, python: Python, shop: Workspace) -> Path:
    """Install the wheel into a fresh environment of the interpreter, and give the folder around it, away from the sources."""
    folder = shop.new_folder(f"test-{python.interpreter.tag}")
    uv, env = find_tool("uv"), folder / "env"
    what = f"installing {path.name} on {python.interpreter}"
    run_checked(shop.run, Command(argv=(uv, "venv", "--quiet", "--python", str(python.path), str(env))), what)
    install = (uv, "pip", "install", "--quiet", "--python", str(env / "bin/python"), str(path))
    run_checked(shop.run, Command(argv=install), what)
    return folder


def _test(path: Path, python: Python, tests: Sequence[str], folder: Path, shop: Workspace) -> None:
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
        done = shop.run(command)
        if done.returncode != 0:
            error = tool_error(done, f"the test of {path.name} on {python.interpreter}")
            raise CheckFailedError(
                f"{error.message}: {test}", detail=error.detail, hint=f"full log: {shop.log}"
            )
