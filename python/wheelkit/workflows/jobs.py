"""What a CI has to do for a plan, before any provider's syntax: one native job per runner, and what else the family needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from wheelkit import __version__
from wheelkit import plan as plans
from wheelkit.config.keys import BUILT_IN_INDEXES
from wheelkit.errors import ConfigError
from wheelkit.machine.facts import Machine
from wheelkit.matrix import Interpreter, System, default_interpreters
from wheelkit.project.read import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from wheelkit.config import CiConfig, Config
    from wheelkit.matrix import Target
    from wheelkit.plan import Plan
    from wheelkit.project.family import Family
    from wheelkit.project.read import Distribution

    Label = Callable[[Target, Mapping[str, str]], str | None]


# Architectures that one machine builds together: `wheelkit build --native` builds all of them.
_SAME_MACHINE: Mapping[str, str] = {"i686": "x86_64", "x86": "amd64", "universal2": "arm64"}
# The Python that runs wheelkit in CI: new enough for it, old enough to be on every runner.
TOOL_PYTHON = "3.13"
_DEFAULT_TAG = "v{version}"


class NativeJob(Struct, frozen=True, kw_only=True):
    """One runner and the targets that it builds; ``name`` tells the job's artifacts from all others."""

    name: str
    runner: str
    system: System
    targets: tuple[Target, ...]


class Blueprint(Struct, frozen=True, kw_only=True):
    """All that a provider's files are written from.

    ``pythons`` are the interpreters that smoke tests want, as setup-python spells them, the one that runs wheelkit last. ``tags`` are
    globs of the git tags that release. ``left_out`` are targets that nobody promised and that no hosted runner of this provider builds.
    """

    native: tuple[NativeJob, ...]
    pure: bool
    pythons: tuple[str, ...]
    install: tuple[str, ...]
    tags: tuple[str, ...]
    ci: CiConfig
    left_out: tuple[str, ...] = ()


def plan_anywhere(config: Config, family: Family) -> Plan:
    """Plan for no machine in particular, so that the same project gives the same workflows everywhere."""
    nowhere = Machine(system=System.LINUX, arch="")
    return plans.make_plan(
        config, family, plans.PlanRequest(machine=nowhere, out=family.root / "dist", environ={})
    )


def blueprint(config: Config, plan: Plan, label: Label) -> Blueprint:
    """Compute the blueprint from a plan; ``label`` names each target's runner.

    Raises ConfigError where a promised target has no runner, targets of one machine are given to two, or an index is unknown.
    """
    problems = [*_index_problems(config)]
    labels = {row.target: label(row.target, config.runner) for row in plan.targets}
    left_out = () if plan.declared else tuple(target for target, name in labels.items() if name is None)
    native = _native_jobs(
        {target: name for target, name in labels.items() if target not in left_out}, problems
    )
    if problems:
        raise ConfigError(config.label, problems)
    return Blueprint(
        native=native,
        pure=any(item.kind is not Kind.NATIVE for item in plan.family.distributions),
        pythons=_pythons(plan),
        install=config.ci.install or (f"wheelkit=={__version__}",),
        tags=_tags(config, plan.family),
        ci=config.ci,
        left_out=tuple(target.tag for target in left_out),
    )


def _index_problems(config: Config) -> Iterable[str]:
    known = (*BUILT_IN_INDEXES, *config.index)
    wanted = {"ci.staging": config.ci.staging, "ci.production": config.ci.production}
    for key, name in (*wanted.items(), *((f"ci.secrets.{name}", name) for name in config.ci.secrets)):
        if name not in known:
            yield f'{key}: there is no index "{name}"; known: {", ".join(known)}'
    if config.ci.staging == config.ci.production:
        yield f'ci.staging: "{config.ci.staging}" is the production index, too; a release is tried on another one first'


def _native_jobs(labels: Mapping[Target, str | None], problems: list[str]) -> tuple[NativeJob, ...]:
    groups: dict[tuple[str, System, str], list[Target]] = {}
    machines: dict[tuple[System, str], str] = {}
    for target, label in labels.items():
        if label is None:
            problems.append(
                f'runner: no hosted runner builds {target}; name your own: runner.{target} = "label"'
            )
            continue
        machine = target.system, _SAME_MACHINE.get(target.arch, target.arch)
        first = machines.setdefault(machine, label)
        if first != label:
            problems.append(
                f"runner.{target}: {label} and {first} are machines of one kind, and each would build all its targets; name one"
            )
        groups.setdefault((label, *machine), []).append(target)
    return tuple(
        NativeJob(name=f"{system}-{arch}", runner=label, system=system, targets=tuple(targets))
        for (label, system, arch), targets in groups.items()
    )


def _pythons(plan: Plan) -> tuple[str, ...]:
    """List the interpreters of all distributions, oldest first; a runner has them only if somebody asks for them."""
    found: dict[str, Interpreter] = {}
    for item in plan.family.distributions:
        matrix = plan.matrices.get(item.key)
        for one in matrix.interpreters if matrix else _admitted(item):
            found[one.tag] = one
    ordered = sorted(found.values(), key=lambda one: (one.implementation, one.version, one.free_threaded))
    names = [f"pypy{one.python}" if one.implementation == "pp" else one.python for one in ordered]
    return (*(name for name in names if name != TOOL_PYTHON), TOOL_PYTHON)


def _admitted(item: Distribution) -> tuple[Interpreter, ...]:
    try:
        return default_interpreters(item.requires_python)
    except ValueError as error:
        raise ConfigError(
            item.source, [f"project.requires-python: {error}"], hint='write it like ">=3.11"'
        ) from error


def _tags(config: Config, family: Family) -> tuple[str, ...]:
    settings = (config.distribution.get(item.key) for item in family.distributions)
    templates = [(one.tag if one else None) or _DEFAULT_TAG for one in settings]
    # What a git tag may hold and a workflow's pattern would read as a wildcard.
    plain = (template.replace("+", "\\+").replace("!", "\\!").replace("]", "\\]") for template in templates)
    return tuple(dict.fromkeys(template.replace("{version}", "*") for template in plain))


def matrix_json(plan: Blueprint) -> dict[str, Any]:
    """Give the matrix of the native jobs as GitHub's ``matrix:`` takes it from ``fromJSON``."""
    return {
        "include": [
            {"name": job.name, "runner": job.runner, "targets": " ".join(map(str, job.targets))}
            for job in plan.native
        ]
    }
