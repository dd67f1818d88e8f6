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

if TYPE_CHECKING:
    from pathlib import Path


SCHEMA = 1
SUFFIX = ".wheelkit.json"


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
    ``host``, ``cross`` or ``pure``. ``source`` is the sha256 of the sdist from which the wheels were built.
    ``commit`` is empty outside git.
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

    @property
    def filename(self) -> str:
        """The name of the manifest's own file, unique for distribution, version and target."""
        return f"{self.distribution.replace('-', '_')}-{self.version}-{self.target}{SUFFIX}"

    def to_json(self) -> str:
        """Return the manifest as JSON with sorted keys, so that the same build gives the same bytes."""
        return json.dumps(msgspec.to_builtins(self), indent=1, sort_keys=True) + "\n"


def read(path: Path) -> Manifest:
    """Read a manifest; raise CheckFailedError if the file is not one, or has another schema."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise CheckFailedError(
            f"{path} cannot be read as a manifest: {error}",
            hint="build again, or remove the file if it is not wheelkit's",
        ) from error


def read_all(folder: Path) -> tuple[Manifest, ...]:
    """Read every manifest in a dist folder, sorted by file name."""
    return tuple(read(path) for path in sorted(folder.glob(f"*{SUFFIX}")))


def sha256(path: Path) -> str:
    """Return a file's sha256 in hexadecimal."""
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def describe(path: Path, kind: str, **facts: tuple[str, ...]) -> BuiltFile:
    """Describe a finished file; ``facts`` are the other fields of BuiltFile."""
    return BuiltFile(file=path.name, sha256=sha256(path), size=path.stat().st_size, kind=kind, **facts)
