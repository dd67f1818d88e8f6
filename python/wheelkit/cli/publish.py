"""``wheelkit publish``: upload the family to one index, in dependency order, resumable, or nothing."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from wheelkit import publish
from wheelkit.cli.options import (
    PATH,
    config_option,
    json_option,
    open_project,
    tag_option,
    verbose_option,
    wait_option,
)
from wheelkit.cli.output import columns, completed, if_interrupted, note, result, result_json
from wheelkit.cli.progress import TerminalProgress
from wheelkit.machine.workspace import open_workspace
from wheelkit.publish.conflicts import warnings
from wheelkit.text import plural, shorten_list

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wheelkit.publish import PublishPlan, PublishResult
    from wheelkit.publish.plan import PlannedDistribution


RESUME = "run the same command again to continue"


@click.command("publish")
@click.argument("dist", type=PATH)
@tag_option
@wait_option
@click.option(
    "--to", "to", required=True, metavar="INDEX", help="testpypi, pypi, a configured index, or an upload URL."
)
@click.option(
    "--simple", metavar="URL", help="The simple index of an upload URL, if it cannot be derived from that."
)
@click.option(
    "--allow-dirty", is_flag=True, help="Allow files built with uncommitted changes; staging indexes only."
)
@click.option("--dry-run", is_flag=True, help="Show the plan and what the index already has, and stop.")
@verbose_option
@config_option
@json_option
def command(
    dist: Path,
    tag: str | None,
    wait: float,
    to: str,
    simple: str | None,
    config_file: Path | None,
    allow_dirty: bool,
    dry_run: bool,
    verbose: bool,
    as_json: bool,
) -> None:
    """Upload the family in DIST to an index.

    Wheels go before sdists, and each distribution waits until those it needs are visible. If anything fails,
    run it again to continue: no file is uploaded twice.
    """
    if_interrupted("this run uploaded nothing", RESUME)
    project = open_project((), config_file, tag)
    index = publish.resolve(to, project.config, simple=simple)
    terms = publish.PublishTerms(
        config=project.config, family=project.family, allow_dirty=allow_dirty, wait=wait * 60
    )
    progress = TerminalProgress(verbose=verbose)
    with open_workspace(progress, "publish") as workspace:
        release = publish.collect_release(
            dist, project.family, workspace.new_folder("release"), project.chosen
        )
        session = publish.open_session(workspace.log, progress)
        publish.require_publishable(release, [index], terms, session)
        if dry_run:
            options = again_options(tag=tag, simple=simple, allow_dirty=allow_dirty, config_file=config_file)
            plan = publish.plan_publication(release, index, session.client)
            show_plan(plan, as_json=as_json, dry_run=True, to=shlex.join([to, *options]))
            return
        published = publish.publish(
            release, index, session, lambda plan: begin_upload(plan, shown=not as_json)
        )
        completed(f"the whole release is on {index}")
    if as_json:
        result_json(publish.result_to_json(published))
    else:
        _show(published)


def again_options(
    *, tag: str | None, simple: str | None, allow_dirty: bool, config_file: Path | None
) -> tuple[str, ...]:
    """Return the options that a further command needs to mean the same release and index."""
    values = {"--tag": tag, "--simple": simple, "--config": config_file}
    given = [word for option, value in values.items() if value for word in (option, str(value))]
    return (*given, *(["--allow-dirty"] if allow_dirty else []))


def begin_upload(plan: PublishPlan, *, shown: bool = True) -> None:
    """Print the plan, and no longer say that nothing is uploaded if a signal comes."""
    if shown:
        show_plan(plan, as_json=False)
    if_interrupted(f"what was uploaded to {plan.index} stays there", RESUME)


def show_plan(plan: PublishPlan, *, as_json: bool, dry_run: bool = False, to: str = "") -> None:
    """Print what is on the index and what will be uploaded, in order.

    ``to`` is the index with the options of this command, for the one that follows a dry run.
    """
    if plan.release.left_out:
        others = shorten_list(plan.release.left_out)
        note(f"left out: {others}, which {_folder(plan)} has beside the project's versions")
    for text in warnings(plan):
        note(text)
    if as_json:
        result_json(publish.to_json(plan))
        return
    rows = []
    for number, planned in enumerate(plan.distributions, start=1):
        files = planned.distribution
        rows.append((str(number), files.name, files.version, _content(planned), _state(planned, plan)))
    if not dry_run:
        note(columns(rows, indent=0))
        return
    result(columns(rows))
    note("nothing was uploaded (--dry-run)")
    upload = f"wheelkit publish {_folder(plan)} --to {to}"
    note(f"next: {upload if plan.todo else _smoke_command(plan)}")


def _content(planned: PlannedDistribution) -> str:
    counts = {"wheel": len(planned.distribution.wheels), "sdist": len(planned.distribution.sdists)}
    return ", ".join(plural(count, kind) for kind, count in counts.items() if count)


def _state(planned: PlannedDistribution, plan: PublishPlan) -> str:
    present = len(planned.files) - len(planned.todo)
    parts = [f"{present} on the index with the same bytes"] if present else []
    if planned.todo:
        parts.append(f"{len(planned.todo)} to upload")
        pending = {other.distribution.key for other in plan.distributions if other.todo}
        needs = [name for name in planned.distribution.needs if name in pending]
        if needs:
            parts.append(f"after {_joined(needs)} {'is' if len(needs) == 1 else 'are'} visible")
    return ", ".join(parts)


def _joined(names: Sequence[str]) -> str:
    """Join names shortly enough for a table: ``a``, ``a and b``, or ``a and 4 more``."""
    first, *rest = names
    return f"{first} and {len(rest)} more" if len(rest) > 1 else " and ".join(names)


def _show(published: PublishResult) -> None:
    release, index = published.plan.release, published.plan.index
    if published.uploaded:
        present = len(release.files) - len(published.uploaded)
        uploaded = f"{plural(len(published.uploaded), 'file')} uploaded"
        already = f", {present} already there" if present else ""
        result(f"{plural(len(release.distributions), 'distribution')} on {index}: {uploaded}{already}")
    else:
        result(f"nothing to do: all {plural(len(release.files), 'file')} are on {index} with the same bytes")
    note_attested(published)
    note(f"next: {_smoke_command(published.plan)}")


def note_attested(published: PublishResult) -> None:
    """Print who signed the files that were uploaded, as the index serves their attestations."""
    if published.signers:
        note(f"attestations on {published.plan.index}: {published.signers}")


def _smoke_command(plan: PublishPlan) -> str:
    return f"wheelkit smoke {_folder(plan)} --from {plan.index}"


def _folder(plan: PublishPlan) -> str:
    return shlex.quote(str(plan.release.folder))
