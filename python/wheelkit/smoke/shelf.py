"""Bytecode of third parties that stays from one smoke test to the next, in the user's cache: a folder for each distribution.

It lies under the digest of the rows that the distribution's RECORD has for its sources, and is used beside a source of the same size and
time alone, to the nanosecond; Python compares both once more, to the second (PEP 3147). What is tested is never kept. The files are
linked into environments as they lie here, so that each is held against its digest in every run before it is used.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


_LIMIT = 200 * 1000**2
_INDEX = "index"
# As many characters of the digest as tell distributions apart.
_NAME = 40


class CompiledFile(Struct, frozen=True, kw_only=True):
    """A compiled file: where it is, when its source was written, in nanoseconds, and how large that is."""

    file: str
    written: int
    size: int


class _CachedModule(Struct, frozen=True):
    """What the index of a pack says of a file; its name is its number."""

    written: int
    size: int
    digest: bytes


class BytecodeStore(Struct, frozen=True, kw_only=True):
    """A folder of packs, at most ``limit`` bytes large, each a folder named by an interpreter and the distribution's sources."""

    folder: Path
    limit: int = _LIMIT

    def load(self, interpreter: str, sources: str) -> dict[str, CompiledFile]:
        """Give the compiled files of a distribution by their paths below site-packages, without those that are damaged."""
        folders = self._place(interpreter, sources)
        found: dict[str, CompiledFile] = {}
        with suppress(OSError, msgspec.DecodeError):
            index = msgspec.msgpack.decode((folders / _INDEX).read_bytes(), type=dict[str, _CachedModule])
            os.utime(folders)
            for number, (path, entry) in enumerate(index.items()):
                file = f"{folders}/{number}"
                if _digest(file) == entry.digest:
                    found[path] = CompiledFile(file=file, written=entry.written, size=entry.size)
        return found

    def save(self, interpreter: str, sources: str, compiled: Mapping[str, CompiledFile]) -> None:
        """Keep the compiled files of a distribution in the place of those that were there; a cache that cannot be written is no matter."""
        folders = self._place(interpreter, sources)
        draft, old = (self.folder / f".tmp-{os.urandom(8).hex()}" for _ in range(2))
        with suppress(OSError):
            draft.mkdir(parents=True, mode=0o700)
            index = {}
            for number, (path, one) in enumerate(compiled.items()):
                _link(one.file, f"{draft}/{number}")
                index[path] = _CachedModule(one.written, one.size, _digest(one.file))
            (draft / _INDEX).write_bytes(msgspec.msgpack.encode(index))
            with suppress(FileNotFoundError):
                folders.rename(old)
            draft.rename(folders)
        for left in (draft, old):
            shutil.rmtree(left, ignore_errors=True)

    def shrink(self) -> None:
        """Remove what was not used for longest, until the rest is below the limit."""
        total = 0
        with suppress(OSError):
            for _, size, path in sorted(self._packs(), reverse=True):
                total += size
                if total > self.limit:
                    shutil.rmtree(path, ignore_errors=True)

    def _packs(self) -> Iterator[tuple[float, int, str]]:
        for pack in self.folder.iterdir():
            with suppress(OSError):  # another run may have removed it
                yield pack.stat().st_mtime, sum(file.stat().st_size for file in pack.iterdir()), str(pack)

    def _place(self, interpreter: str, sources: str) -> Path:
        return self.folder / f"{interpreter}-{sources[:_NAME]}"


def _digest(file: str) -> bytes:
    with open(file, "rb") as stream:  # noqa: PTH123 - this runs for every module
        return sha256(stream.read()).digest()


def _link(file: str, place: str) -> None:
    """Link, or where the shelf is on another disk than the environments, copy."""
    try:
        os.link(file, place)
    except OSError:
        shutil.copyfile(file, place)


def user_store() -> BytecodeStore | None:
    """Give the shelf in the user's cache; None where the environment wants no cache."""
    from wheelkit.machine import folders

    return (
        BytecodeStore(folder=folders.cache_folder() / folders.BYTECODE_FOLDER)
        if folders.cache_enabled()
        else None
    )
