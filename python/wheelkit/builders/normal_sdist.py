"""Writes an sdist anew so that the same files give the same bytes; their contents stay."""

from __future__ import annotations

import gzip
import tarfile
from typing import TYPE_CHECKING

from wheelkit.errors import OutputError

if TYPE_CHECKING:
    from pathlib import Path


_EXECUTABLE, _LINK = 0o111, 0o777
_LEVEL = 9


def normalise_sdist(source: Path, target: Path, epoch: int | None) -> None:
    """Write the members of an sdist sorted, without owners, with one time and one of two modes.

    Without ``epoch`` the members keep their times. Raises OutputError.
    """
    try:
        with (
            tarfile.open(source, "r:gz") as old,
            target.open("wb") as file,
            # Neither a time nor a name in the header of gzip.
            gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=_LEVEL, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as new,
        ):
            for member in sorted(old.getmembers(), key=lambda member: (member.name, member.islnk())):
                contents = old.extractfile(member) if member.isreg() else None
                new.addfile(_normal(member, epoch), contents)
    except (OSError, tarfile.TarError) as error:
        problem = error if isinstance(error, OSError) else OSError(str(error))
        raise OutputError.of(problem, target) from error


def _normal(member: tarfile.TarInfo, epoch: int | None) -> tarfile.TarInfo:
    copy = tarfile.TarInfo(member.name)
    copy.type, copy.linkname, copy.size = member.type, member.linkname, member.size
    copy.mtime = int(member.mtime) if epoch is None else epoch
    copy.mode = 0o755 if member.isdir() or member.mode & _EXECUTABLE else 0o644
    if member.issym():
        copy.mode = _LINK
    return copy
