"""Which wheels were cross-built, and so never run, by the manifests beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from wheelkit.errors import CheckFailedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from wheelkit.verification.model import Row


_MANIFESTS = "*.wheelkit.json"


def mark_cross_built(rows: Iterable[Row], files: Iterable[Path]) -> tuple[Row, ...]:
    """Return the rows with their cross-built wheels marked; ``files`` are next to their manifests."""
    names = frozenset(_cross_built(files))
    return tuple(replace(row, cross=tuple(name for name in row.files if name in names)) for row in rows)


def _cross_built(files: Iterable[Path]) -> Iterator[str]:
    """Yield the wheels that a manifest in their folder calls cross-built, if it names their sha256."""
    wheels = {path for path in files if path.suffix == ".whl"}
    manifests = [path for folder in {wheel.parent for wheel in wheels} for path in folder.glob(_MANIFESTS)]
    if not manifests:
        return
    from wheelkit import manifest

    for path in manifests:
        try:
            build = manifest.read(path)
        except CheckFailedError:
            continue  # publish, which relies on manifests, refuses it
        for file in build.files if build.builder == "cross" else ():
            wheel = path.parent / file.file
            if wheel in wheels and _digest(wheel) == file.sha256:
                yield file.file


def _digest(wheel: Path) -> str:
    from wheelkit import manifest

    try:
        return manifest.sha256(wheel)
    except OSError:
        return ""
