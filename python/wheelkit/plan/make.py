"""From Config and facts about a machine to the Plan: a pure function, so that every target's plan can be computed anywhere."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from wheelkit import matrix as matrices
from wheelkit.config import DistributionConfig
from wheelkit.errors import ConfigError, MissingToolError, UsageError
from wheelkit.fast_packaging import admits
from wheelkit.matrix import Interpreter, Matrix, System, Target, build_identifier
from wheelkit.plan import cibuildwheel, cross
from wheelkit.plan.host import HostOptions
from wheelkit.plan.model import OUT, PYTHON, SDIST, Builder, NativeStep, Plan, TargetRow
from wheelkit.plan.options import CibuildwheelOptions
from wheelkit.project import meson
from wheelkit.repair.commands import cibuildwheel_command, wheelkit_command
from wheelkit.runners import runner_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from wheelkit.config import Config, Provider
    from wheelkit.machine.facts import Machine
    from wheelkit.plan.compiler_cache import CompilerCache
    from wheelkit.project.family import Family
    from wheelkit.project.read import Distribution


# meson-python refuses `limited-api = true` on free-threaded interpreters before 3.15; this setting makes it build a version-specific wheel.
_WITHOUT_LIMITED_API = "setup-args=-Dpython.allow_limited_api=false"

_IMPORTS = (
    "from importlib import import_module, metadata; "
    "native = [f for f in {files} if '.libs' not in str(f)]; "
    "names = [f.parts for f in native if f.suffix == '.pyd' or f.suffix == '.so' and f.name.count('.') > 1]; "
    "[import_module('.'.join([*p[:-1], p[-1].split('.')[0]])) for p in names]"
)


# Installers note of what they took from a file where it lay (PEP 610); what it requires comes from an index.
_OF_THE_FILE = "[f for d in metadata.distributions() if d.read_text('direct_url.json') for f in d.files]"


def import_test(name: str | None) -> str:
    """Write the command that imports every extension module of an installed distribution; the test where none is configured.

    Without a name, which some projects only compute when they are built, it is that of the distribution that was installed from a file.
    """
    return f'python -c "{_IMPORTS.format(files=f"metadata.files({name!r})" if name else _OF_THE_FILE)}"'


class PlanRequest(Struct, frozen=True, kw_only=True):
    """What is asked for: the machine and its environment, the folder for finished wheels, and a builder where one is forced.

    ``targets`` are those of the matrix that are wanted, empty for all.
    """

    machine: Machine
    out: Path
    builder: Builder | None = None
    targets: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    compiler_cache: CompilerCache | None = None


def promised_matrix(config: Config, family: Family) -> dict[str, Matrix]:
    """Give what is owed of each native distribution, wherever it is built; raises ConfigError where nothing can keep a promise."""
    return {item.key: _matrix(config, item) for item in family.native}


def make_plan(
    config: Config, family: Family, request: PlanRequest, promised: Mapping[str, Matrix] | None = None
) -> Plan:
    """Plan the build of a family on a machine; ``promised`` is what ``promise`` gave, where that was asked before.

    Raises ConfigError where a promise cannot be kept by anything, UsageError or MissingToolError where the forced builder cannot work here.
    """
    promised = promised_matrix(config, family) if promised is None else promised
    targets = _wanted(
        tuple(dict.fromkeys(target for matrix in promised.values() for target in matrix.targets)), request
    )
    rows = tuple(_row(config, request, target) for target in targets)
    steps = tuple(
        step
        for item in family.native
        for row in rows
        if row.builder is not None and row.target in promised[item.key].targets
        for group in _groups(item, row, promised[item.key].interpreters)
        for step in [_step(config, request, group)]
    )
    notes = tuple(_notes(rows, request.machine))
    return Plan(
        family=family,
        machine=request.machine,
        out=request.out,
        matrices=promised,
        targets=rows,
        steps=steps,
        notes=notes,
    )


def _notes(rows: Iterable[TargetRow], machine: Machine) -> Iterable[str]:
    """Say for which targets the host builder's first attempt may not do."""
    for row in rows:
        older = row.target.libc == "manylinux" and row.target.version < machine.libc_version
        if row.builder is Builder.HOST and older and cross.cross_target(row.target):
            glibc = ".".join(map(str, machine.libc_version))
            yield f"what this machine's glibc {glibc} makes too new for {row.target} is compiled again with zig (extra: cross)"


