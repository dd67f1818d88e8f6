"""Keeps the cache within its limit: the entries that were not used for the longest time are removed first."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.builders.cache.entry import CacheEntry
from wheelkit.builders.cache.store import TEMPORARY, ValueKind
from wheelkit.inputs import json_struct, read_bytes
from wheelkit.machine import folders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.builders.cache.store import Store


# Another run may be using a file that was written or read so recently: a blob whose entry follows, or an
# unfinished file.
_IN_USE_SECONDS = 15 * 60
# Values take a few bytes each, so they are not counted; older ones are no longer needed.
_VALUE_SECONDS = 90 * 24 * 3600


class _File(Struct, frozen=True, kw_only=True):
    path: Path
    size: int
    used: float

    def remove(self) -> int:
        """Remove the file, unless it was used meanwhile; return the bytes freed."""
        try:
            if self.path.stat().st_mtime != self.used:
                return 0
            self.path.unlink()
        except OSError:
            return 0
        return self.size


def evict(store: Store) -> int:
    """Remove old entries until the rest is within the limit, and stray files; return the bytes freed."""
    oldest_first = sorted(_files(store.base / "entries"), key=lambda entry: entry.used)
    blobs = {blob.path.name: blob for blob in _files(store.base / "blobs")}
    needs = {entry.path: _needed_blobs(entry.path) for entry in oldest_first}
    references = Counter(digest for digests in needs.values() for digest in digests)
    total = sum(file.size for file in (*oldest_first, *blobs.values()))
    freed = 0
    for entry in oldest_first:
        if total - freed <= store.limit:
            break
        freed += entry.remove()
        references.subtract(needs[entry.path])
        unused = [digest for digest in needs[entry.path] if not references[digest] and digest in blobs]
        freed += sum(blobs.pop(digest).remove() for digest in unused)
    unreferenced = [blob for digest, blob in blobs.items() if not references[digest]]
    return freed + _remove_stray(store, unreferenced)


def _remove_stray(store: Store, unreferenced: list[_File]) -> int:
    """Remove old values, and blobs and unfinished files that no run uses; return the bytes freed."""
    now = time.time()
    files = _files(store.base, everything=True)
    unfinished = (file for file in files if file.path.name.startswith(TEMPORARY))
    values = (file for kind in ValueKind for file in _files(store.base / kind))
    stray = [file for file in (*unreferenced, *unfinished) if now - file.used > _IN_USE_SECONDS]
    stray += [file for file in values if now - file.used > _VALUE_SECONDS]
    return sum(file.remove() for file in stray)


def clear(store: Store) -> tuple[int, int]:
    """Remove the cache in all formats, and nothing else; return the numbers of files and bytes."""
    contents = measure(store)
    for folder in _folders(store):
        shutil.rmtree(folder, ignore_errors=True)
    return contents


def measure(store: Store) -> tuple[int, int]:
    """Return the numbers of files and bytes in the cache, in all formats."""
    found = [file for folder in _folders(store) for file in _files(folder, everything=True)]
    return len(found), sum(file.size for file in found)


def _folders(store: Store) -> list[Path]:
    """Return the folders of all formats of the cache, and the one of the compiler cache."""
    formats = (path for path in sorted(store.folder.glob("v*")) if path.name[1:].isdigit())
    return [
        *(path for path in formats if (path / "entries").is_dir()),
        store.folder / folders.COMPILED_FOLDER,
    ]


def _files(folder: Path, *, everything: bool = False) -> Iterator[_File]:
    """Yield the files in a folder that exist at this moment, unfinished ones only with ``everything``."""
    for parent, _, names in os.walk(folder):
        for name in names:
            if everything or not name.startswith(TEMPORARY):
                path = Path(parent, name)
                with contextlib.suppress(OSError):
                    status = path.stat()
                    yield _File(path=path, size=status.st_size, used=status.st_mtime)


def _needed_blobs(path: Path) -> frozenset[str]:
    """Return the digests of the blobs that an entry needs; none for an unreadable entry."""
    try:
        return json_struct(read_bytes(path).partition(b"\n")[2], CacheEntry).blobs
    except (OSError, ValueError):
        return frozenset()
