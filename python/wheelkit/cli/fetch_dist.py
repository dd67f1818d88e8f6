"""``wheelkit fetch-dist``: bring the files of a release back into the dist folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelkit.builders.dist_folder import Delivery, deliver, require_writable
from wheelkit.cli.options import config_option, json_option, open_project, out_option, verbose_option
from wheelkit.cli.output import completed, note, result, result_json
from wheelkit.cli.progress import TerminalProgress
from wheelkit.errors import UsageError
from wheelkit.inputs import resolved
from wheelkit.machine.git import Repository
from wheelkit.machine.workspace import open_workspace
from wheelkit.publish import fetch_dist
from wheelkit.publish.client import Client
from wheelkit.publish.index import resolve
from wheelkit.text import plural, printable

if TYPE_CHECKING:
    from wheelkit.cli.options import OpenProject
    from wheelkit.machine.workspace import Workspace


@click.command("fetch-dist")
@click.argument("names", metavar="[NAME]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--from",
    "origin",
    metavar="INDEX|FOLDER|ZIP",
    help="An index, or a folder or zip archive of CI artifacts with their manifests."
    "  [default: the production index]",
)
@click.option(
    "--commit", metavar="COMMIT", help="The commit that an index's files were built from, as far as you know."
)
@out_option
@verbose_option
@config_option
@json_option
def command(
    names: tuple[Path, ...],
    origin: str | None,
    commit: str | None,
    out: Path,
    verbose: bool,
    config_file: Path | None,
    as_json: bool,
) -> None:
    """Fetch the files of a release into the dist folder, in place of what was built there.

    Without a NAME, the whole family is fetched, in the project's versions. Files from an index have no
    manifest: they can be published where they are already and on staging indexes, and elsewhere with
    --commit.
    """
    project = open_project(names, config_file)
    if names and not project.chosen:
        raise UsageError(
            "fetch-dist takes members of this project's family", hint="wheelkit version show  lists them"
        )
    require_writable(resolved(out))
    with open_workspace(TerminalProgress(verbose=verbose), "fetch") as workspace:
        units = _fetch(project, origin or project.config.ci.production, commit, resolved(out), workspace)
        deliveries = [Delivery(files=unit.files, record=unit.record) for unit in units]
        paths = deliver(deliveries, resolved(out)) if units else ()
    if paths:
        completed(f"{out} has {plural(len(paths), 'fetched file')}, with manifests")
    if as_json:
        result_json({"schema": 1, "files": [path.name for path in paths]})
        return
    for path in paths:
        result(printable(str(out / path.name)))
    if not paths:
        note(f"{out}/ has these files already, with the same bytes")


def _fetch(
    project: OpenProject, origin: str, commit: str | None, out: Path, workspace: Workspace
) -> tuple[fetch_dist.FetchedUnit, ...]:
    config, family, folder = project.config, project.family, workspace.new_folder("fetched")
    path = Path(origin)
    if origin not in config.index and path.exists():
        if commit is not None:
            raise UsageError("--commit is for an index's files; artifacts have manifests that name theirs")
        return fetch_dist.fetch_from_artifacts(path, family, project.chosen, folder)
    source = fetch_dist.IndexSource(
        index=resolve(origin, config),
        client=Client(note=workspace.progress.note),
        commit=_full_commit(config.root, commit) if commit is not None else "",
    )
    return fetch_dist.fetch_from_index(family, project.chosen, source, out, folder)


def _full_commit(root: Path, text: str) -> str:
    """Return a commit's whole name; raise UsageError where there is none."""
    commit = Repository(folder=root).line("rev-parse", "--verify", "--quiet", f"{text}^{{commit}}")
    if not commit:
        raise UsageError(f"--commit {text}: there is no such commit here", hint="git log --oneline")
    return commit
