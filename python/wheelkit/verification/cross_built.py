"""Which wheels were cross-built, and so never run: the manifests beside them tell."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


# The end of every manifest's name, and what one says that tells of a cross build; spelled here because a dist with none of them
# shall not wait for what reads manifests.
_MANIFEST, _MARK = ".wheelkit.json", b'"cross"'


def crossed(files: Iterable[Path]) -> frozenset[str]:
    """Name the wheels that a manifest in their folder says were cross-built; one that speaks of other bytes claims nothing of these."""
    wheels = {path.name: path for path in files if path.suffix == ".whl"}
    notes = [
        note
        for folder in {path.parent for path in wheels.values()}
        for note in _manifests(folder)
        if _marked(note)
    ]
    if not notes:
        return frozenset()
    from wheelkit import manifest
    from wheelkit.errors import CheckFailedError

    found: set[str] = set()
    for note in notes:
        try:
            told = manifest.read(note)
        except CheckFailedError:
            continue  # it is publish that takes its word, and refuses it
        for one in told.files if told.builder == "cross" else ():
            path = wheels.get(one.file)
            if path is not None and path.parent == note.parent and manifest.sha256(path) == one.sha256:
                found.add(one.file)
    return frozenset(found)


def _manifests(folder: Path) -> list[Path]:
    try:
        return [folder / entry.name for entry in os.scandir(folder) if entry.name.endswith(_MANIFEST)]
    except OSError:
        return []


def _marked(note: Path) -> bool:
    try:
        return _MARK in note.read_bytes()
    except OSError:
        return False
