"""The zip archive of a wheel: its entries, and access to their bytes."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wheelkit import limits
from wheelkit.errors import WheelError
from wheelkit.inputs import open_file
from wheelkit.wheel import inflate, zip_headers
from wheelkit.wheel.inflate import InflateError
from wheelkit.wheel.zip_directory import DirectoryError, read_directory
from wheelkit.wheel.zip_headers import LONGEST_DESCRIPTOR, read_descriptor, read_local_header

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from wheelkit.wheel.zip_directory import DirectoryEntry
    from wheelkit.wheel.zip_headers import Descriptor, LocalHeader


_REBUILD = "build it again; if it was downloaded, download it again"
_CHUNK = 256 * 1024


class Archive:
    """A wheel file, open only inside of ``opened``: its size, and its entries in the directory's order."""

    def __init__(self, path: Path, *, shallow: bool = False) -> None:
        """Read the central directory; with ``shallow`` perhaps only the entries below a .dist-info folder.

        Raises WheelError where the file is not a zip archive, or declares far more than it can hold.
        """
        self.path = path
        try:
            with open_file(path) as file:
                self.size = os.fstat(file.fileno()).st_size
                if self.size == 0:
                    raise WheelError(f"{path.name} is empty", hint=_REBUILD)
                directory = read_directory(file, shallow=shallow)
        except OSError as error:
            raise unreadable_error(path, error) from error
        except DirectoryError as error:
            raise WheelError(f"{path.name} cannot be opened: {error}", hint=_REBUILD) from error
        self.entries = directory.entries
        self.directory_start = directory.start
        self.end = directory.end
        self._require_bounded()

    def _require_bounded(self) -> None:
        """Raise WheelError for an archive that would fill the disk, or keep its readers busy."""
        unpacked = sum(entry.size for entry in self.entries)
        if expands_too_far(unpacked, self.size, limits.SMALL_WHEEL):
            message = f"{self.path.name} declares {unpacked} bytes in a file of {self.size}"
            raise WheelError(
                f"{message}; it was not unpacked", hint="do not install it: it would fill the disk"
            )
        folders = sum(limits.folder_characters(entry.name) for entry in self.entries)
        for count, most, what in (
            (len(self.entries), limits.MEMBERS, "files and folders"),
            (folders, limits.FOLDERS, "characters in the paths of its folders"),
        ):
            if count > most:
                message = f"{self.path.name} has {count} {what}; wheelkit reads up to {most}"
                raise WheelError(message, hint="pack many small files into one, or split the distribution")

    @contextmanager
    def opened(self) -> Iterator[OpenArchive]:
        """Open the file for the time of a ``with`` block; raise WheelError where that fails."""
        try:
            file = open_file(self.path)
        except OSError as error:
            raise unreadable_error(self.path, error) from error
        with file:
            yield OpenArchive(self, file)


class OpenArchive:
    """Access to the bytes of an open archive, for one thread; raises WheelError if that fails."""

    def __init__(self, archive: Archive, file: BinaryIO) -> None:
        self.archive = archive
        self._file = file

    def header(self, entry: DirectoryEntry) -> LocalHeader | None:
        """Return a member's local header; None where there is none."""
        try:
            return read_local_header(self._file, entry.offset)
        except OSError as error:
            raise unreadable_error(self.archive.path, error) from error

    def read(self, entry: DirectoryEntry) -> bytes:
        """Return the contents of a member that is known to be small; raise InflateError if it is damaged."""
        return b"".join(self.pieces(entry, self.header(entry)))

    def pieces(self, entry: DirectoryEntry, header: LocalHeader | None) -> Iterator[bytes]:
        """Yield a member's contents in pieces, small ones in one; raise InflateError if it is damaged."""
        start = self._start(entry, header)
        chunk = _CHUNK if max(entry.size, entry.packed) > inflate.ONE_PIECE else entry.packed
        return inflate.unpack(self.chunks(start, start + entry.packed, chunk), entry)

    def descriptor(self, entry: DirectoryEntry, header: LocalHeader) -> Descriptor:
        """Return the data descriptor behind a member, whose local header announces one."""
        end = header.start + entry.packed
        # Eight bytes more tell the two forms of an empty member apart.
        data = b"".join(self.chunks(end, min(end + LONGEST_DESCRIPTOR + 8, self.archive.directory_start)))
        return read_descriptor(data, entry, header)

    def chunks(self, start: int, end: int, chunk: int = _CHUNK) -> Iterator[bytes]:
        """Yield the file's bytes between two offsets in chunks of that size."""
        for offset in range(start, end, chunk or 1):
            try:
                self._file.seek(offset)
                yield self._file.read(min(chunk, end - offset))
            except OSError as error:
                raise unreadable_error(self.archive.path, error) from error

    def _start(self, entry: DirectoryEntry, header: LocalHeader | None) -> int:
        """Return the offset of a member's packed bytes; raise InflateError for what must not be unpacked."""
        for flag, problem in zip_headers.REFUSED_FLAGS.items():
            if entry.flags & flag:
                raise InflateError(problem)
        if expands_too_far(entry.size, entry.packed):
            raise InflateError(
                f"declares {entry.size} bytes, packed into {entry.packed}; it was not unpacked"
            )
        if header is None:
            raise InflateError("has no local header where the central directory points to")
        if header.name != entry.raw:
            raise InflateError("has another name in its local header than in the central directory")
        if header.start + entry.packed > self.archive.size:
            raise InflateError("reaches beyond the end of the file")
        return header.start


def expands_too_far(size: int, packed: int, least: int = limits.SMALL_MEMBER) -> bool:
    """Return whether so many bytes from so few packed ones are meant to fill a disk or the memory."""
    return size > least and size > packed * limits.RATIO


def unreadable_error(path: Path, error: OSError | ValueError) -> WheelError:
    """Return the error for a file that cannot be read."""
    reason = getattr(error, "strerror", None) or str(error)
    return WheelError(f"{path} cannot be read: {reason}", hint="check that it is a file, and its permissions")
