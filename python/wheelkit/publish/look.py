"""Looks at an index: what it shows of every distribution of a release, with the sha256 of each file, fresh from the source."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from msgspec.structs import replace

from wheelkit.errors import IndexUnavailableError
from wheelkit.publish.listing import fetch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wheelkit.publish.client import Client
    from wheelkit.publish.index import Index
    from wheelkit.publish.listing import IndexFile, Listing
    from wheelkit.publish.model import Batch


_AT_ONCE = 8
_OK = 200


def look(client: Client, index: Index, batches: Iterable[Batch]) -> dict[str, Listing]:
    """Ask for the files of every distribution, several at a time; maps normalised names.

    Where the index tells no sha256 of a file that we have too, the file is fetched and hashed. Raises IndexUnavailableError.
    """
    wanted = tuple(batches)
    if len(wanted) == 1:
        return {wanted[0].distribution: _listing(client, index, wanted[0])}
    with ThreadPoolExecutor(max_workers=min(_AT_ONCE, max(len(wanted), 1))) as pool:
        found = pool.map(lambda batch: _listing(client, index, batch), wanted)
        return {batch.distribution: listing for batch, listing in zip(wanted, found, strict=True)}


def _listing(client: Client, index: Index, batch: Batch) -> Listing:
    listing = fetch(client, index, batch.distribution)
    ours = {one.name for one in batch.files}
    if all(one.sha256 or one.filename not in ours for one in listing.files):
        return listing
    files = (replace(one, sha256=_hashed(client, one)) if one.filename in ours and not one.sha256 else one for one in listing.files)
    return replace(listing, files=tuple(files))


def _hashed(client: Client, file: IndexFile) -> str:
    answer = client.get(file.url)
    if answer.status != _OK:
        raise IndexUnavailableError(
            f"the index lists {file.filename} without its sha256, and answers {answer.status} when asked for the file",
            hint="nobody can tell whether it is the same file; ask whoever runs the index",
        )
    return hashlib.sha256(answer.body).hexdigest()
