"""Attestations (PEP 740): made for the files of an upload, and verified as the index serves them.

The command of ``pypi-attestations``, an optional extra, signs each file with the identity of the CI job:
Sigstore's authority certifies a key for some minutes, and a public log keeps the signature. Indexes take
attestations of trusted publishers only, so that elsewhere none are made.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from msgspec.structs import replace

from wheelkit.errors import CheckFailedError
from wheelkit.hints import REBUILD
from wheelkit.machine.process import Command, tool_error
from wheelkit.machine.progress import step
from wheelkit.machine.time_limits import SIGN
from wheelkit.publish import provenance
from wheelkit.publish.client import backoff_delays
from wheelkit.publish.provenance import EXTRA, PublisherRepository, ServedFile
from wheelkit.publish.release import attestation_problem
from wheelkit.publish.simple_api import fetch_listings, fetch_provenance
from wheelkit.text import lines_of, plural, shorten_list

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from wheelkit.machine.process import Completed
    from wheelkit.publish.credentials import Credentials, CredentialSession
    from wheelkit.publish.index import Index
    from wheelkit.publish.model import Release, ShippedFile
    from wheelkit.publish.session import PublishSession


_SUFFIX = ".publish.attestation"
_ATTEMPTS = 3
_FIRST_DELAY, _LONGEST_DELAY = 2.0, 15.0
_ADVICE = "run the same command again\nor publish without:  [tool.wheelkit.publish] attestations = false"
# The variables that name the repository of a job, by the service that signs its identity.
_REPOSITORIES = {"GitHub": "GITHUB_REPOSITORY", "GitLab": "CI_PROJECT_PATH"}


class Attester:
    """Makes the attestations of one publication, and verifies them when all files are on the index."""

    def __init__(self, session: PublishSession, index: Index) -> None:
        self._session = session
        self._index = index
        self._sent: dict[str, ShippedFile] = {}
        self._told = False

    @property
    def attested(self) -> tuple[str, ...]:
        """The names of the files that went with an attestation."""
        return tuple(self._sent)

    def attest(self, files: Sequence[ShippedFile], credentials: CredentialSession) -> tuple[ShippedFile, ...]:
        """Return the files with their attestations; those that have one keep it.

        Where none can be made, a note says why. Raises ToolFailedError if signing fails.
        """
        unsigned = [file for file in files if not file.attestations]
        made = self._make(unsigned, credentials.get()) if unsigned and self._index.attestations else {}
        signed = tuple(replace(file, attestations=made.get(file.name, file.attestations)) for file in files)
        self._sent.update((file.name, file) for file in signed if file.attestations)
        return signed

    def verify(self, release: Release) -> str:
        """Verify the attestations that the index serves for the files of this run; return who signed them.

        Raises CheckFailedError where one is missing or not valid.
        """
        if not self._sent or not self._index.attestations:
            return ""
        index, client = self._index, self._session.client
        wanted = [one for one in release.distributions if any(file.name in self._sent for file in one.files)]
        with step(self._session.progress, f"attestations on {index}"):
            listings = fetch_listings(client, index, wanted).values()
            served = [
                ServedFile(file=file.filename, sha256=file.sha256, provenance=fetch_provenance(client, file))
                for listing in listings
                for file in listing.files
                if file.filename in self._sent
            ]
            repository = _repository(self._session.environ)
            findings = list(provenance.verify_attestations(served, str(index), repository))
        problems = [f"{file.file}: there is none" for file in served if file.provenance is None]
        problems += [f"{one.file}: {one.what}" for one in findings if one.code == "WK905"]
        if problems:
            raise CheckFailedError(
                f"{index} has the files, but {plural(len(problems), 'attestation')} could not be verified",
                detail=lines_of(problems),
                hint="look at the files' page on the index; a published file cannot be replaced\n"
                f"release a new version:  {REBUILD}",
            )
        return "; ".join(one.what for one in findings)

    def _make(self, files: Sequence[ShippedFile], credentials: Credentials) -> dict[str, tuple[Path, ...]]:
        """Sign files, and return their attestations by the files' names."""
        if reason := _obstacle(credentials, self._session.environ):
            if not self._told:
                self._session.progress.note(f"no attestations: {reason}")
            self._told = True
            return {}
        delays = backoff_delays(_FIRST_DELAY, _LONGEST_DELAY)
        with step(self._session.progress, f"attestations for {plural(len(files), 'file')}"):
            for attempt in range(1, _ATTEMPTS + 1):
                todo = [file for file in files if not _is_signed(file)]
                done = self._sign(todo)
                left = [file for file in todo if not _is_signed(file)]
                if not left:
                    break
                if attempt == _ATTEMPTS:
                    raise _error(done, left)
                self._session.client.clock.sleep(next(delays))
        return {file.name: (_attestation(file),) for file in files}

    def _sign(self, files: Sequence[ShippedFile]) -> Completed:
        for file in files:  # what a run that was cut off has left
            _attestation(file).unlink(missing_ok=True)
        timeout = SIGN.of(sum(file.size for file in files), len(files))
        unset = tuple(name for name in os.environ if name.upper().startswith("TWINE_"))
        argv = (sys.executable, "-m", "pypi_attestations", "sign", *(str(file.path) for file in files))
        return self._session.run(Command(argv=argv, unset=unset, timeout=timeout))


def _obstacle(credentials: Credentials, environ: Mapping[str, str]) -> str:
    """Return why no attestations can be made here; empty where they can."""
    if not credentials.minted:
        return f"they need trusted publishing in CI, and the credentials are from {credentials.source}"
    if environ.get("GITLAB_CI") and not environ.get("SIGSTORE_ID_TOKEN"):
        return "this job has no SIGSTORE_ID_TOKEN; wheelkit ci writes a pipeline that has"
    if find_spec("pypi_attestations") is None:
        return f"pypi-attestations is not installed:  {EXTRA}"
    return ""


def _attestation(file: ShippedFile) -> Path:
    return file.path.with_name(file.name + _SUFFIX)


def _is_signed(file: ShippedFile) -> bool:
    path = _attestation(file)
    return path.is_file() and not attestation_problem(path, file.name, file.sha256)


def _error(done: Completed, left: Sequence[ShippedFile]) -> Exception:
    names = shorten_list(file.name for file in left)
    error = tool_error(done, f"signing {names}", lines=8)
    error.hint = "\n".join(filter(None, [done.advice, _ADVICE]))
    return error


def _repository(environ: Mapping[str, str]) -> PublisherRepository | None:
    """Return the repository of this job, where its service names it."""
    for service, name in _REPOSITORIES.items():
        if environ.get(name):
            return PublisherRepository(path=environ[name], service=service)
    return None
