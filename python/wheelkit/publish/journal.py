"""What earlier runs of a release did on an index: a hint, kept because an index shows with a delay what it has accepted.

The index is the truth. The journal never makes a file count as uploaded; it only tells which files may be on their way.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wheelkit.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wheelkit.publish.index import Index
    from wheelkit.publish.model import Release


_SCHEMA = 1
_KEPT = 200


def state_folder() -> Path:
    """Give the folder for what wheelkit remembers between runs, as the system wants it."""
    from platformdirs import user_state_path

    return user_state_path("wheelkit", appauthor=False) / "publish"


def journal_path(index: Index, release: Release, folder: Path | None = None) -> Path:
    """Give the path, less its ending, of what is kept for this release on this index.

    It follows from names and versions, not from the bytes: two builds of one version must not be published side by side.
    """
    names = sorted(f"{one.distribution}=={one.version}" for one in release.batches)
    key = hashlib.sha256("\n".join([index.upload.rstrip("/"), *names]).encode()).hexdigest()[:16]
    first = release.batches[0] if release.batches else None
    label = f"{first.distribution}-{first.version}" if first else "empty"
    return (folder or state_folder()) / f"{label}-{key}"


class Journal:
    """The record of one release on one index; every change is on the disk before the call returns."""

    def __init__(self, path: Path, release: Release) -> None:
        self._path = path.with_name(path.name + ".json")
        self._digest = release.digest
        self._data = _read(self._path)
        if self._data.get("release") != self._digest:
            self._data = {
                "schema": _SCHEMA,
                "release": self._digest,
                "commit": release.commit,
                "underway": [],
                "seen": [],
                "smoked": False,
            }

    @property
    def doubtful(self) -> frozenset[str]:
        """Names of files that were sent or seen, so that the index may show them later even where it does not now."""
        return frozenset([*self._names("underway"), *self._names("seen")])

    @property
    def smoked(self) -> bool:
        """Whether these very bytes passed the smoke test as installed from this index."""
        return self._data.get("smoked") is True

    def sending(self, names: Iterable[str]) -> None:
        """Note, before an upload begins, which files it sends."""
        self._change(underway=[*self._names("underway"), *names])

    def unsent(self, names: Iterable[str]) -> None:
        """Note that files were certainly not taken."""
        gone = set(names)
        self._change(underway=[name for name in self._names("underway") if name not in gone])

    def saw(self, names: Iterable[str]) -> None:
        """Note that the index showed files."""
        new = list(names)
        self._change(
            seen=[*self._names("seen"), *new],
            underway=[name for name in self._names("underway") if name not in set(new)],
        )

    def passed_smoke(self) -> None:
        """Note that what this index serves was installed and worked."""
        self._change(smoked=True)

    def _names(self, key: str) -> list[str]:
        value = self._data.get(key)
        return [str(one) for one in value] if isinstance(value, list) else []

    def _change(self, **values: Any) -> None:  # noqa: ANN401 - plain data
        changed = {
            key: sorted(set(value)) if isinstance(value, list) else value for key, value in values.items()
        }
        if all(self._data.get(key) == value for key, value in changed.items()) and self._path.exists():
            return
        self._data.update(changed)
        try:
            self._write(json.dumps(self._data, indent=1, sort_keys=True).encode())
        except OSError as error:
            raise OutputError.of(error, self._path) from error

    def _write(self, data: bytes) -> None:
        """Write beside the file, sync, and rename: whatever happens, the file is the old one or the new one."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix=f"{self._path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).replace(self._path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def _read(path: Path) -> dict[str, Any]:
    """Read a journal; one that is damaged or of another kind hints at nothing."""
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) and data.get("schema") == _SCHEMA else {}
