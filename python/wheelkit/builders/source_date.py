"""The time of a build's files: SOURCE_DATE_EPOCH if it is set, else that of a commit or of the given sdist.

The commit is the last one that changed the distribution's folder: a member that other commits do not touch
keeps its bytes, so that a later release of its family finds it on the index as it is.

See reproducible-builds.org, "SOURCE_DATE_EPOCH specification".
"""

from __future__ import annotations

import os
import tarfile
import zlib
from typing import TYPE_CHECKING

from wheelkit.errors import UsageError
from wheelkit.inputs import number
from wheelkit.machine.git import Repository
from wheelkit.tar_archives import open_tar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wheelkit.project.read import Distribution


VARIABLE = "SOURCE_DATE_EPOCH"
# The header of gzip has 32 bits for it, and dates in zip archives end in 2107.
LATEST = 2**32 - 1


def require_valid(environ: Mapping[str, str] = os.environ) -> None:
    """Raise UsageError if SOURCE_DATE_EPOCH is set to something that backends fail for with a traceback."""
    set_epoch(environ)


def set_epoch(environ: Mapping[str, str] = os.environ) -> int | None:
    """Return the value of SOURCE_DATE_EPOCH; None if it is not set, or empty. Raises UsageError."""
    text = environ.get(VARIABLE, "")
    if not text:
        return None
    value = number(text)
    if value is None or value > LATEST:
        raise UsageError(
            f"{VARIABLE} is not a time: {text}",
            hint="set it to seconds since 1970, such as 1767225600, or unset it for the commit's time",
        )
    return value


def variables(epoch: int | None) -> dict[str, str]:
    """Return the environment variables that give a build's files their time."""
    return {} if epoch is None else {VARIABLE: str(epoch)}


def epoch_of(distribution: Distribution, environ: Mapping[str, str] = os.environ) -> int | None:
    """Return the time of a distribution's files; None for a folder without a commit. Raises UsageError."""
    epoch = set_epoch(environ)
    if epoch is not None:
        return epoch
    if distribution.from_sdist:
        return _newest_member(distribution.source)
    repository = Repository(folder=distribution.source)
    # A shallow clone does not know which commit it was.
    own = "" if repository.shallow else repository.line("log", "-1", "--format=%ct", "--", ".")
    return number(own or repository.line("log", "-1", "--format=%ct"))


def _newest_member(sdist: Path) -> int | None:
    try:
        with open_tar(sdist) as archive:
            times = [int(member.mtime) for member in archive.members() if member.isfile()]
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError):
        return None
    newest = max(times, default=0)
    return newest if 0 < newest <= LATEST else None
