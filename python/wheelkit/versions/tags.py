"""Git tags of a release: by template, from a clean tree on a release branch, never moved."""

from __future__ import annotations

import shlex
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from wheelkit.errors import CheckFailedError, MissingToolError, ProjectError, ToolFailedError, UsageError
from wheelkit.machine.git import FIRST_COMMIT, Repository, commit_command
from wheelkit.machine.process import tool_error
from wheelkit.text import plural
from wheelkit.versions.bump import BumpPart, parse
from wheelkit.versions.check import GIT_TAGS, check
from wheelkit.versions.git import DEFAULT_TEMPLATE, next_version, version_in
from wheelkit.versions.model import Scheme
from wheelkit.versions.state import settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wheelkit.config import Config
    from wheelkit.versions.model import FamilyVersions


_SHOWN = 5


class ReleaseTag(Struct, frozen=True, kw_only=True):
    """A tag and the distributions that it releases; ``exists`` is true if this commit has it already."""

    name: str = field(name="tag")
    version: str
    distributions: tuple[str, ...]
    exists: bool


class TagRequest(Struct, frozen=True, kw_only=True):
    """What to tag: members by name (empty: all), and the version of those that take theirs from tags.

    ``named`` are the members as the command line names them.
    """

    members: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    version: str | None = None
    ask_remote: bool = True
    any_branch: bool = False


def plan_tags(config: Config, state: FamilyVersions, request: TagRequest) -> tuple[ReleaseTag, ...]:
    """Compute the tags of a release and check that they can be created.

    Raises CheckFailedError for a dirty tree, another branch, versions that disagree, and a tag that is on
    another commit, locally or on the remote; MissingToolError if git or the remote does not answer;
    UsageError for a distribution without a version.
    """
    repository = Repository(folder=state.root)
    _require_clean(repository, state)
    _require_branch(repository, config, request)
    names = request.members or tuple(state.members)
    _require_agreement(config, state, names)
    tags: dict[str, ReleaseTag] = {}
    for key in names:
        version = _version(config, state, key, request.version)
        name = _template(config, key).replace("{version}", version)
        shared = tags[name].distributions if name in tags else ()
        exists = bool(repository.commit_of(name))
        tags[name] = ReleaseTag(name=name, version=version, distributions=(*shared, key), exists=exists)
    tags = {name: _with_followers(config, state, tag) for name, tag in tags.items()}
    _require_free(config, state, tags, ask_remote=request.ask_remote)
    return tuple(tags.values())


def _template(config: Config, key: str) -> str:
    return settings(config, key).tag or DEFAULT_TEMPLATE


def _with_followers(config: Config, state: FamilyVersions, tag: ReleaseTag) -> ReleaseTag:
    """Add the distributions whose version the tag states, or gives them, by the same template."""
    templates = {_template(config, key) for key in tag.distributions}
    followers = (
        key
        for key, member in state.members.items()
        if _template(config, key) in templates
        and (member.scheme is Scheme.TAGS or member.version == tag.version)
    )
    return replace(tag, distributions=tuple(dict.fromkeys((*tag.distributions, *followers))))


def make_tags(state: FamilyVersions, tags: Iterable[ReleaseTag]) -> None:
    """Create the missing tags on HEAD, all or none; raises ToolFailedError with git's output."""
    repository = Repository(folder=state.root)
    begun: list[str] = []
    for tag in tags:
        if tag.exists:
            continue
        begun.append(tag.name)
        try:
            _make_tag(repository, tag)
        except ToolFailedError as error:
            left = [name for name in begun if not _delete_tag(repository, name)]
            outcome = f"these could not be deleted: {', '.join(left)}" if left else "no tag was created"
            raise ToolFailedError(
                f"git could not create the tag {tag.name}; {outcome}",
                detail="\n".join(filter(None, [error.message, error.detail])),
                hint=f"git tag --delete {' '.join(left)}" if left else error.hint,
            ) from error


def _make_tag(repository: Repository, tag: ReleaseTag) -> None:
    message = f"{', '.join(tag.distributions)} {tag.version}"
    completed = repository.run("tag", "--annotate", "--message", message, tag.name)
    if completed.returncode != 0:
        raise tool_error(completed, "git tag")


def _delete_tag(repository: Repository, name: str) -> bool:
    """Delete a tag; return whether it is gone."""
    try:
        return not repository.commit_of(name) or repository.run("tag", "--delete", name).returncode == 0
    except ToolFailedError:
        return False


def _require_clean(repository: Repository, state: FamilyVersions) -> None:
    """Raise unless the tree is that of a commit."""
    if repository.run("--version").returncode != 0:
        raise MissingToolError("git was not found", hint="install git")
    if not repository.head:
        repository.require_trusted()
        raise ProjectError(
            f"{repository.folder} is not under git, or has no commit yet",
            hint=FIRST_COMMIT,
        )
    changes = repository.changes(member.distribution.source for member in state.members.values())
    if changes:
        differ = "file differs" if len(changes) == 1 else "files differ"
        raise CheckFailedError(
            f"{len(changes)} {differ} from the last commit; nothing was tagged",
            detail="\n".join([*changes[:_SHOWN], *(["…"] if len(changes) > _SHOWN else [])]),
            hint=f"commit them:  {commit_command(changes, Path.cwd())}\nor remove them",
        )


def _require_branch(repository: Repository, config: Config, request: TagRequest) -> None:
    branch, allowed = repository.branch, config.version.branches
    if request.any_branch or any(fnmatchcase(branch, pattern) for pattern in allowed):
        return
    current = f'the branch is "{branch}"' if branch else "no branch is checked out"
    others = (name for name in repository.branches() if any(fnmatchcase(name, one) for one in allowed))
    switch = [f"git switch {name}" for name in islice(others, 1)]
    lines = (
        *switch,
        f'for this project, allow others:  {config.table("version")} branches = ["{branch or "…"}"]',
        f"once:  {tag_command(request, '--any-branch')}",
    )
    raise CheckFailedError(
        f"releases are tagged on {', '.join(allowed)}, but {current}", hint="\n".join(lines)
    )


