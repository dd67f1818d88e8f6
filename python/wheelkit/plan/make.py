"""From Config and facts about a machine to the Plan: a pure function, so that every target's plan can be computed anywhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from wheelkit import matrix as matrices
from wheelkit.errors import ConfigError, MissingToolError, UsageError
from wheelkit.matrix import Interpreter, Matrix, System, Target, build_identifier
from wheelkit.plan import cibuildwheel
from wheelkit.plan.model import Builder, NativeStep, Plan, TargetRow
from wheelkit.repair import container_line
from wheelkit.runners import runner_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from wheelkit.config import Config, Provider
    from wheelkit.family import Family
    from wheelkit.machine import Machine
    from wheelkit.project import Distribution

# meson-python refuses `limited-api = true` on free-threaded interpreters before 3.15; this setting makes it build a version-specific wheel.
_WITHOUT_LIMITED_API = "setup-args=-Dpython.allow_limited_api=false"

_IMPORTS = (
    "from importlib import import_module, metadata; "
    "names = [f.parts for f in metadata.files('{name}') if f.suffix == '.pyd' or f.suffix == '.so' and f.name.count('.') > 1 and '.libs' not in str(f)]; "
    "[import_module('.'.join([*p[:-1], p[-1].split('.')[0]])) for p in names]"
)


def import_test(name: str) -> str:
    """Write the command that imports every extension module of an installed distribution; the test where none is configured."""
    return f'python -c "{_IMPORTS.format(name=name)}"'


def make(
    config: Config,
    family: Family,
    machine: Machine,
    *,
    out: Path,
    builder: Builder | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Plan:
    """Plan the build of a family on a machine; ``builder`` forces one where both could serve.

    Raises ConfigError where the promise cannot be kept by anything, UsageError or MissingToolError where the forced builder cannot work here.
    """
    promised = {item.key: _matrix(config, item) for item in family.native}
    targets = tuple(dict.fromkeys(target for matrix in promised.values() for target in matrix.targets))
    rows = tuple(_row(config, machine, target, builder) for target in targets)
    steps = tuple(
        step
        for item in family.native
        for row in rows
        if row.builder is not None
        for step in _steps(config, machine, item, promised[item.key], row, environ)
    )
    return Plan(family=family, machine=machine, out=out, matrices=promised, targets=rows, steps=steps)


def _matrix(config: Config, item: Distribution) -> Matrix:
    from packaging.specifiers import InvalidSpecifier

    try:
        matrix = matrices.matrix_of(config, item.requires_python)
    except InvalidSpecifier as error:
        raise ConfigError(item.source, [f"project.requires-python: {error}"], hint='write it like ">=3.11"') from error
    problems = [*_unpromisable(matrix), *_contradictions(matrix, item)]
    if problems:
        raise ConfigError(config.label, problems)
    return matrix


def _unpromisable(matrix: Matrix) -> Iterable[str]:
    """Say which interpreters are too old or too new for any builder."""
    for target in matrix.targets:
        _, unknown = cibuildwheel.supported(matrix.interpreters, target)
        names = [name for name in cibuildwheel.offered(target.system) if name.endswith(f"-{target.build_suffix}")]
        if not names or not matrix.declared:
            continue
        for interpreter in unknown:
            known = ", ".join(name.split("-")[0] for name in names)
            yield f"matrix.interpreters: cibuildwheel does not build {interpreter} for {target}; it offers {known}"


def _contradictions(matrix: Matrix, item: Distribution) -> Iterable[str]:
    for interpreter in matrix.interpreters:
        if item.requires_python and not matrices.admits_python(item.requires_python, interpreter):
            yield (
                f"matrix.interpreters: {interpreter} is promised, but {item.name} says requires-python = "
                f'"{item.requires_python}", so no installer would take it there'
            )


def _row(config: Config, machine: Machine, target: Target, forced: Builder | None) -> TargetRow:
    builder, why = _builder(machine, target, forced)
    return TargetRow(target=target, builder=builder, why=why, runner=runner_for(target, config.runner))


def _builder(machine: Machine, target: Target, forced: Builder | None) -> tuple[Builder | None, str]:
    if not machine.runs(target):
        return None, f"this machine is {machine}"
    if machine.system is not System.LINUX:
        if forced is Builder.HOST:
            raise UsageError("the host builder is for Linux only", hint="leave out --builder: cibuildwheel needs no container here")
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
    return Builder.HOST, "--builder host" if machine.engine is not None else machine.engine_problem or "no container engine"


def _steps(
    config: Config, machine: Machine, item: Distribution, matrix: Matrix, row: TargetRow, environ: Mapping[str, str]
) -> Iterable[NativeStep]:
    if row.target not in matrix.targets:
        return
    for interpreters, settings in _groups(item, matrix.interpreters):
        if row.builder is Builder.HOST:
            yield _host_step(config, item, row.target, interpreters, settings)
        else:
            yield _cibuildwheel_step(config, machine, item, row.target, interpreters, settings, environ)


def _groups(item: Distribution, interpreters: Sequence[Interpreter]) -> Iterable[tuple[tuple[Interpreter, ...], str]]:
    """Split interpreters into runs of one configuration: free-threaded ones of a limited-API project need their own."""
    if not (item.backend == "mesonpy" and item.limited_api):
        yield tuple(interpreters), ""
        return
    for threaded in (False, True):
        group = tuple(one for one in interpreters if one.free_threaded is threaded)
        if group:
            yield group, _WITHOUT_LIMITED_API if threaded else ""


def patterns(providers: Iterable[Provider], system: System) -> tuple[str, ...]:
    """List the exclude patterns of all providers for one system, each once."""
    fields = {System.LINUX: "linux", System.MACOS: "macos", System.WINDOWS: "windows"}
    return tuple(dict.fromkeys(pattern for one in providers for pattern in getattr(one, fields[system])))


def _tests(config: Config, item: Distribution) -> tuple[str, ...]:
    settings = config.distribution.get(item.key)
    return settings.smoke if settings and settings.smoke else (import_test(item.name),)


def _lib_paths(config: Config, item: Distribution) -> tuple[Path, ...]:
    settings = config.distribution.get(item.key)
    return tuple(config.root / path for path in settings.lib_path) if settings else ()


def _cibuildwheel_step(
    config: Config,
    machine: Machine,
    item: Distribution,
    target: Target,
    interpreters: tuple[Interpreter, ...],
    settings: str,
    environ: Mapping[str, str],
) -> NativeStep:
    known, _ = cibuildwheel.supported(interpreters, target)
    identifiers = tuple(build_identifier(one, target) for one in known)
    user = cibuildwheel.UserOptions(item, target.system, environ)
    excluded = patterns(config.exclude, target.system)
    tests = _tests(config, item)
    env = cibuildwheel.environment(
        target, identifiers, patterns=excluded, tests=tests, user=user, machine=machine, config_settings=settings
    )
    return NativeStep(
        distribution=item,
        target=target,
        builder=Builder.CIBUILDWHEEL,
        interpreters=known,
        identifiers=identifiers,
        argv=cibuildwheel.argv(target.system),
        env=env,
        repair=container_line(target, excluded),
        patterns=excluded,
        tests=tests,
        config_settings=(settings,) if settings else (),
        overridden=user.overridden(env),
        lib_paths=_lib_paths(config, item),
    )


def _host_step(
    config: Config, item: Distribution, target: Target, interpreters: tuple[Interpreter, ...], settings: str
) -> NativeStep:
    excluded = patterns(config.exclude, target.system)
    options = ("--config-setting", settings) if settings else ()
    return NativeStep(
        distribution=item,
        target=target,
        builder=Builder.HOST,
        interpreters=interpreters,
        identifiers=tuple(build_identifier(one, target) for one in interpreters),
        argv=("uv", "build", "--wheel", "--python", "{python}", *options, "--out-dir", "{out}", "{sdist}"),
        env={},
        repair=container_line(target, excluded),
        patterns=excluded,
        tests=_tests(config, item),
        config_settings=(settings,) if settings else (),
        lib_paths=_lib_paths(config, item),
    )
