"""Delivers finished files to the dist folder: all of a unit together with their manifest, or none."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from wheelkit import manifest
from wheelkit.errors import CheckFailedError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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


def deliver(files: Sequence[Path | StoredFile], record: Manifest, dist: Path) -> tuple[Path, ...]:
    """Put the files of a unit and their manifest into the dist folder, replacing those of its last build.

    The files are copied into a hidden folder beside their places and synced first, then renamed; a failure
    undoes everything. A file that is there already with the same bytes stays. Raises OutputError.
    """
    try:
        dist.mkdir(parents=True, exist_ok=True)
        with _staging_folder(dist) as staging:
            present = {file.file for file in record.files if _is_present(dist / Path(file.file).name, file)}
            incoming = [_stage(file, staging) for file in files if file.name not in present]
            path = staging / record.filename
            path.write_text(record.to_json(), encoding="utf-8")
            _sync(path)
            superseded = [path for path in _superseded(record, dist) if path.name not in present]
            _swap([*incoming, path], superseded, dist, staging)
    except OSError as error:
        raise OutputError.of(error, dist) from error
    return tuple(dist / file.name for file in files)


@contextlib.contextmanager
def _staging_folder(dist: Path) -> Iterator[Path]:
    staging = dist / f".wheelkit-{os.urandom(6).hex()}"
    staging.mkdir(mode=0o700)
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


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


def _swap(incoming: Sequence[Path], superseded: Sequence[Path], dist: Path, staging: Path) -> None:
    """Move superseded files aside and incoming ones to their places; on failure, move everything back."""
    aside = staging / "aside"
    aside.mkdir()
    with contextlib.ExitStack() as undo:
        for old in dict.fromkeys([*superseded, *(dist / path.name for path in incoming)]):
            if old.is_file():
                undo.callback(old.replace(aside / old.name).replace, old)
        for new in incoming:
            undo.callback(new.replace(dist / new.name).unlink)
        undo.pop_all()
