"""The host builder: this Linux machine's own toolchain and interpreters, where no container engine works."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from wheelkit import wheel as wheels
from wheelkit.build.compiler import complaints, require_compiler, rust_missing
from wheelkit.build.made import Made
from wheelkit.build.parallel import in_order
from wheelkit.build.progress import step
from wheelkit.build.pure import taken_for_native
from wheelkit.build.workshop import find_tool
from wheelkit.checks import abi, linux
from wheelkit.checks.contract import Contract
from wheelkit.errors import CheckFailedError, MissingToolError, ToolFailedError
from wheelkit.machine import find_pythons
from wheelkit.matrix import Candidate, Interpreter, pick
from wheelkit.plan.model import OUT, PYTHON, SDIST
from wheelkit.process import Command, checked, failure
from wheelkit.repair.lines import Recipe
from wheelkit.repair.run import repair
from wheelkit.wheel.names import parse_file_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from wheelkit.build.sdist import SourceDist
    from wheelkit.build.workshop import Workshop
    from wheelkit.machine import Python
    from wheelkit.plan import NativeStep


def build(job: NativeStep, source: SourceDist, shop: Workshop) -> tuple[Made, ...]:
    """Build, repair and test the step's wheels on this machine, from the sdist.

    Interpreters that are not here are left to other builders, and said so. Raises MissingToolError without a compiler or any interpreter,
    ToolFailedError when the backend or auditwheel refuses, CheckFailedError when the wheel needs a newer system than its target.
    """
    require_compiler()
    pythons = _pythons(job)
    made: list[Made] = []
    for tag, python in pythons.items():
        if any(tag in one.cells for one in made):
            continue
        raw = _retagged(job, _compiled(job, source, python, shop), shop)
        _refuse_too_new(raw, job)
        made.append(_repaired(job, raw, pythons, shop))
    with step(shop.progress, "tests on " + " ".join(pythons)):
        _test_all(made, job, pythons, shop)
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


def _compiled(job: NativeStep, source: SourceDist, python: Python, shop: Workshop) -> Path:
    """Build one raw wheel from the sdist, in an isolated environment of the interpreter."""
    out = shop.fresh("raw")
    filled = {PYTHON: str(python.path), OUT: str(out), SDIST: str(source.path), "uv": find_tool("uv")}
    command = Command(argv=tuple(filled.get(word, word) for word in job.argv), env=_linking(python), unset=("VIRTUAL_ENV",))
    shop.progress.builder(command.script())
    with step(shop.progress, f"host build {python.interpreter.tag}-{job.target.build_suffix}"):
        done = shop.run(command)
        if done.returncode != 0:
            error = failure(done, f"building {job.distribution.name} for {python.interpreter}")
            lines = complaints(done.output)
            error.detail = lines or error.detail
            raise (None if lines else rust_missing(source.distribution, error.log)) or error
    built = sorted(out.glob("*.whl"))
    if len(built) != 1:
        raise ToolFailedError(f"building {job.distribution.name} gave {len(built)} wheels, where one was expected")
    if parse_file_name(built[0].name).any_platform:
        raise taken_for_native(job.distribution, built[0].name, done.output)
    return built[0]


def _linking(python: Python, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Take this machine's search paths out of the interpreter's own link commands.

    An interpreter that was built with ``-rpath`` hands it on to every extension that setuptools links, and a user's machine has no such
    folder. What the user set in the environment stays.
    """
    clean = {}
    for name, line in python.links.items():
        words = shlex.split(line)
        kept = [word for word in words if not word.startswith(("-Wl,-rpath", "-Wl,-R", "-R/"))]
        if kept != words and name not in environ:
            clean[name] = shlex.join(kept)
    return clean


