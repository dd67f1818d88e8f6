"""``wheelkit release``: staging, smoke from there, production, smoke from there, tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from wheelkit import publish, release
from wheelkit.cli.option_rules import checked
from wheelkit.cli.options import (
    PATH,
    config_option,
    json_option,
    open_project,
    python_option,
    tag_option,
    verbose_option,
    wait_option,
)
from wheelkit.cli.output import completed, if_interrupted, note, result, result_json
from wheelkit.cli.progress import TerminalProgress
from wheelkit.cli.publish import RESUME, begin_upload, note_attested
from wheelkit.cli.smoke import note_skipped
from wheelkit.hints import push_tags
from wheelkit.machine.git import Repository
from wheelkit.machine.workspace import open_workspace
from wheelkit.smoke.install import Source, configured_index, require_valid
from wheelkit.text import plural

if TYPE_CHECKING:
    from pathlib import Path

    from wheelkit.publish import Index, PublishPlan, PublishResult
    from wheelkit.release import ReleaseResult
    from wheelkit.smoke.model import SmokeResult


@click.command("release")
@click.argument("dist", type=PATH)
@tag_option
@wait_option
@click.option("--until", metavar="INDEX", help="Stop after the stage on this index.")
@click.option(
    "--only",
    metavar="INDEX",
    help="Run only the stage on this index; production requires that staging has passed.",
)
@python_option
@click.option(
    "--index", metavar="URL", help="In smoke tests, install third-party packages from this index only."
)
@click.option(
    "--offline", is_flag=True, help="In smoke tests, install third-party packages from uv's cache only."
)
@verbose_option
@config_option
@json_option
@checked
def command(
    dist: Path,
    tag: str | None,
    wait: float,
    until: str | None,
    only: str | None,
    interpreters: tuple[str, ...],
    index: str | None,
    offline: bool,
    verbose: bool,
    config_file: Path | None,
    as_json: bool,
) -> None:
    """Release the family in DIST: publish to staging, test from there, then the same on production, and tag.

    Both indexes get the same bytes. The release stops at the first failure; fix it and run the command again
    to continue.
    """
    if_interrupted("this run uploaded nothing", RESUME)
    project = open_project((), config_file, tag)
    stages = release.stages(project.config.ci.indexes, lambda name: publish.resolve(name, project.config))
    request = release.ReleaseRequest(
        dist=dist,
        terms=publish.PublishTerms(
            config=project.config, family=project.family, tag_later=True, wait=wait * 60
        ),
        staging=stages[0] if project.config.ci.staging else None,
        stages=release.select(stages, until, only),
        source=Source(index=require_valid(index or ("" if offline else configured_index())), offline=offline),
        interpreters=interpreters,
        members=project.chosen,
    )
    progress = TerminalProgress(verbose=verbose)
    with open_workspace(progress, "release") as workspace:
        session = publish.open_session(workspace.log, progress)
        released = release.run_release(request, session, workspace, _StageNotes())
    if released.created_tags:
        completed(f"tagged {' '.join(tag.name for tag in released.created_tags)}")
    if as_json:
        result_json(_to_json(released))
    else:
        _show(released, Repository(folder=project.config.root).remote())


class _StageNotes(release.ReleaseObserver):
    """Prints what happens in each stage."""

    def plan(self, plan: PublishPlan) -> None:
        """Print what will be uploaded."""
        note(f"{plan.index}:")
        begin_upload(plan)

    def published(self, uploads: PublishResult) -> None:
        """Print what was uploaded."""
        count, index = len(uploads.uploaded), uploads.plan.index
        completed(f"the whole release is on {index}")
        note(f"{plural(count, 'file')} uploaded to {index}" if count else f"nothing to upload to {index}")
        note_attested(uploads)

    def smoked(self, index: Index, smoked: SmokeResult) -> None:
        """Print the outcome of the smoke test."""
        environments = plural(len(smoked.results), "environment")
        checks = plural(sum(outcome.checks for outcome in smoked.results), "check")
        note(f"smoke from {index}: {environments}, {checks}, {'all fine' if smoked.ok else 'failed'}")
        note_skipped(smoked)
        for text in smoked.notes:
            note(text)
        for outcome in smoked.results:
            for failure in outcome.failures:
                note(f"{outcome.case.title}: {failure.what}")
                note(f"{failure.detail}\n{failure.fix}".strip())


def _to_json(released: ReleaseResult) -> dict[str, Any]:
    stages = [publish.result_to_json(stage) for stage in released.stages]
    tags = [tag.name for tag in released.created_tags]
    return {"schema": 1, "release": released.release.digest, "stages": stages, "tags": tags}


def _show(released: ReleaseResult, remote: str) -> None:
    first, *others = released.release.distributions
    more = f" and {len(others)} more" if others else ""
    indexes = " and ".join(str(stage.plan.index) for stage in released.stages)
    result(f"{first}{more}: released on {indexes}")
    if released.created_tags:
        names = [tag.name for tag in released.created_tags]
        note(f"tagged {' '.join(names)}")
        if remote:
            note(f"next: {push_tags(remote, names)}")
