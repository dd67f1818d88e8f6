"""The cache for one plan: finds builds, explains why one is missing, and saves new ones."""

from __future__ import annotations

import os
import time
from hashlib import sha256
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import asdict

from wheelkit.builders.cache.digests import canonical
from wheelkit.builders.cache.entry import CacheEntry, KeyInputs
from wheelkit.builders.cache.eviction import evict
from wheelkit.builders.cache.key import CacheKeyBuilder
from wheelkit.builders.cache.reasons import rebuild_reason
from wheelkit.builders.cache.store import Store
from wheelkit.machine import folders

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from wheelkit.builders.cache.entry import BuildRecord
    from wheelkit.builders.cache.store import CacheHit
    from wheelkit.builders.units import BuildUnit
    from wheelkit.machine.git import PendingStatus
    from wheelkit.plan import Plan
    from wheelkit.project.read import Distribution


class LookupResult(Struct, frozen=True, kw_only=True):
    """What the cache has for a unit: the hit, or None, and the inputs of the unit's key."""

    hit: CacheHit | None
    inputs: KeyInputs


class Cache(Struct, kw_only=True):
    """The cache for the units of one plan."""

    store: Store
    keys: CacheKeyBuilder
    _edited: set[str] = field(default_factory=set)

    def find(self, unit: BuildUnit, siblings: Mapping[str, str]) -> LookupResult:
        """Look a unit up; ``siblings`` maps the family's wheels that its build needs to their digests."""
        inputs = self.keys.inputs(unit, siblings)
        hit = None if inputs.unknown else self.store.find(unit.label, inputs.key)
        return LookupResult(hit=hit, inputs=inputs)

    def rebuild_reason(self, unit: BuildUnit, result: LookupResult) -> str:
        """Return in one line why a unit was not found."""
        return rebuild_reason(unit.label, result.inputs, self.store)

    def sources_unchanged(self, distribution: Distribution) -> bool:
        """Return whether the sources are unchanged after the sdist was built; else builds are not saved.

        Files that git ignores do not count: a backend writes some, as setuptools-scm does, and the next run
        finds them.
        """
        before = self.keys.sources(distribution).files
        self.keys.refresh(distribution)
        now = self.keys.sources(distribution).files
        changed = {name for name in before.keys() | now.keys() if before.get(name) != now.get(name)}
        tree = self.keys.tree(distribution)
        if tree.commit:
            prefix = "" if distribution.from_sdist else tree.path_below(distribution.source)
            known = tree.tracked | tree.untracked
            changed = {name for name in changed if f"{prefix}{name}" in known}
        if changed:
            self._edited.add(distribution.key)
        return not changed

    def save(
        self, unit: BuildUnit, record: BuildRecord, paths: Mapping[str, Path], siblings: Mapping[str, str]
    ) -> None:
        """Save a build with its files, unless its sources changed meanwhile or its image is not known."""
        if unit.distribution.key in self._edited:
            return
        inputs = self.keys.inputs(unit, siblings)
        if inputs.unknown:
            return
        listing = canonical(inputs.files)
        entry = CacheEntry(
            key=inputs.key,
            label=unit.label,
            parts=inputs.parts,
            listing=sha256(listing).hexdigest(),
            built=time.time(),
            **asdict(record),
        )
        self.store.add(entry, paths, listing)

    def evict(self) -> None:
        """Keep the cache within its limit."""
        evict(self.store)


def open_store(note: Callable[[str], None], environ: Mapping[str, str] = os.environ) -> Store:
    """Open the user's cache. Raises UsageError for an invalid limit."""
    return Store(folder=folders.cache_folder(environ), limit=folders.cache_limit(environ), note=note)


def open_cache(plan: Plan, store: Store, status: PendingStatus | None = None) -> Cache:
    """Open the cache for a plan and start the queries that its keys need."""
    return Cache(store=store, keys=CacheKeyBuilder(plan, store, status))
