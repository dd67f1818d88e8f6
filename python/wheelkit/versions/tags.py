"""Git tags of a release: by each distribution's template, from a clean tree on a release branch, and only where none exists."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.errors import CheckFailedError, MissingToolError, ProjectError, ToolFailedError, UsageError
from wheelkit.machine.git import Repository
from wheelkit.versions.bump import parse
from wheelkit.versions.check import ambiguous, check
from wheelkit.versions.git import DEFAULT_TEMPLATE
from wheelkit.versions.model import Scheme
from wheelkit.versions.state import settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wheelkit.config import Config
    from wheelkit.versions.model import FamilyVersions


_GLIMPSE = 5


class ReleaseTag(Struct, frozen=True, kw_only=True):
    """One tag: its name, the distributions that it releases with their version, and whether it stands already, on this commit."""

    name: str
    version: str
    distributions: tuple[str, ...]
    exists: bool


class TagRequest(Struct, frozen=True, kw_only=True):
    """What is to be tagged: members by name (empty: all), the version of those that take theirs from tags, and whom to ask."""

    members: tuple[str, ...] = ()
    version: str | None = None
    ask_remote: bool = True
    any_branch: bool = False


def plan_tags(config: Config, state: FamilyVersions, request: TagRequest) -> tuple[ReleaseTag, ...]:
    """Compute the tags of a release and make sure that they can be made.

    Raises CheckFailedError for a dirty tree, a wrong branch, drift, or a tag that exists on another commit,
    here or on the remote; MissingToolError where git or the remote does not answer; UsageError for a
    distribution without a version.
    """
    repository = Repository(folder=state.root)
    _require_ready(config, state, request)
    names = request.members or tuple(state.members)
    _require_no_drift(config, state, names)
    tags: dict[str, ReleaseTag] = {}
    for key in names:
        version = _version(state, key, request.version)
        name = (settings(config, key).tag or DEFAULT_TEMPLATE).replace("{version}", version)
        before = tags[name].distributions if name in tags else ()
        tags[name] = ReleaseTag(
            name=name, version=version, distributions=(*before, key), exists=bool(repository.commit_of(name))
        )
    _require_free(repository, tags, request)
    return tuple(tags.values())


def make_tags(state: FamilyVersions, tags: Iterable[ReleaseTag]) -> None:
    """Make the tags that do not stand yet, all or none, on the commit that is checked out; raises ToolFailedError with git's words."""
    repository = Repository(folder=state.root)
    made: list[str] = []
    for tag in tags:
        if tag.exists:
            continue
        message = f"{', '.join(tag.distributions)} {tag.version}"
        done = repository.run("tag", "--annotate", "--message", message, tag.name)
        if done.returncode != 0:
            for name in made:
                repository.run("tag", "--delete", name)
            raise ToolFailedError(f"git could not make the tag {tag.name}; none was made", detail=done.output)
        made.append(tag.name)


def _require_ready(config: Config, state: FamilyVersions, request: TagRequest) -> None:
    repository = Repository(folder=state.root)
    if repository.run("--version").returncode != 0:
        raise MissingToolError("git was not found", hint="install git")
    if not repository.head:
        repository.require_trusted()
        raise ProjectError(
            f"{repository.folder} is not under git, or has no commit yet",
            hint="git init && git add . && git commit",
        )
    if changes := repository.changes(member.distribution.source for member in state.members.values()):
        shown = [*changes[:_GLIMPSE], *(["…"] if len(changes) > _GLIMPSE else [])]
        raise CheckFailedError(
            f"{len(changes)} file{'s differ' if len(changes) > 1 else ' differs'} from the last commit; a tag would not name what is here",
            detail="\n".join(shown),
            hint="commit or remove them, then run it again",
        )
    branch = repository.branch
    if not request.any_branch and not any(
        fnmatchcase(branch, pattern) for pattern in config.version.branches
    ):
        allowed = ", ".join(config.version.branches)
        here = f'the branch is "{branch}"' if branch else "no branch is checked out"
        raise CheckFailedError(
            f"releases are tagged on {allowed}, and {here}",
            hint='git switch main      or, for this project:  [tool.wheelkit.version] branches = ["…"]      or once:  --any-branch',
        )


def _require_no_drift(config: Config, state: FamilyVersions, names: Sequence[str]) -> None:
    members = {state.members[key].distribution.name for key in names}
    unborn = {
        item.distribution.name
        for item in state.members.values()
        if item.scheme is Scheme.TAGS and item.tagged is None
    }
    problems = [one for one in check(config, state) if one.distribution in members and one.where != "tag"]
    problems = [one for one in problems if not (one.distribution in unborn and one.where == "git tags")]
    problems += ambiguous(config, state, state.members)
    if problems:
        lines = "\n".join(f"{one.distribution}: {one.what}\n  {one.fix}" for one in problems)
        raise CheckFailedError(
            "the versions are not in order; nothing was tagged", detail=lines, hint="wheelkit version check"
        )


def _version(state: FamilyVersions, key: str, given: str | None) -> str:
    member = state.members[key]
    if member.scheme is not Scheme.FILES:
        if given is None:
            name = member.distribution.name
            hint = f"say which it is to be:  wheelkit version tag {name} --as 1.2.3"
            raise UsageError(f"the version of {name} comes from git tags, so this tag decides it", hint=hint)
        version = str(parse(given))
    else:
        version = member.version or ""
    if "+" in version:
        raise UsageError(
            f"{version} of {key} has a local part, which no index takes",
            hint=f"wheelkit version set {version.split('+')[0]}",
        )
    return version


def _require_free(repository: Repository, tags: Mapping[str, ReleaseTag], request: TagRequest) -> None:
    head = repository.head
    taken = [
        f"{name}  on {commit[:12]}, here"
        for name in tags
        if (commit := repository.commit_of(name)) and commit != head
    ]
    remote = repository.remote() if request.ask_remote else ""
    if remote:
        there = [
            (name, commit)
            for name, commit in _on_remote(repository, remote)
            if name in tags and commit != head
        ]
        taken += [f"{name}  on {commit[:12]}, at {remote}" for name, commit in there]
    if taken:
        raise CheckFailedError(
            f"{len(taken)} tag{'s stand' if len(taken) > 1 else ' stands'} on another commit already; nothing was tagged",
            detail="\n".join(dict.fromkeys(taken)),
            hint="a tag that was published never moves:  wheelkit version bump patch",
        )


def _on_remote(repository: Repository, remote: str) -> Iterable[tuple[str, str]]:
    done = repository.remote_tags(remote)
    if done.returncode != 0:
        raise MissingToolError(
            f"the remote {remote} does not answer, so nobody knows which tags exist there",
            detail=done.output,
            hint="check the network, or tag without asking it:  --no-remote",
        )
    commits: dict[str, str] = {}
    for line in done.output.splitlines():
        commit, _, name = line.partition("\trefs/tags/")
        # The peeled line of an annotated tag follows its own and names the commit.
        commits[name.removesuffix("^{}")] = commit
    return commits.items()
