"""``wheelkit release``: staging, smoke from there, production, smoke from there, tags."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from wheelkit.cli.options import config_option, json_option, open_project
from wheelkit.cli.output import note, result, result_json
from wheelkit.cli.progress import TerminalProgress
from wheelkit.cli.publish import show_plan
from wheelkit.release import ReleaseObserver

if TYPE_CHECKING:
    from wheelkit.publish import Index, PublishPlan, PublishResult
    from wheelkit.release import ReleaseResult
    from wheelkit.smoke.install import Source
    from wheelkit.smoke.model import SmokeResult


@click.command("release")
@click.argument("dist", type=click.Path(path_type=Path))
@click.option("--until", metavar="INDEX", help="Stop after the stage on this index.")
@click.option(
    "--only",
    metavar="INDEX",
    help="Run the stage on this index alone; production needs to know that staging has passed.",
)
@click.option(
    "--python",
    "interpreters",
    multiple=True,
    metavar="TAG",
    help="Smoke on this interpreter alone; can be repeated.",
)
@click.option("--index", metavar="URL", help="The one index that third parties come from in smoke tests.")
@click.option("--offline", is_flag=True, help="In smoke tests, third parties from uv's cache alone.")
@click.option("-v", "--verbose", is_flag=True, help="Show every command that runs.")
@config_option
@json_option
def command(
    dist: Path,
    until: str | None,
    only: str | None,
    interpreters: tuple[str, ...],
    index: str | None,
    offline: bool,
    verbose: bool,
    config_file: Path | None,
    as_json: bool,
) -> None:
    """Release the family in DIST: the staging index, smoke from there, the same bytes to production, smoke from there, and the tags.

    It stops at the first thing that is wrong; run it again when that is mended.
    """
    from wheelkit import publish, release
    from wheelkit.machine.workspace import open_workspace

    project = open_project((), config_file)
    indexes = (project.config.ci.staging, project.config.ci.production)
    staging, production = release.stages(indexes, lambda name: publish.resolve(name, project.config))
    staging = replace(staging, staging=True)
    request = release.ReleaseRequest(
        terms=publish.PublishTerms(folder=dist, config=project.config, family=project.family, tag_later=True),
        staging=staging,
        stages=release.select((staging, production), until, only),
        source=_source(index, offline=offline),
        interpreters=interpreters,
    )
    steps = TerminalProgress(verbose=verbose)
    with open_workspace(steps, "release") as shop:
        means = release.ReleaseContext(
            room=publish.open_session(shop.log, steps), shop=shop, audience=_Screen()
        )
        done = release.run_release(request, means)
    _show(done, as_json=as_json)


def _source(index: str | None, *, offline: bool) -> Source:
    from wheelkit.smoke.install import Source, configured_index

    return Source(index=index or ("" if offline else configured_index()), offline=offline)


class _Screen(ReleaseObserver):
    """Shows each stage as it goes by."""

    def plan(self, plan: PublishPlan) -> None:
        """Show what is to be uploaded."""
        note(f"{plan.index}:")
        show_plan(plan, as_json=False)

    def published(self, done: PublishResult) -> None:
        """Show what was uploaded."""
        count = len(done.uploaded)
        note(
            f"{count} file{'' if count == 1 else 's'} uploaded to {done.plan.index}"
            if count
            else f"nothing to upload to {done.plan.index}"
        )

    def smoked(self, index: Index, smoked: SmokeResult) -> None:
        """Show how the family worked."""
        checks = sum(outcome.checks for outcome in smoked.outcomes)
        note(
            f"smoke from {index}: {len(smoked.outcomes)} environments, {checks} checks, {'all fine' if smoked.ok else 'not fine'}"
        )
        if smoked.skipped:
            note(f"skipped, because they are not on this machine: {', '.join(smoked.skipped)}")
        for outcome in smoked.outcomes:
            for failure in outcome.failures:
                note(
                    "\n".join(
                        filter(None, [f"{outcome.case.title}: {failure.what}", failure.detail, failure.fix])
                    )
                )


def _show(done: ReleaseResult, *, as_json: bool) -> None:
    if as_json:
        from wheelkit.publish import to_json

        stages = [{**to_json(one.plan), "uploaded": list(one.uploaded)} for one in done.stages]
        result_json(
            {
                "schema": 1,
                "release": done.release.digest,
                "stages": stages,
                "tags": [one.name for one in done.made],
            }
        )
        return
    names = " and ".join(f"{one.name} {one.version}" for one in done.release.batches[:1])
    more = len(done.release.batches) - 1
    family = f"{names}{f' and {more} more' if more else ''}"
    result(f"{family}: released on {' and '.join(str(one.plan.index) for one in done.stages)}")
    if done.made:
        tags = " ".join(one.name for one in done.made)
        note(f"tagged {tags}; next:  git push origin {tags}")
