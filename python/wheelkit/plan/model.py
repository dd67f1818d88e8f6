"""The Plan: everything that a build will do, decided up front. Later steps only execute it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import replace

from wheelkit.matrix import System

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from wheelkit.config import ComponentConfig
    from wheelkit.machine.facts import Machine
    from wheelkit.matrix import AbsentCell, Interpreter, Matrix, Target
    from wheelkit.project.family import Family
    from wheelkit.project.read import Distribution
    from wheelkit.runners import Runner


class Builder(StrEnum):
    """What builds a wheel: cibuildwheel, this Linux machine's own toolchain, or zig for another machine."""

    CIBUILDWHEEL = "cibuildwheel"
    HOST = "host"
    CROSS = "cross"


SDIST = "{sdist}"
OUT = "{out}"
PYTHON = "{python}"
FILES = "{files}"
"""Placeholders in the argument lists of a plan; ``{files}`` is the folder that a cross build writes."""
BUILD_VARIABLE = "CIBW_BUILD"
"""The variable of the builds that a run of cibuildwheel makes."""


Pairs = tuple[tuple[str, str], ...]


class TargetRow(Struct, frozen=True, kw_only=True):
    """One promised target: its builder on this machine, or None and the reason, and its CI runner."""

    target: Target
    builder: Builder | None
    why: str
    runner: Runner | None


class NativeStep(Struct, frozen=True, kw_only=True):
    """One run of a builder for one distribution and target.

    ``identifiers`` are cibuildwheel's names of the builds. ``argv`` is the builder's command line with
    placeholders, ``env`` is added to its environment, and ``repair`` is its repair command. Every repaired
    wheel has to pass ``tests``. ``overridden`` names where the user sets options of cibuildwheel that do not
    apply to this run, and ``settings`` what the host builder takes from that configuration, by interpreter.
    ``project_tests`` are the host builder's tests where the project has its own, by interpreter.
    ``warning`` says before anything is compiled what may make it useless. ``components`` are those that the
    configuration declares for the SBOM, ``components_complete`` whether there are no others.
    """

    distribution: Distribution
    target: Target
    builder: Builder
    interpreters: tuple[Interpreter, ...]
    identifiers: tuple[str, ...]
    repair: str
    patterns: tuple[str, ...]
    tests: tuple[str, ...]
    argv: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    overridden: tuple[str, ...] = ()
    settings: Mapping[str, HostSettings] = field(default_factory=dict)
    project_tests: Mapping[str, HostTests] = field(default_factory=dict)
    lib_paths: tuple[Path, ...] = ()
    warning: str = ""
    components: tuple[ComponentConfig, ...] = ()
    components_complete: bool = False

    @property
    def in_container(self) -> bool:
        """Whether cibuildwheel runs it in a container of its own, away from this machine's tools."""
        return self.builder is Builder.CIBUILDWHEEL and self.target.system is System.LINUX


def reduced(step: NativeStep, tags: Collection[str]) -> NativeStep:
    """Return a step for some of its interpreters."""
    kept = [number for number, interpreter in enumerate(step.interpreters) if interpreter.tag in tags]
    identifiers = tuple(step.identifiers[number] for number in kept)
    env = {**step.env, BUILD_VARIABLE: " ".join(identifiers)} if BUILD_VARIABLE in step.env else step.env
    return replace(
        step,
        interpreters=tuple(step.interpreters[number] for number in kept),
        identifiers=identifiers,
        env=env,
        settings={tag: settings for tag, settings in step.settings.items() if tag in tags},
        project_tests={tag: tests for tag, tests in step.project_tests.items() if tag in tags},
    )


class Plan(Struct, frozen=True, kw_only=True):
    """What is built here, what elsewhere, by which builder, in which order, into which folder."""

    family: Family
    machine: Machine
    out: Path
    matrices: Mapping[str, Matrix]
    targets: tuple[TargetRow, ...]
    steps: tuple[NativeStep, ...]
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    """Names of the family's members that this view of the plan leaves out."""
    partial: bool = False
    """Whether the steps make only some of the builds that are promised for their targets."""

    @property
    def declared(self) -> bool:
        """Whether the configuration has a matrix, as opposed to the default one."""
        return any(matrix.declared for matrix in self.matrices.values())

    @property
    def here(self) -> tuple[TargetRow, ...]:
        """The targets that this machine can build."""
        return tuple(row for row in self.targets if row.builder is not None)


