"""From files to facts: opens wheels and reads every member once, on several threads.

Inflating, hashing and scanning release the interpreter's lock, so threads help. Members of all wheels share them, the biggest first and
small ones of one wheel together. A file is open only while one of its members is read, so that any number of wheels can be verified.
"""

from __future__ import annotations

import os
from binascii import b2a_base64
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.errors import WheelError
from wheelkit.wheel import digests, inflate, libdeflate
from wheelkit.wheel.archive import Archive
from wheelkit.wheel.inflate import InflateError, is_binary
from wheelkit.wheel.model import Binary, FileName, Member, RecordRow, Wheel
from wheelkit.wheel.names import parse_file_name, parse_headers, parse_record
from wheelkit.wheel.schedule import InflateJob, Pool

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from wheelkit.wheel.archive import MemberReader
    from wheelkit.wheel.zip_directory import DirectoryEntry


# Members above this size are jobs of their own; smaller ones of one wheel are read together until they make as much.
_BATCH = 2 * 1024 * 1024
# How many wheels are open at a time: enough to keep the threads busy, and few enough that a thousand need no more memory than these.
_AT_ONCE = 64
# The largest RECORD known has 4 MB, the largest METADATA 0.5 MB; what claims to be many times larger is made to keep readers busy.
_LARGEST_TEXTS = {"RECORD": 32 << 20, "METADATA": 4 << 20, "WHEEL": 1 << 20, "entry_points.txt": 1 << 20}
# How base64 writes its last two digits in RECORD (RFC 4648, 5); the module of that name loads regular expressions.
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def read(path: Path, *, contents: bool = True, threads: int | None = None) -> Wheel:
    """Read one wheel; raise WheelError where it cannot be read as one.

    ``contents=False`` reads names, tags and METADATA only.
    """
    (outcome,) = read_all([path], contents=contents, threads=threads)
    if isinstance(outcome, WheelError):
        raise outcome
    return outcome


def read_all(
    paths: Sequence[Path], *, contents: bool = True, threads: int | None = None
) -> list[Wheel | WheelError]:
    """Read many wheels, and give for each, in the order of ``paths``, its facts or why it cannot be read as a wheel."""
    outcomes = dict(chain.from_iterable(read_batches(paths, contents=contents, threads=threads)))
    return [outcomes[place] for place in range(len(paths))]


def read_batches(
    paths: Sequence[Path], *, contents: bool = True, threads: int | None = None
) -> Iterator[Iterator[tuple[int, Wheel | WheelError]]]:
    """Read many wheels like read_all, some at a time, and give each with its place in ``paths`` as soon as it is read.

    What the caller does with one goes on while other threads read the next ones of its batch; between two batches no other thread works.
    """
    threads = threads or os.cpu_count() or 1
    order = _largest_first(paths) if contents else range(len(paths))
    for first in range(0, len(order), _AT_ONCE):
        places = order[first : first + _AT_ONCE]
        if not contents:
            yield ((place, _read_names(paths[place])) for place in places)
        elif len(order) == 1:
            yield iter([(0, _read_one(paths[0], threads))])
        else:
            yield _read_some(paths, places, threads)


def _read_names(path: Path) -> Wheel | WheelError:
    opened = _try_open(path, contents=False)
    return opened if isinstance(opened, WheelError) else opened.wheel()


def _read_one(path: Path, threads: int) -> Wheel | WheelError:
    opened = _try_open(path, contents=True)
    if isinstance(opened, WheelError):
        return opened
    if opened.archive.unpacked <= digests.LITTLE:
        opened.hashing = digests.new_for_little
    jobs = tuple(opened.jobs())
    if len(jobs) > 1:
        with Pool(threads) as pool:
            pool.add(0, jobs)
            for _ in pool.finished():
                pass
    else:  # to load threads takes longer than to read a small wheel
        for job in jobs:
            job.do()
    return opened.wheel()


def _read_some(
    paths: Sequence[Path], places: Sequence[int], threads: int
) -> Iterator[tuple[int, Wheel | WheelError]]:
    reading: dict[int, _OpenWheel] = {}
    with Pool(threads) as pool:
        for place in places:
            opened = _try_open(paths[place], contents=True)
            if isinstance(opened, WheelError):
                yield place, opened
            else:
                reading[place] = opened
                pool.add(place, opened.jobs())
        for place in pool.finished():
            yield place, reading.pop(place).wheel()


