"""Open the .tar.gz of an sdist so that nothing in it fills the memory or keeps the reader busy.

tarfile reads extended headers of any length into memory, and gzip packs a gigabyte of zeros into a megabyte.
Whatever tarfile reads passes through a stream that counts: what it reads itself, and how far it skips.
"""

from __future__ import annotations

import gzip
import os
import tarfile
from contextlib import contextmanager
from io import RawIOBase
from typing import TYPE_CHECKING

from wheelkit import limits
from wheelkit.inputs import open_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class ExcessError(tarfile.TarError):
    """An sdist has more of something than any real one; the message completes "PATH cannot be read ..."."""


class OpenTar:
    """An open archive: its members in order, and the contents of small ones."""

    def __init__(self, archive: tarfile.TarFile, stream: _BoundedStream) -> None:
        self._archive = archive
        self._stream = stream
        self._texts = 0

    def members(self) -> Iterator[tarfile.TarInfo]:
        """Yield the members; raises ExcessError and whatever tarfile, gzip and zlib raise."""
        folders = names = 0
        for count, member in enumerate(self._archive, 1):
            self._stream.begin_member()
            names += len(member.name)
            folders += limits.folder_characters(member.name)
            if count > limits.SDIST_MEMBERS:
                raise ExcessError(f"it has more than {limits.SDIST_MEMBERS} files")
            if len(member.name) > limits.PATH or len(member.linkname) > limits.PATH:
                raise ExcessError(f"a path has more than {limits.PATH} characters")
            if names > limits.NAMES or folders > limits.FOLDERS:
                raise ExcessError(
                    f"its paths have more than {limits.NAMES} characters, or those of their folders more than"
                    f" {limits.FOLDERS}"
                )
            yield member

    def text(self, member: tarfile.TarInfo) -> bytes | None:
        """Return the contents of a file, through links; None for a larger file, and for links to nowhere."""
        try:
            stream = self._archive.extractfile(member)
        except (KeyError, RecursionError):
            return None
        data = stream.read(limits.SDIST_TEXT + 1) if stream is not None else b""
        self._texts += len(data)
        if self._texts > limits.SDIST_TEXTS:
            raise ExcessError("its PKG-INFO, pyproject.toml and meson.build are larger than 16 MB together")
        return data if len(data) <= limits.SDIST_TEXT else None


@contextmanager
def open_tar(path: Path) -> Iterator[OpenTar]:
    """Open a .tar.gz; raises OSError and tarfile.TarError."""
    with open_file(path) as file, gzip.GzipFile(fileobj=file) as unpacked:
        stream = _BoundedStream(unpacked, most_unpacked(os.fstat(file.fileno()).st_size))
        with tarfile.open(fileobj=stream, mode="r:") as archive:
            yield OpenTar(archive, stream)


def most_unpacked(packed: int) -> int:
    """Return how many bytes an sdist of that size may unpack to."""
    return max(limits.SMALL_SDIST, packed * limits.RATIO)


class _BoundedStream(RawIOBase):
    """The unpacked bytes of an archive."""

    def __init__(self, unpacked: gzip.GzipFile, most: int) -> None:
        self._unpacked = unpacked
        self._most = most
        self._member = self._total = 0

    def begin_member(self) -> None:
        """Count from here what is read before the contents of the next member."""
        self._member = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._unpacked.tell()

    def read(self, size: int = -1, /) -> bytes:
        self._member += size
        self._total += size
        if size < 0 or self._member > limits.TAR_HEADER or self._total > limits.TAR_HEADERS:
            raise ExcessError("its headers are larger than those of any real archive")
        self._require(self._unpacked.tell() + size)
        return self._unpacked.read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if whence == os.SEEK_SET:
            self._require(offset)
        return self._unpacked.seek(offset, whence)

    def _require(self, place: int) -> None:
        if place > self._most:
            raise ExcessError(f"it unpacks to more than {self._most} bytes, and would fill the disk")
