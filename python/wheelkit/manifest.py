"""What was built, from what and by what: one file per build, beside the wheels.

Every runner writes files of its own, named for distribution, version and target, so that the dists of all runners merge into one
folder without a conflict.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from msgspec import Struct, to_builtins

from wheelkit.errors import CheckFailedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


SCHEMA = 1
SUFFIX = ".wheelkit.json"
_CHUNK = 1 << 20


class BuiltFile(Struct, frozen=True, kw_only=True):
    """One shipped file: name, sha256 in hexadecimal, size in bytes, and what it was made for and with.

    ``cells`` are the interpreters that it serves on ``target``, ``tested`` those on which it was installed and tested;
    ``grafted`` and ``excluded`` are library names.
    """

    file: str
    sha256: str
    size: int
    kind: str
    cells: tuple[str, ...] = ()
    tested: tuple[str, ...] = ()
    grafted: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()


class Manifest(Struct, frozen=True, kw_only=True):
    """All files that one build of one distribution for one target made, and from what.

    ``target`` is a platform tag, ``any`` for pure wheels, ``sdist`` for a source release. ``builder`` is ``cibuildwheel``, ``host``,
    ``cross`` or ``pure``. ``source`` is the sha256 of the sdist that everything was built from; ``commit`` is empty outside version
    control.
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
        """The name of the manifest's own file, unique per distribution, version and target."""
        return f"{self.distribution.replace('-', '_')}-{self.version}-{self.target}{SUFFIX}"

    def to_json(self) -> str:
        """Serialise, with sorted keys, so that the same build gives the same bytes."""
        return json.dumps({"schema": SCHEMA, **to_builtins(self)}, indent=1, sort_keys=True) + "\n"


def read(path: Path) -> Manifest:
    """Read one manifest; raise CheckFailedError when it is none or of a newer schema."""
    try:
        return _parse(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise CheckFailedError(
            f"{path} is no manifest that this wheelkit can read ({reason})",
            hint="build again, or remove the file if it is not wheelkit's",
        ) from error


def _parse(document: dict[str, Any]) -> Manifest:
    if document.pop("schema") != SCHEMA:
        msg = f"its schema is not {SCHEMA}"
        raise ValueError(msg)
    return Manifest(**{**document, "files": tuple(built_file(item) for item in document["files"])})


def built_file(item: Mapping[str, Any]) -> BuiltFile:
    """Read one file's facts from plain data; raises TypeError for what is none."""
    facts: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in item.items()
    }
    return BuiltFile(**facts)


def read_all(folder: Path) -> tuple[Manifest, ...]:
    """Read every manifest of a dist folder, in the order of their names."""
    return tuple(read(path) for path in sorted(folder.glob(f"*{SUFFIX}")))


def sha256(path: Path) -> str:
    """Compute a file's sha256, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def describe(path: Path, kind: str, **facts: Iterable[str]) -> BuiltFile:
    """Describe a finished file; ``facts`` are the other fields of BuiltFile."""
    return BuiltFile(
        file=path.name,
        sha256=sha256(path),
        size=path.stat().st_size,
        kind=kind,
        **{name: tuple(values) for name, values in facts.items()},
    )