def _wanted(targets: tuple[Target, ...], request: PlanRequest) -> tuple[Target, ...]:
    unknown = sorted(set(request.targets) - {target.tag for target in targets})
    if unknown:
        raise UsageError(
            f"{', '.join(unknown)}: not in the matrix",
            hint=f"promised are {', '.join(map(str, targets)) or 'none'}",
        )
    return tuple(target for target in targets if not request.targets or target.tag in request.targets)


def _matrix(config: Config, item: Distribution) -> Matrix:
    try:
        admits(item.requires_python or "", (3, matrices.NEWEST_CPYTHON_MINOR))
    except ValueError as error:
        raise ConfigError(
            item.source, [f"project.requires-python: {error}"], hint='write it like ">=3.11"'
        ) from error
    matrix = matrices.matrix_of(config, item.requires_python)
    stated = config.matrix.interpreters is not None
    problems = [
        *(_unpromisable(matrix) if stated else ()),
        *_contradictions(matrix, item),
        *_below_stable_abi(matrix, item),
    ]
    if problems:
        raise ConfigError(config.label, problems)
    return matrix


def _unpromisable(matrix: Matrix) -> Iterable[str]:
    """Say which interpreters are too old or too new for any builder."""
    for target in matrix.targets:
        _, unknown = cibuildwheel.supported(matrix.interpreters, target)
        names = [
            name
            for name in cibuildwheel.offered_targets(target.system)
            if name.endswith(f"-{target.build_suffix}")
        ]
        for interpreter in unknown if names else ():
            known = ", ".join(name.split("-")[0] for name in names)
            yield f"matrix.interpreters: cibuildwheel does not build {interpreter} for {target}; it offers {known}"


def _contradictions(matrix: Matrix, item: Distribution) -> Iterable[str]:
    for interpreter in matrix.interpreters:
        if item.requires_python and not matrices.admits_python(item.requires_python, interpreter):
            yield (
                f"matrix.interpreters: {interpreter} is promised, but {item.name} says requires-python = "
                f'"{item.requires_python}", so no installer would take it there'
            )


def _below_stable_abi(matrix: Matrix, item: Distribution) -> Iterable[str]:
    """Say where meson.build asks for a newer stable ABI than the oldest promised interpreter has: the tag would promise too much."""
    stated = meson.stable_abi_floor(item.source) if item.backend == "mesonpy" and item.limited_api else None
    if stated is None:
        return
    name, floor = stated
    older = [one.tag for one in matrix.interpreters if not one.free_threaded and one.version < floor]
    if older:
        version = f"{floor[0]}.{floor[1]}"
        yield (
            f"matrix.interpreters: {', '.join(older)} promised, but {name} builds for the stable ABI of {version}: "
            f'say requires-python = ">={version}" and promise cp{floor[0]}{floor[1]} and later, or lower limited_api'
        )


def _row(config: Config, request: PlanRequest, target: Target) -> TargetRow:
    builder, why = _builder(request.machine, target, request.builder)
    return TargetRow(target=target, builder=builder, why=why, runner=runner_for(target, config.runner))


def _builder(machine: Machine, target: Target, forced: Builder | None) -> tuple[Builder | None, str]:
    if forced is Builder.CROSS:
        return (Builder.CROSS, "") if cross.cross_target(target) else (None, cross.unsupported_reason(target))
    if not machine.runs(target):
        return None, f"this machine is {machine}"
    if machine.system is not System.LINUX:
        if forced is Builder.HOST:
            raise UsageError(
                "the host builder is for Linux only",
                hint="leave out --builder: cibuildwheel needs no container here",
            )
        return Builder.CIBUILDWHEEL, ""
    if forced is Builder.CIBUILDWHEEL and machine.engine is None:
        raise MissingToolError(
            f"cibuildwheel needs a container engine on Linux, and none works here: {machine.engine_problem}",
            hint="start it, or build without one: wheelkit build --native --builder host",
        )
    if machine.engine is not None and forced is not Builder.HOST:
        return Builder.CIBUILDWHEEL, ""
    if target.libc != machine.libc or target.arch != machine.arch:
        return None, f"the host builder makes {machine.libc} wheels for {machine.arch} only"
    return (
        Builder.HOST,
        "--builder host" if machine.engine is not None else machine.engine_problem or "no container engine",
    )


