"""``wheelkit publish``: the family onto one index, in dependency order, resumable, or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelkit.cli.options import config_option, json_option, open_project
from wheelkit.cli.output import columns, note, result, result_json
from wheelkit.cli.progress import TerminalProgress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wheelkit.publish import PublishPlan, PublishResult
    from wheelkit.publish.plan import PlannedBatch


@click.command("publish")
@click.argument("dist", type=click.Path(path_type=Path))
@click.option(
    "--to",
    "to",
    required=True,
    metavar="INDEX",
    help="testpypi, pypi, an index of the configuration, or an upload address.",
)
@click.option(
    "--simple",
    metavar="URL",
    help="Where installers look, for an upload address from which that does not follow.",
)
@click.option(
    "--allow-dirty",
    is_flag=True,
    help="On a staging index: take files that were built with uncommitted changes.",
)
@click.option("--dry-run", is_flag=True, help="Show the plan, with what the index has already, and stop.")
@click.option("-v", "--verbose", is_flag=True, help="Show every command that runs.")
@config_option
@json_option
def command(
    dist: Path,
    to: str,
    simple: str | None,
    config_file: Path | None,
    allow_dirty: bool,
    dry_run: bool,
    verbose: bool,
    as_json: bool,
) -> None:
    """Upload the family in DIST: wheels before sdists, each distribution once what it needs is visible, the same bytes or nothing.

    Run it again after anything that went wrong: it goes on from there, and never sends a file twice.
    """
    from wheelkit import publish
    from wheelkit.machine.workspace import open_workspace

    project = open_project((), config_file)
    index = publish.resolve(to, project.config, simple=simple)
    release = publish.collect_release(dist, project.family)
    steps = TerminalProgress(verbose=verbose)
    with open_workspace(steps, "publish") as shop:
        room = publish.open_session(shop.log, steps)
        terms = publish.PublishTerms(
            folder=dist, config=project.config, family=project.family, allow_dirty=allow_dirty
        )
        publish.require_publishable(release, [index], terms, room.run)
        if dry_run:
            show_plan(publish.survey(release, index, room.client), as_json=as_json, dry=True)
            return
        done = publish.publish(
            release, index, room, lambda plan: None if as_json else show_plan(plan, as_json=False)
        )
    _show(done, as_json=as_json)


def show_plan(plan: PublishPlan, *, as_json: bool, dry: bool = False) -> None:
    """Print what is on the index and what is to be uploaded, in order."""
    from wheelkit.publish import to_json
    from wheelkit.publish.conflicts import warnings

    for text in warnings(plan):
        note(text)
    if as_json:
        result_json(to_json(plan))
        return
    (result if dry else note)(columns(_rows(plan), indent=2 if dry else 0))
    if dry:
        note("nothing was uploaded (--dry-run)")
        note(
            f"next: wheelkit publish {_folder(plan)} --to {plan.index}"
            if plan.todo
            else f"next: {_afterwards(plan)}"
        )


def _rows(plan: PublishPlan) -> Iterator[tuple[str, ...]]:
    for number, one in enumerate(plan.batches, start=1):
        yield str(number), one.batch.name, one.batch.version, _content(one), _standing(one, plan)


def _content(one: PlannedBatch) -> str:
    words = [_counted(len(one.batch.wheels), "wheel"), _counted(len(one.batch.sdists), "sdist")]
    return ", ".join(word for word in words if not word.startswith("0"))


def _standing(one: PlannedBatch, plan: PublishPlan) -> str:
    there = len(one.files) - len(one.todo)
    words = [f"{there} on the index with the same bytes"] if there else []
    words += [f"{len(one.todo)} to upload"] if one.todo else []
    pending = {other.batch.distribution for other in plan.batches if other.todo}
    needs = [name for name in one.batch.needs if name in pending]
    words += (
        [f"after {_listed(needs)} {'is' if len(needs) == 1 else 'are'} visible"] if one.todo and needs else []
    )
    return ", ".join(words)


def _listed(names: Sequence[str]) -> str:
    """Say ``a``, ``a and b``, or ``a and 4 more``, which is what fits on a line."""
    first, *rest = names
    return f"{first} and {len(rest)} more" if len(rest) > 1 else " and ".join(names)


def _counted(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"


def _show(done: PublishResult, *, as_json: bool) -> None:
    if as_json:
        from wheelkit.publish import to_json

        result_json({**to_json(done.plan), "uploaded": list(done.uploaded)})
        return
    release, index = done.plan.release, done.plan.index
    resumed = len(release.files) - len(done.uploaded)
    more = f", {resumed} there already" if resumed else ""
    result(
        f"{_counted(len(release.batches), 'distribution')} on {index}: {_counted(len(done.uploaded), 'file')} uploaded{more}"
        if done.uploaded
        else f"nothing to do: all {_counted(len(release.files), 'file')} are on {index} with the same bytes"
    )
    note(f"next: {_afterwards(done.plan)}")


def _afterwards(plan: PublishPlan) -> str:
    """Name what is to be done once all is on an index."""
    return f"wheelkit smoke {_folder(plan)} --from {plan.index}"


def _folder(plan: PublishPlan) -> str:
    import shlex

    return next((shlex.quote(str(one.path.parent)) for one in plan.release.files), "dist")
