"""The transaction on one index: look, upload what is missing in order, wait until it shows, and leave nothing half told.

It can be ended at any moment and run again. What is on the index counts, and is never sent twice; what was sent and does not show yet is
waited for, as long as the index may take, before it is sent again.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from msgspec import Struct, field

from wheelkit import manifest
from wheelkit.errors import CheckFailedError, IndexUnavailableError, ToolFailedError
from wheelkit.machine.progress import step
from wheelkit.publish import conflicts
from wheelkit.publish import plan as plans
from wheelkit.publish.client import backoff_delays
from wheelkit.publish.plan import State
from wheelkit.publish.simple_api import fetch_existing
from wheelkit.publish.twine import UploadResult, upload
from wheelkit.publish.upload_errors import known_errors, translate
from wheelkit.text import plural, shorten_list

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from wheelkit.machine.process import Run
    from wheelkit.machine.progress import Progress
    from wheelkit.publish.client import Client, Clock
    from wheelkit.publish.credentials import CredentialSession
    from wheelkit.publish.index import Index
    from wheelkit.publish.journal import Journal
    from wheelkit.publish.model import DistributionFiles, Release, ShippedFile
    from wheelkit.publish.plan import PlannedBatch, PublishPlan
    from wheelkit.publish.twine import TwineRun


class WaitPolicy(Struct, frozen=True, kw_only=True):
    """How long the index may take to show what it accepted, and how often an upload is tried, in seconds and times."""

    visible: float = 900.0
    attempts: int = 6
    first_pause: float = 1.0


class UploadContext(Struct, frozen=True, kw_only=True):
    """All that a transaction works with."""

    client: Client
    run: Run
    clock: Clock
    journal: Journal
    purse: CredentialSession
    progress: Progress
    keeps: tuple[int, ...] = ()
    patience: WaitPolicy = field(default_factory=WaitPolicy)


class PublishResult(Struct, frozen=True, kw_only=True):
    """What a run did: the plan that it began with and the names of the files that it uploaded."""

    plan: PublishPlan
    uploaded: tuple[str, ...]


def survey(release: Release, index: Index, client: Client) -> PublishPlan:
    """Look at the index and compute what is to be done; raises IndexUnavailableError, CheckFailedError for what can never agree."""
    made = plans.make_publish_plan(release, index, fetch_existing(client, index, release.batches))
    conflicts.require_no_conflict(made)
    return made


def publish(
    release: Release, index: Index, desk: UploadContext, tell: Callable[[PublishPlan], None]
) -> PublishResult:
    """Bring the whole release onto the index; ``tell`` hears the plan before anything is done.

    Raises CheckFailedError for a conflict, IndexRefusedError for a refusal, IndexUnavailableError when the index gives up on us,
    ToolFailedError where twine fails for a reason of its own. Whatever it raises, the same call later goes on from there.
    """
    plan = survey(release, index, desk.client)
    tell(plan)
    desk.journal.saw(one.file.name for one in plan.there)
    plan = _settled(plan, desk)
    work = _Transaction(plan, desk)
    for wave in waves(plan):
        work.wait_for(need for one in wave for need in one.batch.needs)
        # One call of twine sends attestations for all of its files or for none.
        for _, files in groupby(
            (file for one in wave for file in one.todo), key=lambda one: bool(one.attestations)
        ):
            work.send(tuple(files))
    if plan.todo:
        work.wait_for([one.distribution for one in release.batches])
    return PublishResult(plan=plan, uploaded=tuple(one.name for one in plan.todo))


def waves(plan: PublishPlan) -> tuple[tuple[PlannedBatch, ...], ...]:
    """Put neighbours together of which none needs another one: they go in one call of twine, which takes half a second to start."""
    found: list[list[PlannedBatch]] = []
    for planned in plan.batches:
        if not planned.todo:
            continue
        here = {one.batch.distribution for one in found[-1]} if found else set()
        if not found or here.intersection(planned.batch.needs):
            found.append([])
        found[-1].append(planned)
    return tuple(map(tuple, found))


def _settled(plan: PublishPlan, desk: UploadContext) -> PublishPlan:
    """Give files that an earlier run sent, and that do not show, the time that the index may take to show them."""
    doubtful = [one for one in plan.todo if one.name in desk.journal.doubtful]
    if not doubtful:
        return plan
    with step(desk.progress, f"looking for {plural(len(doubtful), 'file')} that may be on the way"):
        _seen_within(plan, doubtful, desk, plan.index.lag)
    return survey(plan.release, plan.index, desk.client)


def _seen_within(
    plan: PublishPlan, files: Sequence[ShippedFile], desk: UploadContext, seconds: float
) -> frozenset[str]:
    """Look again and again until all of the files show or the time is over; gives the names of those that do."""
    wanted = {one.name for one in files}
    batches = [batch for batch in plan.release.batches if any(one.name in wanted for one in batch.files)]
    started = desk.clock.now()
    pause, seen = backoff_delays(), frozenset[str]()
    while len(seen) < len(wanted):
        wait = next(pause)
        late = desk.clock.now() - started + wait > seconds
        try:
            seen = _seen(plan, batches, wanted, desk)
        except IndexUnavailableError:
            # An index that stumbles while it is waited for is waited for.
            if late:
                raise
        if late:
            break
        if len(seen) < len(wanted):
            desk.clock.sleep(wait)
    return seen


def _seen(
    plan: PublishPlan, batches: Sequence[DistributionFiles], wanted: Iterable[str], desk: UploadContext
) -> frozenset[str]:
    listings = fetch_existing(desk.client, plan.index, batches)
    states = {one.file.name: one for batch in plans.plan_batches(batches, listings) for one in batch.files}
    broken = [name for name in wanted if states[name].state is State.DIFFERENT]
    if broken:
        raise CheckFailedError(
            f"{plan.index} shows {shorten_list(broken)} with other bytes than were sent",
            hint="somebody else publishes the same version right now\nrelease a new version:  wheelkit version bump patch",
        )
    seen = frozenset(name for name in wanted if states[name].state is State.SAME)
    desk.journal.saw(seen)
    return seen


class _Transaction:
    """The uploads of one run, and what is known of them."""

    def __init__(self, plan: PublishPlan, desk: UploadContext) -> None:
        self._plan = plan
        self._desk = desk
        # Distributions of which every file has been seen on the index with the right bytes.
        self._lacking = {one.name for one in plan.todo}
        self._visible = {one.batch.distribution for one in plan.batches if not one.todo}

    def wait_for(self, distributions: Iterable[str]) -> None:
        """Wait until installers find every file of the distributions; raises IndexUnavailableError when it takes too long."""
        names = [name for name in dict.fromkeys(distributions) if name not in self._visible]
        batches = [one for one in self._plan.release.batches if one.distribution in names]
        if not batches:
            return
        files = [file for one in batches for file in one.files]
        with step(self._desk.progress, f"{shorten_list(names)} visible on {self._plan.index}"):
            seen = _seen_within(self._plan, files, self._desk, self._desk.patience.visible)
        missing = [one.name for one in files if one.name not in seen]
        if missing:
            raise IndexUnavailableError(
                f"{self._plan.index} took {shorten_list(missing)} and does not show {'it' if len(missing) == 1 else 'them'} after"
                f" {self._desk.patience.visible / 60:.0f} minutes",
                hint=f"run the same command again later\nif it stays so, check that installers look at {self._plan.index.simple}",
            )
        self._visible.update(names)

    def send(self, todo: Sequence[ShippedFile]) -> None:
        """Upload files in their order until the index has them all, or refuses one."""
        left = list(todo)
        releases = shorten_list(f"{batch.name} {batch.version}" for batch in self._batches(left))
        label = f"{releases}: {plural(len(left), 'file')} to {self._plan.index}"
        with step(self._desk.progress, label):
            pause = backoff_delays(self._desk.patience.first_pause, 60.0)
            for attempt in range(1, self._desk.patience.attempts + 1):
                outcome = self._call(left)
                left = self._left(left, outcome)
                self._lacking -= {one.name for one in todo} - {one.name for one in left}
                if not left:
                    return
                if outcome.ending is not UploadResult.PASSING or attempt == self._desk.patience.attempts:
                    raise self._given_up(outcome, left)
                wait = next(pause)
                self._desk.progress.note(f"{outcome.words}; trying again in {wait:.0f} s")
                self._desk.clock.sleep(wait)

    def _call(self, files: Sequence[ShippedFile]) -> TwineRun:
        self._require_unchanged(files)
        credentials = self._desk.purse.credentials()
        self._desk.journal.sending(one.name for one in files)
        return upload(self._desk.run, self._plan.index, files, credentials, self._desk.keeps)

    @staticmethod
    def _require_unchanged(files: Iterable[ShippedFile]) -> None:
        changed = [
            one.name for one in files if not one.path.is_file() or manifest.sha256(one.path) != one.sha256
        ]
        if changed:
            raise CheckFailedError(
                f"{shorten_list(changed)} changed on the disk since it was proven; it was not uploaded",
                hint="let nothing else write into the dist folder; build again, then run the same command",
            )

    def _left(self, sent: Sequence[ShippedFile], outcome: TwineRun) -> list[ShippedFile]:
        """Find out what of a call is still to be uploaded: the index's answer, then its list, then time."""
        if outcome.ending is UploadResult.TAKEN:
            return []
        left = [one for one in sent if one.name not in outcome.taken]
        # twine sends one file after the other, so those behind the one that failed were not begun; without its name nothing is known.
        names = [one.name for one in left]
        begun = (
            left[: names.index(outcome.underway) + 1]
            if outcome.underway in names
            else left
            if outcome.taken == () and not outcome.status
            else []
        )
        if outcome.ending is UploadResult.PASSING and begun:
            arrived = _seen_within(self._plan, begun, self._desk, self._plan.index.lag)
            left = [one for one in left if one.name not in arrived]
        elif left:
            arrived = _seen(self._plan, self._batches(left), names, self._desk)
            left = [one for one in left if one.name not in arrived]
        self._desk.journal.unsent(one.name for one in left)
        return left

    def _batches(self, files: Iterable[ShippedFile]) -> list[DistributionFiles]:
        names = {one.name for one in files}
        return [
            batch for batch in self._plan.release.batches if any(one.name in names for one in batch.files)
        ]

    def _given_up(self, outcome: TwineRun, left: Sequence[ShippedFile]) -> Exception:
        total = len(self._plan.release.files)
        done = total - len(self._lacking)
        there = f"{done} of {plural(total, 'file')} of the release {'is' if done == 1 else 'are'} on {self._plan.index}"
        standing = f"{there if done else f'no file of the release is on {self._plan.index}'}; another run goes on from here"
        if outcome.ending is UploadResult.REFUSED:
            return translate(self._plan.index, outcome, standing)
        if outcome.ending is UploadResult.PASSING:
            return IndexUnavailableError(
                f"{self._plan.index} did not take {left[0].name} in {self._desk.patience.attempts} attempts: {outcome.words}",
                detail=standing,
                hint="run the same command again later",
            )
        if known_errors(outcome):
            return translate(self._plan.index, outcome, standing)
        return ToolFailedError(
            f"twine failed while uploading {left[0].name}: {outcome.words}",
            detail=standing,
            hint="mend that, then run the same command again",
            log=getattr(self._desk.run, "log", None),
        )
