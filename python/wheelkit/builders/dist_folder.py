"""Finished files appear in the dist folder all together with their manifest, or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from wheelkit import manifest
from wheelkit.errors import CheckFailedError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wheelkit.manifest import Manifest


class StoredFiles(Protocol):
    """A finished file that lies elsewhere under another name."""

    @property
    def name(self) -> str:
        """Its name in the dist folder."""

    def copy_to(self, place: Path) -> None:
        """Write it to a place."""


def require_writable(out: Path) -> None:
    """Make sure, before anything is built, that the dist folder can be written; raise OutputError where it cannot.

    A folder that does not exist yet is not made: a failed build leaves no empty one behind.
    """
    import tempfile

    folder = next((path for path in (out, *out.parents) if path.exists()), out)
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        error.filename = None  # the folder is what the user knows, not the file that was tried in it
        raise OutputError.of(error, out) from error


def deliver(files: Sequence[Path | StoredFiles], record: Manifest, out: Path) -> tuple[Path, ...]:
    """Put the files and their manifest into ``out``, replacing those that the last build of the same thing put there.

    The files are copied beside their place and synced first, then renamed; a failure puts everything back. A file that lies there with
    the same bytes stays. Raises OutputError.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with _staging(out) as staging:
            same = {one.file for one in record.files if _lies_there(out / Path(one.file).name, one)}
            incoming = [_staged(one, staging) for one in files if one.name not in same]
            note = staging / record.filename
            note.write_text(record.to_json(), encoding="utf-8")
            _sync(note)
            superseded = [path for path in _superseded(record, out) if path.name not in same]
            _swap([*incoming, note], superseded, out, staging)
    except OSError as error:
        raise OutputError.of(error, out) from error
    return tuple(out / one.name for one in files)


@contextlib.contextmanager
def _staging(out: Path) -> Iterator[Path]:
    staging = out / f".wheelkit-{os.urandom(6).hex()}"
    staging.mkdir(mode=0o700)
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _lies_there(place: Path, one: manifest.BuiltFile) -> bool:
    try:
        return (
            not place.is_symlink()
            and place.stat().st_size == one.size
            and manifest.sha256(place) == one.sha256
        )
    except OSError:
        return False


def _staged(one: Path | StoredFiles, staging: Path) -> Path:
    copy = staging / one.name
    if isinstance(one, Path):
        shutil.copyfile(one, copy)
    else:
        one.copy_to(copy)
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


def _swap(incoming: Sequence[Path], superseded: Sequence[Path], out: Path, staging: Path) -> None:
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
