"""What on an index makes it impossible to publish a release there, and what is worth a warning."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from wheelkit.errors import CheckFailedError
from wheelkit.hints import REBUILD
from wheelkit.publish.plan import State
from wheelkit.text import lines_of, plural, shorten_list

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.publish.plan import PlannedDistribution, PlannedFile, PublishPlan


# How long after its first file a public index takes further files of a release (announced in July 2026).
_NEW_FILES_ACCEPTED_FOR = timedelta(days=14)
_WARN_BEFORE = timedelta(days=4)


def require_no_conflict(plan: PublishPlan) -> None:
    """Raise CheckFailedError for the first kind of conflict, with the names of all its files."""
    _require_same_bytes(plan)
    _require_known_files(plan)
    _require_not_yanked(plan)
    _require_open(plan)


def warnings(plan: PublishPlan) -> Iterator[str]:
    """Yield what the user should know before the upload begins."""
    if not plan.is_json:
        yield f"{plan.index} has no JSON API, so the upload times and attestations of its files are unknown"
    unsigned = [file.name for file in plan.todo if not file.attestations]
    if 0 < len(unsigned) < len(plan.todo):
        verb = "has" if len(unsigned) == 1 else "have"
        yield f"{shorten_list(unsigned)} {verb} no attestation; the other files have one"
    for planned in plan.distributions if plan.index.public else ():
        left = _NEW_FILES_ACCEPTED_FOR - _age(planned, plan)
        if planned.todo and timedelta() < left < _WARN_BEFORE:
            span = plural(left.days, "more day") if left.days else plural(left.seconds // 3600, "more hour")
            yield f"{plan.index} accepts new files of {planned.distribution} for {span} only; complete it now"


def _require_same_bytes(plan: PublishPlan) -> None:
    different = [planned for planned in plan.on_index if planned.state is State.DIFFERENT]
    if not different:
        return
    first, *more = different
    also = [f"also different: {planned.file.name}" for planned in more]
    last = f"A published file cannot be replaced. Nothing was uploaded to {plan.index}."
    raise CheckFailedError(
        f"{first.file.name} is on {plan.index} already, with other bytes",
        detail=lines_of([*_comparison(first, plan), *also, last]),
        hint=(
            f"to release what you built:   {REBUILD}\n"
            f"to complete that release:    wheelkit fetch-dist --from {plan.index}  takes its files"
        ),
    )


def _comparison(planned: PlannedFile, plan: PublishPlan) -> tuple[str, str]:
    there = planned.on_index
    uploaded = there.uploaded.date().isoformat() if there and there.uploaded else "at an unknown time"
    built_from = {
        file.name: distribution.commit
        for distribution in plan.release.distributions
        for file in distribution.files
    }[planned.file.name]
    commit = f" from commit {built_from[:12]}" if built_from else ""
    return (
        f"index   sha256 {_shorten(there.sha256 if there else '')}   uploaded {uploaded}",
        f"dist/   sha256 {_shorten(planned.file.sha256)}   built {plan.release.created[:10]}{commit}",
    )


def _require_known_files(plan: PublishPlan) -> None:
    if names := [file.filename for file in plan.unknown]:
        files = plural(len(names), "file of this version that is", "files of this version that are")
        raise CheckFailedError(
            f"{plan.index} has {files} in no manifest here",
            detail=lines_of([*names, f"Nothing was uploaded to {plan.index}."]),
            hint=f"if they are yours, add them:  wheelkit fetch-dist --from {plan.index}\n"
            f"or release a new version:     {REBUILD}",
        )


def _require_not_yanked(plan: PublishPlan) -> None:
    yanked = [planned.file.name for planned in plan.on_index if planned.on_index and planned.on_index.yanked]
    if yanked and plan.todo:
        raise CheckFailedError(
            f"this version is yanked on {plan.index} ({yanked[0]}); nothing was uploaded to {plan.index}",
            hint="to complete it, un-yank it on the index first\n"
            f"otherwise release a new version:  {REBUILD}",
        )


def _require_open(plan: PublishPlan) -> None:
    closed = [
        planned
        for planned in plan.distributions
        if plan.index.public and planned.todo and _age(planned, plan) > _NEW_FILES_ACCEPTED_FOR
    ]
    if not closed:
        return
    first = closed[0]
    missing = [file.name for planned in closed for file in planned.todo]
    raise CheckFailedError(
        f"{first.distribution} was begun on {plan.index} {_age(first, plan).days} days ago, and new files are"
        f" accepted for {_NEW_FILES_ACCEPTED_FOR.days} days only; nothing was uploaded to {plan.index}",
        detail=lines_of(["these files can no longer be added:", *missing]),
        hint=f"release a new version:  {REBUILD}",
    )


def _age(planned: PlannedDistribution, plan: PublishPlan) -> timedelta:
    """Return how long ago the release was begun, by the index's clock; 0 where it was not or is not known."""
    return plan.now - planned.begun if plan.now is not None and planned.begun is not None else timedelta()


def _shorten(digest: str) -> str:
    return f"{digest[:4]}…{digest[-4:]}"
