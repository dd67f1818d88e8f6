"""The cache folder: blobs by their sha256, entries by label and key, and small values such as durations.

Every file is written under a temporary name, synced and renamed, and its checksum is verified when it is
read. So concurrent runs, killed runs and power failures leave nothing damaged that would be used, and no lock
is needed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from enum import StrEnum
from hashlib import file_digest, sha256
from typing import TYPE_CHECKING, BinaryIO

import msgspec
from msgspec import Struct, field

from wheelkit.builders.cache.digests import canonical, text_digest
from wheelkit.builders.cache.entry import CacheEntry
from wheelkit.inputs import json_struct, open_file, read_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from io import BufferedReader
    from pathlib import Path


FORMAT = "2"
TEMPORARY = ".tmp-"
_CHUNK = 1 << 20
_MAX_COMPARED = 5


class ValueKind(StrEnum):
    """The kinds of small values, which are also the names of their folders."""

    ANSWER = "answers"
    DURATION = "times"
    VERIFICATION = "verified"


class CacheHit(Struct, frozen=True, kw_only=True):
    """An entry with its verified files, open, so that they stay readable if another run evicts them."""

    entry: CacheEntry
    blobs: Mapping[str, BufferedReader]

    @property
    def files(self) -> tuple[StoredFile, ...]:
        """The files of the entry."""
        return tuple(StoredFile(name=name, hit=self) for name in self.blobs)

    def __del__(self) -> None:
        """Close the files."""
        _close(self.blobs.values())


class StoredFile(Struct, frozen=True, kw_only=True):
    """One file of a hit, by the name under which it was built."""

    name: str
    hit: CacheHit

    def copy_to(self, path: Path) -> None:
        """Write a copy to ``path``."""
        stream = self.hit.blobs[self.name]
        stream.seek(0)
        with path.open("wb") as out:
            shutil.copyfileobj(stream, out, _CHUNK)


class Store(Struct, frozen=True, kw_only=True):
    """The cache in one folder, of at most ``limit`` bytes; ``note`` gets messages about damaged files."""

    folder: Path
    limit: int
    note: Callable[[str], None] = field(default=lambda _text: None)

    @property
    def base(self) -> Path:
        """The folder of this format; other formats have folders of their own."""
        return self.folder / f"v{FORMAT}"

    def blob(self, digest: str) -> Path:
        """Return the path of a blob."""
        return self.base / "blobs" / digest[:2] / digest

    def find(self, label: str, key: str) -> CacheHit | None:
        """Find an entry and verify its files; an entry with a missing or damaged file is removed."""
        path = self._entry_path(label, key)
        entry = self._read_entry(path)
        if entry is None or entry.key != key:
            return None
        blobs: dict[str, BufferedReader] = {}
        for file in entry.files:
            blob = self._open_blob(file.sha256, file.file)
            if blob is None:
                _close(blobs.values())
                _remove(path)
                return None
            blobs[file.file] = blob
        for used in (path, *(self.blob(file.sha256) for file in entry.files)):
            with contextlib.suppress(OSError):
                os.utime(used)
        return CacheHit(entry=entry, blobs=blobs)

    def latest(self, label: str) -> Iterator[CacheEntry]:
        """Yield the entries of a label that were used last, the most recent first."""
        for path in _newest(self._entry_path(label, "").parent)[:_MAX_COMPARED]:
            entry = self._read_entry(path)
            if entry is not None:
                yield entry

    def listing(self, entry: CacheEntry) -> Mapping[str, str]:
        """Return the digests of an entry's source files by path; empty if they are no longer in the cache."""
        with contextlib.suppress(OSError, ValueError):
            data = read_bytes(self.blob(entry.listing), most=None)
            if sha256(data).hexdigest() == entry.listing:
                return json_struct(data, dict[str, str])
        return {}

    def add(self, entry: CacheEntry, files: Mapping[str, Path], listing: bytes) -> None:
        """Add an entry with its files, by name. A cache that cannot be written is only noted."""
        try:
            self._write(self.blob(entry.listing), listing)
            for file in entry.files:
                self._add_blob(files[file.file], file.sha256)
            data = canonical(msgspec.to_builtins(entry))
            self._write(self._entry_path(entry.label, entry.key), _seal(data))
        except OSError as error:
            self.note(f"the cache {self.folder} cannot be written: {error.strerror or error}")

    def load_value(self, kind: ValueKind, name: str) -> str | None:
        """Return a small value; None if there is none."""
        with contextlib.suppress(OSError, ValueError):
            return _unseal(read_bytes(self.base / kind / name)).decode()
        return None

    def save_value(self, kind: ValueKind, name: str, value: str) -> None:
        """Save a small value under a name that is valid for a file."""
        with contextlib.suppress(OSError):
            self._write(self.base / kind / name, _seal(value.encode()), durable=False)

    def computed_value(self, inputs: str, compute: Callable[[], str]) -> str:
        """Return the value that was computed for the same inputs before, else compute and save it."""
        name = text_digest(inputs)
        value = self.load_value(ValueKind.ANSWER, name)
        if value is None:
            value = compute()
            self.save_value(ValueKind.ANSWER, name, value)
        return value

    def _open_blob(self, digest: str, name: str) -> BufferedReader | None:
        path = self.blob(digest)
        try:
            stream = open_file(path)
        except OSError:
            return None
        if file_digest(stream, "sha256").hexdigest() == digest:
            return stream
        stream.close()
        self.note(f"{name} is damaged in the cache and is built again")
        _remove(path)
        return None

    def _add_blob(self, source: Path, digest: str) -> None:
        path = self.blob(digest)
        if path.is_file():
            with contextlib.suppress(OSError):
                os.utime(path)
                return
        with open_file(source) as stream, self._open_new(path) as out:
            copied = sha256()
            while chunk := stream.read(_CHUNK):
                copied.update(chunk)
                out.write(chunk)
            if copied.hexdigest() != digest:
                raise OSError(f"{source} changed while it was copied")

    def _entry_path(self, label: str, key: str) -> Path:
        return self.base / "entries" / label / f"{key}.json"

    def _read_entry(self, path: Path) -> CacheEntry | None:
        try:
            return json_struct(_unseal(read_bytes(path)), CacheEntry)
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            self.note(f"a damaged entry was removed from the cache: {path.parent.name}")
            _remove(path)
            return None

    def _write(self, path: Path, data: bytes, *, durable: bool = True) -> None:
        with self._open_new(path, durable=durable) as out:
            out.write(data)

    @contextlib.contextmanager
    def _open_new(self, path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
        """Open a temporary file, which becomes ``path`` if the block succeeds and is removed otherwise."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_name(f"{TEMPORARY}{os.urandom(8).hex()}")
        try:
            with temporary.open("xb") as out:
                yield out
                out.flush()
                if durable:
                    os.fsync(out.fileno())
            temporary.replace(path)
        except BaseException:
            _remove(temporary)
            raise
        if durable:
            _sync_folder(path.parent)


class Times(Struct, frozen=True, kw_only=True):
    """The durations of the steps of one project, which is identified by its folder."""

    store: Store
    project: str

    def last(self, label: str) -> float | None:
        """Return the seconds that a step took when it last succeeded; None if that is not known."""
        try:
            return float(self.store.load_value(ValueKind.DURATION, self._name(label)) or "")
        except ValueError:
            return None

    def save(self, label: str, seconds: float) -> None:
        """Save how long a step took."""
        self.store.save_value(ValueKind.DURATION, self._name(label), f"{seconds:.2f}")

    def _name(self, label: str) -> str:
        return text_digest(f"{self.project}\0{label}")


def _seal(data: bytes) -> bytes:
    """Put a checksum in front of a small file."""
    return sha256(data).hexdigest().encode() + b"\n" + data


def _unseal(data: bytes) -> bytes:
    """Verify the checksum of a small file and return its content; raise ValueError if it does not match."""
    checksum, _, content = data.partition(b"\n")
    if sha256(content).hexdigest().encode() != checksum:
        raise ValueError("the checksum does not match")
    return content


def _newest(folder: Path) -> list[Path]:
    """Return the entries in a folder, the one that was used last first."""
    used: list[tuple[int, str]] = []
    with contextlib.suppress(OSError), os.scandir(folder) as files:
        for file in files:
            with contextlib.suppress(OSError):  # a link that leads nowhere
                if file.name.endswith(".json"):
                    used.append((file.stat().st_mtime_ns, file.name))
    return [folder / name for _, name in sorted(used, reverse=True)]


def _sync_folder(folder: Path) -> None:
    """Make a rename durable; Windows has no such call and needs none."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _close(streams: Iterable[BinaryIO]) -> None:
    for stream in streams:
        stream.close()
