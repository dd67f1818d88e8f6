"""From files to facts: opens wheels and reads every member once, on several threads.

Inflating, hashing and scanning release the interpreter's lock, so threads help; members of all wheels share one pool, the
biggest first, small ones in batches.
"""

from __future__ import annotations

import base64
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wheelkit.errors import WheelError
from wheelkit.wheel.archive import Archive
from wheelkit.wheel.inflate import InflateError
from wheelkit.wheel.model import Binary, FileName, Member, RecordRow, Wheel
from wheelkit.wheel.names import parse_file_name, parse_headers, parse_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from zipfile import ZipInfo

_BATCH = 2 * 1024 * 1024
# METADATA, WHEEL and RECORD of the largest wheels known stay below 4 MB; a claim above this is no claim of a wheel.
_LARGEST_TEXT = 64 * 1024 * 1024
_MAGIC = (
    b"\x7fELF",
    b"MZ",
    *(bytes.fromhex(magic) for magic in ("feedface", "feedfacf", "cefaedfe", "cffaedfe", "cafebabe", "cafebabf")),
)
_DEFAULT_HASH = "sha256"
# The algorithms that RECORD may use: sha256 or stronger (binary distribution format, "Recording installed projects").
HASHES = frozenset({"sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "blake2b", "blake2s"})


def read(path: Path, *, contents: bool = True, threads: int | None = None) -> Wheel:
    """Read one wheel; raise WheelError where it cannot be read as one.

    ``contents=False`` reads names, tags and METADATA only.
    """
    (outcome,) = read_all([path], contents=contents, threads=threads)
    if isinstance(outcome, WheelError):
        raise outcome
    return outcome


def read_all(paths: Sequence[Path], *, contents: bool = True, threads: int | None = None) -> list[Wheel | WheelError]:
    """Read many wheels, and give for each, in the order of ``paths``, its facts or why it cannot be read as a wheel."""
    opened = [_try_open(path, contents=contents) for path in paths]
    try:
        good = [item for item in opened if isinstance(item, _Opened)]
        if contents:
            _fill(good, threads or os.cpu_count() or 1)
        return [item if isinstance(item, WheelError) else item.wheel() for item in opened]
    finally:
        for item in opened:
            if isinstance(item, _Opened):
                item.archive.close()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    """What reading one entry's contents told."""

    digest: str = ""
    problem: str = ""
    binary: Binary | None = None


class _Opened:
    """A wheel whose archive is open, with its texts read and its members still to be read."""

    def __init__(self, archive: Archive, *, shallow: bool) -> None:
        self.archive = archive
        self.shallow = shallow
        self.seen: list[_Seen] = [_Seen()] * len(archive.entries)
        self.name, self.name_problem = _file_name(archive.path.name)
        self.dist_info = _dist_info(archive, self.name)
        self.metadata_text = self._required("METADATA")
        self.fields = parse_headers(self._text("WHEEL") or b"")
        self.record, self.record_problem = (None, "") if shallow else self._record()
        rows = self.record or ()
        self.algorithms = {row.path: row.digest.partition("=")[0] for row in rows if not row.digest.startswith("sha256=")}

    def _text(self, name: str) -> bytes | None:
        wanted = f"{self.dist_info}/{name}"
        entry = next((item for item in self.archive.entries if item.filename == wanted), None)
        if entry is None:
            return None
        if entry.file_size > _LARGEST_TEXT:
            message = f"{self.archive.path.name}: {wanted} declares {entry.file_size} bytes, far more than any such file has"
            raise WheelError(message, hint="build the wheel again")
        try:
            with self.archive.contents(entry) as view:
                return bytes(view)
        except InflateError as error:
            raise WheelError(f"{self.archive.path.name}: {wanted} {error}", hint="build the wheel again") from error

    def _required(self, name: str) -> bytes:
        text = self._text(name)
        if text is None:
            message = f"{self.archive.path.name} has no {self.dist_info}/{name}"
            raise WheelError(message, hint="build the wheel with a build backend: python -m build --wheel")
        return text

    def _record(self) -> tuple[tuple[RecordRow, ...] | None, str]:
        text = self._text("RECORD")
        if text is None:
            return None, "it is missing"
        try:
            return parse_record(text), ""
        except ValueError as error:
            return None, str(error)

    def wheel(self) -> Wheel:
        entries = zip(self.archive.entries, self.seen, strict=True)
        return Wheel(
            path=self.archive.path,
            size=self.archive.size,
            name=self.name,
            name_problem=self.name_problem,
            members=() if self.shallow else tuple(_member(entry, seen) for entry, seen in entries),
            dist_info=self.dist_info,
            metadata_text=self.metadata_text,
            metadata=parse_headers(self.metadata_text),
            fields=self.fields,
            record=self.record,
            record_problem=self.record_problem,
            binaries=tuple(seen.binary for seen in self.seen if seen.binary is not None),
            stray=0 if self.shallow else self.archive.stray(),
            shallow=self.shallow,
        )


def _try_open(path: Path, *, contents: bool) -> _Opened | WheelError:
    try:
        archive = Archive(path)
    except WheelError as error:
        return error
    try:
        return _Opened(archive, shallow=not contents)
    except WheelError as error:
        archive.close()
        return error


def _file_name(filename: str) -> tuple[FileName | None, str]:
    try:
        return parse_file_name(filename), ""
    except ValueError as error:
        return None, str(error)


def _dist_info(archive: Archive, name: FileName | None) -> str:
    """Name the ``.dist-info`` folder; where there are several, the file name's own, as installers do."""
    tops = (entry.filename.partition("/") for entry in archive.entries)
    folders = list(dict.fromkeys(top for top, slash, _ in tops if slash and top.endswith(".dist-info")))
    if not folders:
        message = f"{archive.path.name} has no .dist-info folder, so it is no wheel"
        raise WheelError(message, hint="build the wheel with a build backend: python -m build --wheel")
    own = [folder for folder in folders if name and folder == f"{name.distribution}-{name.version}.dist-info"]
    return (own or folders)[0]


def _member(entry: ZipInfo, seen: _Seen) -> Member:
    return Member(
        name=entry.filename,
        size=entry.file_size,
        packed=entry.compress_size,
        method=entry.compress_type,
        flags=entry.flag_bits,
        mode=entry.external_attr >> 16,
        dated=all(entry.date_time[1:3]),
        digest=seen.digest,
        problem=seen.problem,
    )


_Batch = list[tuple[_Opened, int]]


def _fill(wheels: Sequence[_Opened], threads: int) -> None:
    batches = _batches(wheels)
    if threads == 1 or len(batches) == 1:
        for batch in batches:
            _read_batch(batch)
        return
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="wheelkit") as pool:
        for _ in pool.map(_read_batch, batches):
            pass


def _batches(wheels: Iterable[_Opened]) -> list[_Batch]:
    """Order the members of all wheels by size, the biggest alone and first, the small ones together."""
    jobs = [
        (entry.file_size, opened, index)
        for opened in wheels
        for index, entry in enumerate(opened.archive.entries)
        if not entry.filename.endswith("/")
    ]
    jobs.sort(key=lambda job: job[0], reverse=True)
    return list(_grouped(jobs))


def _grouped(jobs: Iterable[tuple[int, _Opened, int]]) -> Iterator[_Batch]:
    batch: _Batch = []
    weight = 0
    for size, opened, index in jobs:
        batch.append((opened, index))
        weight += size
        if weight >= _BATCH:
            yield batch
            batch, weight = [], 0
    if batch:
        yield batch


def _read_batch(batch: _Batch) -> None:
    for opened, index in batch:
        opened.seen[index] = _read_member(opened, opened.archive.entries[index])


def _read_member(opened: _Opened, entry: ZipInfo) -> _Seen:
    try:
        with opened.archive.contents(entry) as view:
            digest = _digest(opened.algorithms.get(entry.filename, _DEFAULT_HASH), view)
            return _Seen(digest=digest, binary=_scanned(entry.filename, view))
    except InflateError as error:
        return _Seen(problem=str(error))
    except MemoryError:
        return _Seen(problem="needs more memory than this machine has")
    except OSError as error:
        return _Seen(problem=f"could not be unpacked into a temporary file: {error.strerror}")


def _digest(algorithm: str, view: memoryview) -> str:
    """Hash as RECORD writes it, without padding; an algorithm that RECORD must not use gets sha256's."""
    if algorithm not in HASHES:
        algorithm = _DEFAULT_HASH
    digest = getattr(hashlib, algorithm)(view).digest()
    return f"{algorithm}={base64.urlsafe_b64encode(digest).rstrip(b'=').decode('ascii')}"


def _scanned(name: str, view: memoryview) -> Binary | None:
    if not bytes(view[:4]).startswith(_MAGIC):
        return None
    from wheelkit import _core

    try:
        scan = _core.scan(view)
    except _core.ScanError as error:
        return Binary(member=name, scan=None, damage=error)
    return None if scan is None else Binary(member=name, scan=scan)


def with_binaries(wheel: Wheel, binaries: Iterable[Binary]) -> Wheel:
    """Give the same wheel with other scan results, for what wants to ask "what if" (the retag step, tests)."""
    return replace(wheel, binaries=tuple(binaries))
