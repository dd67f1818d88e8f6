"""Read a wheel's .dist-info, cut the reading of its members into jobs, and put the facts together."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from wheelkit import limits
from wheelkit.errors import WheelError
from wheelkit.wheel import inflate
from wheelkit.wheel.dist_info import excessive_headers, parse_headers, parse_record
from wheelkit.wheel.inflate import InflateError
from wheelkit.wheel.layout import Layout, measure_layout
from wheelkit.wheel.members import LARGEST_PTH, MemberContents, is_read_at_start, read_folder, read_member
from wheelkit.wheel.model import Member, Wheel
from wheelkit.wheel.names import parse_file_name
from wheelkit.wheel.schedule import ReadJob

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wheelkit.wheel.archive import Archive, OpenArchive
    from wheelkit.wheel.model import FileName, RecordRow
    from wheelkit.wheel.zip_directory import DirectoryEntry


# Members above this size are jobs of their own; smaller ones of one wheel are read together until they make
# as much.
_BATCH = 2 * 1024 * 1024
_BUILD = "build the wheel with a build backend: python -m build --wheel"


class OpenWheel:
    """A wheel whose texts are read, and whose members its jobs read."""

    def __init__(self, archive: Archive, *, shallow: bool) -> None:
        """Read the name and the texts in .dist-info (``shallow``: METADATA and WHEEL); raises WheelError."""
        self._archive = archive
        self._shallow = shallow
        self._contents = [MemberContents()] * len(archive.entries)
        self._name, self._name_problem = _parse_name(archive.path.name)
        self._dist_info = _dist_info(archive, self._name)
        _require_few_pth_files(archive)
        with archive.opened() as opened:
            metadata = self._text(opened, "METADATA")
            if metadata is None:
                raise WheelError(f"{archive.path.name} has no {self._dist_info}/METADATA", hint=_BUILD)
            self._metadata = metadata
            if problem := excessive_headers(metadata):
                where = f"{archive.path.name}: {self._dist_info}/METADATA"
                raise WheelError(f"{where} has {problem}", hint=_BUILD)
            self._wheel = self._text(opened, "WHEEL") or b""
            self._entry_points = b"" if shallow else self._text(opened, "entry_points.txt") or b""
            self._sboms = {} if shallow else dict(self._read_sboms(opened))
            self._record, self._record_problem = (None, "") if shallow else self._parse_record(opened)
        self._algorithms = {row.path: row.digest.partition("=")[0] for row in self._record or ()}

    def _text(self, opened: OpenArchive, file: str) -> bytes | None:
        """Return the contents of a file in .dist-info, of two with one name the last; None if it is missing.

        Installers read or write both in the order of the central directory, so the last one stays.
        """
        name = f"{self._dist_info}/{file}"
        entry = next((entry for entry in reversed(self._archive.entries) if entry.name == name), None)
        if entry is None:
            return None
        where = f"{self._archive.path.name}: {name}"
        if entry.size > limits.DIST_INFO[file]:
            what = f"{where} declares {entry.size} bytes, far more than any such file has"
            raise WheelError(what, hint="build the wheel again")
        try:
            return opened.read(entry)
        except InflateError as error:
            raise WheelError(f"{where} {error}", hint="build the wheel again") from error

    def _read_sboms(self, opened: OpenArchive) -> Iterator[tuple[str, bytes]]:
        """Yield the files in .dist-info/sboms; what is too large or damaged is left to the checks."""
        folder, left = f"{self._dist_info}/sboms/", limits.SBOMS
        for entry in self._archive.entries:
            if entry.name.startswith(folder) and not entry.name.endswith("/"):
                left -= entry.size
                if entry.size <= limits.SBOM and left >= 0:
                    with suppress(InflateError):
                        yield entry.name, opened.read(entry)

    def _parse_record(self, opened: OpenArchive) -> tuple[tuple[RecordRow, ...] | None, str]:
        text = self._text(opened, "RECORD")
        if text is None:
            return None, "it is missing"
        lines, members = text.count(b"\n"), len(self._archive.entries)
        if lines > 2 * members + limits.RECORD_LINES:
            return None, f"it has {lines} lines for an archive of {members} files"
        try:
            return parse_record(text), ""
        except ValueError as error:
            return None, str(error)

    def jobs(self) -> Iterator[ReadJob]:
        """Cut the reading of the members into jobs: large ones alone, small ones together."""
        batch: list[int] = []
        weight = 0
        for index, entry in enumerate(self._archive.entries):
            if entry.size > _BATCH and not entry.name.endswith("/"):
                yield ReadJob(weight=entry.size, memory=_memory(entry), run=partial(self._read, [index]))
                continue
            batch.append(index)
            weight += min(entry.size, _BATCH)
            if weight >= _BATCH:
                yield ReadJob(weight=weight, memory=0, run=partial(self._read, batch))
                batch, weight = [], 0
        if batch:
            yield ReadJob(weight=weight, memory=0, run=partial(self._read, batch))

    def _read(self, indexes: Sequence[int]) -> None:
        try:
            with self._archive.opened() as opened:
                for index in indexes:
                    self._contents[index] = self._read_one(opened, self._archive.entries[index])
        except WheelError as error:  # the file was removed or changed while it was read
            for index in indexes:
                self._contents[index] = MemberContents(problem=f"could not be read: {error.message}")

    def _read_one(self, opened: OpenArchive, entry: DirectoryEntry) -> MemberContents:
        if entry.name.endswith("/"):
            return read_folder(opened, entry)
        return read_member(opened, entry, self._algorithms.get(entry.name, ""))

    def wheel(self) -> Wheel:
        """Put the facts together, once all jobs are done."""
        layout = Layout() if self._shallow else self._layout()
        return Wheel(
            path=self._archive.path,
            size=self._archive.size,
            name=self._name,
            name_problem=self._name_problem,
            members=() if self._shallow else tuple(map(_member, self._archive.entries, self._contents)),
            dist_info=self._dist_info,
            metadata_text=self._metadata,
            metadata=parse_headers(self._metadata),
            entry_points=self._entry_points,
            sboms=self._sboms,
            fields=parse_headers(self._wheel),
            wheel_text=self._wheel,
            record=self._record,
            record_problem=self._record_problem,
            binaries=tuple(contents.binary for contents in self._contents if contents.binary is not None),
            stray=layout.stray,
            shared=layout.shared,
            hidden=layout.hidden,
            end=self._archive.end,
            shallow=self._shallow,
        )

    def _layout(self) -> Layout:
        try:
            with self._archive.opened() as opened:
                return measure_layout(opened, [contents.end for contents in self._contents])
        except WheelError:  # the file was removed; its members say so
            return Layout()


def _parse_name(filename: str) -> tuple[FileName | None, str]:
    try:
        return parse_file_name(filename), ""
    except ValueError as error:
        return None, str(error)


def _dist_info(archive: Archive, name: FileName | None) -> str:
    """Return the ``.dist-info`` folder; of several the one that the file name asks for, as installers do."""
    tops = (entry.name.partition("/") for entry in archive.entries)
    folders = list(dict.fromkeys(top for top, slash, _ in tops if slash and top.endswith(".dist-info")))
    if not folders:
        raise WheelError(f"{archive.path.name} has no .dist-info folder, so it is not a wheel", hint=_BUILD)
    expected = f"{name.distribution}-{name.version}.dist-info" if name else ""
    return expected if expected in folders else folders[0]


def _require_few_pth_files(archive: Archive) -> None:
    entries = [entry for entry in archive.entries if is_read_at_start(entry.name)]
    size = sum(min(entry.size, LARGEST_PTH) for entry in entries)
    if size > limits.PTH:
        message = f"{archive.path.name} has {len(entries)} .pth files of {size} bytes"
        raise WheelError(f"{message}; Python would read them at each start", hint=_BUILD)


def _memory(entry: DirectoryEntry) -> int:
    """Return the bytes that reading a large member takes: its own and the packed ones; 0 if in a file."""
    return entry.size + min(entry.packed, inflate.ONE_PIECE) if entry.size < inflate.LARGE else 0


def _member(entry: DirectoryEntry, contents: MemberContents) -> Member:
    return Member(
        name=entry.name,
        size=entry.size,
        packed=entry.packed,
        flags=entry.flags,
        mode=entry.mode,
        dated=entry.dated,
        digest=contents.digest,
        problem=contents.problem,
        header=contents.header,
        extra=contents.extra,
        descriptor=contents.descriptor,
        index=contents.index,
        crc=entry.crc,
        head=contents.head,
    )
