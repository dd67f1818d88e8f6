"""What on an index speaks against publishing there at all: other bytes, unknown files, withdrawn ones, a release grown too old."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from wheelkit.errors import CheckFailedError
from wheelkit.text import plural, shorten_list

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from wheelkit.publish.plan import PlannedBatch, PlannedFile, PublishPlan


# The public indexes take no new file for a release that is older (their announcement of July 2026).
_OPEN_FOR = timedelta(days=14)
_NEAR = timedelta(days=4)


def require_no_conflict(plan: PublishPlan) -> None:
    """Raise CheckFailedError, with every file's name, where the index holds what this release can never agree with."""
    if plan.different:
        raise _taken(plan)
    if plan.strangers:
        names = [one.filename for one in plan.strangers]
        raise CheckFailedError(
            f"{plan.index} has {plural(len(names), 'file')} of this version that {'is' if len(names) == 1 else 'are'} in no manifest here",
            detail="\n".join([*names, "Nothing was uploaded."]),
            hint="build the whole release, with those files, from the commit that they came from\nor release a new version",
        )
    if plan.yanked and plan.todo:
        raise CheckFailedError(
            f"{plan.index} shows this version as yanked ({plan.yanked[0].filename}); nothing was uploaded",
            hint="un-yank it on the index if it is to be completed; else:  wheelkit version bump patch",
        )
    closed = (
        [one for one in plan.batches if one.todo and _age(one, plan) > _OPEN_FOR] if plan.index.public else []
    )
    if closed:
        missing = [file.name for one in closed for file in one.todo]
        first = closed[0]
        age, name = _age(first, plan).days, f"{first.batch.name} {first.batch.version}"
        raise CheckFailedError(
            f"{name} was begun on {plan.index} {age} days ago, and takes no new file after {_OPEN_FOR.days}; nothing was uploaded",
            detail="\n".join(["missing for ever:", *missing]),
            hint="release a new version:  wheelkit version bump patch",
        )


def warnings(plan: PublishPlan) -> Iterator[str]:
    """Yield what the user should know before the upload begins."""
    if not plan.json:
        yield f"{plan.index} has no JSON API: its HTML does not tell when files were uploaded, nor which of them are signed"
    unsigned = [one.name for one in plan.todo if not one.attestations]
    if 0 < len(unsigned) < len(plan.todo):
        yield f"{shorten_list(unsigned)} {'goes' if len(unsigned) == 1 else 'go'} without an attestation, and the other files with one"
    for one in plan.batches:
        left = _OPEN_FOR - _age(one, plan)
        if plan.index.public and one.todo and one.begun is not None and timedelta() < left < _NEAR:
            yield f"{one.batch.name} {one.batch.version} takes new files on {plan.index} for {_span(left)} only; complete it now"


def _age(one: PlannedBatch, plan: PublishPlan) -> timedelta:
    """Tell how long ago the release was begun, by the index's clock, since ours may be wrong."""
    return plan.now - one.begun if plan.now is not None and one.begun is not None else timedelta()


def _span(left: timedelta) -> str:
    return plural(left.days, "more day") if left.days else plural(left.seconds // 3600, "more hour")


def _taken(plan: PublishPlan) -> CheckFailedError:
    first, *more = plan.different
    lines = _compared(first, plan)
    lines += [
        f"and so {'is' if len(more) == 1 else 'are'} {one.file.name}"
        if one is more[0]
        else f"       {one.file.name}"
        for one in more
    ]
    return CheckFailedError(
        f"{first.file.name} is on {plan.index} already, with other bytes",
        detail="\n".join([*lines, "A published file can never be replaced. Nothing was uploaded."]),
        hint=(
            "to release what you built:   wheelkit version bump patch && wheelkit build\n"
            "to finish that release:      build from the commit that the index's files came from"
        ),
    )


def _compared(one: PlannedFile, plan: PublishPlan) -> list[str]:
    there = one.there
    when = _day(there.uploaded) if there is not None else ""
    commit = f" from commit {plan.release.commit[:12]}" if plan.release.commit else ""
    return [
        f"index   sha256 {_short(there.sha256 if there else '')}   uploaded {when or 'at an unknown time'}",
        f"dist/   sha256 {_short(one.file.sha256)}   built {plan.release.created[:10]}{commit}",
    ]


def _day(moment: datetime | None) -> str:
    return moment.date().isoformat() if moment else ""


def _short(digest: str) -> str:
    return f"{digest[:4]}…{digest[-4:]}"
