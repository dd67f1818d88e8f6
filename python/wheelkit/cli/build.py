"""``wheelkit build``: this machine's wheels, built from the sdist, repaired, tested and proven."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from wheelkit import plan
from wheelkit.builders.execute import execute
from wheelkit.builders.units import BuildOrder, Selection
from wheelkit.cli.cache import ask_git, cache_option, open_cache, require_compiler_cache, times_of
from wheelkit.cli.options import config_option, json_option, open_project, out_option, sources_argument
from wheelkit.cli.output import note, result, result_json, size
from wheelkit.cli.plan import BUILDER_OPTION
from wheelkit.cli.plan import show as show_plan
from wheelkit.cli.progress import TerminalProgress
from wheelkit.errors import UsageError

if TYPE_CHECKING:
    from wheelkit.builders.execute import BuildOutcome
    from wheelkit.cli.options import OpenProject
    from wheelkit.machine.git import PendingStatus
    from wheelkit.machine.workspace import Workspace


@click.command("build")
@sources_argument
@click.option("--native", is_flag=True, help="The native wheels that this machine can build.")
@click.option("--pure", is_flag=True, help="The wheels of distributions without native code.")
@click.option("--sdist", is_flag=True, help="The sdists.")
@click.option(
    "--cross",
    is_flag=True,
    help="Experimental: the wheels of every target, made by zig on this machine; none of them is run.",
)
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="TARGET",
    help="Of the native wheels, only those for this target; repeatable.",
)
@out_option
@config_option
@BUILDER_OPTION
@click.option("--dry-run", is_flag=True, help="Show the plan and stop.")
@cache_option
@click.option(
    "--compiler-cache",
    is_flag=True,
    help="In containers, keep compiled objects between builds, with sccache.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show every command that runs.")
@json_option
def command(
    sources: tuple[Path, ...],
    native: bool,
    pure: bool,
    sdist: bool,
    cross: bool,
    targets: tuple[str, ...],
    out: Path,
    config_file: Path | None,
    builder: str,
    dry_run: bool,
    no_cache: bool,
    compiler_cache: bool,
    verbose: bool,
    as_json: bool,
) -> None:
    """Build wheels from the sdist, repair, test and prove them; with no flag, all that this machine can build."""
    from wheelkit.machine import facts

    engines = facts.start_engine_queries()
    project = open_project(sources, config_file)
    asking = None if no_cache else ask_git(project.family)
    forced = _forced(project, builder, cross=cross, native=native)
    promised = plan.promised_matrix(project.config, project.family)
    request = plan.PlanRequest(
        machine=facts.detect(engines=engines), out=out.resolve(), builder=forced, targets=targets
    )
    if compiler_cache:
        request = replace(request, compiler_cache=require_compiler_cache())
    made = plan.make_plan(project.config, project.family, request, promised)
    if dry_run:
        show_plan(made, asking, project.chosen, as_json=as_json)
        return
    everything = not (native or pure or sdist or cross or targets)
    selection = Selection(
        native=native or cross or bool(targets) or everything,
        pure=pure or everything,
        sdist=sdist or everything,
        names=frozenset(project.chosen),
    )
    order = BuildOrder(plan=made, selection=selection, config=project.config)
    built = _execute(
        order, TerminalProgress(verbose=verbose, times=times_of(made)), asking, no_cache=no_cache
    )
    if cross:
        note(
            "cross builds are experimental: these wheels were proven from their bytes, and not run; what is promised are native builds"
        )
    _show(built, as_json=as_json)


def _forced(project: OpenProject, builder: str, *, cross: bool, native: bool) -> plan.Builder | None:
    """Choose the builder that was asked for; what cross builds cannot do is told here, before anything is built."""
    if not cross:
        return None if builder == "auto" else plan.Builder(builder)
    if native or builder != "auto":
        other = "--native" if native else f"--builder {builder}"
        raise UsageError(
            f"--cross and {other} both make the native wheels",
            hint="choose one of them; each target has one wheel in dist/",
        )
    from wheelkit.builders.cross import require_supported

    require_supported(project.family.native)
    return plan.Builder.CROSS


def _execute(
    order: BuildOrder, steps: TerminalProgress, asking: PendingStatus | None, *, no_cache: bool
) -> BuildOutcome:
    from contextlib import ExitStack

    cache = open_cache(order.plan, asking, no_cache=no_cache)
    with ExitStack() as stack:

        def open_shop() -> Workspace:
            from wheelkit.machine.workspace import open_workspace

            return stack.enter_context(open_workspace(steps, "build"))

        return execute(order, cache, steps, open_shop)


def _show(built: BuildOutcome, *, as_json: bool) -> None:
    if as_json:
        import json

        result_json({"schema": 1, "manifests": [json.loads(one.to_json()) for one in built.manifests]})
        return
    for path in built.files:
        shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
        result(f"{shown}   {size(path.stat().st_size)}")
