"""Download a release from an index: the wheels for this machine, each with the sha256 of its manifest."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from wheelkit import manifest
from wheelkit.errors import CheckFailedError
from wheelkit.hints import REBUILD
from wheelkit.machine import facts
from wheelkit.publish.simple_api import fetch_listings
from wheelkit.wheel.names import parse_file_name

if TYPE_CHECKING:
    from pathlib import Path

    from wheelkit.publish.client import Client
    from wheelkit.publish.index import Index
    from wheelkit.publish.model import Release, ShippedFile
    from wheelkit.publish.simple_api import IndexFile, Listing


def fetch(release: Release, index: Index, client: Client, folder: Path) -> None:
    """Download the wheels that install on this machine into an empty folder, with their manifests.

    Raises CheckFailedError for a file that the index does not show, or that it has with other bytes.
    """
    machine = facts.own_target(facts.detect(containers=False))
    listings = fetch_listings(client, index, release.distributions)
    for distribution in release.distributions:
        for file in distribution.wheels:
            if any(tag == "any" or machine.admits(tag) for tag in parse_file_name(file.name).platforms):
                entry = _require_listed(file, listings[distribution.key], release, index)
                _download(file, entry, index, client, folder)
    for path in release.location.glob(f"*{manifest.SUFFIX}"):
        shutil.copyfile(path, folder / path.name)


def _require_listed(file: ShippedFile, listing: Listing, release: Release, index: Index) -> IndexFile:
    """Return a file as the index lists it; raise CheckFailedError unless it has the same bytes."""
    entry = listing.file(file.name)
    if entry is None or entry.sha256 != file.sha256:
        state = "does not show" if entry is None else "has other bytes of"
        raise CheckFailedError(
            f"{index} {state} {file.name}; nothing was installed from there",
            hint=f"publish it first:  wheelkit publish {release.folder} --to {index}"
            if entry is None
            else f"a published file cannot be replaced; release a new version:  {REBUILD}",
        )
    return entry


def _download(file: ShippedFile, entry: IndexFile, index: Index, client: Client, folder: Path) -> None:
    path = folder / file.name
    digest = client.download(entry.url, path)
    if digest != file.sha256:
        path.unlink()
        raise CheckFailedError(
            f"{index} serves {file.name} with other bytes than it lists: sha256 {digest[:12]}…,"
            f" but {file.sha256[:12]}… was built",
            hint="do not install from this index; report it to the index's administrators",
        )
