"""Files that a build from the sdist misses although they lie in the project's folder."""

from __future__ import annotations

import os
import tarfile
from pathlib import PurePath, PurePosixPath
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.machine.folders import LEFTOVERS, OUTPUTS
from wheelkit.tar_archives import open_tar

if TYPE_CHECKING:
    from pathlib import Path

    from wheelkit.project.read import Distribution


# A project with more files is not searched: the message would come late.
_MOST_FILES = 50_000


class NotPacked(Struct, frozen=True, kw_only=True):
    """A file that is not in the sdist, relative to the project's folder, and how its backend packs it."""

    file: str
    hint: str


def find_not_packed(name: str, distribution: Distribution, sdist: Path | None) -> NotPacked | None:
    """Return the file of the project's folder that a tool misses under this name, if the sdist lacks it.

    The name may be relative to any folder, or absolute in a scratch folder. None for a build from an sdist
    that was given, for a file that the sdist has, and for a name that several files of the folder have.
    """
    if sdist is None or distribution.from_sdist:
        return None
    parts = PurePosixPath(name.replace("\\", "/")).parts
    found = [path for path in _files(distribution.source) if path.name == parts[-1]]
    # The name that a tool prints may begin above the project's folder, or below it.
    longest = max((_common(path.parts, parts) for path in found), default=0)
    found = [path for path in found if _common(path.parts, parts) == longest]
    if len(found) != 1 or longest < min(len(parts), len(found[0].parts)) - (parts[0] in {"/", "\\"}):
        return None
    file = found[0].as_posix()
    if file in _packed(sdist):
        return None
    pattern = distribution.build_backend.packing or "make the build backend pack {file} into the sdist"
    return NotPacked(file=file, hint=pattern.format(file=file))


def _common(path: tuple[str, ...], named: tuple[str, ...]) -> int:
    """Return how many parts two paths have in common, from their ends."""
    pairs = zip(reversed(path), reversed(named), strict=False)
    shorter = min(len(path), len(named))
    return next((number for number, (one, other) in enumerate(pairs) if one != other), shorter)


def _files(folder: Path) -> list[PurePath]:
    """Return the files below a folder, other than leftovers and output; none if there are too many."""
    files: list[PurePath] = []
    passed_over = {*LEFTOVERS, *OUTPUTS}
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in passed_over and not name.startswith(".")]
        place = PurePath(root).relative_to(folder)
        files += [place / name for name in names]
        if len(files) > _MOST_FILES:
            return []
    return files


def _packed(sdist: Path) -> frozenset[str]:
    """Return the files of an sdist, relative to its top folder."""
    try:
        with open_tar(sdist) as archive:
            return frozenset(member.name.partition("/")[2] for member in archive.members())
    except (OSError, tarfile.TarError, EOFError):
        return frozenset()
