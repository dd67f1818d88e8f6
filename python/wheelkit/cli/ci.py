"""``wheelkit ci``: write the CI workflows that follow from the configuration, or check that they still do."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from wheelkit import workflows
from wheelkit.cli.option_rules import checked
from wheelkit.cli.options import config_option, json_option, open_project
from wheelkit.cli.output import completed, note, result, result_json
from wheelkit.project.ci import publishers
from wheelkit.workflows.github import RELEASE_FILE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wheelkit.workflows import Drift, GeneratedFile


@click.command("ci")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a workflow is out of date.")
@click.option(
    "--matrix", is_flag=True, help="Print the matrix of native jobs as JSON, for your own workflow."
)
@click.option(
    "--provider",
    type=click.Choice(list(workflows.PROVIDERS)),
    default="github",
    show_default=True,
    help="The CI service.",
)
@config_option
@json_option
@checked
def command(check: bool, matrix: bool, provider: str, config_file: Path | None, as_json: bool) -> int:
    """Write the CI workflows: one for pull requests, one that builds, verifies and publishes releases."""
    project = open_project((), config_file)
    plan = workflows.plan_anywhere(project.config, project.family)
    blueprint = workflows.blueprint(project.config, plan, workflows.PROVIDERS[provider].label)
    if matrix:
        result(json.dumps(workflows.matrix_json(blueprint)))
        return 0
    if blueprint.left_out:
        note(
            f"left out, since no hosted runner builds them: {', '.join(blueprint.left_out)}; "
            "declare the targets you support in [tool.wheelkit.matrix]"
        )
    root = project.family.root
    files = workflows.generate(blueprint, provider, root)
    drifts = workflows.compare(files, root)
    if not check:
        workflows.write(files)
        completed("the workflows are written")
    today = datetime.now(UTC).date()
    retiring = workflows.retiring_runners(plan.targets, today) if provider == "github" else ()
    for runner in retiring:
        note(f"{runner}\n  {runner.remedy}")
    for label, hint in (
        workflows.unknown_labels(project.config.runner.values()) if provider == "github" else ()
    ):
        note(f"the runner {label} is not one of GitHub's{hint}\n  list your own in .github/actionlint.yaml")
    if provider == "github":
        _note_second(root)
    if as_json:
        states = [{"path": file.path.relative_to(root).as_posix(), "fresh": file.fresh} for file in files]
        result_json({"schema": 1, "files": states, "drift": drifts, "runners": retiring})
    elif check:
        _show_drifts(drifts)
    else:
        _show_files(files, root)
        note_foreign(files, root)
    return 1 if check and drifts else 0


def _note_second(root: Path) -> None:
    """Tell of workflows of the project's own that publish the same tags."""
    for publisher in publishers(root):
        note(f"{publisher} publishes the same tags as {RELEASE_FILE}; keep one of the two")


def _show_drifts(drifts: Sequence[Drift]) -> None:
    for drift in drifts:
        result(f"{drift}\n{drift.diff}")
    if drifts:
        note("these files no longer follow from the configuration; update them: wheelkit ci")


def _show_files(files: Sequence[GeneratedFile], root: Path) -> None:
    for file in files:
        state = "yours, left unchanged" if file.foreign else "unchanged" if file.fresh else "written"
        result(f"{file.path.relative_to(root)}   {state}")


def note_foreign(files: Sequence[GeneratedFile], root: Path) -> None:
    """Print what to do about workflows that wheelkit did not write and so leaves unchanged."""
    for file in files:
        if file.foreign:
            path = file.path.relative_to(root)
            note(f"{path} is your own and was left unchanged; add this step, or move it away:")
            note("python -m wheelkit ci --check")
