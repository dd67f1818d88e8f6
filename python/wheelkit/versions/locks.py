"""Lock files that hold the project's own version: builds with ``--locked`` need them to change with it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wheelkit.config import normalise
from wheelkit.versions import text_files
from wheelkit.versions.model import FileFormat, Span, VersionLocation
from wheelkit.versions.toml_files import read_toml, value_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from wheelkit.project.read import Distribution


# An entry as cargo and uv write it. Cargo gives packages of the workspace no source, uv a local one.
_PACKAGE = re.compile(
    r"^\[\[package\]\]\r?\nname = \"(?P<name>[^\"]+)\"\r?\nversion = \"(?P<version>[^\"]+)\"\r?\n"
    r"(?P<source>source = [^\n]*)?",
    re.MULTILINE,
)
_LOCAL = re.compile(r"source = \{ (?:editable|virtual|directory) = ")


def locked_versions(
    folder: Path, document: Mapping[str, Any], distribution: Distribution
) -> Iterator[VersionLocation]:
    """Yield a distribution's version in the nearest uv.lock, and its crate's in the nearest Cargo.lock."""
    yield from _entries(_nearest(folder, "uv.lock"), distribution.key, FileFormat.PYTHON)
    manifest = cargo_manifest(folder, document)
    crate = value_at(read_toml(manifest), "package", "name")
    if isinstance(crate, str):
        yield from _entries(_nearest(manifest.parent, "Cargo.lock"), normalise(crate), FileFormat.CARGO)


def cargo_manifest(folder: Path, document: Mapping[str, Any]) -> Path:
    """Return the Cargo.toml that maturin builds."""
    manifest = value_at(document, "tool", "maturin", "manifest-path")
    return folder / (manifest if isinstance(manifest, str) else "Cargo.toml")


def _nearest(folder: Path, name: str) -> Path:
    """Return the lock file of the folder, or of the workspace around it in the same repository."""
    for parent in (folder, *folder.parents):
        if (parent / name).is_file() or (parent / ".git").exists():
            return parent / name
    return folder / name


def _entries(path: Path, key: str, form: FileFormat) -> Iterator[VersionLocation]:
    for match in _PACKAGE.finditer(text_files.read(path) or ""):
        source = match["source"] or ""
        local = not source if form is FileFormat.CARGO else _LOCAL.match(source)
        if local and normalise(match["name"]) == key:
            span = Span(start=match.start("version"), end=match.end("version"))
            yield VersionLocation(path=path, where=match["name"], text=match["version"], at=span, form=form)
