"""``wheelkit version``: show, check and change the versions of the family; the ranges between siblings follow."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from wheelkit.cli.options import config_option, json_option, open_project
from wheelkit.cli.output import columns, note, result, result_json
from wheelkit.config import Problems, normalise
from wheelkit.errors import UsageError
from wheelkit.versions import change as changes
from wheelkit.versions import state as states
from wheelkit.versions import tags
from wheelkit.versions.bump import BumpPart, bumped, dev_version, parse
from wheelkit.versions.check import check
from wheelkit.versions.model import Scheme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from wheelkit.config import Config
    from wheelkit.versions.change import VersionChange
    from wheelkit.versions.model import FamilyVersions, VersionedDistribution, VersionProblem


_names = click.argument("names", metavar="[DIST]...", nargs=-1)
_dry_run = click.option("--dry-run", is_flag=True, help="Show what would change and stop.")


@click.group("version")
def command() -> None:
    """Show, check and change the versions of the family; the ranges inside it follow."""


def _read(config_file: Path | None) -> tuple[Config, FamilyVersions]:
    project = open_project((), config_file)
    return project.config, states.read_versions(project.config, project.family)


def _chosen(state: FamilyVersions, names: Sequence[str]) -> tuple[str, ...]:
    """Turn the names that the user gave into keys; none means all."""
    keys = tuple(dict.fromkeys(map(normalise, names)))
    for key in keys:
        if key not in state.members:
            raise UsageError(
                f'the family has no distribution "{key}"{Problems.did_you_mean(key, state.members)}',
                hint="wheelkit version show",
            )
    return keys or tuple(state.members)


@command.command("show")
@config_option
@json_option
def show(config_file: Path | None, as_json: bool) -> None:
    """Show every version, where it stands, the ranges between siblings, and what does not agree."""
    config, state = _read(config_file)
    problems = check(config, state)
    if as_json:
        result_json(_document(state, problems))
        return
    result(_table(state))
    if problems:
        result("\n" + _problems(problems))


@command.command("check")
@config_option
@json_option
def check_command(config_file: Path | None, as_json: bool) -> int:
    """Exit with 1 where versions or ranges have drifted; run it in CI."""
    config, state = _read(config_file)
    problems = check(config, state)
    if as_json:
        result_json(_document(state, problems))
    elif problems:
        result(_problems(problems))
    else:
        result(_agreement(state))
    return 1 if problems else 0


def _agreement(state: FamilyVersions) -> str:
    """Say how much was compared; a version that only the build knows was not."""
    unknown = [member.distribution.name for member in state.members.values() if member.version is None]
    known = len(state.members) - len(unknown)
    agree = f"{_count(known, 'version')} and {_count(len(state.needs), 'range')} between siblings agree"
    return f"{agree}; only the build knows the version of {', '.join(unknown)}" if unknown else agree


@command.command("bump")
@click.argument("part", type=click.Choice([part.value for part in BumpPart]))
@_names
@_dry_run
@config_option
@json_option
def bump(part: str, names: tuple[str, ...], dry_run: bool, config_file: Path | None, as_json: bool) -> None:
    """Raise the version of the named distributions, or of all; the ranges of their dependents follow."""
    _change(
        config_file, names, lambda version: bumped(version, BumpPart(part)), dry_run=dry_run, as_json=as_json
    )


@command.command("set")
@click.argument("version")
@_names
@_dry_run
@config_option
@json_option
def set_command(
    version: str, names: tuple[str, ...], dry_run: bool, config_file: Path | None, as_json: bool
) -> None:
    """Give the named distributions, or all, one version; the ranges of their dependents follow."""
    wanted = str(parse(version))
    _change(config_file, names, lambda _: wanted, dry_run=dry_run, as_json=as_json, known=True)


@command.command("dev")
@_names
@click.option(
    "--stamp",
    help="The UTC time as YYYYMMDDHHMMSS, for runners that build one release together; now by default.",
)
@_dry_run
@config_option
@json_option
def dev(
    names: tuple[str, ...], stamp: str | None, dry_run: bool, config_file: Path | None, as_json: bool
) -> None:
    """Stamp a development version, one UTC time for the whole family; local versions are dropped."""
    if stamp is not None and not (stamp.isascii() and stamp.isdigit()):
        raise UsageError(f'"{stamp}" is no stamp', hint="give digits, such as --stamp 20261120143000")
    moment = stamp or datetime.now(UTC).strftime("%Y%m%d%H%M%S")
    _change(
        config_file, names, lambda version: dev_version(version, moment), dry_run=dry_run, as_json=as_json
    )


@command.command("tag")
@_names
@click.option("--as", "version", help="The version, where it comes from git tags.")
@click.option("--any-branch", is_flag=True, help="Tag whatever branch is checked out.")
@click.option("--no-remote", is_flag=True, help="Do not ask the remote which tags exist there.")
@_dry_run
@config_option
@json_option
def tag(
    names: tuple[str, ...],
    version: str | None,
    any_branch: bool,
    no_remote: bool,
    dry_run: bool,
    config_file: Path | None,
    as_json: bool,
) -> None:
    """Make the release's git tags by each distribution's template; they are not pushed."""
    config, state = _read(config_file)
    request = tags.TagRequest(
        members=_chosen(state, names), version=version, ask_remote=not no_remote, any_branch=any_branch
    )
    planned = tags.plan_tags(config, state, request)
    if not dry_run:
        tags.make_tags(state, planned)
    if as_json:
        rows = [
            {
                "tag": one.name,
                "version": one.version,
                "distributions": list(one.distributions),
                "exists": one.exists,
            }
            for one in planned
        ]
        result_json({"schema": 1, "made": not dry_run, "tags": rows})
        return
    result(
        columns(
            (one.name, ", ".join(one.distributions), "stands already" if one.exists else "")
            for one in planned
        )
    )
    note(
        "no tag was made (--dry-run)"
        if dry_run
        else f"next: git push origin {' '.join(one.name for one in planned)}"
    )


def _change(
    config_file: Path | None,
    names: tuple[str, ...],
    follow: Callable[[str], str],
    *,
    dry_run: bool,
    as_json: bool,
    known: bool = False,
) -> None:
    """Compute new versions of the chosen distributions, and change all files at once; ``known`` ones do not follow from what is there."""
    config, state = _read(config_file)
    keys = _chosen(state, names)
    if not names:
        left = [key for key in keys if state.members[key].scheme is Scheme.TAGS]
        keys = tuple(key for key in keys if key not in left) or keys
        if left and len(left) < len(state.members):
            note(f"{', '.join(left)}: the version comes from git tags and stays")
    if not known:
        changes.require_agreement(state, keys)
    planned = changes.plan_change(
        config, state, {key: follow(state.members[key].version or "0") for key in keys}
    )
    if not dry_run:
        changes.write(planned)
    if as_json:
        result_json(_change_document(state, planned, written=not dry_run))
        return
    result(_changed(state, planned))
    _say_what_follows(state, planned, dry_run=dry_run)


def _say_what_follows(state: FamilyVersions, planned: VersionChange, *, dry_run: bool) -> None:
    alone = dict.fromkeys(
        move.need.dependent for move in planned.moves if move.need.dependent not in planned.versions
    )
    if alone:
        names = " ".join(state.members[key].distribution.name for key in alone)
        note(
            f"ranges changed, the version did not: {names}\n  before they are released again:  wheelkit version bump patch {names}"
        )
    if dry_run:
        note("nothing was written (--dry-run)")


def _changed(state: FamilyVersions, planned: VersionChange) -> str:
    rows = [
        (state.members[key].distribution.name, old, "->", new) for key, (old, new) in planned.versions.items()
    ]
    moved = [
        (
            state.members[one.need.dependent].distribution.name,
            f"needs {one.need.sibling} {one.need.range}".rstrip(),
            "->",
            one.new,
        )
        for one in planned.moves
    ]
    files = ", ".join(state.shown(path) for path in planned.files) or "none: all is as asked"
    return "\n".join([columns([*rows, *dict.fromkeys(moved)]), f"  files: {files}"])


def _table(state: FamilyVersions) -> str:
    rows = [("distribution", "kind", "version", "stands in", "needs")]
    for key, member in state.members.items():
        needs = [f"{one.sibling} {one.range}".rstrip() for one in state.needs if one.dependent == key]
        rows.append(
            (
                member.distribution.name,
                member.distribution.kind.value,
                member.version or "-",
                _origin(state, member),
                "; ".join(dict.fromkeys(needs)) or "-",
            )
        )
    return columns(rows)


def _origin(state: FamilyVersions, member: VersionedDistribution) -> str:
    if member.scheme is Scheme.TAGS:
        if member.tagged is None:
            return "git tags, none yet"
        return f"git tag {member.tagged.tag}" + (
            f" + {_count(member.tagged.commits, 'commit')}" if member.tagged.commits else ""
        )
    return ", ".join(dict.fromkeys(state.shown(place.path) for place in member.places)) or "its build"


def _problems(problems: Iterable[VersionProblem]) -> str:
    return "\n".join(
        f"  {one.distribution}: {one.what}\n    {_unless_same(one)}{one.fix}" for one in problems
    )


def _unless_same(problem: VersionProblem) -> str:
    return (
        ""
        if problem.where in problem.what or problem.where in {"tag", "git tags"}
        else f"in {problem.where}:  "
    )


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _document(state: FamilyVersions, problems: Iterable[VersionProblem]) -> dict[str, Any]:
    return {
        "schema": 1,
        "distributions": [_member(state, member) for member in state.members.values()],
        "problems": [
            {"distribution": one.distribution, "where": one.where, "what": one.what, "fix": one.fix}
            for one in problems
        ],
    }


def _member(state: FamilyVersions, member: VersionedDistribution) -> dict[str, Any]:
    return {
        "name": member.distribution.name,
        "kind": member.distribution.kind,
        "version": member.version,
        "scheme": member.scheme,
        "places": [
            {"file": state.shown(one.path), "where": one.where, "version": one.text} for one in member.places
        ],
        "tag": member.tagged.tag if member.tagged else None,
        "needs": [
            {
                "distribution": one.sibling,
                "range": one.range,
                "file": state.shown(one.place.path),
                "where": one.place.where,
            }
            for one in state.needs
            if one.dependent == member.key
        ],
    }


def _change_document(state: FamilyVersions, planned: VersionChange, *, written: bool) -> dict[str, Any]:
    return {
        "schema": 1,
        "written": written,
        "versions": {
            state.members[key].distribution.name: {"from": old, "to": new}
            for key, (old, new) in planned.versions.items()
        },
        "ranges": [
            {
                "distribution": one.need.dependent,
                "needs": one.need.sibling,
                "from": one.need.range,
                "to": one.new,
            }
            for one in planned.moves
        ],
        "files": [state.shown(path) for path in planned.files],
    }
