"""``wheelkit plan``: what is built here, what elsewhere and on which runner, by which builder, in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from msgspec import Struct

from wheelkit import plan
from wheelkit.cli import cache
from wheelkit.cli.options import config_option, json_option, open_project, out_option, sources_argument
from wheelkit.cli.output import columns, result, result_json
from wheelkit.machine import facts

if TYPE_CHECKING:
    from pathlib import Path

    from wheelkit.machine.git import PendingStatus
    from wheelkit.plan import Plan


BUILDER_OPTION = click.option(
    "--builder",
    type=click.Choice(["auto", plan.Builder.CIBUILDWHEEL.value, plan.Builder.HOST.value]),
    default="auto",
    show_default=True,
    help="What builds on Linux: cibuildwheel in a container, or this host.",
)


@click.command("plan")
@sources_argument
@out_option
@config_option
@BUILDER_OPTION
@json_option
def command(
    sources: tuple[Path, ...], out: Path, config_file: Path | None, builder: str, as_json: bool
) -> None:
    """Show what is built here, what elsewhere and on which runner, and in which order."""
    engines = facts.start_engine_queries()
    project = open_project(sources, config_file)
    asking = cache.ask_git(project.family)
    promised = plan.promised_matrix(project.config, project.family)
    forced = None if builder == "auto" else plan.Builder(builder)
    request = plan.PlanRequest(machine=facts.detect(engines=engines), out=out.resolve(), builder=forced)
    show(
        plan.make_plan(project.config, project.family, request, promised),
        asking,
        project.chosen,
        as_json=as_json,
    )


def show(made: Plan, asking: PendingStatus | None, chosen: tuple[str, ...], *, as_json: bool) -> None:
    """Show a plan, with what of it the cache holds; where members of the family are chosen, only these and what they need."""
    found = cache.cache_statuses(made, asking)
    part = _part(made, chosen)
    if chosen:
        made = plan.only(made, part.built, part.needed)
        found = tuple(one for one in found if one.unit.distribution.key in part.built)
    if as_json:
        result_json({**plan.to_json(made), "cache": cache.to_json(found)})
    else:
        result(text(made, cache.table(found), part))


class PlanSelection(Struct, frozen=True, kw_only=True):
    """The members of the family that were named, what is built on the way to them, and all that they need; normalised names."""

    chosen: tuple[str, ...] = ()
    serving: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()

    @property
    def built(self) -> tuple[str, ...]:
        """What a build of the named ones makes."""
        return (*self.chosen, *self.serving)


def _part(made: Plan, chosen: tuple[str, ...]) -> PlanSelection:
    if not chosen:
        return PlanSelection()
    from wheelkit.builders.siblings import needed

    members, found, waiting = made.family.members, set[str](), list(chosen)
    while waiting:
        key = waiting.pop()
        if key not in found:
            found.add(key)
            waiting += [*made.family.siblings(members[key]), *needed(members[key], made.family)]
    serving = {key for name in chosen for key in needed(members[name], made.family)} - {*chosen}
    order = [key for key in members if key in found]
    return PlanSelection(
        chosen=tuple(key for key in order if key in chosen),
        serving=tuple(key for key in order if key in serving),
        needed=tuple(key for key in order if key not in chosen),
    )


def text(made: Plan, cached: str, part: PlanSelection) -> str:
    """Render the plan for people: the order of the family, the targets, what is cached, and the next step."""
    head = made.family.distributions[-1]
    shown = len(made.family.distributions)
    count = shown + len(made.left_out)
    family = f"{f'{shown} of a ' if made.left_out else ''}family of {count} · " if count > 1 else ""
    title = f"{head.name} {head.version or '(version from its build)'} · {family}{made.out.name}/"
    return "\n\n".join(
        filter(None, [title, _order(made), _others(made, part), _targets(made), cached, _next(made, part)])
    )


def _order(made: Plan) -> str:
    rows = [("order", "distribution", "kind", "version", "needs")]
    for number, item in enumerate(made.family.distributions, 1):
        needs = ", ".join(made.family.siblings(item)) or "-"
        rows.append((str(number), item.name, item.kind.value, item.version or "dynamic", needs))
    return columns(rows)


def _others(made: Plan, part: PlanSelection) -> str:
    """Say, where members were named, what becomes of the others."""
    members = made.family.members
    lines = {
        "built on the way, not delivered": [members[key].name for key in part.serving],
        "needed to run, not built": [members[key].name for key in part.needed if key not in part.serving],
        "left out (wheelkit plan shows all)": made.left_out,
    }
    return "\n".join(f"  {what}: {', '.join(names)}" for what, names in lines.items() if names)


def _targets(made: Plan) -> str:
    if not made.targets:
        return ""
    import shutil

    abi = "abi3" if all(item.limited_api for item in made.family.native) else "per version"
    wide, narrow = [("target", "abi", "here", "on CI")], [("target", "here", "on CI")]
    for row in made.targets:
        engine = (
            f" ({made.machine.engine})"
            if row.builder is plan.Builder.CIBUILDWHEEL and made.machine.engine
            else ""
        )
        here, runner = row.builder.value if row.builder else "-", str(row.runner or "no hosted runner")
        wide.append((row.target.tag, abi, f"{here}{engine}", runner))
        narrow.append((row.target.tag, here, runner))
    table = columns(wide)
    fits = max(map(len, table.splitlines())) <= shutil.get_terminal_size((_ENDLESS, 24)).columns
    return table if fits else columns(narrow)


# Where no terminal says how wide it is.
_ENDLESS = 1000


def _next(made: Plan, part: PlanSelection) -> str:
    members = made.family.members
    names = "".join(f" {members[key].name}" for key in part.chosen)
    if not made.targets or not any(members[key] in made.family.native for key in part.chosen or members):
        return f"next: wheelkit build{names}"
    count = f"{len(made.here)} of {len(made.targets)} native targets can be built here"
    host = next((row for row in made.targets if row.builder is plan.Builder.HOST), None)
    why = f"\n  the host builder is used: {host.why}" if host else ""
    why += "".join(f"\n  {note}" for note in made.notes)
    undeclared = (
        ""
        if made.declared
        else "\n  no matrix is declared, so these are the common targets, not a promise: [tool.wheelkit.matrix] targets"
    )
    return f"next: wheelkit build --native{names}            {count}{why}{undeclared}"
