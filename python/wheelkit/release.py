"""A release from start to end: the staging index, smoke from there, the production index, smoke from there, and the tags.

Every stage uploads and installs the same bytes, and each can be run again. Production is not touched until staging, with these very
bytes, is known to have passed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit import publish
from wheelkit.errors import CheckFailedError, UsageError
from wheelkit.machine.git import Repository
from wheelkit.publish import journal
from wheelkit.publish.fetch import fetch
from wheelkit.smoke import smoke
from wheelkit.versions import state as version_state
from wheelkit.versions import tags
from wheelkit.versions.git import DEFAULT_TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from wheelkit.machine.workspace import Workspace
    from wheelkit.publish import Index, PublishPlan, PublishResult, PublishSession, PublishTerms, Release
    from wheelkit.smoke.install import Source
    from wheelkit.smoke.model import SmokeResult
    from wheelkit.versions.tags import ReleaseTag


class ReleaseRequest(Struct, frozen=True, kw_only=True):
    """What is to be released where: ``stages`` in order, of which the staging index comes first.

    ``source`` is where smoke tests take third parties from, ``interpreters`` restrict them; ``staging`` is the index that has to have
    passed before production, whether it is among the stages or not.
    """

    terms: PublishTerms
    staging: Index
    stages: tuple[Index, ...]
    source: Source
    interpreters: tuple[str, ...] = ()


class ReleaseObserver:
    """Hears how a release goes on, stage by stage; the command line shows it."""

    def plan(self, plan: PublishPlan) -> None:
        """Hear what is to be uploaded."""

    def published(self, done: PublishResult) -> None:
        """Hear what was uploaded."""

    def smoked(self, index: Index, smoked: SmokeResult) -> None:
        """Hear how the smoke test from an index went."""


class ReleaseContext(Struct, frozen=True, kw_only=True):
    """What a release works with: the office that publishes, the workshop that installs, and who hears of it."""

    room: PublishSession
    shop: Workspace
    audience: ReleaseObserver


class ReleaseResult(Struct, frozen=True, kw_only=True):
    """What came of it: the runs on the indexes, and the tags that stand now, of which ``made`` are new."""

    release: Release
    stages: tuple[PublishResult, ...]
    made: tuple[ReleaseTag, ...]


def run_release(request: ReleaseRequest, means: ReleaseContext) -> ReleaseResult:
    """Release a dist; stops at the first thing that is wrong, with what to do, and can be run again.

    Raises CheckFailedError for what does not hold, and whatever publishing, installing and tagging raise.
    """
    room = means.room
    release = publish.collect_release(request.terms.folder, request.terms.family)
    _require_staged(release, request, room)
    publish.require_publishable(release, request.stages, request.terms, room.run)
    planned = _tags(release, request)
    stages = []
    for index in request.stages:
        done = publish.publish(release, index, room, means.audience.plan)
        means.audience.published(done)
        _smoke(release, index, request, means)
        stages.append(done)
    if planned:
        tags.make_tags(version_state.read_versions(request.terms.config, request.terms.family), planned)
    return ReleaseResult(
        release=release, stages=tuple(stages), made=tuple(one for one in planned if not one.exists)
    )


def select(stages: Sequence[Index], until: str | None, only: str | None) -> tuple[Index, ...]:
    """Choose stages by the names of their indexes; raises UsageError for a name that is none of them."""
    names = [one.name for one in stages]
    wanted = only or until
    if wanted is not None and wanted not in names:
        option = "--only" if only else "--until"
        raise UsageError(
            f"{option} {wanted}: this release goes to {' and then '.join(names)}", hint=f"{option} {names[0]}"
        )
    if only:
        return tuple(one for one in stages if one.name == only)
    return tuple(stages[: names.index(until) + 1]) if until else tuple(stages)


def _require_staged(release: Release, request: ReleaseRequest, room: PublishSession) -> None:
    """Refuse to go to production where nothing tells that these bytes passed on the staging index."""
    if any(one == request.staging for one in request.stages):
        return
    if not journal.Journal(journal.journal_path(request.staging, release, room.state), release).smoked:
        raise CheckFailedError(
            f"these files are not known to have passed on {request.staging}, so {request.stages[0]} was not touched",
            detail=f"release {release.digest[:12]}: nothing here remembers a smoke test of these very bytes from {request.staging}",
            hint=f"wheelkit release {request.terms.folder} --until {request.staging}",
        )


def _smoke(release: Release, index: Index, request: ReleaseRequest, means: ReleaseContext) -> None:
    smoked = smoke_from(release, index, request, means)
    means.audience.smoked(index, smoked)
    if not smoked.ok:
        failed = [one.case.title for one in smoked.outcomes if not one.ok]
        raise CheckFailedError(
            f"what {index} serves does not work: {failed[0]}"
            + (f" and {len(failed) - 1} more" if len(failed) > 1 else ""),
            hint=(
                "nothing went any further; mend it, and release a new version:  wheelkit version bump patch"
                if index == request.staging
                else f"{index} serves it already: yank the release there, mend it, and release a new version"
            ),
        )
    place = journal.journal_path(index, release, means.room.state)
    journal.Journal(place, release).passed_smoke()


def smoke_from(release: Release, index: Index, request: ReleaseRequest, means: ReleaseContext) -> SmokeResult:
    """Install the family as an index serves it, and try it: its files by sha256 from there alone, third parties from the one source."""
    folder: Path = means.shop.new_folder(f"from-{index.host.replace(':', '-')}")
    fetch(release, index, means.room.client, folder)
    asked = smoke.SmokeRequest(
        dist=folder,
        source=request.source,
        config=request.terms.config,
        family=request.terms.family,
        interpreters=request.interpreters,
    )
    return smoke.smoke(asked, means.shop)


def _tags(release: Release, request: ReleaseRequest) -> tuple[ReleaseTag, ...]:
    """Plan the tags before anything is uploaded, so that nothing fails behind the point of no return.

    Tags that stand on the release's commit already are fine, wherever they were made; others are made from this very checkout.
    """
    if all(one.staging for one in request.stages):
        return ()
    terms = request.terms
    repository = Repository(folder=terms.config.root)
    templates = {
        one.distribution: version_state.settings(terms.config, one.distribution).tag or DEFAULT_TEMPLATE
        for one in release.batches
    }
    names = {templates[one.distribution].replace("{version}", one.version) for one in release.batches}
    if all(repository.commit_of(name) == release.commit for name in names):
        return ()
    if repository.head != release.commit:
        raise CheckFailedError(
            f"the tags of this release belong on {release.commit[:12]}, and {repository.head[:12]} is checked out",
            hint=f"git checkout {release.commit[:12]}      or tag it first:  wheelkit version tag",
        )
    if repository.run("var", "GIT_COMMITTER_IDENT").returncode != 0:
        raise CheckFailedError(
            "git does not know who makes the tags of this release; nothing was uploaded",
            hint='git config user.name "…" && git config user.email "…"      or tag it first:  wheelkit version tag',
        )
    return tags.plan_tags(
        terms.config, version_state.read_versions(terms.config, terms.family), tags.TagRequest()
    )


def stages(request_to: tuple[str, str], resolve: Callable[[str], Index]) -> tuple[Index, Index]:
    """Resolve the staging and the production index of a project; raises UsageError where they are one and the same."""
    staging, production = map(resolve, request_to)
    if staging.upload.rstrip("/") == production.upload.rstrip("/"):
        raise UsageError(
            f"{staging} and {production} are one index; a release is tried on another one first",
            hint="[tool.wheelkit.ci] staging = …",
        )
    return staging, production
