"""A publishing session: the connections of one command, and the state of each release and index."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from msgspec import Struct
from platformdirs import user_state_path

from wheelkit.machine.process import LoggedRun
from wheelkit.machine.redaction import Secrets
from wheelkit.publish.client import Client
from wheelkit.publish.credentials import CredentialSession
from wheelkit.publish.journal import Journal
from wheelkit.publish.lock import index_lock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from wheelkit.machine.process import Run
    from wheelkit.machine.progress import Progress
    from wheelkit.publish.index import Index
    from wheelkit.publish.model import Release


class PublishSession(Struct, frozen=True, kw_only=True):
    """Opens the lock, the journal and the credentials of a release on an index.

    ``state`` is the folder of locks and journals; ``run`` logs without the secrets.
    """

    run: Run
    client: Client
    secrets: Secrets
    progress: Progress
    environ: Mapping[str, str]
    state: Path

    def lock(self, release: Release, index: Index) -> AbstractContextManager[int]:
        """Return the lock, which yields its descriptor."""
        return index_lock(self._state_file(release, index, ".lock"), self.client.clock, self.progress.note)

    def journal(self, release: Release, index: Index) -> Journal:
        """Read the journal."""
        return Journal(self._state_file(release, index, ".json"), release)

    def credentials(self, index: Index) -> CredentialSession:
        """Return the credentials, which nothing has asked for yet."""
        return CredentialSession(
            index=index,
            client=self.client,
            secrets=self.secrets,
            environ=self.environ,
            note=self.progress.note,
        )

    def _state_file(self, release: Release, index: Index, suffix: str) -> Path:
        """Return a path made from names and versions, not bytes: all builds of a version share a lock."""
        distributions = release.distributions
        names = sorted(f"{distribution.key}=={distribution.version}" for distribution in distributions)
        key = hashlib.sha256("\n".join([index.upload.rstrip("/"), *names]).encode()).hexdigest()[:16]
        first = distributions[0]
        return self.state / f"{first.key}-{first.version}-{key}{suffix}"


def open_session(log: Path, progress: Progress) -> PublishSession:
    """Open a session whose programs write to one log."""
    environ = dict(os.environ)
    secrets = Secrets(environ)
    return PublishSession(
        run=LoggedRun(log=log, echo=progress.command, redact=secrets),
        client=Client(note=progress.note),
        secrets=secrets,
        progress=progress,
        environ=environ,
        state=user_state_path("wheelkit", appauthor=False) / "publish",
    )
