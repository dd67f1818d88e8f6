"""From Config and facts about a machine to the Plan, as a pure function."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from wheelkit.config import DistributionConfig
from wheelkit.errors import ConfigError, MissingToolError, UsageError
from wheelkit.machine.facts import ENGINE_VARIABLES
from wheelkit.matrix import (
    DESKTOP,
    Absence,
    System,
    admits_python,
    build_identifier,
    default_interpreters,
    matrix_of,
    unbuilt_interpreters,
)
from wheelkit.plan import cibuildwheel, cross, host
from wheelkit.plan.model import OUT, PYTHON, SDIST, Builder, NativeStep, Plan, TargetRow, reduced
from wheelkit.plan.options import CibuildwheelOptions
from wheelkit.project import meson
from wheelkit.repair.commands import cibuildwheel_command, wheelkit_command
from wheelkit.runners import runner_for
from wheelkit.text import dotted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from wheelkit.config import Config, Provider
    from wheelkit.machine.facts import Machine
    from wheelkit.matrix import Interpreter, Matrix, Target
    from wheelkit.plan.compiler_cache import CompilerCache
    from wheelkit.project.family import Family
    from wheelkit.project.read import Distribution

_IMPORT_ALL = (
    "from importlib import import_module, metadata; "
    "native = [f for f in {files} if '.libs' not in str(f)]; "
    "named = [f for f in native if f.suffix == '.pyd' or f.suffix == '.so' and f.name.count('.') > 1]; "
    # Libraries for ctypes and cffi may have such names, too, but no function that Python calls.
    "names = [f.parts for f in named if any(w in f.read_binary() for w in (b'PyInit', b'PyModExport'))]; "
    "[import_module('.'.join([*p[:-1], p[-1].split('.')[0]])) for p in names]"
)
# Installers record which distribution came from a local file (PEP 610); its dependencies come from an index.
_FILES_OF_LOCAL = "[f for d in metadata.distributions() if d.read_text('direct_url.json') for f in d.files]"


def import_test(name: str | None) -> str:
    """Return the default test: a command that imports every extension module of an installed distribution.

    ``name`` is None for projects whose name only a build can tell; then the distribution is the one installed
    from a file.
    """
    files = f"metadata.files({name!r})" if name else _FILES_OF_LOCAL
    return f'python -c "{_IMPORT_ALL.format(files=files)}"'


class PlanRequest(Struct, frozen=True, kw_only=True):
    """The machine and its environment, the folder for finished wheels, and what the user chose.

    ``builder`` is None unless one is forced. ``targets`` and ``identifiers``, cibuildwheel's names of builds,
    limit the matrix; empty means all of it.
    """

    machine: Machine
    out: Path
    builder: Builder | None = None
    targets: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    compiler_cache: CompilerCache | None = None


def make_plan(config: Config, family: Family, request: PlanRequest) -> Plan:
    """Plan the build of a family on a machine.

    Raises ConfigError if no builder can fulfil a promise, UsageError or MissingToolError if the forced
    builder cannot work on this machine.
    """
    promised = {distribution.key: _matrix(config, distribution) for distribution in family.native}
    all_targets = dict.fromkeys(target for matrix in promised.values() for target in matrix.targets)
    selected = _select_targets(tuple(all_targets), promised.values(), request)
    rows = tuple(_row(config, request, target) for target in selected)
    steps = tuple(
        step
        for distribution in family.native
        for row in rows
        if row.builder is not None
        for run in _runs(distribution, row, promised[distribution.key].interpreters_on(row.target))
        for whole in _steps(config, request, run)
        if (step := _selected(whole, request)) is not None
    )
    return Plan(
        family=family,
        machine=request.machine,
        out=request.out,
        matrices=promised,
        targets=rows,
        steps=steps,
        notes=tuple(dict.fromkeys(_notes(steps, request.machine))),
        partial=bool(request.identifiers),
    )


def _notes(steps: Iterable[NativeStep], machine: Machine) -> Iterator[str]:
    """Yield a note for each target that the host's own compiler may not be able to serve."""
    for step in steps:
        if step.warning:
            yield step.warning
        elif step.builder is Builder.HOST and _is_older(step.target, machine):
            newer = f"wheels that this machine's glibc {dotted(machine.libc_version)} makes too new"
            yield f"{newer} for {step.target} are compiled again with zig (extra: cross)"


