"""What a publication would do, computed from the release and from what the index shows: frozen, printable, and all that is executed."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from wheelkit.publish.model import FileIdentity, same_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from wheelkit.publish.index import Index
    from wheelkit.publish.model import DistributionFiles, Release, ShippedFile
    from wheelkit.publish.simple_api import IndexFile, Listing


class State(StrEnum):
    """How a file of the release stands on the index."""

    ABSENT = "absent"
    SAME = "same"
    DIFFERENT = "different"


class PlannedFile(Struct, frozen=True, kw_only=True):
    """A file and its state; ``there`` is what the index shows under its name."""

    file: ShippedFile
    state: State
    there: IndexFile | None = None


class PlannedBatch(Struct, frozen=True, kw_only=True):
    """A distribution's files with their states, and the ``strangers``: files of this version on the index that no manifest knows."""

    batch: DistributionFiles
    files: tuple[PlannedFile, ...]
    strangers: tuple[IndexFile, ...] = ()
    begun: datetime | None = None

    @property
    def todo(self) -> tuple[ShippedFile, ...]:
        """What is to be uploaded."""
        return tuple(one.file for one in self.files if one.state is State.ABSENT)


class PublishPlan(Struct, frozen=True, kw_only=True):
    """One release on one index; ``now`` is the time by the index's clock, ``json`` whether it told all that the JSON API tells."""

    index: Index
    release: Release
    batches: tuple[PlannedBatch, ...]
    now: datetime | None = None
    json: bool = True

    @property
    def todo(self) -> tuple[ShippedFile, ...]:
        """Every file that is to be uploaded, in order."""
        return tuple(file for one in self.batches for file in one.todo)

    @property
    def there(self) -> tuple[PlannedFile, ...]:
        """Every file of the release that the index shows already."""
        return tuple(file for one in self.batches for file in one.files if file.state is not State.ABSENT)

    @property
    def different(self) -> tuple[PlannedFile, ...]:
        """Files whose names are taken by other bytes."""
        return tuple(one for one in self.there if one.state is State.DIFFERENT)

    @property
    def strangers(self) -> tuple[IndexFile, ...]:
        """Files of these versions on the index that no manifest knows."""
        return tuple(file for one in self.batches for file in one.strangers)

    @property
    def yanked(self) -> tuple[IndexFile, ...]:
        """Files of these versions that were withdrawn."""
        return tuple(one.there for one in self.there if one.there is not None and one.there.yanked)


def make_publish_plan(release: Release, index: Index, listings: Mapping[str, Listing]) -> PublishPlan:
    """Compare a release with what the index shows of each of its distributions, by normalised name."""
    moments = [one.now for one in listings.values() if one.now is not None]
    return PublishPlan(
        index=index,
        release=release,
        batches=plan_batches(release.batches, listings),
        now=max(moments, default=None),
        json=all(one.json for one in listings.values()),
    )


def plan_batches(
    batches: Iterable[DistributionFiles], listings: Mapping[str, Listing]
) -> tuple[PlannedBatch, ...]:
    """Compare single distributions with what the index shows of them."""
    return tuple(_batch(batch, listings[batch.distribution]) for batch in batches)


def _batch(batch: DistributionFiles, listing: Listing) -> PlannedBatch:
    ours = {one.name for one in batch.files}
    identity = FileIdentity(distribution=batch.distribution, version=batch.version)
    of_version = [one for one in listing.files if same_version(one.filename, identity)]
    return PlannedBatch(
        batch=batch,
        files=tuple(_file(one, listing.file(one.name)) for one in batch.files),
        strangers=tuple(one for one in of_version if one.filename not in ours),
        begun=min((one.uploaded for one in of_version if one.uploaded is not None), default=None),
    )


def _file(file: ShippedFile, there: IndexFile | None) -> PlannedFile:
    if there is None:
        return PlannedFile(file=file, state=State.ABSENT)
    state = State.SAME if there.sha256 == file.sha256 else State.DIFFERENT
    return PlannedFile(file=file, state=state, there=there)


def to_json(plan: PublishPlan) -> dict[str, Any]:
    """Turn the plan into plain data for ``--json``, schema 1."""
    return {
        "schema": 1,
        "index": {"name": plan.index.name, "upload": plan.index.upload, "simple": plan.index.simple},
        "release": plan.release.digest,
        "commit": plan.release.commit,
        "batches": [_batch_json(one) for one in plan.batches],
    }


def _batch_json(one: PlannedBatch) -> dict[str, Any]:
    return {
        "distribution": one.batch.distribution,
        "version": one.batch.version,
        "waits_for": list(one.batch.needs),
        "files": list(_files_json(one)),
        "strangers": [file.filename for file in one.strangers],
    }


def _files_json(one: PlannedBatch) -> Iterator[dict[str, Any]]:
    for planned in one.files:
        on_index = planned.there.sha256 if planned.there else None
        yield {
            "file": planned.file.name,
            "sha256": planned.file.sha256,
            "state": str(planned.state),
            "on_index": on_index,
        }
