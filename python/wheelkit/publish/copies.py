"""A private copy of a release: the bytes that are verified are those that are uploaded.

Whatever replaces a file in the dist folder meanwhile, an editor, another build or an attacker, has no effect
on a copy. It costs as much disk space as the release has, in the temporary folder and until the command ends;
file systems that share blocks (btrfs, xfs) need none where both folders are on one of them.
"""

from __future__ import annotations

import errno
import shutil
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from wheelkit.errors import OutputError
from wheelkit.inputs import open_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import BinaryIO


_NO_SPACE = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
# _IOW(0x94, 9, int) of linux/fs.h: the second file gets the blocks of the first one, as a copy on write.
_FICLONE = 0x40049409
_CHUNK = 1 << 20


def copy_files(paths: Iterable[Path], into: Path) -> dict[str, str]:
    """Copy files into a folder of this process; return why others cannot be read, by their names.

    Raises OutputError where the folder has no space left.
    """
    return {path.name: problem for path in paths if (problem := _copy(path, into / path.name))}


def _copy(path: Path, target: Path) -> str:
    try:
        with open_file(path) as source, target.open("xb") as copy:
            if not _share_blocks(source, copy):
                shutil.copyfileobj(source, copy, _CHUNK)
    except OSError as error:
        target.unlink(missing_ok=True)
        if error.errno in _NO_SPACE:
            raise OutputError(
                f"{target.parent} has no space for a copy of {path.name}, which is uploaded from there",
                hint="free some space on the disk, or set TMPDIR to a folder with more space",
            ) from error
        return f"cannot be read: {error.strerror}"
    return ""


def _share_blocks(source: BinaryIO, copy: BinaryIO) -> bool:
    """Copy a file without copying its bytes; return whether that worked."""
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):
            fcntl.ioctl(copy.fileno(), _FICLONE, source.fileno())
            return True
    return False
