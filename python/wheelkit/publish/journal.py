"""What earlier runs of a release sent to an index, which shows an accepted file only after a delay.

The index decides. The journal never makes a file count as uploaded; it names the files that may still appear.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from wheelkit.errors import OutputError
from wheelkit.inputs import json_struct, read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from wheelkit.publish.model import Release


_SCHEMA = 1


class _Record(Struct, frozen=True, kw_only=True):
    """The file's content: names of files under way and of files seen on the index."""

    schema: int = 0
    release: str = ""
    commit: str = ""
    underway: frozenset[str] = frozenset()
    seen: frozenset[str] = frozenset()
    smoked: bool = False


class Journal:
    """The journal of one release on one index; each change is on the disk before the call returns."""

    def __init__(self, path: Path, release: Release) -> None:
        self._path = path
        record = _read(path)
        if record.schema != _SCHEMA or record.release != release.digest:
            record = _Record(schema=_SCHEMA, release=release.digest, commit=release.commit)
        self._record = record

    @property
    def pending(self) -> frozenset[str]:
        """Names of files that were sent or seen, so that the index may still show them."""
        return self._record.underway | self._record.seen

    @property
    def smoked(self) -> bool:
        """Whether these very files passed the smoke test as installed from this index."""
        return self._record.smoked

    def sending(self, names: Iterable[str]) -> None:
        """Record the files of an upload before it begins."""
        self._write(replace(self._record, underway=self._record.underway.union(names)))

    def not_sent(self, names: Iterable[str]) -> None:
        """Record that the index certainly did not take these files."""
        self._write(replace(self._record, underway=self._record.underway.difference(names)))

    def seen(self, names: Iterable[str]) -> None:
        """Record that the index shows these files."""
        new, record = frozenset(names), self._record
        self._write(replace(record, seen=record.seen | new, underway=record.underway - new))

    def passed_smoke(self) -> None:
        """Record that the release was installed from this index and passed its smoke test."""
        self._write(replace(self._record, smoked=True))

    def _write(self, record: _Record) -> None:
        """Write beside the file, sync and rename: an interruption leaves the old file or the new one."""
        if record == self._record and self._path.exists():
            return
        self._record = record
        data = msgspec.json.format(msgspec.json.encode(record, order="deterministic"), indent=1)
        draft = self._path.with_name(f"{self._path.name}.{os.urandom(8).hex()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with draft.open("xb") as stream:
                    stream.write(data)
                    stream.flush()
                    os.fsync(stream.fileno())
                draft.replace(self._path)
            finally:
                draft.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError.of(error, self._path) from error


def _read(path: Path) -> _Record:
    """Read a journal; a missing or damaged one is empty."""
    try:
        return json_struct(read_bytes(path), _Record)
    except (OSError, ValueError):
        return _Record()
