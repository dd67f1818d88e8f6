"""``wheelkit init``: start a project or a family, or configure wheelkit in an existing one."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelkit import init, workflows
from wheelkit.cli.ci import note_foreign
from wheelkit.cli.options import current_root, load_config
from wheelkit.cli.output import completed, note, result
from wheelkit.errors import UsageError, WheelkitError
from wheelkit.inputs import resolved
from wheelkit.project import family

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheelkit.init import FileChange


@click.command("init")
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--family",
    "as_family",
    is_flag=True,
    help="Create a family: a native core, its command line, and a distribution that bundles both.",
)
@click.option("--name", help="The name of the new distribution; by default the folder's name.")
@click.option("--yes", is_flag=True, help="Write without asking for confirmation.")
def command(folder: Path | None, as_family: bool, name: str | None, yes: bool) -> None:
    """Create a project with a native core and CI workflows, or configure wheelkit in an existing one.

    No file is ever overwritten. Changes to a file are shown before they are written.
    """
    if folder is None:
        _require_outside()
    root = resolved(folder or Path())
    members = init.members(root)
    if members or init.is_project(root):
        if as_family or name:
            raise UsageError(
                f"{root} already contains a project",
                hint="leave out --family and --name to add wheelkit's configuration to it",
            )
        changes: Sequence[FileChange] = [init.adopt_members(root, members) if members else init.adopt(root)]
        _confirm(changes, root, yes=yes)
    else:
        changes = init.create(root, init.name_of(root, name), family=as_family)
    init.write(changes)
    completed(f"wrote {', '.join(str(change.path.relative_to(root)) for change in changes)}")
    for change in changes:
        result(str(change.path.relative_to(root)))
        for text in change.notes:
            note(text)
    _write_workflows(root)
    note("next: wheelkit build && wheelkit verify-matrix dist/ --native")


def _require_outside() -> None:
    """Raise UsageError in a folder of a project, which could be meant as well as a new one."""
    here, root = Path.cwd(), current_root()
    if root is not None and root != here and not init.members(here):
        raise UsageError(
            f"{here} is a folder of the project in {root}",
            hint=f"configure that project:  wheelkit init {shlex.quote(str(root))}\n"
            "start another one here:  wheelkit init .",
        )


def _confirm(changes: Sequence[FileChange], root: Path, *, yes: bool) -> None:
    """Show the changes and ask for confirmation; raises UsageError without a terminal."""
    for change in changes:
        result(init.diff(change, root))
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nothing was written: no terminal to ask on; use --yes", hint="wheelkit init --yes")
    click.confirm("Write it?", abort=True, err=True)


def _write_workflows(root: Path) -> None:
    """Write the workflows, except where files of the project's own have their names."""
    try:
        loaded = load_config(root, None)
        plan = workflows.plan_anywhere(loaded, family.discover(loaded))
        blueprint = workflows.blueprint(loaded, plan, workflows.PROVIDERS["github"].label)
        files = workflows.generate(blueprint, "github", root)
    except WheelkitError as error:
        note(f"no workflows were written: {error.message}")
        note(f"{error.detail or error.hint}\nthen: wheelkit ci")
        return
    workflows.write(files)
    completed("the workflows are written")
    for file in files:
        if not file.foreign:
            result(str(file.path.relative_to(root)))
    note_foreign(files, root)
