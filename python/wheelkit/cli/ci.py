"""``wheelkit ci``: write the CI workflows that follow from the configuration, or check that they still do."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import click

from wheelkit import workflows
from wheelkit.cli.options import config_option, json_option, open_project
from wheelkit.cli.output import note, result, result_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wheelkit.workflows import Drift, GeneratedFile, RetiringRunner


@click.command("ci")
@click.option(
    "--check", is_flag=True, help="Change nothing; fail where a file does not follow from the configuration."
)
@click.option(
    "--matrix", is_flag=True, help="Print the matrix of the native jobs as JSON, for a workflow of your own."
)
@click.option(
    "--provider",
    type=click.Choice(list(workflows.PROVIDERS)),
    default="github",
    show_default=True,
    help="Whose CI it is.",
)
@config_option
@json_option
def command(check: bool, matrix: bool, provider: str, config_file: Path | None, as_json: bool) -> int:
    """Write the workflows: for pull requests, and for releases from the build on every runner to the production index."""
    project = open_project((), config_file)
    planned = workflows.plan_anywhere(project.config, project.family)
    made = workflows.blueprint(project.config, planned, workflows.PROVIDERS[provider].label)
    if matrix:
        result(json.dumps(workflows.matrix_json(made)))
        return 0
    if made.left_out:
        note(
            f"no hosted runner builds {', '.join(made.left_out)}; no matrix is declared, so it goes without: [tool.wheelkit.matrix] targets"
        )
    root = project.family.root
    files = workflows.generate(made, provider, root)
    drifts = workflows.compare(files, root)
    if not check:
        workflows.write(files)
    ending = workflows.retiring_runners(planned.targets, _today()) if provider == "github" else ()
    for one in ending:
        note(f"{one}\n  {one.remedy}")
    if as_json:
        result_json(_document(files, drifts, ending, root))
    else:
        _show(files, drifts, root, check=check)
    return 1 if check and drifts else 0


def _today() -> date:
    return datetime.now(UTC).date()


def _show(files: Sequence[GeneratedFile], drifts: Sequence[Drift], root: Path, *, check: bool) -> None:
    if check:
        for drift in drifts:
            result(f"{drift}\n{drift.diff}")
        if drifts:
            note("these files do not follow from the configuration any more: wheelkit ci writes them")
        return
    for one in files:
        state = "yours, left as it is" if one.foreign else "as it was" if one.fresh else "written"
        result(f"{one.path.relative_to(root)}   {state}")
    for one in files:
        if one.foreign:
            note(left_alone(one.path.relative_to(root)))


def left_alone(path: Path) -> str:
    """Say what becomes of a workflow that the project has already, and what it is to do in wheelkit's stead."""
    return f"{path} is your own and stays; what it should do as well:  python -m wheelkit ci --check   (or move it away, then: wheelkit ci)"


def _document(
    files: Sequence[GeneratedFile], drifts: Sequence[Drift], ending: Sequence[RetiringRunner], root: Path
) -> dict[str, Any]:
    return {
        "schema": 1,
        "files": [{"path": one.path.relative_to(root).as_posix(), "fresh": one.fresh} for one in files],
        "drift": [
            {"path": one.path.as_posix(), "added": one.added, "removed": one.removed, "diff": one.diff}
            for one in drifts
        ],
        "runners": [
            {"label": one.label, "ends": one.ends.isoformat(), "gone": one.gone, "targets": list(one.targets)}
            for one in ending
        ],
    }
