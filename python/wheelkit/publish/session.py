"""One stage of a release, put together: the lock, the journal, the credentials and the transaction on one index."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec import Struct, field

from wheelkit.machine.process import LoggedRun
from wheelkit.machine.redaction import Secrets
from wheelkit.publish import journal, lock, transaction
from wheelkit.publish.client import Client, SystemClock
from wheelkit.publish.credentials import CredentialSources, credential_session
from wheelkit.publish.transaction import UploadContext, WaitPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from wheelkit.machine.process import Run
    from wheelkit.machine.progress import Progress
    from wheelkit.publish.client import Clock
    from wheelkit.publish.index import Index
    from wheelkit.publish.model import Release
    from wheelkit.publish.plan import PublishPlan
    from wheelkit.publish.transaction import PublishResult


class PublishSession(Struct, frozen=True, kw_only=True):
    """What all stages of one command share; ``state`` is the folder for journals and locks (None: the system's own)."""

    run: Run
    client: Client
    secrets: Secrets
    progress: Progress
    environ: Mapping[str, str]
    clock: Clock = field(default_factory=SystemClock)
    patience: WaitPolicy = field(default_factory=WaitPolicy)
    state: Path | None = None


def open_session(log: Path, progress: Progress, environ: Mapping[str, str] | None = None) -> PublishSession:
    """Open an office whose programs write to one log, with no secret in it."""
    known = dict(os.environ if environ is None else environ)
    secrets = Secrets(known)
    run = LoggedRun(log=log, echo=progress.command, redact=secrets)
    return PublishSession(
        run=run, client=Client(note=progress.note), secrets=secrets, progress=progress, environ=known
    )


def publish(
    release: Release, index: Index, room: PublishSession, tell: Callable[[PublishPlan], None]
) -> PublishResult:
    """Publish a release on one index; a second run for the same release waits until the first has ended.

    Raises what the transaction raises.
    """
    place = journal.journal_path(index, release, room.state)
    wallet = CredentialSources(
        environ=room.environ,
        client=room.client,
        secrets=room.secrets,
        clock=room.clock,
        note=room.progress.note,
    )
    with (
        lock.index_lock(place.with_name(place.name + ".lock"), room.clock, room.progress.note) as descriptor,
        credential_session(index, wallet) as held,
    ):
        desk = UploadContext(
            client=room.client,
            run=room.run,
            clock=room.clock,
            journal=journal.Journal(place, release),
            purse=held,
            progress=room.progress,
            keeps=(descriptor,),
            patience=room.patience,
        )
        return transaction.publish(release, index, desk, tell)