def _largest_first(paths: Sequence[Path]) -> list[int]:
    """Order the places by the files' sizes: what takes longest begins first."""

    def size(place: int) -> int:
        try:
            return paths[place].stat().st_size
        except OSError:
            return 0

    return sorted(range(len(paths)), key=size, reverse=True)


class _FirstPass(Struct, frozen=True, kw_only=True):
    """What reading one entry's contents told; ``plain`` where its header is as the central directory has it, and nothing else is there."""

    plain: bool = False
    digest: str = ""
    problem: str = ""
    header: str = ""
    binary: Binary | None = None


class _OpenWheel:
    """A wheel whose texts are read and whose members are still to be read."""

    def __init__(self, archive: Archive, *, shallow: bool) -> None:
        self.archive = archive
        self.shallow = shallow
        self.hashing = digests.new
        self.seen: list[_FirstPass] = [_FirstPass()] * len(archive.entries)
        self.name, self.name_problem = _file_name(archive.path.name)
        self.dist_info = _dist_info(archive, self.name)
        with archive.opened() as contents:
            self._contents = contents
            self.metadata_text = self._required("METADATA")
            self.fields = parse_headers(self._text("WHEEL") or b"")
            self.record, self.record_problem = (None, "") if shallow else self._record()
            self.entry_points = b"" if shallow else self._text("entry_points.txt") or b""
        rows = self.record or ()
        self.algorithms = {
            row.path: row.digest.partition("=")[0] for row in rows if not row.digest.startswith("sha256=")
        }

    def _text(self, name: str) -> bytes | None:
        wanted = f"{self.dist_info}/{name}"
        entry = next((item for item in self.archive.entries if item.name == wanted), None)
        if entry is None:
            return None
        if entry.size > _LARGEST_TEXTS[name]:
            message = f"{self.archive.path.name}: {wanted} declares {entry.size} bytes, far more than any such file has"
            raise WheelError(message, hint="build the wheel again")
        try:
            return self._contents.text(entry)
        except InflateError as error:
            raise WheelError(
                f"{self.archive.path.name}: {wanted} {error}", hint="build the wheel again"
            ) from error

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

    def jobs(self) -> Iterator[InflateJob]:
        """Cut the reading of the members into jobs: big ones alone, small ones together."""
        batch: list[int] = []
        weight = 0
        for index, entry in enumerate(self.archive.entries):
            if entry.name.endswith("/"):
                continue
            if entry.size > _BATCH:
                yield InflateJob(weight=entry.size, memory=_memory(entry), do=partial(self._read, [index]))
                continue
            batch.append(index)
            weight += entry.size
            if weight >= _BATCH:
                yield InflateJob(weight=weight, memory=0, do=partial(self._read, batch))
                batch, weight = [], 0
        if batch:
            yield InflateJob(weight=weight, memory=0, do=partial(self._read, batch))

    def _read(self, indexes: Sequence[int]) -> None:
        try:
            with self.archive.opened() as contents:
                for index in indexes:
                    entry = self.archive.entries[index]
                    self.seen[index] = _read_member(
                        contents, entry, self.hashing(self.algorithms.get(entry.name, digests.DEFAULT))
                    )
        except WheelError as error:  # the file went away, or changed, while it was read
            for index in indexes:
                self.seen[index] = _FirstPass(problem=f"could not be read: {error.message}")

    def wheel(self) -> Wheel:
        """Put the facts together."""
        entries = () if self.shallow else zip(self.archive.entries, self.seen, strict=True)
        stray, shared, hidden = self._layout()
        return Wheel(
            path=self.archive.path,
            size=self.archive.size,
            name=self.name,
            name_problem=self.name_problem,
            members=tuple([_member(entry, seen) for entry, seen in entries]),
            dist_info=self.dist_info,
            metadata_text=self.metadata_text,
            metadata=parse_headers(self.metadata_text),
            entry_points=self.entry_points,
            fields=self.fields,
            record=self.record,
            record_problem=self.record_problem,
            binaries=tuple([seen.binary for seen in self.seen if seen.binary is not None]),
            stray=stray,
            shared=shared,
            hidden=hidden,
            shallow=self.shallow,
        )

    def _layout(self) -> tuple[int, int, int]:
        """Count stray and shared bytes and hidden members; headers that were read need no second look."""
        if self.shallow:
            return 0, 0, 0
        folders = [entry for entry in self.archive.entries if entry.name.endswith("/")]
        seen = sum(one.plain for one in self.seen) + len(folders) == len(self.seen) and self.archive.gapless()
        if seen and not folders:
            return 0, 0, 0
        try:
            with self.archive.opened() as contents:
                return (0, 0, 0) if seen and all(map(contents.agrees, folders)) else contents.layout()
        except WheelError:  # the file went away; its members say so
            return 0, 0, 0


