"""Publish a release on one index: upload what is missing, in order, and wait until it is visible.

It can be ended at any moment and run again. A file on the index is never sent twice; a file that was sent and
is not visible yet is waited for, as long as the index may take, before it is sent again.
"""

from __future__ import annotations

from contextlib import closing
from itertools import groupby
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from wheelkit import manifest
from wheelkit.errors import (
    CheckFailedError,
    IndexUnavailableError,
    InterruptedByUserError,
    ToolFailedError,
    WheelkitError,
)
from wheelkit.hints import REBUILD
from wheelkit.machine.progress import step
from wheelkit.publish.attest import Attester
from wheelkit.publish.client import backoff_delays
from wheelkit.publish.conflicts import require_no_conflict
from wheelkit.publish.plan import make_plan, to_json
from wheelkit.publish.simple_api import fetch_listings
from wheelkit.publish.twine import Outcome, upload
from wheelkit.publish.upload_errors import refusal_error
from wheelkit.publish.waves import Pace, levels
from wheelkit.text import plural, shorten_list

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from wheelkit.publish.client import Client
    from wheelkit.publish.credentials import CredentialSession
    from wheelkit.publish.index import Index
    from wheelkit.publish.model import DistributionFiles, Release, ShippedFile
    from wheelkit.publish.plan import PublishPlan
    from wheelkit.publish.session import PublishSession
    from wheelkit.publish.twine import UploadResult


# How long an index may take to show what it accepted; how often, at which distances an upload is tried.
_VISIBLE_SECONDS = 900.0
_ATTEMPTS = 6
_FIRST_RETRY_DELAY, _LONGEST_RETRY_DELAY = 1.0, 60.0
_SHORTEST_PAUSE, _FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.1, 10.0
_NOT_AUTHORIZED = frozenset({401, 403})


class PublishResult(Struct, frozen=True, kw_only=True):
    """The plan that a run executed, and the names of the files that it uploaded.

    ``attested`` are those whose attestations were verified on the index, ``signers`` says by whom they are.
    """

    plan: PublishPlan
    uploaded: tuple[str, ...]
    attested: tuple[str, ...] = ()
    signers: str = ""


def plan_publication(release: Release, index: Index, client: Client) -> PublishPlan:
    """Compare a release with an index; raises CheckFailedError for a conflict that no upload can resolve."""
    plan = make_plan(release, index, fetch_listings(client, index, release.distributions))
    require_no_conflict(plan)
    return plan


def publish(
    release: Release, index: Index, session: PublishSession, on_plan: Callable[[PublishPlan], None]
) -> PublishResult:
    """Publish a release on an index; ``on_plan`` receives the plan before anything is uploaded.

    A second run for the same release waits until the first has ended. Raises CheckFailedError for a conflict,
    IndexRefusedError for a refusal, IndexUnavailableError for an index that does not answer, ToolFailedError
    where twine fails by itself. After any of them the same call continues where this one ended.
    """
    transaction: _Transaction | None = None
    try:
        with session.lock(release, index) as lock, closing(session.credentials(index)) as credentials:
            plan = plan_publication(release, index, session.client)
            on_plan(plan)
            transaction = _Transaction(plan, session, credentials, lock)
            return transaction.run()
    except InterruptedByUserError as error:
        if transaction is not None:
            error.detail = transaction.state_when_interrupted()
        raise


def result_to_json(result: PublishResult) -> dict[str, Any]:
    """Return the result as plain data for ``--json``, schema 1."""
    return {**to_json(result.plan), "uploaded": result.uploaded, "attested": result.attested}


