"""Finished files appear in the dist folder all together with their manifest, or not at all."""

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
    from collections.abc import Sequence

    from wheelkit.manifest import Manifest


def require_writable(out: Path) -> None:
    """Make sure, before anything is built, that the dist folder can be written; raise OutputError where it cannot.

    A folder that does not exist yet is not made: a failed build leaves no empty one behind.
    """
    folder = next((path for path in (out, *out.parents) if path.exists()), out)
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        error.filename = None  # the folder is what the user knows, not the file that was tried in it
        raise OutputError.of(error, out) from error


def deliver(files: Sequence[Path], record: Manifest, out: Path) -> tuple[Path, ...]:
    """Put the files and their manifest into ``out``, replacing those that the last build of the same thing put there.

    The files are copied beside their place and synced first, then renamed; a failure puts everything back. Raises OutputError.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".wheelkit-", dir=out))
    except OSError as error:
        raise OutputError.of(error, out) from error
    try:
        incoming = [_staged(path, staging) for path in files]
        note = staging / record.filename
        note.write_text(record.to_json(), encoding="utf-8")
        _sync(note)
        return _swap([*incoming, note], _superseded(record, out), out, staging)[:-1]
    except OSError as error:
        raise OutputError.of(error, out) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _staged(path: Path, staging: Path) -> Path:
    copy = staging / path.name
    shutil.copyfile(path, copy)
    _sync(copy)
    return copy


def _sync(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _superseded(record: Manifest, out: Path) -> tuple[Path, ...]:
    """List what the previous manifest of the same name put here; a manifest that cannot be read supersedes nothing."""
    try:
        before = manifest.read(out / record.filename)
    except CheckFailedError:
        return ()
    return tuple(path for one in before.files if (path := out / Path(one.file).name).is_file())


def _swap(incoming: Sequence[Path], superseded: Sequence[Path], out: Path, staging: Path) -> tuple[Path, ...]:
    aside = staging / "aside"
    aside.mkdir()
    places = tuple(out / path.name for path in incoming)
    moved: list[Path] = []
    placed: list[Path] = []
    try:
        for old in dict.fromkeys([*superseded, *places]):
            if old.is_file():
                old.replace(aside / old.name)
                moved.append(old)
        for new, place in zip(incoming, places, strict=True):
            new.replace(place)
            placed.append(place)
    except BaseException:
        with contextlib.suppress(OSError):
            for place in placed:
                place.unlink(missing_ok=True)
            for old in moved:
                (aside / old.name).replace(old)
        raise
    return places
