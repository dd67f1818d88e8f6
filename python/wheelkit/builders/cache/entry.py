"""A build in the cache: what it was made from and what it produced."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - msgspec reads the annotations

from msgspec import Struct

from wheelkit.builders.cache.digests import canonical, text_digest
from wheelkit.manifest import BuiltFile  # noqa: TC001 - msgspec reads the annotations


class KeyInputs(Struct, frozen=True, kw_only=True):
    """Everything that decides about the bytes of a build.

    ``parts`` maps the name of each part to its value or digest. ``files`` maps the source files to their
    digests; as a whole they are also one of the parts. ``unknown`` is the reason why there is no key yet, or
    empty.
    """

    parts: Mapping[str, str]
    files: Mapping[str, str]
    unknown: str = ""

    @property
    def key(self) -> str:
        """The sha256 of the parts."""
        return text_digest(canonical(self.parts).decode())


class BuildRecord(Struct, frozen=True, kw_only=True):
    """What one build made: the files, and the facts about it that manifests and later builds need.

    ``distribution`` and ``version`` are as in the sdist, whose sha256 is ``source``. ``tools`` maps tools to
    versions, ``seconds`` is how long the build took, and ``notes`` are the notes that it showed. ``epoch`` is
    the time of the files in seconds since 1970, None where they have that of the build.
    """

    distribution: str
    version: str
    source: str
    tools: Mapping[str, str]
    files: tuple[BuiltFile, ...]
    seconds: float
    notes: tuple[str, ...] = ()
    epoch: int | None = None


class CacheEntry(BuildRecord, frozen=True, kw_only=True):
    """A build in the cache: its key, the inputs of the key, and the record.

    ``listing`` is the digest of the blob with the list of source files; ``built`` is in seconds since 1970.
    """

    key: str
    label: str
    parts: Mapping[str, str]
    listing: str
    built: float

    @property
    def blobs(self) -> frozenset[str]:
        """The digests of the blobs that the entry needs."""
        return frozenset((self.listing, *(file.sha256 for file in self.files)))
