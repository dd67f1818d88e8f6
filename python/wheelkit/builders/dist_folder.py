"""Delivers finished files to the dist folder: all of a build together with their manifests, or none."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit import manifest
from wheelkit.errors import CheckFailedError, OutputError
from wheelkit.machine.scratch import created_folder, temporary_folder
from wheelkit.machine.signals import deferred

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wheelkit.builders.cache.store import StoredFile
    from wheelkit.manifest import BuiltFile, Manifest


def require_writable(dist: Path) -> None:
    """Check that the dist folder can be written. Raises OutputError.

    A folder that does not exist is not created, so that a failed build leaves no empty one behind.
    """
    folder = next((path for path in (dist, *dist.parents) if path.exists()), dist)
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        error.filename = None  # the user knows the folder, not the temporary file
        raise OutputError.of(error, dist) from error


class Delivery(Struct, frozen=True, kw_only=True):
    """The files of one unit, and their manifest."""

    files: tuple[Path | StoredFile, ...]
    record: Manifest


def with_other_cells(record: Manifest, dist: Path) -> Manifest:
    """Return the manifest of some builds together with the files of an earlier one that serve other cells.

    The earlier files have to be in the dist folder, unchanged, and made from the same sdist.
    """
    try:
        earlier = manifest.read(dist / record.filename)
    except CheckFailedError:
        return record
    cells = {cell for file in record.files for cell in file.cells}
    kept = (file for file in earlier.files if file.cells and cells.isdisjoint(file.cells))
    if (earlier.source, earlier.commit) != (record.source, record.commit):
        return record
    files = tuple(file for file in kept if _is_present(dist / Path(file.file).name, file))
    return replace(record, files=(*files, *record.files))


def deliver(units: Sequence[Delivery], dist: Path) -> tuple[Path, ...]:
    """Put the files of all units and their manifests into the dist folder, replacing those of earlier builds.

    The files are copied into a hidden folder beside their places and synced first, then all of them are
    renamed; a failure or an interruption undoes everything. A file that is there already with the same bytes
    stays. Raises OutputError.
    """
    try:
        with created_folder(dist), temporary_folder(".wheelkit-", dist) as staging:
            incoming, superseded = [], []
            for unit in units:
                new, old = _stage_unit(unit, dist, staging)
                incoming += new
                superseded += old
            aside = staging / "aside"
            aside.mkdir()
            with deferred():
                _swap(incoming, superseded, dist, aside)
    except OSError as error:
        raise OutputError.of(error, dist) from error
    return tuple(dist / file.name for unit in units for file in unit.files)


def _stage_unit(unit: Delivery, dist: Path, staging: Path) -> tuple[list[Path], list[Path]]:
    """Copy a unit's files and its manifest; return the new ones, and the files that they supersede."""
    record = unit.record
    present = {file.file for file in record.files if _is_present(dist / Path(file.file).name, file)}
    incoming = [_stage(file, staging) for file in unit.files if file.name not in present]
    corrected, emptied = _without(record, dist)
    written = [_write(changed, staging) for changed in (record, *corrected)]
    superseded = [path for path in _superseded(record, dist) if path.name not in present]
    return [*incoming, *written], [*superseded, *emptied]


def _write(record: Manifest, staging: Path) -> Path:
    path = staging / record.filename
    path.write_text(record.to_json(), encoding="utf-8")
    _sync(path)
    return path


def _without(record: Manifest, dist: Path) -> tuple[list[Manifest], list[Path]]:
    """Take a manifest's files out of the others of its release: a fetched file may replace a built one.

    Returns the manifests that change and the paths of those that list nothing else.
    """
    names = {file.file for file in record.files}
    corrected, emptied = [], []
    stem = f"{record.distribution.replace('-', '_')}-{record.version}-"
    for path in sorted(dist.glob(f"{escape(stem)}*{manifest.SUFFIX}")) if dist.is_dir() else ():
        try:
            other = manifest.read(path)
        except CheckFailedError:
            continue  # whoever reads the folder reports it
        if path.name == record.filename:
            continue
        rest = tuple(file for file in other.files if file.file not in names)
        if not rest and other.files:
            emptied.append(path)
        elif len(rest) < len(other.files):
            corrected.append(replace(other, files=rest))
    return corrected, emptied


def _is_present(path: Path, file: BuiltFile) -> bool:
    try:
        same_size = not path.is_symlink() and path.stat().st_size == file.size
        return same_size and manifest.sha256(path) == file.sha256
    except OSError:
        return False


def _stage(file: Path | StoredFile, staging: Path) -> Path:
    path = staging / file.name
    if isinstance(file, Path):
        shutil.copyfile(file, path)
    else:
        file.copy_to(path)
    _sync(path)
    return path


def _sync(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _superseded(record: Manifest, dist: Path) -> tuple[Path, ...]:
    """Return the files of the previous manifest of the same name; none if it cannot be read."""
    try:
        previous = manifest.read(dist / record.filename)
    except CheckFailedError:
        return ()
    return tuple(path for file in previous.files if (path := dist / Path(file.file).name).is_file())


def _swap(incoming: Sequence[Path], superseded: Sequence[Path], dist: Path, aside: Path) -> None:
    """Move superseded files aside and incoming ones to their places; on failure, move everything back."""
    with contextlib.ExitStack() as undo:
        for old in dict.fromkeys([*superseded, *(dist / path.name for path in incoming)]):
            if old.is_file():
                undo.callback(old.replace(aside / old.name).replace, old)
        for new in incoming:
            undo.callback(new.replace(dist / new.name).unlink)
        undo.pop_all()


def other_versions(dist: Path, built: Iterable[Manifest]) -> tuple[str, ...]:
    """Name the other versions of what was built that the dist folder has, by their manifests."""
    versions = {record.distribution: record.version for record in built}
    try:
        present = manifest.read_all(dist)
    except CheckFailedError:
        return ()  # whoever reads the folder reports it
    others = (
        f"{record.distribution} {record.version}"
        for record in present
        if versions.get(record.distribution, record.version) != record.version
    )
    return tuple(dict.fromkeys(others))
