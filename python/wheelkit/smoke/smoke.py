"""Runs the smoke test of a dist folder: reads its wheels, finds interpreters, plans and runs the cases."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec.structs import replace

from wheelkit.errors import MissingToolError
from wheelkit.machine import facts
from wheelkit.machine.interpreters import find_pythons
from wheelkit.matrix import Interpreter, matrix_of
from wheelkit.smoke import emulation, wheels
from wheelkit.smoke.environments import open_environments
from wheelkit.smoke.model import SmokeResult, located
from wheelkit.smoke.plan import SmokeInputs, dependency_order, plan_cases
from wheelkit.smoke.project_tests import find_tests
from wheelkit.smoke.run import run_cases

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheelkit.config import Config
    from wheelkit.machine.interpreters import Python
    from wheelkit.machine.workspace import Workspace
    from wheelkit.smoke.model import Case, NotRun, Package
    from wheelkit.smoke.run import SmokeRequest


def smoke(request: SmokeRequest, workspace: Workspace) -> SmokeResult:
    """Install and try what the dist folder contains, on every promised interpreter that is installed here.

    Raises UsageError for a folder without wheels, WheelError for a broken wheel, CheckFailedError for wheels
    that changed since they were built, MissingToolError if no interpreter is installed or the index is
    unreachable.
    """
    found = tuple(map(wheels.read_package, wheels.list_wheels(request.dist)))
    wheels.require_unchanged(request.dist, found)
    members = request.family.distributions if request.family else ()
    packages, notes = wheels.select_versions(found, {member.key: member.version for member in members})
    siblings = tuple(map(wheels.read_package, request.siblings))
    released = dict.fromkeys(f"{sibling.name} {sibling.version}" for sibling in siblings)
    notes += (f"with released siblings: {', '.join(released)}",) if released else ()
    inputs = SmokeInputs(
        packages=tuple(_with_imports(package, request.config) for package in packages),
        siblings=siblings,
        family=frozenset(package.key for package in packages) | {member.key for member in members},
        target=facts.own_target(facts.detect(containers=False)),
        commands={key: distribution.smoke for key, distribution in request.config.distribution.items()},
    )
    cases, skipped, not_run = _plan(request, inputs)
    with open_environments(workspace, keep=request.keep, secrets=request.source.secrets) as environments:
        results = run_cases(cases, request, inputs.family, environments)
    given = request.given or request.dist
    not_run = tuple(replace(wheel, fix=located(wheel.fix, given, wheel.file)) for wheel in not_run)
    order = dependency_order(packages)
    return SmokeResult(results=results, skipped=skipped, not_run=not_run, notes=notes, order=order)


def _plan(
    request: SmokeRequest, inputs: SmokeInputs
) -> tuple[tuple[Case, ...], tuple[str, ...], tuple[NotRun, ...]]:
    """Return the cases, the tags of the interpreters that are not installed, and the wheels without a case.

    With emulators, a distribution that has no wheel for this machine is tried elsewhere only.
    """
    if not request.emulate:
        pythons, skipped = _find_interpreters(request, inputs.packages)
        if request.tests:
            tests = find_tests(request.family, pythons, inputs.target, os.environ)
            inputs = replace(inputs, tests=tests)
        return plan_cases(inputs, pythons), skipped, emulation.not_asked_for(inputs.packages, inputs.target)
    emulated = emulation.plan_emulation(inputs, _wanted_anywhere(request, inputs.packages))
    here = emulation.installable(inputs.packages, inputs.target)
    if not here:
        return emulated.cases, (), emulated.not_run
    pythons, skipped = _find_interpreters(request, here)
    return (*plan_cases(replace(inputs, packages=here), pythons), *emulated.cases), skipped, emulated.not_run


def _with_imports(package: Package, config: Config) -> Package:
    """Add the modules that the settings of a distribution name for import."""
    distribution = config.distribution.get(package.key)
    return replace(package, imports=distribution.imports) if distribution else package


def _find_interpreters(
    request: SmokeRequest, packages: Sequence[Package]
) -> tuple[tuple[Python, ...], tuple[str, ...]]:
    """Return the installed interpreters and the tags of the others; raises MissingToolError without any."""
    wanted = _wanted_interpreters(request, packages)
    pythons = find_pythons(wanted)
    skipped = tuple(interpreter.tag for interpreter in wanted if interpreter.tag not in pythons)
    if not pythons:
        raise MissingToolError(
            f"none of the interpreters is installed here: {', '.join(skipped)}",
            hint=f"uv python install {wanted[-1].request}",
        )
    return tuple(pythons[interpreter.tag] for interpreter in wanted if interpreter.tag in pythons), skipped


def _wanted_interpreters(request: SmokeRequest, packages: Sequence[Package]) -> tuple[Interpreter, ...]:
    """Return the interpreters of the request, else those that are promised on targets like this machine.

    Without such a target, they are all of the matrix, by default those that the wheels admit. Pure wheels
    have no targets.
    """
    if request.interpreters:
        return tuple(map(Interpreter.parse, request.interpreters))
    tags = request.config.matrix.interpreters
    if tags is not None and all(package.is_pure for package in packages):
        return tuple(map(Interpreter.parse, tags))
    requirements = dict.fromkeys(package.requires_python or None for package in packages)
    matrices = [matrix_of(request.config, required) for required in requirements]
    own = facts.own_target(facts.detect(containers=False))
    here = [
        interpreter
        for matrix in matrices
        for target in matrix.targets
        if (target.system, target.libc) == (own.system, own.libc) and target.arch in {own.arch, "universal2"}
        for interpreter in matrix.interpreters_on(target)
    ]
    wanted = here or [interpreter for matrix in matrices for interpreter in matrix.interpreters]
    if tags is not None:
        return tuple(dict.fromkeys(wanted))
    return tuple(sorted(set(wanted), key=lambda interpreter: (interpreter.version, interpreter.tag)))


def _wanted_anywhere(request: SmokeRequest, packages: Sequence[Package]) -> tuple[Interpreter, ...]:
    """Return the interpreters of the request, else all that are promised on any target, oldest first."""
    if request.interpreters:
        return tuple(map(Interpreter.parse, request.interpreters))
    requirements = dict.fromkeys(package.requires_python or None for package in packages)
    matrices = [matrix_of(request.config, required) for required in requirements]
    wanted = {interpreter for matrix in matrices for interpreter in matrix.interpreters}
    return tuple(sorted(wanted, key=lambda interpreter: (interpreter.version, interpreter.tag)))