def _is_older(target: Target, machine: Machine) -> bool:
    """Return whether a target's glibc is older than this machine's, and zig has it."""
    older = target.libc == "manylinux" and target.version < machine.libc_version
    return older and cross.cross_target(target) is not None


def _host_warning(distribution: Distribution, target: Target, machine: Machine) -> str:
    """Say that the host builder may fail for a target, if zig cannot help, and which target would do."""
    if not (distribution.uses_nanobind and _is_older(target, machine)):
        return ""
    glibc, own = dotted(machine.libc_version), "_".join(map(str, machine.libc_version))
    return (
        f"{distribution.name} uses nanobind, which zig does not serve: a wheel that this machine's glibc "
        f"{glibc} makes too new for {target} fails. Build in a container (docker or podman), or promise "
        f"manylinux_{own}_{target.arch}"
    )


def _select_targets(
    targets: tuple[Target, ...], matrices: Iterable[Matrix], request: PlanRequest
) -> tuple[Target, ...]:
    """Return the targets that the request selects, by their names and by those of builds."""
    unknown = sorted(set(request.targets) - {target.tag for target in targets})
    if unknown:
        promised = ", ".join(map(str, targets)) or "none"
        raise UsageError(f"{', '.join(unknown)}: not in the matrix", hint=f"promised targets: {promised}")
    selected = [target for target in targets if not request.targets or target.tag in request.targets]
    if not request.identifiers:
        return tuple(selected)
    builds: dict[str, list[Target]] = {}
    for matrix in matrices:
        for target in matrix.targets:
            for interpreter in matrix.interpreters_on(target):
                builds.setdefault(build_identifier(interpreter, target), []).append(target)
    if unknown := [name for name in request.identifiers if name not in builds]:
        raise UsageError(f"{', '.join(unknown)}: not in the matrix", hint=_closest(unknown[0], builds))
    chosen = {target for name in request.identifiers for target in builds[name]}
    if not chosen.intersection(selected):
        names = ", ".join(request.identifiers)
        raise UsageError(f"{names}: not among the builds for {', '.join(request.targets)}")
    return tuple(target for target in selected if target in chosen)