def _retagged(job: NativeStep, path: Path, shop: Workshop) -> Path:
    """Lower an abi3 wheel's python tag to the promised floor, once its imports have proved that it holds there."""
    wheel = wheels.read(path)
    name = wheel.name
    floor = min(job.interpreters, key=lambda one: one.version)
    declared = abi.declared_floor(name) if name else None
    if name is None or declared is None or declared <= floor.version:
        return path
    offending = abi.offences(wheel, floor.version)
    if offending:
        shop.progress.note(f"built on {name.pythons[0]} and left there: {offending[0].symbol} is not in the stable ABI of {floor.python}")
        return path
    command = Command(argv=(find_tool("wheel"), "tags", "--remove", "--python-tag", floor.tag, str(path)))
    checked(shop.run, command, f"renaming {path.name} for {floor.tag}")
    shop.progress.note(f"built on {name.pythons[0]}, proved against the stable ABI of {floor.python} and named for it")
    return next(path.parent.glob("*.whl"))


def _refuse_too_new(path: Path, job: NativeStep) -> None:
    """Name what this machine's libraries put into the wheel that the target does not have, before the repair tool refuses it."""
    raw = wheels.read(path)
    if raw.name is None:
        return
    claimed = replace(raw, name=replace(raw.name, platforms=(job.target.tag,)))
    findings = [*linux.symbol_versions(claimed, Contract()), *linux.forbidden_symbols(claimed, Contract())]
    if findings:
        floor = linux.linux_floor(claimed)
        newer = f"{floor.target}, which this wheel satisfies," if floor else "a newer target"
        raise CheckFailedError(
            f"{path.name} needs a newer system than {job.target}",
            detail="\n".join(finding.what for finding in findings),
            hint="this machine's own libraries are too new for that target: build in a container (install docker or podman),\n"
            f"or promise {newer} in [tool.wheelkit.matrix]",
        )


def _repaired(job: NativeStep, raw: Path, pythons: Mapping[str, Python], shop: Workshop) -> Made:
    recipe = Recipe(target=job.target, patterns=job.patterns, lib_paths=job.lib_paths)
    with step(shop.progress, f"auditwheel repair --plat {job.target}"):
        done = repair(raw, recipe, shop.fresh("repaired"), shop.run)
    cells = serves(done.path, job, [python.interpreter for python in pythons.values()])
    return Made(path=done.path, cells=cells, grafted=done.grafted, excluded=done.excluded)


def serves(path: Path, job: NativeStep, interpreters: Sequence[Interpreter]) -> tuple[str, ...]:
    """Name the interpreters on which an installer would take the wheel for the step's target."""
    name = parse_file_name(path.name)
    candidate = Candidate(filename=path.name, tags=name.tags)
    return tuple(one.tag for one in interpreters if pick([candidate], job.target, one))


def _test_all(made: Sequence[Made], job: NativeStep, pythons: Mapping[str, Python], shop: Workshop) -> None:
    """Test every wheel on each of its interpreters, several at a time."""
    cases = {f"{one.path.name} {tag}": (one.path, tag) for one in made for tag in one.cells}

    def test(key: str, stop: Callable[[], bool] | None) -> None:
        path, tag = cases[key]
        _test(path, job, pythons[tag], shop.apart(tag, stop))

    in_order(dict.fromkeys(cases, ()), test)


def _test(path: Path, job: NativeStep, python: Python, shop: Workshop) -> None:
    """Install the wheel into a fresh environment of the interpreter and run the step's tests there, away from the sources."""
    folder = shop.fresh(f"test-{python.interpreter.tag}")
    uv, env = find_tool("uv"), folder / "env"
    what = f"installing {path.name} on {python.interpreter}"
    checked(shop.run, Command(argv=(uv, "venv", "--quiet", "--python", str(python.path), str(env))), what)
    install = (uv, "pip", "install", "--quiet", "--python", str(env / "bin/python"), str(path))
    checked(shop.run, Command(argv=install), what)
    for test in job.tests:
        command = Command(
            argv=("sh", "-c", test),
            cwd=folder,
            env={"VIRTUAL_ENV": str(env)},
            unset=("PYTHONPATH", "PYTHONHOME"),
            prefix_path=(str(env / "bin"),),
        )
        done = shop.run(command)
        if done.returncode != 0:
            error = failure(done, f"the test of {path.name} on {python.interpreter}")
            raise CheckFailedError(f"{error.message}: {test}", detail=error.detail, hint=f"the whole log: {shop.log}")
