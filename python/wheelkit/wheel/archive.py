"""The zip archive of a wheel: its entries, and access to their bytes."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from wheelkit.errors import WheelError
from wheelkit.wheel import header
from wheelkit.wheel.contents import Contents, bomb, unreadable
from wheelkit.wheel.directory import DirectoryError, read_directory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


_REBUILD = "build it again; if it was downloaded, download it again"
_BOMB_ARCHIVE = 1 << 30


class Archive:
    """A wheel file: its entries in the central directory's order, and how many bytes they declare together.

    The file is open only while ``opened`` gives access to its bytes.
    """

    def __init__(self, path: Path, *, shallow: bool = False) -> None:
        """Read the central directory; raise WheelError with the reason where there is none to be trusted.

        With ``shallow`` the entries may be only those below a .dist-info folder.
        """
        self.path = path
        try:
            with path.open("rb", buffering=0) as file:
                self.size = os.fstat(file.fileno()).st_size
                if self.size == 0:
                    raise WheelError(f"{path.name} is empty", hint=_REBUILD)
                self._directory = read_directory(file, shallow=shallow)
                if not shallow:
                    _announce(file.fileno())
        except OSError as error:
            raise unreadable(path, error) from error
        except DirectoryError as error:
            raise WheelError(f"{path.name} is no readable zip archive: {error}", hint=_REBUILD) from error
        self.entries = self._directory.entries
        self.unpacked = sum(entry.size for entry in self.entries)
        if bomb(self.unpacked, self.size, _BOMB_ARCHIVE):
            message = f"{path.name} declares {self.unpacked} bytes in a file of {self.size}; it was not unpacked"
            raise WheelError(message, hint="do not install it: it would fill the disk")

    @contextmanager
    def opened(self) -> Iterator[Contents]:
        """Give access to the file's bytes for the time of a ``with`` block; raise WheelError where it cannot be opened any more."""
        try:
            file = self.path.open("rb", buffering=0)
        except OSError as error:
            raise unreadable(self.path, error) from error
        with file, Contents(self, file) as contents:
            yield contents

    @property
    def directory(self) -> int:
        """Where the central directory begins."""
        return self._directory.start

    def gapless(self) -> bool:
        """Tell whether the members fill the file up to the directory, if their local headers are as ``quickly`` wants them."""
        position = 0
        for entry in self.entries:
            if entry.offset != position:
                return False
            position += header.SIZE + len(entry.raw) + entry.packed
        return self._directory.plain and position == self._directory.start


def _announce(descriptor: int) -> None:
    """Tell the kernel that all of a file will be read, so that it fetches what is not in memory while other files are read."""
    if hasattr(os, "posix_fadvise"):
        with suppress(OSError):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_WILLNEED)
