"""The wheels and sdists that the paths of a command line stand for."""

from __future__ import annotations

from os.path import lexists
from typing import TYPE_CHECKING

from wheelkit.errors import UsageError
from wheelkit.fast_packaging import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


_SUFFIXES = (".whl", ".tar.gz")
# Distributions of other kinds. Build tools made them once, and some indexes still accept .zip sdists.
_OTHER_DISTRIBUTIONS = (
    ".zip",
    ".tar.bz2",
    ".tar.xz",
    ".tar.Z",
    ".tar",
    ".tgz",
    ".egg",
    ".exe",
    ".msi",
    ".rpm",
)


def collect_files(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the wheels and sdists of folders, sorted, and single ones; raise UsageError for other paths."""
    return tuple(dict.fromkeys(file for path in paths for file in _files_of(path)))


def _files_of(path: Path) -> Iterator[Path]:
    if path.is_dir() and not path.name.endswith(_SUFFIXES):
        # A folder or FIFO of such a name is one as well: it cannot be read as what its name promises.
        files = sorted(file for file in path.iterdir() if file.name.endswith(_SUFFIXES))
        if not files:
            raise UsageError(f"{path} contains no wheel and no sdist", hint="build them:  wheelkit build")
        yield from files
    elif not lexists(path):
        hint = "name a dist folder or wheels:  wheelkit verify-matrix dist/"
        raise UsageError(f"{path} does not exist", hint=hint)
    elif not path.name.endswith(_SUFFIXES):
        hint = "name a dist folder, or .whl and .tar.gz files"
        raise UsageError(f"{path} is neither a folder nor a wheel or sdist", hint=hint)
    else:
        yield path


def find_passed_over(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the distributions in folders that are neither wheels nor .tar.gz sdists, sorted."""
    return tuple(
        file
        for folder in paths
        if folder.is_dir()
        for file in sorted(folder.iterdir())
        if file.name.endswith(_OTHER_DISTRIBUTIONS)
    )


def distribution_of(filename: str) -> str:
    """Return the normalized distribution name that a wheel's or sdist's file name begins with."""
    if filename.endswith(".whl"):
        return normalise(filename.removesuffix(".whl").partition("-")[0])
    return normalise(filename.removesuffix(".tar.gz").rpartition("-")[0])