def _closest(name: str, builds: Iterable[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, list(builds), n=3)
    return f"did you mean {' or '.join(close)}?" if close else "wheelkit plan --identifiers lists the builds"


def _selected(step: NativeStep, request: PlanRequest) -> NativeStep | None:
    """Return the part of a step that the request selects; a wheel of the limited API is built as a whole."""
    if not request.identifiers:
        return step
    pairs = zip(step.interpreters, step.identifiers, strict=True)
    tags = {interpreter.tag for interpreter, name in pairs if name in request.identifiers}
    stable = {interpreter.tag for interpreter in step.interpreters if interpreter.has_stable_abi}
    if step.distribution.limited_api and tags & stable:
        tags |= stable
    return reduced(step, tags) if tags else None


def allowed_interpreters(distribution: Distribution) -> tuple[Interpreter, ...]:
    """Return the CPythons that ``requires-python`` admits; raise ConfigError if it cannot be parsed."""
    try:
        return default_interpreters(distribution.requires_python)
    except ValueError as error:
        problem = f"project.requires-python: {error}"
        raise ConfigError(distribution.source, [problem], hint='write it like ">=3.11"') from error


def _matrix(config: Config, distribution: Distribution) -> Matrix:
    allowed_interpreters(distribution)
    matrix = matrix_of(config, distribution.requires_python)
    problems = [
        *(f"{key}: {problem}" for key, problem in unbuilt_interpreters(config, matrix)),
        *_not_admitted(matrix, distribution),
        *_below_stable_abi(matrix, distribution),
        *_empty(matrix, distribution),
    ]
    if problems:
        raise ConfigError(config.label, problems)
    return matrix


def _not_admitted(matrix: Matrix, distribution: Distribution) -> Iterator[str]:
    """Yield a problem if ``requires-python`` excludes promised interpreters."""
    required = distribution.requires_python
    excluded = [one.tag for one in matrix.interpreters if required and not admits_python(required, one)]
    if excluded:
        yield (
            f"matrix.interpreters: {', '.join(excluded)} promised, but {distribution.name} says "
            f'requires-python = "{required}", so no installer accepts its files there'
        )


def _empty(matrix: Matrix, distribution: Distribution) -> Iterator[str]:
    """Yield a problem if no cell is left of what ``requires-python`` admits."""
    unbuilt = any(cell.why is Absence.NOT_BUILT for cell in matrix.absent)
    if not matrix.targets and not unbuilt:
        required = f'with requires-python = "{distribution.requires_python}"'
        yield f"matrix: no cell is left for {distribution.name} {required}; list its interpreters"


def _below_stable_abi(matrix: Matrix, distribution: Distribution) -> Iterator[str]:
    """Yield a problem if meson.build needs a newer stable ABI than the oldest promised interpreter has."""
    limited = distribution.backend == "mesonpy" and distribution.limited_api
    stated = meson.stable_abi_floor(distribution.source) if limited else None
    if stated is None:
        return
    file, floor = stated
    regular = (python for python in matrix.interpreters if python.has_stable_abi)
    if older := [interpreter.tag for interpreter in regular if interpreter.version < floor]:
        version = dotted(floor)
        yield (
            f"matrix.interpreters: {', '.join(older)} promised, but {file} builds for the stable ABI of "
            f'{version}: set requires-python = ">={version}" and promise cp{floor[0]}{floor[1]} and later, '
            "or lower limited_api"
        )


def _row(config: Config, request: PlanRequest, target: Target) -> TargetRow:
    builder, why = _builder(request.machine, target, request.builder)
    return TargetRow(target=target, builder=builder, why=why, runner=runner_for(target, config.runner))


def _builder(machine: Machine, target: Target, forced: Builder | None) -> tuple[Builder | None, str]:
    """Return the builder of a target on this machine, or None, and why."""
    if forced is Builder.CROSS:
        return (Builder.CROSS, "") if cross.cross_target(target) else (None, cross.unsupported_reason(target))
    if not machine.builds(target):
        return None, f"this machine is {machine}"
    if target.system is System.LINUX:
        return _linux_builder(machine, target, forced)
    if forced is Builder.HOST and machine.system is System.LINUX:
        return None, f"only cibuildwheel builds for {target.system}"
    if forced is Builder.HOST:
        hint = "leave out --builder: cibuildwheel needs no container here"
        raise UsageError("the host builder is for Linux only", hint=hint)
    return Builder.CIBUILDWHEEL, ""


def _linux_builder(machine: Machine, target: Target, forced: Builder | None) -> tuple[Builder | None, str]:
    if forced is Builder.CIBUILDWHEEL and machine.engine is None:
        raise MissingToolError(
            f"cibuildwheel needs a container engine on Linux, and none works here: {machine.engine_problem}",
            hint="start it, or build without one: wheelkit build --native --builder host",
        )
    if machine.engine is not None and forced is not Builder.HOST:
        return Builder.CIBUILDWHEEL, ""
    if target.libc != machine.libc or target.arch != machine.arch:
        return None, f"the host builder makes {machine.libc} wheels for {machine.arch} only"
    if machine.engine is not None:
        return Builder.HOST, "--builder host"
    return Builder.HOST, machine.engine_problem or "no container engine"


class _Run(Struct, frozen=True, kw_only=True):
    """Builds of one distribution for one target with one configuration, and so one run of the builder."""

    distribution: Distribution
    row: TargetRow
    interpreters: tuple[Interpreter, ...]
    config_setting: str = ""


def _runs(distribution: Distribution, row: TargetRow, interpreters: Sequence[Interpreter]) -> Iterator[_Run]:
    """Split interpreters into runs with one configuration.

    Free-threaded interpreters of a limited-API project need their own. A cross build makes one limited-API
    wheel for the interpreters that can load it.
    """
    threaded_setting = distribution.build_backend.free_threaded_setting if distribution.limited_api else ""
    with_gil = tuple(interpreter for interpreter in interpreters if not interpreter.free_threaded)
    groups = {"": tuple(interpreters)}
    if row.builder is Builder.CROSS:
        groups = {"": tuple(interpreter for interpreter in interpreters if interpreter.has_stable_abi)}
    elif threaded_setting:
        threaded = tuple(interpreter for interpreter in interpreters if interpreter.free_threaded)
        groups = {"": with_gil, threaded_setting: threaded}
    for setting, members in groups.items():
        if members:
            yield _Run(distribution=distribution, row=row, interpreters=members, config_setting=setting)


def exclude_patterns(providers: Iterable[Provider], system: System) -> tuple[str, ...]:
    """Return the exclude patterns of all providers for one system, each once."""
    if system not in DESKTOP:
        return ()
    patterns = (pattern for provider in providers for pattern in getattr(provider, system.value))
    return tuple(dict.fromkeys(patterns))


def _steps(config: Config, request: PlanRequest, run: _Run) -> Iterator[NativeStep]:
    """Yield the steps of one run: what all builders share, then what the chosen builder needs."""
    distribution, target = run.distribution, run.row.target
    settings = config.distribution.get(distribution.key, DistributionConfig())
    excluded = exclude_patterns(config.exclude, target.system)
    step = NativeStep(
        distribution=distribution,
        target=target,
        builder=run.row.builder or Builder.HOST,
        interpreters=run.interpreters,
        identifiers=tuple(build_identifier(interpreter, target) for interpreter in run.interpreters),
        repair=cibuildwheel_command(target, excluded),
        patterns=excluded,
        tests=_tests(distribution, target, settings),
        lib_paths=tuple(config.root / path for path in settings.lib_path),
        components=settings.components,
        components_complete=settings.components_complete,
    )
    if step.builder is Builder.CROSS:
        repair = shlex.join(wheelkit_command(target, excluded))
        argv = cross.argv(target, distribution.build_backend.cross)
        yield replace(step, argv=argv, repair=repair, tests=())
        return
    if step.builder is Builder.HOST:
        yield _for_host(step, run, request)
        return
    options = CibuildwheelOptions(distribution, target.system, request.environ)
    for part in _split(step, run, options):
        yield _for_cibuildwheel(part, run, options, request)


def _tests(distribution: Distribution, target: Target, settings: DistributionConfig) -> tuple[str, ...]:
    """Return the commands that test each wheel: the configured ones, or an import of its extension modules.

    cibuildwheel runs commands on emulators of Android and iOS only in its own forms, which the project sets.
    """
    if target.system in {System.ANDROID, System.IOS}:
        return ()
    return settings.smoke or (import_test(distribution.name if distribution.stated else None),)


def _for_host(step: NativeStep, run: _Run, request: PlanRequest) -> NativeStep:
    # The variable may be what turns containers off, and no engine of the table matters.
    environ = {name: text for name, text in request.environ.items() if name not in ENGINE_VARIABLES}
    if run.distribution.cibuildwheel:
        environ[ENGINE_VARIABLES[0]] = "docker"
    options = CibuildwheelOptions(run.distribution, step.target.system, environ)
    setting = ("--config-setting", run.config_setting) if run.config_setting else ()
    return replace(
        step,
        argv=("uv", "build", "--wheel", "--python", PYTHON, *setting, "--out-dir", OUT, SDIST),
        settings=host.settings(step, options, environ),
        project_tests=host.project_tests(step, options, environ),
        overridden=host.left_out(step, options),
        warning=_host_warning(run.distribution, step.target, request.machine),
    )


def _split(step: NativeStep, run: _Run, options: CibuildwheelOptions) -> Iterator[NativeStep]:
    """Split a step where the user gives its builds several containers, or settings that are added to.

    cibuildwheel starts a container for each of them too.
    """
    groups: dict[tuple[str, ...], list[int]] = {}
    for number, identifier in enumerate(step.identifiers):
        build = options.build(identifier)
        config_settings = build.config_settings if run.config_setting else ""
        groups.setdefault((build.image, build.engine, config_settings), []).append(number)
    for numbers in groups.values():
        yield replace(
            step,
            interpreters=tuple(step.interpreters[number] for number in numbers),
            identifiers=tuple(step.identifiers[number] for number in numbers),
        )


def _for_cibuildwheel(
    step: NativeStep, run: _Run, options: CibuildwheelOptions, request: PlanRequest
) -> NativeStep:
    env = cibuildwheel.environment(
        step,
        options,
        request.machine.engine,
        config_settings=run.config_setting,
        objects=request.compiler_cache,
    )
    argv = cibuildwheel.argv(step.target.system)
    overridden = options.overridden(step.identifiers, skip="CIBW_SKIP" in env)
    return replace(step, argv=argv, env=env, overridden=overridden)
