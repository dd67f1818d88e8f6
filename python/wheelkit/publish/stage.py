"""One stage of a release, put together: the lock, the journal, the credentials and the transaction on one index."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec import Struct, field

from wheelkit.machine.process import LoggedRun, Secrets
from wheelkit.publish import journal, lock, transaction
from wheelkit.publish.client import Client
from wheelkit.publish.clock import SystemClock
from wheelkit.publish.credentials import Wallet, purse
from wheelkit.publish.transaction import Desk, Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from wheelkit.machine.process import Run
    from wheelkit.machine.progress import Progress
    from wheelkit.publish.clock import Clock
    from wheelkit.publish.index import Index
    from wheelkit.publish.model import Release
    from wheelkit.publish.plan import PublishPlan
    from wheelkit.publish.transaction import Published


class Office(Struct, frozen=True, kw_only=True):
    """What all stages of one command share; ``state`` is the folder for journals and locks (None: the system's own)."""

    run: Run
    client: Client
    secrets: Secrets
    progress: Progress
    environ: Mapping[str, str]
    clock: Clock = field(default_factory=SystemClock)
    patience: Patience = field(default_factory=Patience)
    state: Path | None = None


def office(log: Path, progress: Progress, environ: Mapping[str, str] | None = None) -> Office:
    """Open an office whose programs write to one log, with no secret in it."""
    known = dict(os.environ if environ is None else environ)
    secrets = Secrets(known)
    run = LoggedRun(log, echo=progress.command, redact=secrets)
    return Office(run=run, client=Client(note=progress.note), secrets=secrets, progress=progress, environ=known)


def publish(release: Release, index: Index, room: Office, tell: Callable[[PublishPlan], None]) -> Published:
    """Publish a release on one index; a second run for the same release waits until the first has ended.

    Raises what the transaction raises.
    """
    place = journal.place(index, release, room.state)
    wallet = Wallet(environ=room.environ, client=room.client, secrets=room.secrets, clock=room.clock, note=room.progress.note)
    with lock.held(place.with_name(place.name + ".lock"), room.clock, room.progress.note) as descriptor, purse(index, wallet) as held:
        desk = Desk(
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