class _Transaction:
    """The execution of a plan: which files are missing, and which distributions installers can find."""

    def __init__(
        self, plan: PublishPlan, session: PublishSession, credentials: CredentialSession, lock: int
    ) -> None:
        self._session = session
        self._journal = session.journal(plan.release, plan.index)
        self._credentials = credentials
        self._lock = lock
        self._pace = Pace()
        distributions = plan.release.distributions
        self._by_key = {distribution.key: distribution for distribution in distributions}
        self._owners = {file.name: owner for owner in distributions for file in owner.files}
        self._attester = Attester(session, plan.index)
        self._use(plan)

    def _use(self, plan: PublishPlan) -> None:
        self._plan = plan
        self._missing = {file.name for file in plan.todo}
        self._visible = {planned.distribution.key for planned in plan.distributions if not planned.todo}
        self._journal.seen(planned.file.name for planned in plan.on_index)

    def run(self) -> PublishResult:
        """Upload what is missing; every error says how much of the release is on the index."""
        self._wait_for_earlier_uploads()
        try:
            for group in levels(self._plan):
                self._wait_for(need for planned in group for need in planned.distribution.needs)
                todo = [file for planned in group for file in planned.todo]
                files = self._attester.attest(todo, self._credentials)
                # One run of twine sends attestations for all of its files or for none.
                for _, signed_alike in groupby(files, key=lambda file: bool(file.attestations)):
                    self._send(tuple(signed_alike))
            self._wait_for(distribution.key for distribution in self._plan.release.distributions)
            signers = self._attester.verify(self._plan.release)
        except WheelkitError as error:
            error.detail = "\n".join(filter(None, [error.detail, self._state()]))
            raise
        uploaded = tuple(file.name for file in self._plan.todo)
        attested = self._attester.attested if signers else ()
        return PublishResult(plan=self._plan, uploaded=uploaded, attested=attested, signers=signers)

    def _state(self) -> str:
        total, index = len(self._plan.release.files), self._plan.index
        count = total - len(self._missing)
        if not count:
            return f"no file of this release is on {index}"
        verb = "is" if count == 1 else "are"
        return f"{count} of {plural(total, 'file')} of this release {verb} on {index}"

    def state_when_interrupted(self) -> str:
        """Describe what is on the index, and what may be: twine may have sent files since the last look."""
        sent = len(self._missing & self._journal.pending)
        if not sent:
            return self._state()
        return f"{self._state()}; {sent} {'was' if sent == 1 else 'were'} being sent and may be there too"

    def _wait_for_earlier_uploads(self) -> None:
        """Give files that an earlier run sent the time to appear, and plan again."""
        pending = [file for file in self._plan.todo if file.name in self._journal.pending]
        if pending:
            label = f"looking for {plural(len(pending), 'file')} that an earlier run sent"
            with step(self._session.progress, label):
                self._wait_until_visible(pending, self._plan.index.lag)
            self._use(plan_publication(self._plan.release, self._plan.index, self._session.client))

    def _wait_for(self, keys: Iterable[str]) -> None:
        """Wait until installers find every file of the distributions."""
        waiting = [key for key in dict.fromkeys(keys) if key not in self._visible]
        files = [file for key in waiting for file in self._by_key[key].files]
        if not files:
            return
        with step(self._session.progress, f"{shorten_list(waiting)} visible on {self._plan.index}"):
            visible = self._wait_until_visible(files, _VISIBLE_SECONDS)
        hidden = [file.name for file in files if file.name not in visible]
        if hidden:
            raise IndexUnavailableError(
                f"{self._plan.index} accepted {shorten_list(hidden)}, but does not show"
                f" {'it' if len(hidden) == 1 else 'them'} after {_VISIBLE_SECONDS / 60:.0f} minutes",
                hint="run the same command again later to continue\n"
                f"if nothing changes, check that installers look at {self._plan.index.simple}",
            )
        self._visible.update(waiting)

    def _send(self, files: Sequence[ShippedFile]) -> None:
        """Upload files in their order, as many at a time as a token lasts for."""
        while files:
            self._credentials.get()
            wave = self._pace.wave(files, self._credentials.remaining)
            self._send_wave(wave)
            files = files[len(wave) :]

    def _send_wave(self, files: Sequence[ShippedFile]) -> None:
        """Upload files in their order until the index has all of them, or refuses one."""
        index, progress = self._plan.index, self._session.progress
        names = {file.name for file in files}
        releases = shorten_list(map(str, self._distributions(file.name for file in files)))
        delays = backoff_delays(_FIRST_RETRY_DELAY, _LONGEST_RETRY_DELAY)
        with step(progress, f"{releases}: {plural(len(files), 'file')} to {index}"):
            for attempt in range(1, _ATTEMPTS + 1):
                result = self._upload(files)
                files = self._still_missing(files, result)
                self._missing -= names - {file.name for file in files}
                if not files:
                    return
                if self._outlived(result) and attempt < _ATTEMPTS:
                    continue
                if result.outcome is not Outcome.TEMPORARY or attempt == _ATTEMPTS:
                    raise self._error(files[0], result)
                delay = next(delays)
                progress.note(f"{result.message}; trying again in {delay:.0f} s")
                self._session.client.clock.sleep(delay)

    def _upload(self, files: Sequence[ShippedFile]) -> UploadResult:
        changed = [
            file.name
            for file in files
            if not file.path.is_file() or manifest.sha256(file.path) != file.sha256
        ]
        if changed:
            raise CheckFailedError(
                f"{shorten_list(changed)} changed in {self._plan.release.location} after verification and"
                f" {'was' if len(changed) == 1 else 'were'} not uploaded",
                hint="let nothing else write to wheelkit's own folders, then run the same command",
            )
        credentials = self._credentials.get()
        self._journal.sending(file.name for file in files)
        clock = self._session.client.clock
        started = clock.now()
        result = upload(self._session.run, self._plan.index, files, credentials, self._lock)
        if result.outcome is Outcome.ACCEPTED:
            self._pace.took(files, clock.now() - started)
        return result

    def _outlived(self, result: UploadResult) -> bool:
        """Return whether the upload took longer than its token lived; then the next attempt has another."""
        refused = result.outcome is Outcome.REFUSED and result.status in _NOT_AUTHORIZED
        if not refused or self._credentials.remaining > 0:
            return False
        self._session.progress.note("the upload token has expired; continuing with a new one")
        return True

    def _still_missing(self, sent: Sequence[ShippedFile], result: UploadResult) -> list[ShippedFile]:
        """Return the files that the index does not have, by its replies and then by its listing."""
        if result.outcome is Outcome.ACCEPTED:
            return []
        rest = [file for file in sent if file.name not in result.accepted]
        attempted = _attempted(rest, result)
        if (result.outcome is Outcome.TEMPORARY or result.cut_off) and attempted:
            visible = self._wait_until_visible(attempted, self._plan.index.lag)
        else:
            visible = self._wait_until_visible(rest, 0.0)
        missing = [file for file in rest if file.name not in visible]
        self._journal.not_sent(file.name for file in missing)
        return missing

    def _wait_until_visible(self, files: Iterable[ShippedFile], seconds: float) -> frozenset[str]:
        """Poll the index until it shows all of the files or the time is over; return the names that it shows.

        It looks at least once. Raises CheckFailedError for a file with other bytes.
        """
        hidden = {file.name: file for file in files}
        visible: set[str] = set()
        clock = self._session.client.clock
        started = clock.now()
        while hidden:
            waited = clock.now() - started
            try:
                visible |= self._look(hidden)
                hidden = {name: file for name, file in hidden.items() if name not in visible}
            except IndexUnavailableError:
                # An index that fails while it is waited for may recover.
                if waited >= seconds:
                    raise
            if not hidden or waited >= seconds:
                break
            # A pause adds a quarter at most to the time that an index takes to show a file.
            pause = min(max(_FIRST_PAUSE, waited / 4), _LONGEST_PAUSE, seconds - waited)
            clock.sleep(max(pause, _SHORTEST_PAUSE))
        return frozenset(visible)

    def _look(self, wanted: Mapping[str, ShippedFile]) -> frozenset[str]:
        """Return the names of those files that the index shows now."""
        index = self._plan.index
        listings = fetch_listings(self._session.client, index, self._distributions(wanted)).values()
        entries = [file for listing in listings for file in listing.files if file.filename in wanted]
        different = [file.filename for file in entries if file.sha256 != wanted[file.filename].sha256]
        if different:
            raise CheckFailedError(
                f"{index} shows {shorten_list(different)} with other bytes than were sent",
                hint=f"someone else may be publishing the same version\nrelease a new version:  {REBUILD}",
            )
        visible = frozenset(file.filename for file in entries)
        self._journal.seen(visible)
        return visible

    def _distributions(self, names: Iterable[str]) -> list[DistributionFiles]:
        """Return the distributions that any of the files belong to, in the order of the files."""
        return list({self._owners[name].key: self._owners[name] for name in names}.values())

    def _error(self, file: ShippedFile, result: UploadResult) -> WheelkitError:
        index = self._plan.index
        if result.outcome is Outcome.TEMPORARY:
            return IndexUnavailableError(
                f"{index} did not accept {file.name} in {_ATTEMPTS} attempts: {result.message}",
                hint="run the same command again later to continue",
            )
        minted = self._credentials.minted
        return refusal_error(index, result, minted=minted) or ToolFailedError(
            f"twine failed to upload {file.name}: {result.message}",
            hint="fix this, then run the same command again to continue",
            log=result.log,
        )


def _attempted(files: Sequence[ShippedFile], result: UploadResult) -> Sequence[ShippedFile]:
    """Return the files up to the one that twine was sending; all if it neither named one nor got a reply."""
    names = [file.name for file in files]
    if result.current in names:
        return files[: names.index(result.current) + 1]
    return files if not result.accepted and not result.status else ()
