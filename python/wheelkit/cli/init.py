"""``wheelkit init``: start a project or a family, or bring wheelkit into one that is there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelkit import config, init, matrix, workflows
from wheelkit.cli.ci import left_alone
from wheelkit.cli.output import note, result
from wheelkit.errors import UsageError, WheelkitError
from wheelkit.project import family

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheelkit.init import FileChange


@click.command("init")
@click.argument("folder", required=False, default=Path(), type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--family",
    "as_family",
    is_flag=True,
    help="A native core, its command line, and a distribution that bundles both.",
)
@click.option("--name", help="The new distribution's name; by default the folder's.")
@click.option("--yes", is_flag=True, help="Write without asking.")
def command(folder: Path, as_family: bool, name: str | None, yes: bool) -> None:
    """Start a project that builds, proves itself and has its CI; or add the configuration to one that is there.

    Nothing is ever overwritten. A change of a file is shown before it is written.
    """
    root = folder.resolve()
    members = init.members(root)
    if members or init.is_project(root):
        if as_family or name:
            raise UsageError(
                f"{root} holds a project already",
                hint="leave out --family and --name to add wheelkit's configuration to it",
            )
        changes: Sequence[FileChange] = [init.adopt_members(root, members) if members else init.adopt(root)]
        _agree(changes, root, yes=yes)
    else:
        changes = init.create(root, init.name_of(root, name), family=as_family)
    init.write(changes)
    for change in changes:
        result(str(change.path.relative_to(root)))
        for told in change.notes:
            note(told)
    _workflows(root)
    note("next: wheelkit build && wheelkit verify-matrix dist/ --native")


def _agree(changes: Sequence[FileChange], root: Path, *, yes: bool) -> None:
    """Show the changes, and go on only where somebody says so."""
    for change in changes:
        result(init.diff(change, root))
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(
            "nothing was written: nobody is here to be asked",
            hint="to write it without asking: wheelkit init --yes",
        )
    click.confirm("Write it?", abort=True, err=True)


def _workflows(root: Path) -> None:
    """Write the workflows where none of somebody else's stand in their way."""
    try:
        loaded = config.load(root, validators=(matrix.validate,))
        plan = workflows.plan_anywhere(loaded, family.discover(loaded))
        files = workflows.generate(
            workflows.blueprint(loaded, plan, workflows.PROVIDERS["github"].label), "github", root
        )
    except WheelkitError as error:
        why = (error.detail or error.hint).replace("\n", "\n  ")
        note(f"no workflows were written: {error.message}\n  {why}\n  then: wheelkit ci")
        return
    workflows.write(files)
    for one in files:
        path = one.path.relative_to(root)
        if one.foreign:
            note(left_alone(path))
        else:
            result(str(path))
