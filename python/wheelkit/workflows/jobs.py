"""What a CI service runs for a plan, without its syntax: one native job per runner, and the rest."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from wheelkit import __version__
from wheelkit import plan as plans
from wheelkit.config.keys import BUILT_IN_INDEXES
from wheelkit.errors import ConfigError
from wheelkit.machine.facts import Machine, building_machine
from wheelkit.matrix import Interpreter, System
from wheelkit.project.kinds import Kind
from wheelkit.workflows.labels import label_problems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from wheelkit.config import CiConfig, Config
    from wheelkit.matrix import Target
    from wheelkit.plan import Plan
    from wheelkit.project.family import Family

    Label = Callable[[Target, Mapping[str, str]], str | None]


# What pip installs besides wheelkit in the jobs that make attestations.
ATTESTATIONS = "wheelkit[attestations]"
# The Python that runs wheelkit in CI; every runner has it.
TOOL_PYTHON = "3.13"
_DEFAULT_TAG = "v{version}"


class NativeJob(Struct, frozen=True, kw_only=True):
    """One runner and the targets that it builds; the unique ``name`` also names its artifacts.

    ``pythons`` are the interpreters that its smoke tests need, as ``Blueprint`` has them; ``smoked`` is false
    if the runner installs none of its wheels, such as those for iOS.
    """

    name: str
    runner: str
    system: System
    targets: tuple[Target, ...]
    pythons: tuple[str, ...] = (TOOL_PYTHON,)
    smoked: bool = True


class Blueprint(Struct, frozen=True, kw_only=True):
    """All that the files of a CI service are written from.

    ``pythons`` are the interpreters for smoke tests in the spelling of setup-python; the one that runs
    wheelkit is last. ``tags`` are globs of the git tags of releases, ``branches`` those of the branches that
    they are on. ``attested`` are the indexes that get attestations. ``submodules`` says that the repository
    has some. ``left_out`` are default targets that no
    hosted runner of the service builds.
    """

    native: tuple[NativeJob, ...]
    pure: bool
    pythons: tuple[str, ...]
    install: tuple[str, ...]
    tags: tuple[str, ...]
    branches: tuple[str, ...]
    ci: CiConfig
    attested: tuple[str, ...] = ()
    submodules: bool = False
    left_out: tuple[str, ...] = ()


def plan_anywhere(config: Config, family: Family) -> Plan:
    """Make a plan for no particular machine, so that a project gives the same workflows everywhere."""
    machine = Machine(system=System.LINUX, arch="")
    request = plans.PlanRequest(machine=machine, out=family.root / "dist", environ={})
    return plans.make_plan(config, family, request)


def blueprint(config: Config, plan: Plan, label: Label) -> Blueprint:
    """Compute the blueprint of a plan; ``label`` returns the runner of a target.

    Raises ConfigError if a promised target has no runner or one that does not build it, if targets of one
    machine have two, or if an index is unknown.
    """
    targets = [row.target for row in plan.targets]
    wrong_labels = tuple(label_problems(config.runner, targets))
    problems = [*_index_problems(config), *wrong_labels]
    labels = {row.target: label(row.target, config.runner) for row in plan.targets}
    left_out = () if plan.declared else tuple(target for target, name in labels.items() if name is None)
    wanted = {target: name for target, name in labels.items() if target not in left_out}
    conflicts: list[str] = []
    native = tuple(_with_smoke_tests(plan, job) for job in _native_jobs(wanted, conflicts))
    # One mistake is told once: a label that is wrong by itself also differs from the others.
    if problems := [*problems, *(() if wrong_labels else conflicts)]:
        raise ConfigError(config.label, problems)
    return Blueprint(
        native=native,
        pure=any(member.kind is not Kind.NATIVE for member in plan.family.distributions),
        pythons=_pythons(plan, tuple(target for job in native for target in _smoked_targets(job))),
        install=config.ci.install or (f"wheelkit=={__version__}",),
        tags=_tags(config, plan.family),
        branches=config.version.branches,
        ci=config.ci,
        submodules=(plan.family.root / ".gitmodules").is_file(),
        attested=tuple(name for name in config.ci.indexes if _attests(config, name)),
        left_out=tuple(target.tag for target in left_out),
    )


def _index_problems(config: Config) -> Iterable[str]:
    ci, known = config.ci, (*BUILT_IN_INDEXES, *config.index)
    names = {"ci.staging": ci.staging} if ci.staging else {}
    names |= {"ci.production": ci.production}
    names |= {f"ci.secrets.{name}": name for name in ci.secrets}
    for key, name in names.items():
        if name not in known:
            yield f'{key}: there is no index "{name}"; known: {", ".join(known)}'
    if ci.staging == ci.production:
        yield f'ci.staging: "{ci.staging}" is also the production index; staging needs another one'


def _attests(config: Config, index: str) -> bool:
    """Return whether an index gets attestations; public ones take them with trusted publishing only."""
    takes_them = index in BUILT_IN_INDEXES or config.index[index].attestations
    return config.publish.attestations and takes_them and index not in config.ci.secrets


def _native_jobs(labels: Mapping[Target, str | None], problems: list[str]) -> tuple[NativeJob, ...]:
    groups: dict[tuple[str, System, str], list[Target]] = {}
    machines: dict[tuple[System, str], str] = {}
    for target, label in labels.items():
        if label is None:
            setting = f'runner.{target} = "label"'
            problems.append(f"runner: no hosted runner builds {target}; set your own: {setting}")
            continue
        machine = building_machine(target)
        first = machines.setdefault(machine, label)
        if first != label:
            conflict = f"{label} and {first} would both build all targets of one kind of machine"
            problems.append(f"runner.{target}: {conflict}; use one of them")
        groups.setdefault((label, *machine), []).append(target)
    return tuple(
        NativeJob(name=f"{system}-{arch}", runner=label, system=system, targets=tuple(targets))
        for (label, system, arch), targets in groups.items()
    )


def _with_smoke_tests(plan: Plan, job: NativeJob) -> NativeJob:
    targets = _smoked_targets(job)
    return replace(job, pythons=_pythons(plan, targets), smoked=bool(targets))


def _smoked_targets(job: NativeJob) -> tuple[Target, ...]:
    """Return the targets of a job whose wheels its runner can install: those of its own architecture."""
    own = (target for target in job.targets if target.system is job.system and target.libc != "musllinux")
    return tuple(
        target for target in own if target.arch == building_machine(target)[1] or target.arch == "universal2"
    )


def _pythons(plan: Plan, targets: Sequence[Target]) -> tuple[str, ...]:
    """Return the interpreters of all distributions on targets for setup-python, oldest first."""
    interpreters: set[Interpreter] = set()
    for member in plan.family.distributions:
        matrix = plan.matrices.get(member.key)
        if matrix is None:
            interpreters.update(plans.allowed_interpreters(member))
        for target in targets if matrix else ():
            interpreters.update(matrix.interpreters_on(target) if matrix else ())
    ordered = sorted(interpreters, key=lambda one: (one.implementation, one.version, one.free_threaded))
    names = map(_setup_python_name, ordered)
    return (*(name for name in names if name != TOOL_PYTHON), TOOL_PYTHON)


def _setup_python_name(interpreter: Interpreter) -> str:
    """Return an interpreter in the spelling of setup-python; for GraalPy, that is its own version."""
    if interpreter.implementation == "gp":
        return f"graalpy-{interpreter.release[:-1]}.{interpreter.release[-1]}"
    return interpreter.request


def _tags(config: Config, family: Family) -> tuple[str, ...]:
    """Return globs of the git tags of releases, with the characters escaped that workflows expand."""
    settings = (config.distribution.get(member.key) for member in family.distributions)
    templates = (setting.tag if setting and setting.tag else _DEFAULT_TAG for setting in settings)
    globs = (re.sub(r"([+!])", r"\\\1", template).replace("{version}", "*") for template in templates)
    return tuple(dict.fromkeys(globs))


def verify_command(plan: Blueprint) -> str:
    """Return the command that verifies a whole release, and compares it with the last one in production.

    A first release is no special case: that there is nothing to compare with is a line of the report.
    """
    production = plan.ci.production
    index = "" if production == "pypi" else f" --index {shlex.quote(production)}"
    return f"verify-matrix dist --against latest{index}"


def matrix_json(plan: Blueprint) -> dict[str, Any]:
    """Return the matrix of native jobs, in the form that GitHub's ``matrix:`` reads with ``fromJSON``."""
    return {
        "include": [
            {"name": job.name, "runner": job.runner, "targets": " ".join(map(str, job.targets))}
            for job in plan.native
        ]
    }
