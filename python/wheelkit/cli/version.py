"""``wheelkit version``: show, check and change the versions of the family and the ranges between siblings."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from wheelkit.cli.options import config_option, json_option, open_project
from wheelkit.cli.output import columns, note, result, result_json
from wheelkit.config import Problems, normalise
from wheelkit.errors import UsageError
from wheelkit.text import plural
from wheelkit.versions import change as changes
from wheelkit.versions import state as states
from wheelkit.versions import tags
from wheelkit.versions.bump import BumpPart, bumped, dev_version, parse
from wheelkit.versions.check import GIT_TAGS, TEMPLATE, check
from wheelkit.versions.model import Scheme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from wheelkit.config import Config
    from wheelkit.versions.change import VersionChange
    from wheelkit.versions.model import FamilyVersions, VersionedDistribution, VersionProblem
    from wheelkit.versions.tags import ReleaseTag


_names_argument = click.argument("names", metavar="[DIST]...", nargs=-1)
_dry_run_option = click.option("--dry-run", is_flag=True, help="Show what would change and stop.")


@click.group("version")
def command() -> None:
    """Show, check and change the versions of the family; the ranges between siblings follow."""


@command.command("show")
@config_option
@json_option
def show_command(config_file: Path | None, as_json: bool) -> None:
    """Show all versions, the files that state them, and disagreements."""
    config, state = _read(config_file)
    problems = check(config, state)
    if as_json:
        result_json(_to_json(state, problems))
        return
    result(_table(state))
    if problems:
        result("\n" + _problems(problems))


@command.command("check")
@config_option
@json_option
def check_command(config_file: Path | None, as_json: bool) -> int:
    """Exit with 1 if versions or ranges disagree (for CI)."""
    config, state = _read(config_file)
    problems = check(config, state)
    if as_json:
        result_json(_to_json(state, problems))
    else:
        result(_problems(problems) if problems else _agreement(state))
    return 1 if problems else 0


@command.command("bump")
@click.argument("part", type=click.Choice([part.value for part in BumpPart]))
@_names_argument
@_dry_run_option
@config_option
@json_option
def bump_command(
    part: str, names: tuple[str, ...], dry_run: bool, config_file: Path | None, as_json: bool
) -> None:
    """Increase the version of the named distributions, or of all.

    The ranges of their dependents follow.
    """
    config, state = _read(config_file)
    planned = _plan(config, state, names, lambda version: bumped(version, BumpPart(part)))
    _apply(state, planned, dry_run=dry_run, as_json=as_json)


@command.command("set")
@click.argument("version")
@_names_argument
@_dry_run_option
@config_option
@json_option
def set_command(
    version: str, names: tuple[str, ...], dry_run: bool, config_file: Path | None, as_json: bool
) -> None:
    """Set the version of the named distributions, or of all.

    The ranges of their dependents follow.
    """
    wanted = str(parse(version))
    config, state = _read(config_file)
    planned = _plan(config, state, names, lambda _: wanted, may_disagree=True)
    _apply(state, planned, dry_run=dry_run, as_json=as_json)


@command.command("dev")
@_names_argument
@click.option(
    "--stamp",
    help="The UTC time as YYYYMMDDHHMMSS, the same for all runners of one release (default: now).",
)
@_dry_run_option
@config_option
@json_option
def dev_command(
    names: tuple[str, ...], stamp: str | None, dry_run: bool, config_file: Path | None, as_json: bool
) -> None:
    """Stamp a development version with the time.

    The whole family gets the same UTC time; local version parts are dropped.
    """
    if stamp is not None and not (stamp.isascii() and stamp.isdigit()):
        raise UsageError(f'"{stamp}" is not a time stamp', hint="give digits: --stamp 20261120143000")
    moment = stamp or datetime.now(UTC).strftime("%Y%m%d%H%M%S")
    config, state = _read(config_file)
    planned = _plan(config, state, names, lambda version: dev_version(version, moment))
    _apply(state, planned, dry_run=dry_run, as_json=as_json)


@command.command("tag")
@_names_argument
@click.option("--as", "version", help="The version to tag, if it comes from git tags.")
@click.option("--any-branch", is_flag=True, help="Allow tagging on any branch.")
@click.option("--no-remote", is_flag=True, help="Do not ask the remote which tags it has.")
@_dry_run_option
@config_option
@json_option
def tag_command(
    names: tuple[str, ...],
    version: str | None,
    any_branch: bool,
    no_remote: bool,
    dry_run: bool,
    config_file: Path | None,
    as_json: bool,
) -> None:
    """Create the git tags of a release, without pushing them.

    Their names follow each distribution's tag template.
    """
    config, state = _read(config_file)
    request = tags.TagRequest(
        members=_keys(state, names), version=version, ask_remote=not no_remote, any_branch=any_branch
    )
    planned = tags.plan_tags(config, state, request)
    if not dry_run:
        tags.make_tags(state, planned)
    if as_json:
        result_json({"schema": 1, "made": not dry_run, "tags": [_tag_to_json(tag) for tag in planned]})
        return
    rows = [
        (tag.name, ", ".join(tag.distributions), "already exists" if tag.exists else "") for tag in planned
    ]
    result(columns(rows))
    names_to_push = " ".join(tag.name for tag in planned)
    note("no tag was created (--dry-run)" if dry_run else f"next: git push origin {names_to_push}")


def _read(config_file: Path | None) -> tuple[Config, FamilyVersions]:
    project = open_project((), config_file)
    return project.config, states.read_versions(project.config, project.family)


def _keys(state: FamilyVersions, names: Sequence[str]) -> tuple[str, ...]:
    """Return the keys of the named distributions; of all, if none is named."""
    keys = tuple(dict.fromkeys(map(normalise, names)))
    for key in keys:
        if key not in state.members:
            raise UsageError(
                f'the family has no distribution "{key}"{Problems.did_you_mean(key, state.members)}',
                hint="wheelkit version show",
            )
    return keys or tuple(state.members)


def _plan(
    config: Config,
    state: FamilyVersions,
    names: Sequence[str],
    next_version: Callable[[str], str],
    *,
    may_disagree: bool = False,
) -> VersionChange:
    """Compute the changes of all files; ``may_disagree`` allows places that state different versions now."""
    keys = _keys(state, names)
    if not names:
        tagged = [key for key in keys if state.members[key].scheme is Scheme.TAGS]
        keys = tuple(key for key in keys if key not in tagged) or keys
        if tagged and len(tagged) < len(state.members):
            note(f"{', '.join(tagged)}: unchanged, the version comes from git tags")
    if not may_disagree:
        changes.require_agreement(state, keys)
    return changes.plan_change(
        config, state, {key: next_version(state.members[key].version or "0") for key in keys}
    )


def _apply(state: FamilyVersions, planned: VersionChange, *, dry_run: bool, as_json: bool) -> None:
    if not dry_run:
        changes.write(planned)
    if as_json:
        result_json(_change_to_json(state, planned, written=not dry_run))
        return
    result(_change_table(state, planned))
    moved = dict.fromkeys(
        move.requirement.dependent
        for move in planned.moves
        if move.requirement.dependent not in planned.versions
    )
    if moved:
        names = " ".join(state.members[key].distribution.name for key in moved)
        note(f"only the ranges changed: {names}")
        note(f"before releasing them again: wheelkit version bump patch {names}")
    if dry_run:
        note("nothing was written (--dry-run)")


def _change_table(state: FamilyVersions, planned: VersionChange) -> str:
    rows = [
        (state.members[key].distribution.name, old, "->", new) for key, (old, new) in planned.versions.items()
    ]
    for move in planned.moves:
        name = state.members[move.requirement.dependent].distribution.name
        rows.append(
            (name, f"needs {move.requirement.sibling} {move.requirement.range}".rstrip(), "->", move.new)
        )
    files = ", ".join(state.relative(path) for path in planned.files) or "none, everything is up to date"
    return f"{columns(dict.fromkeys(rows))}\n  files: {files}"


def _table(state: FamilyVersions) -> str:
    rows = [("distribution", "kind", "version", "stated in", "needs")]
    for key, member in state.members.items():
        needs = [
            f"{need.sibling} {need.range}".rstrip() for need in state.requirements if need.dependent == key
        ]
        distribution = member.distribution
        rows.append(
            (
                distribution.name,
                distribution.kind.value,
                member.version or "-",
                _origin(state, member),
                "; ".join(dict.fromkeys(needs)) or "-",
            )
        )
    return columns(rows)


def _origin(state: FamilyVersions, member: VersionedDistribution) -> str:
    if member.scheme is not Scheme.TAGS:
        return (
            ", ".join(dict.fromkeys(state.relative(location.path) for location in member.locations))
            or "its build"
        )
    if member.tagged is None:
        return "git tags, none yet"
    commits = f" + {plural(member.tagged.commits, 'commit')}" if member.tagged.commits else ""
    return f"git tag {member.tagged.tag}{commits}"


def _agreement(state: FamilyVersions) -> str:
    """Say how much was compared, and which versions only a build can tell."""
    unknown = [member.distribution.name for member in state.members.values() if member.version is None]
    known = plural(len(state.members) - len(unknown), "version")
    text = f"{known} and {plural(len(state.requirements), 'range')} between siblings agree"
    return f"{text}; only the build knows the version of {', '.join(unknown)}" if unknown else text


def _problems(problems: Iterable[VersionProblem]) -> str:
    lines = []
    for problem in problems:
        named = problem.where in problem.what or problem.where in {TEMPLATE, GIT_TAGS}
        place = "" if named else f"in {problem.where}:  "
        lines.append(f"  {problem.distribution}: {problem.what}\n    {place}{problem.fix}")
    return "\n".join(lines)


def _to_json(state: FamilyVersions, problems: Iterable[VersionProblem]) -> dict[str, Any]:
    return {
        "schema": 1,
        "distributions": [_member_to_json(state, member) for member in state.members.values()],
        "problems": [
            {
                "distribution": problem.distribution,
                "where": problem.where,
                "what": problem.what,
                "fix": problem.fix,
            }
            for problem in problems
        ],
    }


def _member_to_json(state: FamilyVersions, member: VersionedDistribution) -> dict[str, Any]:
    return {
        "name": member.distribution.name,
        "kind": member.distribution.kind,
        "version": member.version,
        "scheme": member.scheme,
        "places": [
            {"file": state.relative(location.path), "where": location.where, "version": location.text}
            for location in member.locations
        ],
        "tag": member.tagged.tag if member.tagged else None,
        "needs": [
            {
                "distribution": need.sibling,
                "range": need.range,
                "file": state.relative(need.location.path),
                "where": need.location.where,
            }
            for need in state.requirements
            if need.dependent == member.key
        ],
    }


def _change_to_json(state: FamilyVersions, planned: VersionChange, *, written: bool) -> dict[str, Any]:
    return {
        "schema": 1,
        "written": written,
        "versions": {
            state.members[key].distribution.name: {"from": old, "to": new}
            for key, (old, new) in planned.versions.items()
        },
        "ranges": [
            {
                "distribution": move.requirement.dependent,
                "needs": move.requirement.sibling,
                "from": move.requirement.range,
                "to": move.new,
            }
            for move in planned.moves
        ],
        "files": [state.relative(path) for path in planned.files],
    }


def _tag_to_json(tag: ReleaseTag) -> dict[str, Any]:
    return {
        "tag": tag.name,
        "version": tag.version,
        "distributions": list(tag.distributions),
        "exists": tag.exists,
    }
