"""The publish plan: each file of a release compared with the index. Uploading only executes it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from wheelkit.publish.model import ReleaseId, belongs_to

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from wheelkit.publish.index import Index
    from wheelkit.publish.model import DistributionFiles, Release, ShippedFile
    from wheelkit.publish.simple_api import IndexFile, Listing


class State(StrEnum):
    """The state of a release's file on the index."""

    ABSENT = "absent"
    SAME = "same"
    DIFFERENT = "different"


class PlannedFile(Struct, frozen=True, kw_only=True):
    """A file of the release, and the index's file of the same name."""

    file: ShippedFile
    on_index: IndexFile | None = None

    @property
    def state(self) -> State:
        """Whether the index has the file, with the same bytes or with others."""
        if self.on_index is None:
            return State.ABSENT
        return State.SAME if self.on_index.sha256 == self.file.sha256 else State.DIFFERENT


class PlannedDistribution(Struct, frozen=True, kw_only=True):
    """A distribution's files, and the index's files of the same version that are not in the release.

    ``begun`` is the upload time of the first file of this version, by the index's clock.
    """

    distribution: DistributionFiles
    files: tuple[PlannedFile, ...]
    unknown: tuple[IndexFile, ...] = ()
    begun: datetime | None = None

    @property
    def todo(self) -> tuple[ShippedFile, ...]:
        """The files to upload."""
        return tuple(planned.file for planned in self.files if planned.state is State.ABSENT)


class PublishPlan(Struct, frozen=True, kw_only=True):
    """A release compared with an index at a time of its clock; ``is_json`` is false where it speaks HTML."""

    index: Index
    release: Release
    distributions: tuple[PlannedDistribution, ...]
    now: datetime | None = None
    is_json: bool = True

    @property
    def files(self) -> tuple[PlannedFile, ...]:
        """Every file of the release, in upload order."""
        return tuple(file for planned in self.distributions for file in planned.files)

    @property
    def todo(self) -> tuple[ShippedFile, ...]:
        """The files to upload, in order."""
        return tuple(file for planned in self.distributions for file in planned.todo)

    @property
    def on_index(self) -> tuple[PlannedFile, ...]:
        """The files of the release whose names are on the index already."""
        return tuple(planned for planned in self.files if planned.state is not State.ABSENT)

    @property
    def unknown(self) -> tuple[IndexFile, ...]:
        """The index's files of these versions that are not in the release."""
        return tuple(file for planned in self.distributions for file in planned.unknown)


def make_plan(release: Release, index: Index, listings: Mapping[str, Listing]) -> PublishPlan:
    """Compare a release with the listings of its distributions, by their keys."""
    times = [listing.now for listing in listings.values() if listing.now is not None]
    return PublishPlan(
        index=index,
        release=release,
        distributions=tuple(
            _compare(distribution, listings[distribution.key]) for distribution in release.distributions
        ),
        now=max(times, default=None),
        is_json=all(listing.is_json for listing in listings.values()),
    )


def _compare(distribution: DistributionFiles, listing: Listing) -> PlannedDistribution:
    names = {file.name for file in distribution.files}
    release = ReleaseId(distribution=distribution.key, version=distribution.version)
    of_version = [file for file in listing.files if belongs_to(file.filename, release)]
    uploaded = (file.uploaded for file in of_version if file.uploaded is not None)
    return PlannedDistribution(
        distribution=distribution,
        files=tuple(PlannedFile(file=file, on_index=listing.file(file.name)) for file in distribution.files),
        unknown=tuple(file for file in of_version if file.filename not in names),
        begun=min(uploaded, default=None),
    )


def to_json(plan: PublishPlan) -> dict[str, Any]:
    """Return the plan as plain data for ``--json``, schema 1."""
    return {
        "schema": 1,
        "index": {"name": plan.index.name, "upload": plan.index.upload, "simple": plan.index.simple},
        "release": plan.release.digest,
        "commit": plan.release.commit,
        "batches": [_distribution_json(planned) for planned in plan.distributions],
    }


def _distribution_json(planned: PlannedDistribution) -> dict[str, Any]:
    return {
        "distribution": planned.distribution.key,
        "version": planned.distribution.version,
        "waits_for": list(planned.distribution.needs),
        "files": [_file_json(file) for file in planned.files],
        "strangers": [file.filename for file in planned.unknown],
    }


def _file_json(planned: PlannedFile) -> dict[str, Any]:
    return {
        "file": planned.file.name,
        "sha256": planned.file.sha256,
        "state": str(planned.state),
        "on_index": planned.on_index.sha256 if planned.on_index else None,
    }
