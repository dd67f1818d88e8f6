"""``wheelkit build``: build this machine's wheels from the sdist, repair, test and verify them."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct
from msgspec.structs import replace

from wheelkit import plan as plans
from wheelkit.builders import source_date
from wheelkit.builders.dist_folder import other_versions
from wheelkit.builders.execute import BuildOutcome, execute
from wheelkit.builders.kinds import WrongKindError, setting
from wheelkit.builders.units import BuildOrder
from wheelkit.cli.cache import (
    cache_option,
    learnt_kinds,
    open_cache,
    require_compiler_cache,
    start_git_status,
    times_of,
)
from wheelkit.cli.option_rules import checked
from wheelkit.cli.options import (
    config_option,
    default_out,
    json_option,
    open_project,
    out_option,
    quiet_option,
    sources_argument,
    tag_option,
    verbose_option,
)
from wheelkit.cli.output import completed, note, result, result_json
from wheelkit.cli.plan import show_plan
from wheelkit.cli.progress import TerminalProgress
from wheelkit.cli.selectors import Selectors, selectors
from wheelkit.errors import NothingToBuildError
from wheelkit.inputs import resolved
from wheelkit.machine import facts
from wheelkit.machine.workspace import open_workspace
from wheelkit.project.kinds import Kind
from wheelkit.text import plural, shorten_list, size

if TYPE_CHECKING:
    from collections.abc import Callable

    from wheelkit.builders.kinds import LearntKinds
    from wheelkit.machine.git import PendingStatus
    from wheelkit.project.family import Family


class BuildOptions(Selectors, frozen=True, kw_only=True):
    """The values of the command line."""

    sources: tuple[Path, ...]
    tag: str | None
    out: Path
    config_file: Path | None
    dry_run: bool
    no_cache: bool
    fail_fast: bool
    compiler_cache: bool
    verbose: bool
    quiet: bool
    as_json: bool


@click.command("build")
@sources_argument
@tag_option
@selectors
@out_option
@config_option
@click.option("--dry-run", is_flag=True, help="Show the plan and stop.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first failure.")
@cache_option
@click.option(
    "--compiler-cache",
    is_flag=True,
    help="Cache compiled objects between container builds, with sccache.",
)
@verbose_option
@quiet_option
@json_option
@checked
def command(**values: Any) -> None:  # noqa: ANN401 - one for each field of BuildOptions
    """Build wheels from the sdist, then repair, test and verify them.

    Without a flag, everything that this machine can build is built. PROJECT is a member of the family, a
    folder or an sdist.

    --cross compiles for all targets on this machine: meson-python, setuptools and (for Linux only)
    scikit-build-core projects in C, C++ and Cython that use the limited API. It does not do wheels for one
    version of Python, other build backends, libraries of the system, OpenMP, Apple's frameworks, Rust and
    Fortran, nor targets other than glibc, musl (x86_64, aarch64), macOS and 64-bit Windows. A setup.py that
    asks sys.platform is told of this machine. wheelkit smoke --emulate tries the wheels.
    """
    options = BuildOptions(**values)
    source_date.require_valid()
    engines = facts.start_engine_queries()
    project = open_project(options.sources, options.config_file, options.tag)
    git_status = None if options.no_cache else start_git_status(project.family)
    request = plans.PlanRequest(
        machine=facts.detect(engines=engines),
        out=resolved(options.out),
        builder=options.forced_builder(project.family, project.config),
        targets=options.targets,
        identifiers=options.identifiers,
        compiler_cache=require_compiler_cache() if options.compiler_cache else None,
    )
    kinds = learnt_kinds(project.config)
    family = kinds.apply(project.family)
    plan = plans.make_plan(project.config, family, request)
    if options.dry_run:
        show_plan(plan, git_status, project.chosen, options, as_json=options.as_json)
        return
    order = BuildOrder(
        plan=plan,
        selection=options.selection(project.chosen),
        config=project.config,
        fail_fast=options.fail_fast,
    )

    def plan_again(family: Family) -> plans.Plan:
        return plans.make_plan(project.config, family, request)

    try:
        built = _execute(order, options, git_status, Correction(kinds=kinds, plan=plan_again))
    except NothingToBuildError as error:
        # In CI, a tag starts the jobs of all systems.
        if options.tag is None:
            raise
        note(f"{error.message}; there is nothing to do here for {options.tag}")
        built = BuildOutcome(files=(), manifests=())
    completed(f"{options.out} has {plural(len(built.files), 'built file')}, with manifests")
    if others := other_versions(request.out, built.manifests):
        out = "" if options.out == default_out() else f" --out {shlex.quote(str(options.out))}"
        note(
            f"{options.out} also has {shorten_list(others)}, which publish leaves out;"
            f" to remove what is outdated:  wheelkit clean --old{out}"
        )
    if options.cross:
        note("cross builds are experimental: the wheels were verified from their bytes, but not run;")
        note(f"to run them under emulators:  wheelkit smoke {shlex.quote(str(options.out))} --emulate")
    _show(built, as_json=options.as_json)


class Correction(Struct, frozen=True, kw_only=True):
    """Plans again with the kind that a first wheel shows."""

    kinds: LearntKinds
    plan: Callable[[Family], plans.Plan]

    def order(self, order: BuildOrder, error: WrongKindError) -> BuildOrder:
        """Return the order with the kind and the wheel of the error; raise it where the kind is not open."""
        family = self.kinds.learn(order.plan.family, error)
        if error.key in order.first_wheels:
            raise error
        member = family.members[error.key]
        what = "for one platform" if error.kind is Kind.NATIVE else "for every platform"
        note(
            f"the wheel of {member.name} is {what}, so it is built as {error.kind}; to say so elsewhere too:"
            f'  {setting(member)} kind = "{error.kind}"'
        )
        wheels = {**order.first_wheels, **({error.key: error.wheel} if error.wheel else {})}
        return replace(order, plan=self.plan(family), first_wheels=wheels)


def _execute(
    order: BuildOrder, options: BuildOptions, git_status: PendingStatus | None, correction: Correction
) -> BuildOutcome:
    """Execute the order; each first wheel of another kind than its distribution corrects the plan once."""
    progress = TerminalProgress(verbose=options.verbose, quiet=options.quiet, times=times_of(order.plan))
    with open_workspace(progress, "build") as workspace:
        for _ in order.plan.family.distributions:
            try:
                cache = open_cache(order.plan, git_status, no_cache=options.no_cache)
                return execute(order, cache, workspace)
            except WrongKindError as error:
                order = correction.order(order, error)
        return execute(order, open_cache(order.plan, git_status, no_cache=options.no_cache), workspace)


def _show(built: BuildOutcome, *, as_json: bool) -> None:
    if as_json:
        result_json({"schema": 1, "manifests": built.manifests})
        return
    for path in built.files:
        shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
        result(f"{shown}   {size(path.stat().st_size)}")
