"""What the cache knows of one build: what it was made from, and what came out."""

from __future__ import annotations

import json
from collections.abc import Mapping  # noqa: TC003 - msgspec reads the annotations
from hashlib import sha256

import msgspec
from msgspec import Struct, to_builtins

from wheelkit.manifest import BuiltFile  # noqa: TC001 - msgspec reads the annotations


class KeyInputs(Struct, frozen=True, kw_only=True):
    """All that decides about the bytes of one build, as plain words: ``CFLAGS``'s digest, an image's, a tool's version.

    ``files`` maps the files of its sources to their digests, and stands in ``parts`` as one digest of all. ``unknown`` says why there is no
    key yet, where there is none.
    """

    parts: Mapping[str, str]
    files: Mapping[str, str]
    unknown: str = ""

    @property
    def key(self) -> str:
        """The sha256 of the parts."""
        return sha256(canonical(self.parts)).hexdigest()


class BuildRecord(Struct, frozen=True, kw_only=True):
    """What one build made: the files, and the facts about it that manifests and later builds need.

    ``distribution`` and ``version`` are as in the sdist, whose sha256 is ``source``. ``tools`` maps tools to versions, ``seconds`` is how
    long the build took, and ``notes`` are the notes that it showed.
    """

    distribution: str
    version: str
    source: str
    tools: Mapping[str, str]
    files: tuple[BuiltFile, ...]
    seconds: float
    notes: tuple[str, ...] = ()


class CacheEntry(BuildRecord, frozen=True, kw_only=True):
    """A build in the cache: its key, the inputs that the key is made of, and the record.

    ``listing`` is the sha256 of the list of the sources, which is a blob of its own. ``built`` is the time of the build, in seconds since
    1970.
    """

    key: str
    label: str
    parts: Mapping[str, str]
    listing: str
    built: float


def canonical(document: object) -> bytes:
    """Write plain data as JSON of which there is only one form."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def to_bytes(entry: CacheEntry) -> bytes:
    """Serialise an entry."""
    return canonical(to_builtins(entry))


def from_bytes(data: bytes) -> CacheEntry:
    """Read an entry back. Raises msgspec.MsgspecError for other data."""
    return msgspec.json.decode(data, type=CacheEntry)
