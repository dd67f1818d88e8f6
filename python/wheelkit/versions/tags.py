"""Git tags of a release: by template, from a clean tree on a release branch, never moved."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from msgspec import Struct, field

from wheelkit.errors import CheckFailedError, MissingToolError, ProjectError, ToolFailedError, UsageError
from wheelkit.machine.git import Repository
from wheelkit.machine.process import tool_error
from wheelkit.text import plural
from wheelkit.versions.bump import parse
from wheelkit.versions.check import GIT_TAGS, TEMPLATE, ambiguous_tags, check
from wheelkit.versions.git import DEFAULT_TEMPLATE
from wheelkit.versions.model import Scheme
from wheelkit.versions.state import settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
    """What to tag: members by name (empty: all), and the version of those that take theirs from tags."""

    members: tuple[str, ...] = ()
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
        version = _version(state, key, request.version)
        name = (settings(config, key).tag or DEFAULT_TEMPLATE).replace("{version}", version)
        shared = tags[name].distributions if name in tags else ()
        exists = bool(repository.commit_of(name))
        tags[name] = ReleaseTag(name=name, version=version, distributions=(*shared, key), exists=exists)
    _require_free(repository, tags, ask_remote=request.ask_remote)
    return tuple(tags.values())


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
            hint="git init && git add . && git commit",
        )
    changes = repository.changes(member.distribution.source for member in state.members.values())
    if changes:
        differ = "file differs" if len(changes) == 1 else "files differ"
        raise CheckFailedError(
            f"{len(changes)} {differ} from the last commit; nothing was tagged",
            detail="\n".join([*changes[:_SHOWN], *(["…"] if len(changes) > _SHOWN else [])]),
            hint="commit or remove them, then run the command again",
        )


def _require_branch(repository: Repository, config: Config, request: TagRequest) -> None:
    branch, allowed = repository.branch, config.version.branches
    if request.any_branch or any(fnmatchcase(branch, pattern) for pattern in allowed):
        return
    current = f'the branch is "{branch}"' if branch else "no branch is checked out"
    raise CheckFailedError(
        f"releases are tagged on {', '.join(allowed)}, but {current}",
        hint="git switch main\n"
        'for this project, allow others:  [tool.wheelkit.version] branches = ["…"]\n'
        "once:  --any-branch",
    )


def _require_agreement(config: Config, state: FamilyVersions, keys: Sequence[str]) -> None:
    """Raise CheckFailedError if the members have problems, except that a first tag does not exist yet."""
    members = {state.members[key].distribution.name for key in keys}
    problems = [
        problem
        for problem in check(config, state)
        if problem.distribution in members and problem.where not in {TEMPLATE, GIT_TAGS}
    ]
    problems += ambiguous_tags(config, state, state.members)
    if problems:
        lines = (f"{problem.distribution}: {problem.what}\n  {problem.fix}" for problem in problems)
        raise CheckFailedError(
            "the versions have problems; nothing was tagged",
            detail="\n".join(lines),
            hint="wheelkit version check",
        )


def _version(state: FamilyVersions, key: str, given: str | None) -> str:
    member = state.members[key]
    version = member.version or ""
    if member.scheme is not Scheme.FILES:
        if given is None:
            name = member.distribution.name
            hint = f"name it:  wheelkit version tag {name} --as 1.2.3"
            raise UsageError(
                f"the version of {name} comes from git tags, so the new tag decides it", hint=hint
            )
        version = str(parse(given))
    if "+" in version:
        hint = f"wheelkit version set {version.split('+')[0]}"
        raise UsageError(f"{version} of {key} has a local part, which indexes reject", hint=hint)
    return version


def _require_free(repository: Repository, tags: Iterable[str], *, ask_remote: bool) -> None:
    """Raise CheckFailedError if another commit has one of the tags, locally or on the remote."""
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
        count = plural(len({name for name, _ in taken}), "tag is", "tags are")
        raise CheckFailedError(
            f"{count} already on another commit; nothing was tagged",
            detail="\n".join(line for _, line in taken),
            hint="a published tag never moves; release a new version:  wheelkit version bump patch",
        )


def _remote_commits(repository: Repository, remote: str) -> dict[str, str]:
    """Return the commits of a remote's tags; raises MissingToolError if the remote does not answer."""
    completed = repository.remote_tags(remote)
    if completed.returncode != 0:
        raise MissingToolError(
            f"the remote {remote} does not answer, so its tags are unknown",
            detail=completed.output,
            hint="check the network, or tag without asking it:  --no-remote",
        )
    commits: dict[str, str] = {}
    for line in completed.output.splitlines():
        commit, _, name = line.partition("\trefs/tags/")
        # The peeled line of an annotated tag follows its own and names the commit.
        commits[name.removesuffix("^{}")] = commit
    return commits
