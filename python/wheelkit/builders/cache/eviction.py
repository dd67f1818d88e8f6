"""Keeps the cache below its limit: what was not used for longest goes first."""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from wheelkit.builders.cache import entry as entries
from wheelkit.builders.cache.store import TEMPORARY
from wheelkit.machine import folders

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wheelkit.builders.cache.store import Store


# What was written or used so recently may be another run's at this moment: a blob whose entry is still to come, an unfinished file.
_FRESH_SECONDS = 15 * 60
# Answers cost a few bytes each, and nobody counts them; so old, they are no longer asked for.
_ANSWER_SECONDS = 90 * 24 * 3600


class _File(Struct, frozen=True, kw_only=True):
    path: Path
    size: int
    used: float


def evict(store: Store) -> int:
    """Remove the entries that were not used for longest until the rest fits, and whatever nothing refers to; returns the bytes freed."""
    now = time.time()
    listed = sorted(_files(store.base / "entries"), key=lambda one: one.used)
    blobs = {one.path.name: one for one in _files(store.base / "blobs")}
    needs = {one.path: _referred(one.path) for one in listed}
    wanted = Counter(digest for needed in needs.values() for digest in needed)
    total = sum(one.size for one in (*listed, *blobs.values()))
    freed = 0
    for oldest in listed:
        if total - freed <= store.limit:
            break
        freed += _drop(oldest)
        wanted.subtract(needs[oldest.path])
        freed += sum(
            _drop(blobs.pop(digest))
            for digest in needs[oldest.path]
            if not wanted[digest] and digest in blobs
        )
    stray = [one for digest, one in blobs.items() if not wanted[digest] and now - one.used > _FRESH_SECONDS]
    stray += [
        one
        for one in _files(store.base, everything=True)
        if one.path.name.startswith(TEMPORARY) and now - one.used > _FRESH_SECONDS
    ]
    stray += [
        one
        for kind in ("answers", "verified", "times")
        for one in _files(store.base / kind)
        if now - one.used > _ANSWER_SECONDS
    ]
    return freed + sum(_drop(one) for one in stray)


def clear(store: Store) -> tuple[int, int]:
    """Remove the whole cache, of this format and others, and nothing else in its folder; returns the number of files and of bytes."""
    from shutil import rmtree

    ours = [
        path
        for path in sorted(store.folder.glob("v*"))
        if path.name[1:].isdigit() and (path / "entries").is_dir()
    ]
    ours += [
        path
        for path in (store.folder / folders.COMPILED_FOLDER, store.folder / folders.BYTECODE_FOLDER)
        if path.is_dir()
    ]
    gone = [one for folder in ours for one in _files(folder, everything=True)]
    for folder in ours:
        rmtree(folder, ignore_errors=True)
    return len(gone), sum(one.size for one in gone)


def _files(folder: Path, *, everything: bool = False) -> Iterator[_File]:
    """Walk a folder's files; other runs may add and remove some meanwhile."""
    for path, _, names in os.walk(folder):
        for name in names:
            if everything or not name.startswith(TEMPORARY):
                file = folder.__class__(path, name)
                with contextlib.suppress(OSError):
                    status = file.stat()
                    yield _File(path=file, size=status.st_size, used=status.st_mtime)


def _referred(path: Path) -> frozenset[str]:
    """Name the blobs that an entry needs; none for one that cannot be read, which goes when its turn comes."""
    try:
        found = entries.from_bytes(path.read_bytes().partition(b"\n")[2])
    except (OSError, ValueError, msgspec.MsgspecError):
        return frozenset()
    return frozenset((found.listing, *(one.sha256 for one in found.files)))


def _drop(one: _File) -> int:
    """Remove a file that nobody used meanwhile; one that is open elsewhere stays readable there, or on Windows stays."""
    try:
        if one.path.stat().st_mtime != one.used:
            return 0
        one.path.unlink()
    except OSError:
        return 0
    return one.size
