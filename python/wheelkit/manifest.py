"""The manifest of a build: which files it produced, from which source and with which tools.

Each build writes one manifest per distribution, version and target beside the wheels, so the dist folders of
several machines merge into one without conflicts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping  # noqa: TC003 - msgspec reads the annotations
from hashlib import file_digest
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from wheelkit.errors import CheckFailedError
from wheelkit.inputs import json_struct, open_file, read_bytes

if TYPE_CHECKING:
    from pathlib import Path


SCHEMA = 1
SUFFIX = ".wheelkit.json"
FROM_INDEX = "index"
"""The builder of files that an index served, whose own build is not known."""
# What file systems allow, in bytes.
_LONGEST_NAME = 255


class BuiltFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A shipped file: its name, sha256 in hexadecimal and size in bytes.

    ``cells`` are the interpreters that it supports on the manifest's target, ``tested`` those on which it was
    installed and tested; ``grafted`` and ``excluded`` are library names.
    """

    file: str
    sha256: str
    size: int
    kind: str
    cells: tuple[str, ...] = ()
    tested: tuple[str, ...] = ()
    grafted: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="schema", tag=SCHEMA):
    """The files that one build of one distribution for one target produced.

    ``target`` is a platform tag, ``any`` for pure wheels or ``sdist``. ``builder`` is ``cibuildwheel``,
    ``host``, ``cross``, ``pure``, or ``index`` for files that were fetched from one. ``source`` is the sha256
    of the sdist from which the wheels were built. ``commit`` is empty outside git. ``source_date_epoch`` is
    the time of the files in seconds since 1970: a build with it from the same commit by the same tools makes
    the same bytes; None where nothing gave one.
    """

    distribution: str
    version: str
    target: str
    builder: str
    source: str
    commit: str
    dirty: bool
    created: str
    tools: Mapping[str, str]
    files: tuple[BuiltFile, ...]
    source_date_epoch: int | None = None

    @property
    def filename(self) -> str:
        """The name of the manifest's own file, unique for distribution, version and target."""
        origin = f".{FROM_INDEX}" if self.builder == FROM_INDEX else ""
        return f"{self.distribution.replace('-', '_')}-{self.version}-{self.target}{origin}{SUFFIX}"

    def to_json(self) -> str:
        """Return the manifest as JSON with sorted keys, so that the same build gives the same bytes."""
        return json.dumps(msgspec.to_builtins(self), indent=1, sort_keys=True) + "\n"


def read(path: Path, named: Path | None = None) -> Manifest:
    """Read a manifest; raise CheckFailedError if the file is not one, or has another schema.

    Errors are about ``named``, the file that this one is a copy of.
    """
    try:
        return _checked(json_struct(read_bytes(path), Manifest))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise CheckFailedError(
            f"{named or path} cannot be read as a manifest: {reason}",
            hint="build again, or remove the file if it is not wheelkit's",
        ) from error


def _checked(manifest: Manifest) -> Manifest:
    """Return a manifest; raise ValueError for a name that no file system and no message can hold."""
    names = (
        manifest.distribution,
        manifest.version,
        manifest.target,
        *(file.file for file in manifest.files),
    )
    for name in names:
        if len(name) > _LONGEST_NAME or not name.isprintable():
            raise ValueError(f'"{name[:_LONGEST_NAME]}" is not a name')
    return manifest


def read_all(folder: Path, named: Path | None = None) -> tuple[Manifest, ...]:
    """Read every manifest in a dist folder, or a copy of the folder ``named``, sorted by file name."""
    paths = sorted(folder.glob(f"*{SUFFIX}"))
    return tuple(read(path, (named or folder) / path.name) for path in paths)


def sha256(path: Path) -> str:
    """Return a file's sha256 in hexadecimal."""
    with open_file(path) as stream:
        return file_digest(stream, "sha256").hexdigest()


def describe(path: Path, kind: str, **facts: tuple[str, ...]) -> BuiltFile:
    """Describe a finished file; ``facts`` are the other fields of BuiltFile."""
    return BuiltFile(file=path.name, sha256=sha256(path), size=path.stat().st_size, kind=kind, **facts)
