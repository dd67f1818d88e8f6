"""Tell the files of a dist folder that belong to the project's versions from those of other versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from packaging.utils import canonicalize_version

from wheelkit.config import normalise
from wheelkit.publish.model import identify

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wheelkit.manifest import Manifest
    from wheelkit.project.family import Family


class Versions(Struct, frozen=True, kw_only=True):
    """The manifests of the project's versions, those of others, and the canonical version by member."""

    current: tuple[Manifest, ...]
    outdated: tuple[Manifest, ...] = ()
    known: Mapping[str, str]

    @property
    def labels(self) -> tuple[str, ...]:
        """Name and version of every outdated release."""
        return tuple(dict.fromkeys(f"{record.distribution} {record.version}" for record in self.outdated))

    def is_outdated(self, filename: str) -> bool:
        """Return whether a file is of another version of a member than the project's, by its name."""
        release = identify(filename)
        known = self.known.get(release.distribution) if release else None
        return release is not None and known is not None and release.version != known


def canonical(version: str) -> str:
    """Normalise a version and keep its trailing zeros, as file names do."""
    return canonicalize_version(version, strip_trailing_zero=False)


def split_versions(manifests: Sequence[Manifest], family: Family) -> Versions:
    """Split the manifests of a dist folder by whether they are of the project's versions.

    Where only a build tells a version, that of the latest manifest counts.
    """
    known = {**_latest(manifests, family)}
    known |= {member.key: canonical(member.version) for member in family.distributions if member.version}
    return Versions(
        current=tuple(record for record in manifests if _is_current(record, known)),
        outdated=tuple(record for record in manifests if not _is_current(record, known)),
        known=known,
    )


def superseded(versions: Versions) -> Versions:
    """Return as outdated only what lies beside the project's version of the same member."""
    built = {normalise(record.distribution) for record in versions.current}
    alone = tuple(record for record in versions.outdated if normalise(record.distribution) not in built)
    return Versions(
        current=(*versions.current, *alone),
        outdated=tuple(record for record in versions.outdated if record not in alone),
        known={key: version for key, version in versions.known.items() if key in built},
    )


def _is_current(record: Manifest, known: Mapping[str, str]) -> bool:
    version = canonical(record.version)
    return known.get(normalise(record.distribution), version) == version


def _latest(manifests: Iterable[Manifest], family: Family) -> dict[str, str]:
    """Return the version of the latest manifest of each member."""
    members = family.members
    ordered = sorted(manifests, key=lambda record: record.created)
    keys = ((normalise(record.distribution), record.version) for record in ordered)
    return {key: canonical(version) for key, version in keys if key in members}