def _try_open(path: Path, *, contents: bool) -> _OpenWheel | WheelError:
    try:
        return _OpenWheel(Archive(path, shallow=not contents), shallow=not contents)
    except WheelError as error:
        return error


def _file_name(filename: str) -> tuple[FileName | None, str]:
    try:
        return parse_file_name(filename), ""
    except ValueError as error:
        return None, str(error)


def _dist_info(archive: Archive, name: FileName | None) -> str:
    """Name the ``.dist-info`` folder; where there are several, the file name's own, as installers do."""
    tops = (entry.name.partition("/") for entry in archive.entries)
    folders = list(dict.fromkeys(top for top, slash, _ in tops if slash and top.endswith(".dist-info")))
    if not folders:
        message = f"{archive.path.name} has no .dist-info folder, so it is no wheel"
        raise WheelError(message, hint="build the wheel with a build backend: python -m build --wheel")
    own = [folder for folder in folders if name and folder == f"{name.distribution}-{name.version}.dist-info"]
    return (own or folders)[0]


def _memory(entry: DirectoryEntry) -> int:
    """Say what the reading of a large member takes: its bytes and the packed ones; the largest go into a temporary file."""
    return entry.size + min(entry.packed, libdeflate.MOST_PACKED) if entry.size < inflate.LARGE else 0


def _member(entry: DirectoryEntry, seen: _FirstPass) -> Member:
    return Member(
        name=entry.name,
        size=entry.size,
        packed=entry.packed,
        method=entry.method,
        flags=entry.flags,
        mode=entry.mode,
        dated=entry.dated,
        digest=seen.digest,
        problem=seen.problem,
        header=seen.header,
    )


def _read_member(contents: MemberReader, entry: DirectoryEntry, hasher: digests.Hash) -> _FirstPass:
    header = ""
    try:
        data: bytes | memoryview | None = contents.quickly(entry)
        plain = data is not None
        if data is None:
            header = contents.header_trouble(entry)
            data = contents.whole(entry) if entry.size <= inflate.ONE_PIECE else None
        binary = _gathered(contents, entry, hasher) if data is None else _known(entry, data, hasher)
    except InflateError as error:
        return _FirstPass(problem=str(error), header=header)
    except MemoryError:
        return _FirstPass(problem="needs more memory than this machine has")
    except OSError as error:
        return _FirstPass(problem=f"could not be unpacked into memory or a temporary file: {error.strerror}")
    # As RECORD writes it, without padding; an algorithm that RECORD must not use gets sha256's.
    digest = b2a_base64(hasher.digest(), newline=False).rstrip(b"=").translate(_URL_SAFE).decode("ascii")
    return _FirstPass(plain=plain, digest=f"{hasher.name}={digest}", header=header, binary=binary)


def _known(entry: DirectoryEntry, data: bytes | memoryview, hasher: digests.Hash) -> Binary | None:
    hasher.update(data)
    return _scanned(entry.name, memoryview(data)) if is_binary(data) else None


def _gathered(contents: MemberReader, entry: DirectoryEntry, hasher: digests.Hash) -> Binary | None:
    from wheelkit.wheel.inflate import MemberCollector

    with MemberCollector(entry.size) as gathering:
        for piece in contents.pieces(entry):
            hasher.update(piece)
            gathering.add(piece)
        return _scanned(entry.name, gathering.whole()) if gathering.binary else None


def _scanned(name: str, view: memoryview) -> Binary | None:
    from wheelkit import _core

    try:
        scan = _core.scan(view)
    except _core.ScanError as error:
        return Binary(member=name, scan=None, damage=error)
    return None if scan is None else Binary(member=name, scan=scan)


def with_binaries(wheel: Wheel, binaries: Iterable[Binary]) -> Wheel:
    """Give the same wheel with other scan results, for what wants to ask "what if" (the retag step, tests)."""
    return replace(wheel, binaries=tuple(binaries))
