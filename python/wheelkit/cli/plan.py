"""``wheelkit plan``: what is built here, what elsewhere and on which runner, by which builder, in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wheelkit import machine, plan
from wheelkit.cli import caching
from wheelkit.cli.context import config_option, json_option, open_project, out_option, sources_argument
from wheelkit.cli.screen import columns, result, result_json

if TYPE_CHECKING:
    from pathlib import Path

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
def command(sources: tuple[Path, ...], out: Path, config_file: Path | None, builder: str, as_json: bool) -> None:
    """Show what is built here, what elsewhere and on which runner, and in which order."""
    made = make(sources, out, config_file, builder)
    show(made, as_json=as_json)


def show(made: Plan, *, as_json: bool) -> None:
    """Show a plan, with what of it the cache holds."""
    found = caching.prospects(made)
    if as_json:
        result_json({**plan.to_json(made), "cache": caching.to_json(found)})
    else:
        result(text(made, caching.table(found)))


def make(sources: tuple[Path, ...], out: Path, config_file: Path | None, builder: str) -> Plan:
    """Plan for the named projects on this machine."""
    engines = machine.ask_engines()
    project = open_project(sources, config_file)
    forced = None if builder == "auto" else plan.Builder(builder)
    request = plan.Request(machine=machine.detect(engines=engines), out=out.resolve(), builder=forced)
    return plan.make(project.config, project.family, request)


def text(made: Plan, cached: str = "") -> str:
    """Render the plan for people: the order of the family, the targets, what is cached, and the next step."""
    head = made.family.distributions[-1]
    family = f"family of {len(made.family.distributions)} · " if len(made.family.distributions) > 1 else ""
    title = f"{head.name} {head.version or '(version from its build)'} · {family}{made.out.name}/"
    return "\n\n".join(filter(None, [title, _order(made), _targets(made), cached, _next(made)]))


def _order(made: Plan) -> str:
    rows = [("order", "distribution", "kind", "version", "needs")]
    for number, item in enumerate(made.family.distributions, 1):
        needs = ", ".join(made.family.siblings(item)) or "-"
        rows.append((str(number), item.name, item.kind.value, item.version or "dynamic", needs))
    return columns(rows)


def _targets(made: Plan) -> str:
    if not made.targets:
        return ""
    limited = all(item.limited_api for item in made.family.native)
    rows = [("target", "abi", "here", "on CI")]
    for row in made.targets:
        engine = f" ({made.machine.engine})" if row.builder is plan.Builder.CIBUILDWHEEL and made.machine.engine else ""
        here = f"{row.builder.value}{engine}" if row.builder else "-"
        rows.append((row.target.tag, "abi3" if limited else "per version", here, str(row.runner or "no hosted runner")))
    return columns(rows)


def _next(made: Plan) -> str:
    if not made.targets:
        return "next: wheelkit build"
    count = f"{len(made.here)} of {len(made.targets)} native targets can be built here"
    host = next((row for row in made.targets if row.builder is plan.Builder.HOST), None)
    why = f"\n  the host builder is used: {host.why}" if host else ""
    undeclared = (
        "" if made.declared else "\n  no matrix is declared, so these are the common targets, not a promise: [tool.wheelkit.matrix] targets"
    )
    return f"next: wheelkit build --native            {count}{why}{undeclared}"
