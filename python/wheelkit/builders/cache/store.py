"""The cache's folder: blobs by their sha256, entries by label and key, and small answers that are worth remembering.

Everything is written beside its place, synced, and renamed; what is read is checked against its sha256 first. So concurrent runs, killed
ones and a machine that loses power leave nothing half-written behind that anyone would believe, and no lock is needed.
"""

from __future__ import annotations

import contextlib
import os
from hashlib import sha256
from typing import TYPE_CHECKING, BinaryIO

import msgspec
from msgspec import Struct, field

from wheelkit.builders.cache import entry as entries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from io import BufferedReader
    from pathlib import Path

    from wheelkit.builders.cache.entry import CacheEntry


FORMAT = "2"
TEMPORARY = ".tmp-"
_CHUNK = 1 << 20


class CacheHit(Struct, frozen=True, kw_only=True):
    """An entry whose files are there and whole; they stay readable while the hit is kept, even where they are evicted meanwhile."""

    entry: CacheEntry
    blobs: Mapping[str, BufferedReader]

    @property
    def files(self) -> tuple[StoredFile, ...]:
        """The entry's files."""
        return tuple(StoredFile(name=name, hit=self) for name in self.blobs)

    def __del__(self) -> None:
        """Close the files."""
        _close(self.blobs.values())


class StoredFile(Struct, frozen=True, kw_only=True):
    """One file of a hit, by the name under which it was built."""

    name: str
    hit: CacheHit

    def copy_to(self, place: Path) -> None:
        """Write it to a place."""
        from shutil import copyfileobj

        stream = self.hit.blobs[self.name]
        stream.seek(0)
        with place.open("wb") as out:
            copyfileobj(stream, out, _CHUNK)


class Store(Struct, frozen=True, kw_only=True):
    """The cache in one folder, at most ``limit`` bytes large; ``note`` hears of what was found damaged or cannot be written."""

    folder: Path
    limit: int
    note: Callable[[str], None] = field(default=lambda _text: None)

    @property
    def base(self) -> Path:
        """The folder of this format; a later one has its own."""
        return self.folder / f"v{FORMAT}"

    def blob(self, digest: str) -> Path:
        """Name the place of a blob."""
        return self.base / "blobs" / digest[:2] / digest

    def find(self, label: str, key: str) -> CacheHit | None:
        """Look an entry up and check its files; one that is not whole is forgotten."""
        path = self._entry(label, key)
        found = self._read(path)
        if found is None or found.key != key:
            return None
        blobs: dict[str, BufferedReader] = {}
        for one in found.files:
            blob = self._opened(one.sha256, one.file)
            if blob is None:
                _close(blobs.values())
                _remove(path)
                return None
            blobs[one.file] = blob
        for used in (path, *(self.blob(one.sha256) for one in found.files)):
            with contextlib.suppress(OSError):
                os.utime(used)
        return CacheHit(entry=found, blobs=blobs)

    def _opened(self, digest: str, name: str) -> BufferedReader | None:
        place = self.blob(digest)
        try:
            stream = place.open("rb")
        except OSError:
            return None
        if _digest(stream) == digest:
            return stream
        stream.close()
        self.note(f"{name} was damaged in the cache, and is built again")
        _remove(place)
        return None

    def latest(self, label: str, most: int = 5) -> Iterator[CacheEntry]:
        """Give the entries of a label that were used last, the newest first."""
        for path in _newest(self._entry(label, "").parent)[:most]:
            found = self._read(path)
            if found is not None:
                yield found

    def listing(self, entry: CacheEntry) -> Mapping[str, str]:
        """Read the list of an entry's sources; empty where it is not there any more."""
        import json

        with contextlib.suppress(OSError, ValueError):
            data = self.blob(entry.listing).read_bytes()
            if sha256(data).hexdigest() == entry.listing:
                listed: dict[str, str] = json.loads(data)
                return listed
        return {}

    def add(self, entry: CacheEntry, files: Mapping[str, Path], listing: bytes) -> None:
        """Keep an entry with its files, by name; a cache that cannot be written is told of, and otherwise no matter."""
        try:
            self._write(self.blob(entry.listing), listing)
            for one in entry.files:
                self._keep(files[one.file], one.sha256)
            self._write(self._entry(entry.label, entry.key), _sealed(entries.to_bytes(entry)))
        except OSError as error:
            self.note(f"the cache {self.folder} cannot be written: {error.strerror or error}")

    def _keep(self, path: Path, digest: str) -> None:
        place = self.blob(digest)
        if place.is_file():
            with contextlib.suppress(OSError):
                os.utime(place)
                return
        with path.open("rb") as stream, self._writing(place) as out:
            seen = sha256()
            while chunk := stream.read(_CHUNK):
                seen.update(chunk)
                out.write(chunk)
            if seen.hexdigest() != digest:
                raise OSError(f"{path} changed while it was copied")

    def load_value(self, kind: str, name: str) -> str | None:
        """Give a small answer that was remembered, None where there is none."""
        with contextlib.suppress(OSError, ValueError):
            return _opened_seal((self.base / kind / name).read_bytes()).decode()
        return None

    def save_value(self, kind: str, name: str, text: str) -> None:
        """Remember a small answer under a name that is good for a file."""
        with contextlib.suppress(OSError):
            self._write(self.base / kind / name, _sealed(text.encode()), durable=False)

    def _entry(self, label: str, key: str) -> Path:
        return self.base / "entries" / label / f"{key}.json"

    def _read(self, path: Path) -> CacheEntry | None:
        try:
            return entries.from_bytes(_opened_seal(path.read_bytes()))
        except OSError:
            return None
        except (ValueError, msgspec.MsgspecError):
            self.note(f"an entry of the cache was damaged, and is dropped: {path.parent.name}")
            _remove(path)
            return None

    def _write(self, place: Path, data: bytes, *, durable: bool = True) -> None:
        with self._writing(place, durable=durable) as out:
            out.write(data)

    @contextlib.contextmanager
    def _writing(self, place: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
        """Open a file beside its place; it takes the place when the block ends well, and vanishes when it does not."""
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = place.with_name(f"{TEMPORARY}{os.urandom(8).hex()}")
        try:
            with draft.open("xb") as out:
                yield out
                out.flush()
                if durable:
                    os.fsync(out.fileno())
            draft.replace(place)
        except BaseException:
            _remove(draft)
            raise
        if durable:
            _sync_folder(place.parent)


def _sealed(data: bytes) -> bytes:
    return sha256(data).hexdigest().encode() + b"\n" + data


def _opened_seal(data: bytes) -> bytes:
    """Take the checksum off a small file; raises ValueError where it does not fit."""
    seal, _, content = data.partition(b"\n")
    if sha256(content).hexdigest().encode() != seal:
        raise ValueError("the checksum does not fit")
    return content


def _digest(stream: BufferedReader) -> str:
    from hashlib import file_digest

    return file_digest(stream, "sha256").hexdigest()


def _newest(folder: Path) -> list[Path]:
    found: list[tuple[int, str]] = []
    with contextlib.suppress(OSError):
        found += [
            (one.stat().st_mtime_ns, one.name) for one in os.scandir(folder) if one.name.endswith(".json")
        ]
    return [folder / name for _, name in sorted(found, reverse=True)]


def _sync_folder(folder: Path) -> None:
    """Make a rename last; Windows has no such call and needs none."""
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
