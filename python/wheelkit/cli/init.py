"""``wheelkit init``: start a project or a family, or configure wheelkit in an existing one."""

from __future__ import annotations

import shlex
import sys
from functools import partial
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
from wheelkit.text import shorten_list

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheelkit.init import FileChange


_PATIENCE = 5.0  # seconds


@click.command("init")
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--family",
    "as_family",
    is_flag=True,
    help="Create a family: a native core, its command line, and a distribution that bundles both.",
)
@click.option("--name", help="The name of the new distribution; by default the folder's name.")
@click.option(
    "--like",
    metavar="NAME==VERSION",
    help="Promise the wheels of a release on the index, whatever else is there.",
)
@click.option(
    "--index",
    default="pypi",
    show_default=True,
    metavar="INDEX",
    help="The index with the last release and with --like, as a name or an upload URL.",
)
@click.option("--offline", is_flag=True, help="Do not ask the index for the last release.")
@click.option(
    "--workflows",
    "with_workflows",
    is_flag=True,
    help="Write wheelkit's workflows also beside workflows of your own that build or publish wheels.",
)
@click.option("--yes", is_flag=True, help="Write without asking for confirmation.")
def command(
    folder: Path | None,
    as_family: bool,
    name: str | None,
    like: str | None,
    index: str,
    offline: bool,
    with_workflows: bool,
    yes: bool,
) -> None:
    """Create a project with a native core and CI workflows, or configure wheelkit in an existing one.

    An existing project promises the wheels that it ships today: those of its CI workflows, its settings of
    cibuildwheel and its last release. No file is ever overwritten. Changes to a file are shown before they
    are written.
    """
    if folder is None:
        _require_outside()
    root = resolved(folder or Path())
    members = init.members(root)
    if not members and not init.is_project(root):
        if like:
            raise UsageError(
                f"{root} has no project to promise the wheels of {like}",
                hint="start one first:  wheelkit init, without --like",
            )
        changes: Sequence[FileChange] = init.create(root, init.name_of(root, name), family=as_family)
    elif as_family or name:
        raise UsageError(
            f"{root} already contains a project",
            hint="leave out --family and --name to add wheelkit's configuration to it",
        )
    else:
        evidence = _evidence(like, index, offline=offline)
        if members:
            changes = [init.adopt_members(root, members, evidence)]
        else:
            changes = [init.adopt(root, evidence), *init.dist_script_change(root)]
        if not _confirm(changes, root, yes=yes):
            note("nothing was written")
            return
    init.write(changes)
    completed(f"wrote {', '.join(str(change.path.relative_to(root)) for change in changes)}")
    for change in changes:
        result(str(change.path.relative_to(root)))
    _write_workflows(root, beside_own=with_workflows)
    note("next: wheelkit build && wheelkit verify-matrix dist/ --native")


def _evidence(like: str | None, index: str, *, offline: bool) -> init.Evidence:
    """Return the index to ask, and what for; raises UsageError where options contradict each other."""
    if offline and like:
        raise UsageError("--like and --offline exclude each other", hint="leave out --offline")
    if offline:
        return init.Evidence()
    return init.Evidence(ask=partial(_access, index, patient=like is not None), like=like)


def _access(index: str, *, patient: bool) -> init.IndexAccess:
    """Return an index to ask; the last release is not worth a long wait, but one that is named is."""
    from wheelkit.config import parse
    from wheelkit.publish.client import Client
    from wheelkit.publish.index import resolve

    client = Client() if patient else Client(attempts=1, timeout=_PATIENCE)
    return init.IndexAccess(index=resolve(index, parse({}, source=None, root=Path())), client=client)


def _require_outside() -> None:
    """Raise UsageError in a folder of a project, which could be meant as well as a new one."""
    here, root = Path.cwd(), current_root()
    if root is not None and root != here and not init.members(here):
        raise UsageError(
            f"{here} is a folder of the project in {root}",
            hint=f"configure that project:  wheelkit init {shlex.quote(str(root))}\n"
            "start another one here:  wheelkit init .",
        )


def _confirm(changes: Sequence[FileChange], root: Path, *, yes: bool) -> bool:
    """Show the changes, and return whether they are confirmed; raises UsageError without a terminal."""
    for change in changes:
        result(init.diff(change, root))
        for text in change.notes:
            note(text)
    if yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError("nothing was written: no terminal to ask on; use --yes", hint="wheelkit init --yes")
    return click.confirm("Write it?", err=True)


def _write_workflows(root: Path, *, beside_own: bool) -> None:
    """Write the workflows, except where files of the project's own have their names, or do their work."""
    own = init.own_workflows(root)
    if own and not beside_own:
        note(f"your own {shorten_list(own)} stays in charge of the wheels, so no workflows were written")
        note("to publish by wheelkit's instead:  wheelkit ci, and remove yours")
        return
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