def tag_command(request: TagRequest, *options: str) -> str:
    """Return the command of a request, with further options."""
    version = ("--as", request.version) if request.version else ()
    return shlex.join(("wheelkit", "version", "tag", *request.named, *version, *options))


def _require_agreement(config: Config, state: FamilyVersions, keys: Sequence[str]) -> None:
    """Raise CheckFailedError if the members have problems, except that a first tag does not exist yet."""
    members = set(map(state.name, keys))
    problems = [
        problem
        for problem in check(config, state)
        if members.intersection((problem.distribution, *problem.others)) and problem.where != GIT_TAGS
    ]
    if problems:
        lines = (
            f"{problem.distribution}: {problem.what}\n{indent(problem.fix, '  ')}" for problem in problems
        )
        raise CheckFailedError(
            "the versions have problems; nothing was tagged",
            detail="\n".join(lines),
        )


def _version(config: Config, state: FamilyVersions, key: str, given: str | None) -> str:
    member = state.members[key]
    name, version = member.distribution.name, member.version or ""
    if member.scheme is not Scheme.FILES:
        version = str(parse(given)) if given is not None else _given_by_tags(config, state, key)
    released = parse(version).base_version
    change = f"set {released} {name}" if member.editable else f"tag {name} --as {released}"
    if "+" in version:
        hint = f"wheelkit version {change}"
        raise UsageError(f"{version} of {name} has a local part, which indexes reject", hint=hint)
    if parse(version).is_devrelease:
        # Such a tag would start a release, and setuptools-scm refuses to count commits from it.
        raise UsageError(
            f"{version} of {name} is a development version, and those get no tag",
            hint=f"to release it:  wheelkit version {change}\n"
            f"to try it out:  wheelkit release dist --until {config.ci.staging}",
        )
    return version


def _given_by_tags(config: Config, state: FamilyVersions, key: str) -> str:
    """Return the version of HEAD's own tag, or of a sibling that has the same tag and states its version."""
    template, member = _template(config, key), state.members[key]
    tag = member.tagged
    if tag is not None and not tag.commits and (version := version_in(tag.tag, template)):
        return version
    siblings = (sibling for other, sibling in state.members.items() if _template(config, other) == template)
    stated = (sibling.version for sibling in siblings if sibling.scheme is Scheme.FILES)
    if version := next(filter(None, stated), None):
        return version
    name = member.distribution.name
    free = next_version(tag, Repository(folder=state.root), template)
    raise UsageError(
        f"the version of {name} comes from git tags, so the new tag decides it",
        hint=f"wheelkit version tag {name} --as {free}",
    )


def _require_free(
    config: Config, state: FamilyVersions, tags: Mapping[str, ReleaseTag], *, ask_remote: bool
) -> None:
    """Raise CheckFailedError if another commit has one of the tags, locally or on the remote."""
    repository = Repository(folder=state.root)
    head = repository.head
    commits = [(name, repository.commit_of(name), "here") for name in tags]
    if remote := repository.remote() if ask_remote else "":
        there = _remote_commits(repository, remote)
        commits += [(name, there.get(name, ""), f"at {remote}") for name in tags]
    taken = [
        (name, f"{name}  on {commit[:12]}, {where}")
        for name, commit, where in commits
        if commit not in {"", head}
    ]
    if taken:
        names = dict.fromkeys(name for name, _ in taken)
        count = plural(len(names), "tag is", "tags are")
        keys = dict.fromkeys(key for name in names for key in tags[name].distributions)
        commands = new_version_commands(config, state, tuple(keys))
        raise CheckFailedError(
            f"{count} already on another commit; nothing was tagged",
            detail="\n".join(line for _, line in taken),
            hint="\n".join(("a published tag never moves; release a new version:", *commands)),
        )


def next_tag(config: Config, state: FamilyVersions, key: str, part: BumpPart) -> TagRequest:
    """Return the request for the tag of a member's next version, of which there is none yet."""
    repository, template = Repository(folder=state.root), _template(config, key)
    version = next_version(state.members[key].tagged, repository, template, part)
    return TagRequest(members=(key,), named=(state.name(key),), version=version)


def new_version_commands(config: Config, state: FamilyVersions, keys: Sequence[str]) -> tuple[str, ...]:
    """Return the commands that give members a new version, of which there is no tag yet."""
    repository = Repository(folder=state.root)
    stated = [state.name(key) for key in keys if state.members[key].scheme is not Scheme.TAGS]
    if stated:
        return (f"wheelkit version bump patch --commit {shlex.join(stated)}",)
    return tuple(
        f"wheelkit version tag {state.name(key)} --as {next_version(member.tagged, repository, template)}"
        for key, member in state.members.items()
        if key in keys and (template := _template(config, key))
    )


def _remote_commits(repository: Repository, remote: str) -> dict[str, str]:
    """Return the commits of a remote's tags; raises MissingToolError if the remote does not answer."""
    completed = repository.remote_tags(remote)
    if completed.returncode != 0:
        raise MissingToolError(
            f"the remote {remote} does not answer, so its tags are unknown",
            detail=completed.output,
            hint="check the network, or tag without asking it:  wheelkit version tag --no-remote",
        )
    commits: dict[str, str] = {}
    for line in completed.output.splitlines():
        commit, _, name = line.partition("\trefs/tags/")
        # The peeled line of an annotated tag follows its own and names the commit.
        commits[name.removesuffix("^{}")] = commit
    return commits
