"""``wheelkit version``: show, check and change the versions of the family and the ranges between siblings."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from textwrap import indent
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from wheelkit.cli.options import config_option, json_option, open_project
from wheelkit.cli.output import as_configured, columns, completed, note, result, result_json
from wheelkit.config import Problems, normalise
from wheelkit.errors import UsageError
from wheelkit.hints import push_tags
from wheelkit.machine.git import Repository
from wheelkit.machine.signals import deferred
from wheelkit.text import plural
from wheelkit.versions import change as changes
from wheelkit.versions import changelog, overrides, tags
from wheelkit.versions import state as states
from wheelkit.versions.bump import BumpPart, bumped, dev_version, parse
from wheelkit.versions.check import GIT_TAGS, TEMPLATE, check
from wheelkit.versions.model import Scheme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from wheelkit.config import Config
    from wheelkit.versions.change import VersionChange
    from wheelkit.versions.changelog import ReleaseNotes
    from wheelkit.versions.model import (
        FamilyRequirement,
        FamilyVersions,
        VersionedDistribution,
        VersionProblem,
    )
    from wheelkit.versions.tags import ReleaseTag


_names_argument = click.argument("names", metavar="[DIST]...", nargs=-1)
_commit_option = click.option("--commit", is_flag=True, help="Commit the changed files, and nothing else.")
_dry_run_option = click.option("--dry-run", is_flag=True, help="Show what would change and stop.")


class ChangeOptions(Struct, frozen=True, kw_only=True):
    """What bump, set, dev and tag have in common on the command line."""

    names: tuple[str, ...]
    dry_run: bool
    config_file: Path | None
    as_json: bool
    commit: bool = False


def _change_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the argument and the options of ChangeOptions to a command."""
    return _names_argument(_dry_run_option(config_option(json_option(command))))


_STAMP = "%Y%m%d%H%M%S"


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
    else:
        result("\n\n".join(filter(None, [_table(state), _problems(problems)])))


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


@command.command("notes")
@_names_argument
@config_option
@json_option
def notes_command(names: tuple[str, ...], config_file: Path | None, as_json: bool) -> int:
    """Print the changelog's section about this version.

    Exits with 1 if a distribution has none.
    """
    config, state = _read(config_file)
    found = changelog.release_notes(config, state, _keys(state, names))
    missing = [notes for notes in found if notes.text is None]
    if as_json:
        result_json({"schema": 1, "notes": [_notes_to_json(state, notes) for notes in found]})
    else:
        texts = [
            f"## {_releases(notes)}\n\n{notes.text}" if len(found) > 1 else notes.text
            for notes in found
            if notes.text is not None
        ]
        result("\n\n".join(texts))
    for notes in missing:
        place = (
            f"{state.relative(notes.changelog)} has no section"
            if notes.changelog
            else "there is no changelog"
        )
        note(f"{_releases(notes)}: {place}\n  add one under the heading  ## {notes.version or 'VERSION'}")
    return 1 if missing else 0


@command.command("bump")
@click.argument("part", type=click.Choice([part.value for part in BumpPart]))
@_commit_option
@_change_options
def bump_command(part: str, **values: Any) -> None:  # noqa: ANN401 - one for each field of ChangeOptions
    """Increase the version of the named distributions, or of all.

    The ranges of their dependents follow. With --commit, distributions whose version comes from git tags get
    the tag of the next version.
    """
    options = ChangeOptions(**values)
    _, state = _read(options.config_file)
    keys = _keys(state, options.names)
    tagged = [key for key in keys if state.members[key].scheme is Scheme.TAGS]
    if len(tagged) < len(keys) or not options.commit:
        _change(options, lambda version: bumped(version, BumpPart(part)))
    if options.commit and tagged:
        _tag_next(options, tagged, BumpPart(part))


@command.command("set")
@click.argument("version")
@_commit_option
@_change_options
def set_command(version: str, **values: Any) -> None:  # noqa: ANN401 - one for each field of ChangeOptions
    """Set the version of the named distributions, or of all.

    The ranges of their dependents follow.
    """
    wanted = str(parse(version))
    _change(ChangeOptions(**values), lambda _: wanted, may_disagree=True)


@command.command("dev")
@click.option(
    "--stamp",
    help="The UTC time as YYYYMMDDHHMMSS, the same for all runners of one release (default: now).",
)
@_change_options
def dev_command(stamp: str | None, **values: Any) -> None:  # noqa: ANN401 - one for each field of ChangeOptions
    """Stamp a development version with the time.

    The whole family gets the same UTC time; local version parts are dropped. Where versions come from git
    tags, no tag is made: the command that is printed gives the version to one build.
    """
    if stamp is not None and not _is_time(stamp):
        raise UsageError(f'"{stamp}" is not a UTC time', hint="as YYYYMMDDHHMMSS: --stamp 20261120143000")
    moment = stamp or datetime.now(UTC).strftime(_STAMP)
    _stamp(ChangeOptions(**values), moment)


