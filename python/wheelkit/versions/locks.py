"""Lock files that hold the project's own version: they have to follow, or a build that insists on them fails."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wheelkit.config import normalise
from wheelkit.versions import text_files
from wheelkit.versions.model import FileFormat, Span, VersionLocation
from wheelkit.versions.toml_files import at, toml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from wheelkit.project.read import Distribution


# What `cargo` and `uv` write: name, version, and a source only for what comes from elsewhere (uv's own are
# editable or virtual).
_PACKAGE = re.compile(
    r"^\[\[package\]\]\r?\nname = \"(?P<name>[^\"]+)\"\r?\nversion = \"(?P<version>[^\"]+)\"\r?\n(?P<source>source = [^\n]*)?",
    re.MULTILINE,
)
_LOCAL = re.compile(r"source = \{ (?:editable|virtual|directory) = ")


def own(folder: Path, document: Mapping[str, Any], item: Distribution) -> Iterator[VersionLocation]:
    """Find a distribution's own version in the nearest uv.lock, and its crate's in the nearest Cargo.lock."""
    yield from _entries(_nearest(folder, "uv.lock"), item.key, FileFormat.PYTHON)
    manifest = cargo_manifest(folder, document)
    crate = at(toml(manifest), "package", "name")
    if isinstance(crate, str):
        yield from _entries(_nearest(manifest.parent, "Cargo.lock"), normalise(crate), FileFormat.CARGO)


def cargo_manifest(folder: Path, document: Mapping[str, Any]) -> Path:
    """Name the Cargo.toml that maturin builds."""
    manifest = at(document, "tool", "maturin", "manifest-path")
    return folder / (manifest if isinstance(manifest, str) else "Cargo.toml")


def _nearest(folder: Path, name: str) -> Path:
    """Choose the lock of the folder, or of the workspace around it, within the repository."""
    for parent in (folder, *folder.parents):
        if (parent / name).is_file() or (parent / ".git").exists():
            return parent / name
    return folder / name


def _entries(path: Path, key: str, form: FileFormat) -> Iterator[VersionLocation]:
    for found in _PACKAGE.finditer(text_files.read(path) or ""):
        local = not found["source"] if form is FileFormat.CARGO else _LOCAL.match(found["source"] or "")
        if local and normalise(found["name"]) == key:
            span = Span(start=found.start("version"), end=found.end("version"))
            yield VersionLocation(
                path=path, where=f"{found['name']}", text=found["version"], at=span, form=form
            )