def only(plan: Plan, built: Collection[str], needed: Collection[str]) -> Plan:
    """Return the part of a plan about the members that are built and those that they need.

    Names are normalised. The result is for display, not for execution.
    """
    shown = tuple(item for item in plan.family.distributions if item.key in built or item.key in needed)
    matrices = {key: matrix for key, matrix in plan.matrices.items() if key in built}
    targets = {target for matrix in matrices.values() for target in matrix.targets}
    return replace(
        plan,
        family=replace(plan.family, distributions=shown),
        matrices=matrices,
        targets=tuple(row for row in plan.targets if row.target in targets),
        steps=tuple(step for step in plan.steps if step.distribution.key in built),
        left_out=tuple(item.name for item in plan.family.distributions if item not in shown),
    )


def to_json(plan: Plan) -> dict[str, Any]:
    """Return the plan as plain data for ``--json`` (schema 1)."""
    machine = plan.machine
    return {
        "schema": 1,
        "root": str(plan.family.root),
        "out": str(plan.out),
        "machine": {"system": machine.system, "arch": machine.arch, "engine": str(machine.engine or "")},
        "distributions": [_distribution(plan, item) for item in plan.family.distributions],
        "targets": [_target(row) for row in plan.targets],
        "steps": [_step(step) for step in plan.steps],
        "notes": list(plan.notes),
        "left_out": list(plan.left_out),
    }


def _distribution(plan: Plan, item: Distribution) -> dict[str, Any]:
    matrix = plan.matrices.get(item.key)
    return {
        "name": item.name,
        "version": item.version,
        "kind": item.kind,
        "source": str(item.source),
        "backend": item.backend,
        "limited_api": item.limited_api,
        "needs": list(plan.family.siblings(item)),
        "interpreters": [one.tag for one in matrix.interpreters] if matrix else [],
        "matrix": _matrix(matrix) if matrix else {},
        "absent": [_absent(cell) for cell in matrix.absent] if matrix else [],
    }


def _matrix(matrix: Matrix) -> dict[str, list[str]]:
    return {target.tag: [one.tag for one in matrix.interpreters_on(target)] for target in matrix.targets}


def _absent(cell: AbsentCell) -> dict[str, str]:
    return {
        "target": cell.target,
        "interpreter": cell.interpreter,
        "why": cell.why,
        "selector": cell.selector,
    }


def _target(row: TargetRow) -> dict[str, Any]:
    ends = row.runner.ends.isoformat() if row.runner and row.runner.ends else None
    return {
        "target": row.target.tag,
        "builder": row.builder,
        "why": row.why,
        "runner": row.runner.label if row.runner else None,
        "runner_ends": ends,
    }


def _step(step: NativeStep) -> dict[str, Any]:
    return {
        "distribution": step.distribution.name,
        "target": step.target.tag,
        "builder": step.builder,
        "identifiers": list(step.identifiers),
        "argv": list(step.argv),
        "env": dict(step.env),
        "repair": step.repair,
        "tests": list(step.tests),
        "project_tests": {tag: tests.command for tag, tests in step.project_tests.items()},
        "overridden": list(step.overridden),
        "settings": {tag: _settings(settings) for tag, settings in step.settings.items()},
    }


def _settings(settings: HostSettings) -> dict[str, Any]:
    words = [f"{key}={value}" for key, value in settings.config_settings]
    return {"config_settings": words, "environment": dict(settings.environment)}


class HostSettings(Struct, frozen=True, kw_only=True):
    """Config settings (a key may occur twice) and environment variables of one build."""

    config_settings: Pairs = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Return whether anything is set."""
        return bool(self.config_settings or self.environment)

    @property
    def words(self) -> tuple[str, ...]:
        """The config settings as options of ``uv build``."""
        settings = (f"{key}={value}" for key, value in self.config_settings)
        return tuple(word for setting in settings for word in ("--config-setting", setting))


class Tests(Struct, frozen=True, kw_only=True):
    """How a project wants a built wheel to be tested on one interpreter.

    ``command`` and ``before`` are lines for the shell, with the placeholders ``{project}``, ``{package}`` and
    ``{wheel}``. ``requires`` are the requirements of ``test-requires`` and of ``test-groups``, ``extras`` are
    written ``[a,b]``. ``sources`` are copied into the folder in which the command runs; where there are none,
    it runs in an empty one. ``environment`` holds unevaluated assignments in order.
    """

    command: str = ""
    before: str = ""
    sources: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    extras: str = ""
    environment: Pairs = ()


class HostTests(Tests, frozen=True, kw_only=True):
    """The project's own tests on one interpreter of the host builder, with evaluated ``variables``.

    Without a command, the wheel is not tested there.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
