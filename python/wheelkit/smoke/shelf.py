"""Bytecode of third parties that stays from one smoke test to the next, in the user's cache: one file for each distribution.

It lies under the digest of the rows that the distribution's RECORD has for its sources, and is used beside a source of the same size and
time alone, to the nanosecond; Python compares both once more, to the second (PEP 3147). What is tested is never kept.
"""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LIMIT = 200 * 1000**2
_DIGEST = 32


class Compiled(Struct, frozen=True):
    """A compiled file, and when its source was written, in nanoseconds."""

    written: int
    data: bytes


class Shelf(Struct, frozen=True, kw_only=True):
    """A folder of packs, at most ``limit`` bytes large, each named by an interpreter and the distribution's sources."""

    folder: Path
    limit: int = _LIMIT

    def load(self, interpreter: str, sources: str) -> dict[str, Compiled]:
        """Give the compiled files of a distribution by their paths below site-packages; none where there are none, or they are damaged."""
        place = self._place(interpreter, sources)
        with suppress(OSError, msgspec.DecodeError):
            data = place.read_bytes()
            if sha256(data[_DIGEST:]).digest() == data[:_DIGEST]:
                os.utime(place)
                return msgspec.msgpack.decode(data[_DIGEST:], type=dict[str, Compiled])
        return {}

    def save(self, interpreter: str, sources: str, compiled: Mapping[str, Compiled]) -> None:
        """Keep the compiled files of a distribution; a cache that cannot be written is no matter."""
        data = msgspec.msgpack.encode(compiled)
        place = self._place(interpreter, sources)
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = place.with_name(f".tmp-{os.urandom(8).hex()}")
            draft.write_bytes(sha256(data).digest() + data)
            draft.replace(place)

    def shrink(self) -> None:
        """Remove what was not used for longest, until the rest is below the limit."""
        found = sorted(self._packs(), reverse=True)
        total = 0
        for _, size, path in found:
            total += size
            if total > self.limit:
                with suppress(OSError):
                    Path(path).unlink()

    def _packs(self) -> Iterator[tuple[float, int, str]]:
        with suppress(OSError):
            for one in os.scandir(self.folder):
                status = one.stat()
                yield status.st_mtime, status.st_size, one.path

    def _place(self, interpreter: str, sources: str) -> Path:
        return self.folder / f"{interpreter}-{sources}"


def users_shelf() -> Shelf | None:
    """Give the shelf in the user's cache; None where the environment wants no cache."""
    from wheelkit.build.cache import place

    return Shelf(folder=place.folder() / place.BYTECODE) if place.wanted() else None
