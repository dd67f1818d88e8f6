"""Checks before an upload: commit and tag, native builds, verification, and the index's rules."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.errors import CheckFailedError, UsageError
from wheelkit.hints import REBUILD
from wheelkit.machine.concurrency import worker_pool
from wheelkit.machine.git import Repository
from wheelkit.publish import twine
from wheelkit.publish.index_rules import refused_findings
from wheelkit.publish.siblings import find_siblings
from wheelkit.publish.transaction import plan_publication
from wheelkit.text import lines_of, plural, shorten_list
from wheelkit.verification.contract import contract_of
from wheelkit.verification.run import verify
from wheelkit.versions.git import DEFAULT_TEMPLATE
from wheelkit.versions.state import settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from wheelkit.config import Config
    from wheelkit.project.family import Family
    from wheelkit.publish.index import Index
    from wheelkit.publish.model import DistributionFiles, Release
    from wheelkit.publish.session import PublishSession
    from wheelkit.verification.model import Finding, Report


class PublishTerms(Struct, frozen=True, kw_only=True):
    """The project that a release has to fit, and the options of its publication.

    ``tag_later`` is for a caller that creates the tags after publishing.
    """

    config: Config
    family: Family
    allow_dirty: bool = False
    tag_later: bool = False


def require_publishable(
    release: Release, indexes: Iterable[Index], terms: PublishTerms, session: PublishSession
) -> None:
    """Check that a release may be published on all of the indexes.

    Raises CheckFailedError with all reasons of one kind, UsageError for an option that does not fit an index,
    IndexUnavailableError where an index has to be asked and does not answer.
    """
    indexes = tuple(indexes)
    for index in indexes:
        _require_commit(_Part(release, index, session), terms)
    for index in indexes:
        find_siblings(release, index, session.client, terms.family)
    _require_native(release, terms.config)
    # A part promises nothing for the other members.
    shipped = {distribution.key for distribution in release.distributions}
    contract = contract_of(terms.config, terms.family.part(shipped))
    with worker_pool(1) as pool:
        # twine takes as long to start as verification takes.
        twine_check = pool.submit(twine.check, session.run, release.files)
        report = verify([release.location], contract)
        _require_verified(report, release.folder)
        _refuse(
            "the index's rules forbid these files; nothing was uploaded",
            [
                f"{_describe(finding)}; {rule.rule}"
                for finding, rule in refused_findings(report.findings, indexes)
            ],
            hint="fix it and build again\n"
            "if the index makes an exception for your project, accept the finding with a reason:"
            "  distribution.NAME.ignore",
        )
        _refuse(
            "twine check reports problems; nothing was uploaded",
            twine_check.result().splitlines(),
            hint="fix the project's metadata, most often its readme, and build again",
        )


class _Part:
    """What an index still lacks of a release; the index is asked only when there is something to excuse."""

    def __init__(self, release: Release, index: Index, session: PublishSession) -> None:
        self.release = release
        self.index = index
        self._session = session

    @cached_property
    def lacking(self) -> frozenset[str]:
        """The keys of the distributions of which the index lacks a file."""
        plan = plan_publication(self.release, self.index, self._session.client)
        return frozenset(planned.distribution.key for planned in plan.distributions if planned.todo)

    def still(self, distributions: Iterable[DistributionFiles]) -> tuple[DistributionFiles, ...]:
        """Leave out the distributions of which the index has every file, with the same bytes."""
        distributions = tuple(distributions)
        if not distributions:
            return ()
        return tuple(distribution for distribution in distributions if distribution.key in self.lacking)


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
    still = _Part(release, index, session).still(moved)
    return frozenset(distribution.key for distribution in moved if distribution not in still)


def _refuse(message: str, problems: Iterable[str], hint: str) -> None:
    detail = lines_of(problems)
    if detail:
        raise CheckFailedError(message, detail=detail, hint=hint)


def _require_commit(part: _Part, terms: PublishTerms) -> None:
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
    if part.still(distribution for distribution in distributions if not distribution.commit):
        raise CheckFailedError(
            "the files were built outside version control, so their source is unknown; nothing was uploaded",
            hint=f"put the project under git, commit and build again{alternative}",
        )
    _require_one_commit(part)
    if not index.staging:
        _refuse(
            f"releases on {index} need a tag on the commit that they were built from; nothing was uploaded",
            _tag_problems(part, terms),
            hint=f"a published tag never moves; release a new version:  {REBUILD}"
            if terms.tag_later
            else "tag the commit:  wheelkit version tag\n"
            f"if the tag is on another commit, release a new version:  {REBUILD}",
        )


def _require_one_commit(part: _Part) -> None:
    """Refuse files of several commits, apart from distributions that are on the index as they are."""
    if len({distribution.commit for distribution in part.release.distributions}) == 1:
        return
    still = part.still(part.release.distributions)
    commits = {distribution.commit: distribution for distribution in still}
    if len(commits) > 1:
        raise CheckFailedError(
            f"the files were built from {len(commits)} commits; nothing was uploaded",
            detail=lines_of(f"{distribution}  {distribution.commit[:12]}" for distribution in still),
            hint="build all of them from one commit:  wheelkit build\n"
            f"or release each alone:                wheelkit build {still[0].key}",
        )


def release_tag(distribution: DistributionFiles, config: Config) -> str:
    """Return the name of a distribution's tag."""
    template = settings(config, distribution.key).tag or DEFAULT_TEMPLATE
    return template.replace("{version}", distribution.version)


def _tag_problems(part: _Part, terms: PublishTerms) -> Iterator[str]:
    """Yield the tags that are on another commit, and without ``tag_later`` those that do not exist.

    A distribution that is on the index with these bytes needs no tag here.
    """
    repository = Repository(folder=terms.config.root)
    repository.require_trusted()
    owners: dict[tuple[str, str], list[DistributionFiles]] = {}
    for distribution in part.release.distributions:
        name = release_tag(distribution, terms.config)
        commit = repository.commit_of(name)
        if commit != distribution.commit and (commit or not terms.tag_later):
            owners.setdefault((name, commit), []).append(distribution)
    for (name, commit), distributions in owners.items():
        for still in filter(None, [part.still(distributions)]):
            verb = "was" if len(still) == 1 else "were"
            built = f"{shorten_list(map(str, still), 1)} {verb} built from {still[0].commit[:12]}"
            yield f"{name} is on {commit[:12]}, but {built}" if commit else f"{name} does not exist; {built}"


def _require_native(release: Release, config: Config) -> None:
    cross_built = [file.name for file in release.files if file.builder == "cross"]
    if cross_built and not config.publish.allow_cross:
        raise CheckFailedError(
            f"{plural(len(cross_built), 'wheel is', 'wheels are')} cross-built: verified, but never run;"
            " nothing was uploaded",
            detail=lines_of(cross_built),
            hint="build each on its own system:  wheelkit plan  names the runners\n"
            "or accept cross-built wheels:  [tool.wheelkit.publish] allow-cross = true",
        )


def _require_verified(report: Report, folder: Path) -> None:
    failing = [finding for finding in report.findings if finding.fails]
    if failing:
        raise CheckFailedError(
            f"verification failed with {plural(len(failing), 'finding')}; nothing was uploaded",
            detail=lines_of(map(_describe, failing)),
            hint=f"explanation:       wheelkit explain {failing[0].code}\n"
            f"the whole matrix:  wheelkit verify-matrix {folder}",
        )


def _describe(finding: Finding) -> str:
    place = finding.file or ("" if finding.what.startswith(finding.where) else finding.where)
    return f"{finding.code}  {place}{': ' if place else ''}{finding.what}"