class _Group(Struct, frozen=True, kw_only=True):
    """Builds of one distribution for one target that share one configuration, and so one run of the builder."""

    distribution: Distribution
    row: TargetRow
    interpreters: tuple[Interpreter, ...]
    settings: str = ""


def _groups(item: Distribution, row: TargetRow, interpreters: Sequence[Interpreter]) -> Iterable[_Group]:
    """Split interpreters into runs of one configuration: free-threaded ones of a limited-API project need their own.

    A cross build makes one limited-API wheel, and serves those interpreters that take it.
    """
    if row.builder is Builder.CROSS:
        members = tuple(one for one in interpreters if one.implementation == "cp" and not one.free_threaded)
        if members:
            yield _Group(distribution=item, row=row, interpreters=members)
        return
    if not (item.backend == "mesonpy" and item.limited_api):
        yield _Group(distribution=item, row=row, interpreters=tuple(interpreters))
        return
    for threaded, settings in ((False, ""), (True, _WITHOUT_LIMITED_API)):
        members = tuple(one for one in interpreters if one.free_threaded is threaded)
        if members:
            yield _Group(distribution=item, row=row, interpreters=members, settings=settings)


def exclude_patterns(providers: Iterable[Provider], system: System) -> tuple[str, ...]:
    """List the exclude patterns of all providers for one system, each once."""
    fields = {System.LINUX: "linux", System.MACOS: "macos", System.WINDOWS: "windows"}
    return tuple(dict.fromkeys(pattern for one in providers for pattern in getattr(one, fields[system])))


def _step(config: Config, request: PlanRequest, group: _Group) -> NativeStep:
    """Fill in one step: all that both builders share, then what each of them is told."""
    item, target = group.distribution, group.row.target
    settings = config.distribution.get(item.key, DistributionConfig())
    excluded = exclude_patterns(config.exclude, target.system)
    draft = NativeStep(
        distribution=item,
        target=target,
        builder=group.row.builder or Builder.HOST,
        interpreters=group.interpreters,
        identifiers=tuple(build_identifier(one, target) for one in group.interpreters),
        repair=cibuildwheel_command(target, excluded),
        patterns=excluded,
        tests=settings.smoke or (import_test(item.name if item.stated else None),),
        lib_paths=tuple(config.root / path for path in settings.lib_path),
    )
    if draft.builder is Builder.CROSS:
        return replace(
            draft, argv=cross.argv(target), repair=shlex.join(wheelkit_command(target, excluded)), tests=()
        )
    return (
        _for_host(draft, group, request)
        if draft.builder is Builder.HOST
        else _for_cibuildwheel(draft, group, request)
    )


def _for_host(draft: NativeStep, group: _Group, request: PlanRequest) -> NativeStep:
    options = ("--config-setting", group.settings) if group.settings else ()
    user = HostOptions(group.distribution, request.environ)
    return replace(
        draft,
        argv=("uv", "build", "--wheel", "--python", PYTHON, *options, "--out-dir", OUT, SDIST),
        settings=user.settings(group.interpreters, draft.target),
        overridden=user.left_out(group.interpreters, draft.target),
    )


def _for_cibuildwheel(draft: NativeStep, group: _Group, request: PlanRequest) -> NativeStep:
    target = draft.target
    known, _ = cibuildwheel.supported(group.interpreters, target)
    identifiers = tuple(build_identifier(one, target) for one in known)
    user = CibuildwheelOptions(group.distribution, target.system, request.environ)
    demands = cibuildwheel.CibuildwheelSettings(
        target=target,
        identifiers=identifiers,
        patterns=draft.patterns,
        tests=draft.tests,
        config_settings=group.settings,
        compiler_cache=request.compiler_cache,
    )
    env = cibuildwheel.environment(demands, user, request.machine.engine)
    argv = cibuildwheel.argv(target.system)
    return replace(
        draft,
        interpreters=known,
        identifiers=identifiers,
        argv=argv,
        env=env,
        overridden=user.overridden(env),
    )
