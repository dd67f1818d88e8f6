"""Release a family: publish to staging and test it from there, do the same on production, then tag.

Every stage uploads and installs the same bytes and can be run again. Production is not touched until these
very bytes have passed on staging.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct
from msgspec.structs import replace

from wheelkit import publish
from wheelkit.errors import CheckFailedError, UsageError
from wheelkit.hints import REBUILD
from wheelkit.machine.git import Repository
from wheelkit.machine.signals import deferred
from wheelkit.publish.fetch import fetch
from wheelkit.publish.origins import release_tag, released_elsewhere
from wheelkit.publish.siblings import fetch_siblings, find_siblings
from wheelkit.smoke.run import SmokeRequest
from wheelkit.smoke.smoke import smoke
from wheelkit.versions import tags
from wheelkit.versions.state import read_versions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from wheelkit.machine.workspace import Workspace
    from wheelkit.publish import Index, PublishPlan, PublishResult, PublishSession, PublishTerms, Release
    from wheelkit.publish.client import Client
    from wheelkit.smoke.install import Source
    from wheelkit.smoke.model import SmokeResult
    from wheelkit.versions.tags import ReleaseTag


class ReleaseRequest(Struct, frozen=True, kw_only=True):
    """The dist folder of a release and its stages, in order.

    ``staging``, if there is one, has to have passed before production, whether it is one of the stages or
    not. Smoke tests install third-party packages from ``source`` and run on ``interpreters`` only, if there
    are any. Of the dist folder, only ``members`` are released, if there are any.
    """

    dist: Path
    terms: PublishTerms
    staging: Index | None
    stages: tuple[Index, ...]
    source: Source
    interpreters: tuple[str, ...] = ()
    members: tuple[str, ...] = ()


class ReleaseObserver(Protocol):
    """Receives what happens in each stage of a release."""

    def plan(self, plan: PublishPlan) -> None:
        """Receive a plan before it is executed."""

    def published(self, uploads: PublishResult) -> None:
        """Receive the result of an upload."""

    def smoked(self, index: Index, smoked: SmokeResult) -> None:
        """Receive the result of a smoke test from an index."""


class ReleaseResult(Struct, frozen=True, kw_only=True):
    """A release with the results of its stages, and the tags that it created."""

    release: Release
    stages: tuple[PublishResult, ...]
    created_tags: tuple[ReleaseTag, ...]


def run_release(
    request: ReleaseRequest, session: PublishSession, workspace: Workspace, observer: ReleaseObserver
) -> ReleaseResult:
    """Release a dist folder; stops at the first failure, and continues there when it is run again.

    Raises CheckFailedError for a failed check, and whatever publishing, installing and tagging raise.
    """
    terms = request.terms
    release = publish.collect_release(
        request.dist, terms.family, workspace.new_folder("release"), request.members
    )
    _require_staged(release, request, session)
    publish.require_publishable(release, request.stages, terms, session)
    for index in request.stages[1:]:
        publish.plan_publication(release, index, session.client)  # a conflict ends it before any upload
    planned_tags = _plan_tags(release, request, session)
    results = []
    for index in request.stages:
        result = publish.publish(release, index, session, observer.plan)
        observer.published(result)
        smoked = _smoke_from(index, release, request, session.client, workspace)
        observer.smoked(index, smoked)
        _require_passed(smoked, index, request)
        session.journal(release, index).passed_smoke()
        results.append(result)
    if planned_tags:
        with deferred():  # all or none of them
            tags.make_tags(read_versions(terms.config, terms.family), planned_tags)
    created = tuple(tag for tag in planned_tags if not tag.exists)
    return ReleaseResult(release=release, stages=tuple(results), created_tags=created)


def stages(names: Sequence[str], resolve: Callable[[str], Index]) -> tuple[Index, ...]:
    """Resolve the staging index, if there is one, and the production index.

    Raises UsageError where they are the same.
    """
    *before, production = map(resolve, names)
    if not before:
        return (production,)
    staging = replace(before[0], staging=True)
    if staging.upload.rstrip("/") == production.upload.rstrip("/"):
        raise UsageError(
            f"{staging} and {production} are the same index; staging has to be another one",
            hint='name it in the configuration:  [tool.wheelkit.ci] staging = "NAME"',
        )
    return staging, production


def select(stages: Sequence[Index], until: str | None, only: str | None) -> tuple[Index, ...]:
    """Select stages by the names of their indexes; raises UsageError for another name."""
    names = [index.name for index in stages]
    wanted = only or until
    if wanted is None:
        return tuple(stages)
    if wanted not in names:
        option = "--only" if only else "--until"
        raise UsageError(
            f"{option} {wanted}: the stages of this release are {' and '.join(names)}",
            hint=f"{option} {names[0]}",
        )
    position = names.index(wanted)
    return tuple(stages[position if only else 0 : position + 1])


def _require_staged(release: Release, request: ReleaseRequest, session: PublishSession) -> None:
    """Refuse production unless staging is one of the stages or has passed with these bytes."""
    staging = request.staging
    if staging is None or staging in request.stages or session.journal(release, staging).smoked:
        return
    raise CheckFailedError(
        f"these files have not passed on {staging}; nothing was uploaded to {request.stages[0]}",
        detail=f"This machine has no record of a smoke test of release {release.digest[:12]} from {staging}",
        hint=f"run staging first:  wheelkit release {request.dist} --until {staging}",
    )


def _smoke_from(
    index: Index, release: Release, request: ReleaseRequest, client: Client, workspace: Workspace
) -> SmokeResult:
    """Run the smoke test with the files of the release and its siblings as the index serves them."""
    host = index.host.replace(":", "-")
    folder = workspace.new_folder(f"from-{host}")
    fetch(release, index, client, folder)
    siblings = find_siblings(release, index, client, request.terms.family)
    smoke_request = SmokeRequest(
        dist=folder,
        given=request.dist,
        siblings=fetch_siblings(siblings, client, workspace.new_folder(f"siblings-from-{host}")),
        source=request.source,
        config=request.terms.config,
        family=request.terms.family,
        interpreters=request.interpreters,
    )
    return smoke(smoke_request, workspace)


def _require_passed(smoked: SmokeResult, index: Index, request: ReleaseRequest) -> None:
    if smoked.ok:
        return
    failed = [outcome.case.title for outcome in smoked.results if not outcome.ok]
    more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
    raise CheckFailedError(
        f"the release on {index} failed its smoke test: {failed[0]}{more}",
        hint="the release stopped here and did not go to any other index\n"
        f"fix it, commit it, and release a new version:  {REBUILD}"
        if index == request.staging
        else f"the files are public on {index}: yank the release there, fix it, and release a new version",
    )


def _plan_tags(release: Release, request: ReleaseRequest, session: PublishSession) -> tuple[ReleaseTag, ...]:
    """Plan missing tags before the first upload, so that nothing fails once production has the files.

    Tags are those of the distributions in the release, less those that an earlier release put on another
    commit and that are on production unchanged.
    """
    production = next((index for index in request.stages if not index.staging), None)
    if production is None:
        return ()
    terms = request.terms
    repository = Repository(folder=terms.config.root)
    earlier = released_elsewhere(release, production, session, terms.config)
    missing = [
        distribution
        for distribution in release.distributions
        if distribution.key not in earlier
        and distribution.commit
        and repository.commit_of(release_tag(distribution, terms.config)) != distribution.commit
    ]
    if not missing:
        return ()
    # Of several commits, those that are not checked out are on production already.
    missing = [distribution for distribution in missing if distribution.commit == repository.head] or missing
    commit = missing[0].commit
    alternative = f"or tag it first:  wheelkit version tag {' '.join(one.key for one in missing)}"
    if repository.head != commit:
        raise CheckFailedError(
            f"this release's tags belong on {commit[:12]}, but {repository.head[:12]} is checked out;"
            " nothing was uploaded",
            hint=f"check it out:     git checkout {commit[:12]}\n{alternative}",
        )
    if repository.run("var", "GIT_COMMITTER_IDENT").returncode != 0:
        raise CheckFailedError(
            "git has no name and email for the tags of this release; nothing was uploaded",
            hint=f'set them:         git config user.name "…" && git config user.email "…"\n{alternative}',
        )
    members = tuple(distribution.key for distribution in missing)
    state = read_versions(terms.config, terms.family)
    return tags.plan_tags(terms.config, state, tags.TagRequest(members=members))
