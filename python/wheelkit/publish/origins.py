"""Where files were built: from which commit, under which tag, or on an index that served them.

What an index has already, with the same bytes, needs none of it there.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.errors import CheckFailedError, UsageError
from wheelkit.hints import REBUILD
from wheelkit.machine.git import Repository
from wheelkit.publish.transaction import plan_publication
from wheelkit.text import lines_of, shorten_list
from wheelkit.versions.git import DEFAULT_TEMPLATE
from wheelkit.versions.state import settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit.config import Config
    from wheelkit.project.family import Family
    from wheelkit.publish.index import Index
    from wheelkit.publish.model import DistributionFiles, Release
    from wheelkit.publish.plan import PublishPlan
    from wheelkit.publish.session import PublishSession


class PublishTerms(Struct, frozen=True, kw_only=True):
    """The project that a release has to fit, and the options of its publication.

    ``tag_later`` is for a caller that creates the tags after publishing. ``wait`` is the number of seconds
    that another run may take to publish the siblings of a part.
    """

    config: Config
    family: Family
    allow_dirty: bool = False
    tag_later: bool = False
    wait: float = 0.0


class Part:
    """What an index still lacks of a release; the index is asked only when there is something to excuse."""

    def __init__(self, release: Release, index: Index, session: PublishSession) -> None:
        self.release = release
        self.index = index
        self._session = session

    @cached_property
    def _plan(self) -> PublishPlan:
        return plan_publication(self.release, self.index, self._session.client)

    @property
    def lacking_files(self) -> frozenset[str]:
        """The names of the files that the index lacks."""
        return frozenset(file.name for file in self._plan.todo)

    def still(self, distributions: Iterable[DistributionFiles]) -> tuple[DistributionFiles, ...]:
        """Leave out the distributions of which the index has every file, with the same bytes."""
        distributions = tuple(distributions)
        if not distributions:
            return ()
        lacking = {planned.distribution.key for planned in self._plan.distributions if planned.todo}
        return tuple(distribution for distribution in distributions if distribution.key in lacking)


def released_elsewhere(
    release: Release, index: Index, session: PublishSession, config: Config
) -> frozenset[str]:
    """Return the distributions whose tag is on another commit, and whose files the index has as they are."""
    repository = Repository(folder=config.root)
    moved = tuple(
        distribution
        for distribution in release.distributions
        if repository.commit_of(release_tag(distribution, config)) not in {"", distribution.commit}
    )
    still = Part(release, index, session).still(moved)
    return frozenset(distribution.key for distribution in moved if distribution not in still)


def require_origin(part: Part, terms: PublishTerms) -> None:
    """Check that what an index lacks was built from a clean and, for production, a tagged commit.

    Raises CheckFailedError, and UsageError for ``--allow-dirty`` elsewhere than on a staging index.
    """
    index, distributions = part.index, part.release.distributions
    if terms.allow_dirty:
        if not index.staging:
            raise UsageError(
                f"--allow-dirty is for staging indexes, and {index} is not one",
                hint='testpypi is one; to name yours:  [tool.wheelkit.ci] staging = "NAME"',
            )
        return
    alternative = "\nor, for this staging index:  --allow-dirty" if index.staging else ""
    dirty = part.still(distribution for distribution in distributions if distribution.dirty)
    if dirty:
        raise CheckFailedError(
            f"the files were built with uncommitted changes on {dirty[0].commit[:12]}; nothing was uploaded",
            hint=f"commit the changes and build again{alternative}",
        )
    if not index.staging:
        _require_known_origin(part)
    if part.still(distribution for distribution in _built(part.release) if not distribution.commit):
        raise CheckFailedError(
            "the files were built outside version control, so their source is unknown; nothing was uploaded",
            hint=f"put the project under git, commit and build again{alternative}",
        )
    _require_one_commit(part)
    problems = "" if index.staging else lines_of(_tag_problems(part, terms))
    if problems:
        raise CheckFailedError(
            f"releases on {index} need a tag on the commit that they were built from; nothing was uploaded",
            detail=problems,
            hint=f"a published tag never moves; release a new version:  {REBUILD}"
            if terms.tag_later
            else "tag the commit:  wheelkit version tag\n"
            f"if the tag is on another commit, release a new version:  {REBUILD}",
        )


def _require_one_commit(part: Part) -> None:
    """Refuse files of several commits, apart from distributions that are on the index as they are."""
    built = _built(part.release)
    if len({distribution.commit for distribution in built}) <= 1:
        return
    still = part.still(built)
    commits = {distribution.commit: distribution for distribution in still}
    if len(commits) > 1:
        raise CheckFailedError(
            f"the files were built from {len(commits)} commits; nothing was uploaded",
            detail=lines_of(f"{distribution}  {distribution.commit[:12]}" for distribution in still),
            hint="build all of them from one commit:  wheelkit build\n"
            f"or release each alone:                wheelkit build {still[0].key}",
        )


def _built(release: Release) -> tuple[DistributionFiles, ...]:
    """Return the distributions with a known commit, or built here outside git: not those from an index."""
    return tuple(
        distribution
        for distribution in release.distributions
        if distribution.commit or not all(file.is_fetched for file in distribution.files)
    )


def _require_known_origin(part: Part) -> None:
    """Refuse to upload files to production that an index served, if their commit is not known."""
    fetched = [file for file in part.release.files if file.is_fetched and not file.commit]
    lacking = [file.name for file in fetched if file.name in part.lacking_files]
    if lacking:
        verb = "was" if len(lacking) == 1 else "were"
        raise CheckFailedError(
            f"{shorten_list(lacking)} {verb} fetched from an index, and nothing says from which commit"
            f" {'it' if len(lacking) == 1 else 'they'} {verb} built; nothing was uploaded to {part.index}",
            hint="fetch the artifacts of the CI run instead:  wheelkit fetch-dist --from FOLDER\n"
            "or name the commit:  wheelkit fetch-dist --from INDEX --commit COMMIT",
        )


def release_tag(distribution: DistributionFiles, config: Config) -> str:
    """Return the name of a distribution's tag."""
    template = settings(config, distribution.key).tag or DEFAULT_TEMPLATE
    return template.replace("{version}", distribution.version)


def _tag_problems(part: Part, terms: PublishTerms) -> Iterator[str]:
    """Yield the tags that are on another commit, and without ``tag_later`` those that do not exist.

    A distribution that is on the index with these bytes needs no tag here.
    """
    repository = Repository(folder=terms.config.root)
    repository.require_trusted()
    owners: dict[tuple[str, str], list[DistributionFiles]] = {}
    for distribution in _built(part.release):
        name = release_tag(distribution, terms.config)
        commit = repository.commit_of(name)
        if commit != distribution.commit and (commit or not terms.tag_later):
            owners.setdefault((name, commit), []).append(distribution)
    for (name, commit), distributions in owners.items():
        for still in filter(None, [part.still(distributions)]):
            verb = "was" if len(still) == 1 else "were"
            built = f"{shorten_list(map(str, still), 1)} {verb} built from {still[0].commit[:12]}"
            yield f"{name} is on {commit[:12]}, but {built}" if commit else f"{name} does not exist; {built}"