def _is_time(stamp: str) -> bool:
    try:
        return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC).strftime(_STAMP) == stamp
    except ValueError:
        return False


@command.command("tag")
@click.option("--as", "version", help="The version to tag, if it comes from git tags.")
@click.option("--any-branch", is_flag=True, help="Allow tagging on any branch.")
@click.option("--no-remote", is_flag=True, help="Do not ask the remote which tags it has.")
@_change_options
def tag_command(version: str | None, any_branch: bool, no_remote: bool, **values: Any) -> None:  # noqa: ANN401
    """Create the git tags of a release, without pushing them.

    Their names follow each distribution's tag template.
    """
    options = ChangeOptions(**values)
    config, state = _read(options.config_file)
    keys = _keys(state, options.names)
    request = tags.TagRequest(
        members=keys,
        named=options.names,
        version=version,
        ask_remote=not no_remote,
        any_branch=any_branch,
    )
    planned = tags.plan_tags(config, state, request)
    if not options.dry_run:
        with deferred():  # all or none of them
            tags.make_tags(state, planned)
        completed(f"tagged {' '.join(tag.name for tag in planned)}")
    if options.as_json:
        result_json({"schema": 1, "made": not options.dry_run, "tags": planned})
        return
    _show_tags(config, planned, made=not options.dry_run)


def _show_tags(config: Config, planned: Sequence[ReleaseTag], *, made: bool) -> None:
    states = {True: "already exists", False: ""}
    result(columns((tag.name, ", ".join(tag.distributions), states[tag.exists]) for tag in planned))
    remote = Repository(folder=config.root).remote()
    if not made:
        note("no tag was created (--dry-run)")
    elif remote:
        note(f"next: {push_tags(remote, [tag.name for tag in planned])}")


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


def _members_to_change(state: FamilyVersions, names: Sequence[str]) -> tuple[str, ...]:
    """Return the keys of the named distributions; of all whose version a file states, if none is named."""
    keys = _keys(state, names)
    if names:
        return keys
    tagged = [key for key in keys if state.members[key].scheme is Scheme.TAGS]
    if tagged and len(tagged) < len(state.members):
        note(f"{', '.join(tagged)}: unchanged, the version comes from git tags")
    return tuple(key for key in keys if key not in tagged) or keys


def _change(
    options: ChangeOptions, next_version: Callable[[str], str], *, may_disagree: bool = False
) -> None:
    """Change versions and what follows from them; ``may_disagree`` allows that files now state several."""
    config, state = _read(options.config_file)
    keys = _members_to_change(state, options.names)
    if not may_disagree:
        changes.require_agreement(state, keys)
    versions = {key: next_version(state.members[key].version or "0") for key in keys}
    planned = changes.plan_change(config, state, versions)
    _write(options, state, planned)
    if options.as_json:
        result_json(_change_to_json(state, planned, written=not options.dry_run))
        return
    _show_change(options, state, planned)


def _tag_next(options: ChangeOptions, keys: Sequence[str], part: BumpPart) -> None:
    """Tag the next version of members whose version comes from tags, once for each template."""
    config, state = _read(options.config_file)
    done: set[str] = set()
    for key in keys:
        if key in done:
            continue
        request = tags.next_tag(config, state, key, part)
        planned = tags.plan_tags(config, state, request)
        done.update(member for tag in planned for member in tag.distributions)
        if not options.dry_run:
            with deferred():
                tags.make_tags(state, planned)
            completed(f"tagged {' '.join(tag.name for tag in planned)}")
        if not options.as_json:
            _show_tags(config, planned, made=not options.dry_run)


def _stamp(options: ChangeOptions, moment: str) -> None:
    """Give development versions: to files, and by a variable of one build where versions come from tags."""
    config, state = _read(options.config_file)
    keys = _keys(state, options.names)
    tagged = [key for key in keys if state.members[key].scheme is Scheme.TAGS]
    changes.require_agreement(state, keys)
    versions = {key: dev_version(state.members[key].version or "0", moment) for key in keys}
    variables = overrides.variables(state, {key: versions[key] for key in tagged})
    planned = changes.plan_change(config, state, versions, given_to_build=tagged)
    _write(options, state, planned)
    if options.as_json:
        document = _change_to_json(state, planned, written=not options.dry_run)
        result_json({**document, "environment": variables})
        return
    _show_change(options, state, planned)
    if variables:
        note(f"next: {_with_variables(variables, 'wheelkit build')}")


