"""``wheelkit plan``: what is built here and elsewhere, by which builder or runner, and in which order."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from wheelkit import plan as plans
from wheelkit.builders.siblings import needed
from wheelkit.cli import cache
from wheelkit.cli.option_rules import checked
from wheelkit.cli.options import config_option, json_option, open_project, out_option, sources_argument
from wheelkit.cli.output import columns, dimmed, fit, result, result_json, write
from wheelkit.cli.selectors import Selectors, selectors
from wheelkit.inputs import resolved
from wheelkit.machine import facts
from wheelkit.matrix import System
from wheelkit.text import printable, shorten_list

if TYPE_CHECKING:
    from pathlib import Path

    from wheelkit.cli.options import OpenProject
    from wheelkit.machine.git import PendingStatus
    from wheelkit.plan import Plan


# The width when standard output is no terminal.
_UNLIMITED = 1000
# How many names a line of the plan shows; --json has all of them.
_SHOWN_SIBLINGS, _SHOWN_OTHERS = 4, 12


class PlanOptions(Selectors, frozen=True, kw_only=True):
    """The values of the command line."""

    sources: tuple[Path, ...]
    out: Path
    config_file: Path | None
    system: str | None
    as_json: bool


@click.command("plan")
@sources_argument
@out_option
@config_option
@selectors
@click.option(
    "--identifiers",
    "system",
    type=click.Choice(["all", *(system.value for system in System)]),
    is_flag=False,
    flag_value="all",
    help="Print the builds of one system, or of all, by cibuildwheel's names, one a line.",
)
@json_option
@checked
def command(**values: Any) -> None:  # noqa: ANN401 - one for each field of PlanOptions
    """Show what is built here, what elsewhere and on which runner, and in which order.

    PROJECT is a member of the family, a folder or an sdist; without one, the plan is for the whole family.
    The options that select something are those of build.
    """
    options = PlanOptions(**values)
    if options.system is not None:
        project = open_project(options.sources, options.config_file)
        _show_identifiers(project, options.system, as_json=options.as_json)
        return
    engines = facts.start_engine_queries()
    project = open_project(options.sources, options.config_file)
    git_status = cache.start_git_status(project.family)
    request = plans.PlanRequest(
        machine=facts.detect(engines=engines),
        out=resolved(options.out),
        builder=options.forced_builder(project.family, project.config),
        targets=options.targets,
        identifiers=options.identifiers,
    )
    family = cache.learnt_kinds(project.config).apply(project.family)
    plan = plans.make_plan(project.config, family, request)
    show_plan(plan, git_status, project.chosen, options, as_json=options.as_json)


def _show_identifiers(project: OpenProject, system: str, *, as_json: bool) -> None:
    """Print what ``cibuildwheel --print-build-identifiers`` prints for all runs of the plan together."""
    request = plans.PlanRequest(machine=facts.detect(containers=False), out=project.family.root)
    plan = plans.make_plan(project.config, project.family, request)
    if project.chosen:
        plan = plans.only(plan, project.chosen, ())
    builds = {name: found for name, found in plans.identifiers(plan).items() if system in {"all", name}}
    if as_json:
        result_json({"schema": 1, "identifiers": builds})
    elif lines := [build for found in builds.values() for build in found]:
        result("\n".join(lines))


def show_plan(
    plan: Plan,
    git_status: PendingStatus | None,
    chosen: tuple[str, ...],
    options: Selectors,
    *,
    as_json: bool,
) -> None:
    """Print a plan and what the cache holds of it; with ``chosen`` members, only these and what they need."""
    kinds = options.selection(())
    statuses = tuple(
        status for status in cache.cache_statuses(plan, git_status) if kinds.includes(status.unit)
    )
    selection = _select(plan, chosen)
    if chosen:
        plan = plans.only(plan, selection.built, selection.needed)
        statuses = tuple(status for status in statuses if status.unit.distribution.key in selection.built)
    if as_json:
        result_json({**plans.to_json(plan), "cache": cache.to_json(statuses)})
    else:
        _show_text(plan, cache.table(statuses), selection, options.words())


class PlanSelection(Struct, frozen=True, kw_only=True):
    """The keys of the chosen members, of those that are built for them, and of all others that they need."""

    chosen: tuple[str, ...] = ()
    build_requirements: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()

    @property
    def built(self) -> tuple[str, ...]:
        """The keys of all members that a build makes."""
        return (*self.chosen, *self.build_requirements)


def _select(plan: Plan, chosen: tuple[str, ...]) -> PlanSelection:
    if not chosen:
        return PlanSelection()
    members, reached, waiting = plan.family.members, set[str](), list(chosen)
    while waiting:
        key = waiting.pop()
        if key not in reached:
            reached.add(key)
            waiting += [*plan.family.siblings(members[key]), *needed(members[key], plan.family)]
    build_requirements = {key for name in chosen for key in needed(members[name], plan.family)}
    order = [key for key in members if key in reached]
    return PlanSelection(
        chosen=tuple(key for key in order if key in chosen),
        build_requirements=tuple(key for key in order if key in build_requirements.difference(chosen)),
        needed=tuple(key for key in order if key not in chosen),
    )


def _show_text(plan: Plan, cached: str, selection: PlanSelection, words: str) -> None:
    """Print the order of the family, the targets with their details, what is cached, and the next step."""
    members = [_title(plan), _order(plan), _other_members(plan, selection)]
    result("\n\n".join(filter(None, [*members, _targets(plan)])))
    for line in plans.details(plan):
        write(f"{dimmed(fit(printable(line), sys.stdout, indent=2), sys.stdout)}\n")
    result("\n" + "\n\n".join(filter(None, [cached, _next_step(plan, selection, words)])))


def _title(plan: Plan) -> str:
    last = plan.family.distributions[-1]
    shown = len(plan.family.distributions)
    count = shown + len(plan.left_out)
    part = f"{shown} of a " if plan.left_out else ""
    family = f"{part}family of {count} · " if count > 1 else ""
    return f"{last.name} {last.version or '(version from its build)'} · {family}{plan.out.name}/"


def _order(plan: Plan) -> str:
    rows = [("order", "distribution", "kind", "version", "needs")]
    members = plan.family.distributions
    for number, member in enumerate(members, 1):
        siblings = plan.family.siblings(member)
        whole = len(siblings) == number - 1 > _SHOWN_SIBLINGS
        needs = "all of the above" if whole else shorten_list(siblings, _SHOWN_SIBLINGS) or "-"
        rows.append((str(number), member.name, member.kind.value, member.version or "dynamic", needs))
    return columns(rows)


def _other_members(plan: Plan, selection: PlanSelection) -> str:
    members = plan.family.members
    built = selection.build_requirements
    lines = {
        "built as build requirements, not delivered": [members[key].name for key in built],
        "needed at run time, not built": [members[key].name for key in selection.needed if key not in built],
        "left out (wheelkit plan shows all)": plan.left_out,
    }
    return "\n".join(
        f"  {label}: {shorten_list(names, _SHOWN_OTHERS)}" for label, names in lines.items() if names
    )


def _targets(plan: Plan) -> str:
    if not plan.targets:
        return ""
    abi = "abi3" if all(member.limited_api for member in plan.family.native) else "per version"
    wide, narrow = [("target", "interpreters", "abi", "here", "on CI")], [("target", "here", "on CI")]
    for row in plan.targets:
        in_container = row.builder is plans.Builder.CIBUILDWHEEL and plan.machine.engine
        engine = f" ({plan.machine.engine})" if in_container else ""
        here, runner = row.builder.value if row.builder else "-", str(row.runner or "no hosted runner")
        pythons = plans.interpreters_on(plan, row.target)
        wide.append((row.target.tag, pythons, abi, f"{here}{engine}", runner))
        narrow.append((row.target.tag, here, runner))
    tables = (columns(wide), columns([(row[0], row[1], *row[3:]) for row in wide]), columns(narrow))
    room = shutil.get_terminal_size((_UNLIMITED, 24)).columns
    fitting = (table for table in tables if max(map(len, table.splitlines())) <= room)
    return next(fitting, tables[-1])


def _next_step(plan: Plan, selection: PlanSelection, words: str) -> str:
    members = plan.family.members
    names = "".join(f" {members[key].name}" for key in selection.chosen)
    native = any(members[key] in plan.family.native for key in selection.chosen or members)
    if not plan.targets or not native:
        return f"next: wheelkit build{words}{names}"
    count = f"{len(plan.here)} of {len(plan.targets)} native targets can be built here"
    lines = [f"next: wheelkit build{words or ' --native'}{names}            {count}"]
    host = next((row for row in plan.targets if row.builder is plans.Builder.HOST), None)
    lines += [f"the host builder is used: {host.why}"] if host else []
    lines += plan.notes
    if not plan.declared:
        default = "no matrix is declared, so these are the common targets"
        lines.append(f"{default}; declare yours in [tool.wheelkit.matrix]")
    return "\n  ".join(lines)
