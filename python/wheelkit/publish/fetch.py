"""Takes a release back from an index: this machine's wheels, each by the sha256 that its manifest tells, and nothing else."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from wheelkit import manifest
from wheelkit.errors import CheckFailedError
from wheelkit.machine import facts
from wheelkit.publish.simple_api import fetch_existing
from wheelkit.wheel.names import parse_file_name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from wheelkit.publish.client import Client
    from wheelkit.publish.index import Index
    from wheelkit.publish.model import Release, ShippedFile
    from wheelkit.publish.simple_api import Listing


def fetch(release: Release, index: Index, client: Client, folder: Path) -> tuple[Path, ...]:
    """Download the wheels that install on this machine into an empty folder, with the manifests beside them.

    A file that the index does not show, or that is not what was built, raises CheckFailedError: a higher version, another build of the
    same version, or a file of the same name by somebody else are never even looked at.
    """
    listings = fetch_existing(client, index, release.batches)
    fetched = tuple(
        _fetched(one, listings[batch.distribution], index, client, folder)
        for batch in release.batches
        for one in _usable(batch.wheels)
    )
    for path in {one.path.parent for one in release.files}:
        for record in path.glob(f"*{manifest.SUFFIX}"):
            shutil.copyfile(record, folder / record.name)
    return fetched


def _usable(wheels: Iterable[ShippedFile]) -> tuple[ShippedFile, ...]:
    here = facts.own_target(facts.detect(containers=False))
    return tuple(
        one
        for one in wheels
        if any(tag == "any" or here.admits(tag) for tag in parse_file_name(one.name).platforms)
    )


def _fetched(file: ShippedFile, listing: Listing, index: Index, client: Client, folder: Path) -> Path:
    there = listing.file(file.name)
    if there is None or there.sha256 != file.sha256:
        state = "does not show" if there is None else "has other bytes of"
        raise CheckFailedError(
            f"{index} {state} {file.name}; nothing was installed from there",
            hint=f"publish it first:  wheelkit publish DIST --to {index}",
        )
    path = folder / file.name
    digest = client.download(there.url, path)
    if digest != file.sha256:
        path.unlink()
        raise CheckFailedError(
            f"{index} serves other bytes for {file.name} than it lists: sha256 {digest[:12]}…, and {file.sha256[:12]}… was built",
            hint="do not install from there; tell whoever runs the index",
        )
    return path