def _with_variables(variables: Mapping[str, str], command: str) -> str:
    """Return the line that runs a command with variables, for PowerShell or a POSIX shell."""
    if sys.platform == "win32":
        return "; ".join([*(f'$env:{name} = "{value}"' for name, value in variables.items()), command])
    return " ".join([*(f"{name}={value}" for name, value in variables.items()), command])


def _write(options: ChangeOptions, state: FamilyVersions, planned: VersionChange) -> None:
    if options.dry_run:
        return
    changes.write(planned)
    completed(f"changed {', '.join(map(state.relative, planned.files)) or 'nothing'}")
    if options.commit and planned.files:
        changes.commit(state, planned)
        completed("committed them")


def _show_change(options: ChangeOptions, state: FamilyVersions, planned: VersionChange) -> None:
    result(_change_table(state, planned))
    dependents = dict.fromkeys(move.requirement.dependent for move in planned.moves)
    if moved := [key for key in dependents if key not in planned.versions]:
        names = " ".join(state.members[key].distribution.name for key in moved)
        note(f"only the ranges changed: {names}")
        note(f"before releasing them again:  wheelkit version bump patch {names}")
    if options.dry_run:
        note("nothing was written (--dry-run)")


def _change_table(state: FamilyVersions, planned: VersionChange) -> str:
    rows = [
        (state.members[key].distribution.name, old, "->", new) for key, (old, new) in planned.versions.items()
    ]
    for move in planned.moves:
        name = state.members[move.requirement.dependent].distribution.name
        rows.append((name, f"needs {_required(move.requirement)}", "->", move.new))
    files = ", ".join(state.relative(path) for path in planned.files) or "none, everything is up to date"
    return f"{columns(dict.fromkeys(rows))}\n  files: {files}"


def _table(state: FamilyVersions) -> str:
    rows = [("distribution", "kind", "version", "stated in", "needs")]
    for key, member in state.members.items():
        needs = [_required(need) for need in state.requirements if need.dependent == key]
        needed = "; ".join(dict.fromkeys(needs)) or "-"
        name, kind, version = member.distribution.name, member.distribution.kind.value, member.version or "-"
        rows.append((name, kind, version, _origin(state, member), needed))
    return columns(rows)


def _required(requirement: FamilyRequirement) -> str:
    return f"{requirement.sibling} {requirement.range}".rstrip()


def _origin(state: FamilyVersions, member: VersionedDistribution) -> str:
    if member.scheme is not Scheme.TAGS:
        files = dict.fromkeys(state.relative(location.path) for location in member.locations)
        return ", ".join(files) or "its build"
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
        lines.append(
            f"  {problem.distribution}: {problem.what}\n{indent(place + as_configured(problem.fix), '    ')}"
        )
    return "\n".join(lines)


def _to_json(state: FamilyVersions, problems: Sequence[VersionProblem]) -> dict[str, Any]:
    members = [_member_to_json(state, member) for member in state.members.values()]
    return {"schema": 1, "distributions": members, "problems": problems}


def _releases(notes: ReleaseNotes) -> str:
    return f"{', '.join(notes.distributions)} {notes.version}".rstrip()


def _notes_to_json(state: FamilyVersions, notes: ReleaseNotes) -> dict[str, Any]:
    place = state.relative(notes.changelog) if notes.changelog else None
    return {
        "distributions": notes.distributions,
        "version": notes.version,
        "file": place,
        "text": notes.text,
    }


def _member_to_json(state: FamilyVersions, member: VersionedDistribution) -> dict[str, Any]:
    places = [
        {"file": state.relative(location.path), "where": location.where, "version": location.text}
        for location in member.locations
    ]
    needs = [
        {
            "distribution": need.sibling,
            "range": need.range,
            "file": state.relative(need.location.path),
            "where": need.location.where,
        }
        for need in state.requirements
        if need.dependent == member.key
    ]
    return {
        "name": member.distribution.name,
        "kind": member.distribution.kind,
        "version": member.version,
        "scheme": member.scheme,
        "places": places,
        "tag": member.tagged.tag if member.tagged else None,
        "needs": needs,
    }


def _change_to_json(state: FamilyVersions, planned: VersionChange, *, written: bool) -> dict[str, Any]:
    versions = {
        state.members[key].distribution.name: {"from": old, "to": new}
        for key, (old, new) in planned.versions.items()
    }
    ranges = [
        {
            "distribution": move.requirement.dependent,
            "needs": move.requirement.sibling,
            "from": move.requirement.range,
            "to": move.new,
        }
        for move in planned.moves
    ]
    files = [state.relative(path) for path in planned.files]
    return {"schema": 1, "written": written, "versions": versions, "ranges": ranges, "files": files}
