"""The cache as one run uses it: what is there, why something is not, and what is worth keeping."""

from __future__ import annotations

import os
import time
from hashlib import sha256
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import asdict

from wheelkit.builders.cache.entry import CacheEntry, KeyInputs, canonical
from wheelkit.builders.cache.key import CacheKeyBuilder
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
    """What the cache says of a unit: the hit, or None; and what the unit is made from."""

    hit: CacheHit | None
    ingredients: KeyInputs


class Cache(Struct, kw_only=True):
    """The cache for the units of one plan."""

    store: Store
    keys: CacheKeyBuilder
    _unstable: set[str] = field(default_factory=set)

    def find(self, unit: BuildUnit, siblings: Mapping[str, str]) -> LookupResult:
        """Look a unit up; ``siblings`` are the digests of the family's wheels that its build needs."""
        ingredients = self.keys.ingredients(unit, siblings)
        hit = None if ingredients.unknown else self.store.find(unit.label, ingredients.key)
        return LookupResult(hit=hit, ingredients=ingredients)

    def rebuild_reason(self, unit: BuildUnit, found: LookupResult) -> str:
        """Say in a line why a unit was not found."""
        from wheelkit.builders.cache.reasons import rebuild_reason

        return rebuild_reason(unit.label, found.ingredients, self.store)

    def sources_unchanged(self, item: Distribution) -> bool:
        """Look, once the sdist stands, whether the sources are still those of the key; tells whether what is built may be kept.

        Files that git ignores are no one's edits: the backend wrote them, as setuptools-scm does, and the next run will find them.
        """
        before = self.keys.sources(item).files
        self.keys.forget(item)
        now = self.keys.sources(item).files
        changed = {name for name in before.keys() | now.keys() if before.get(name) != now.get(name)}
        view = self.keys.view(item)
        folder = (
            ""
            if item.from_sdist or item.source.resolve() == view.folder
            else f"{item.source.resolve().relative_to(view.folder).as_posix()}/"
        )
        edited = {
            name
            for name in changed
            if not view.commit or f"{folder}{name}" in view.tracked or f"{folder}{name}" in view.untracked
        }
        if edited:
            self._unstable.add(item.key)
        return not edited

    def save(
        self, unit: BuildUnit, record: BuildRecord, paths: Mapping[str, Path], siblings: Mapping[str, str]
    ) -> None:
        """Save a build, unless its sources changed during the build or the digest of its image is unknown."""
        if unit.distribution.key in self._unstable:
            return
        ingredients = self.keys.ingredients(unit, siblings)
        if ingredients.unknown:
            return
        listing = canonical(dict(ingredients.files))
        entry = CacheEntry(
            key=ingredients.key,
            label=unit.label,
            parts=dict(ingredients.parts),
            listing=sha256(listing).hexdigest(),
            built=time.time(),
            **asdict(record),
        )
        self.store.add(entry, paths, listing)

    def evict(self) -> None:
        """Keep the cache within its limit."""
        from wheelkit.builders.cache.eviction import evict

        evict(self.store)


def open_store(note: Callable[[str], None], environ: Mapping[str, str] = os.environ) -> Store:
    """Give the user's cache."""
    return Store(folder=folders.cache_folder(environ), limit=folders.cache_limit(environ), note=note)


def open_cache(plan: Plan, store: Store, asking: PendingStatus | None = None) -> Cache:
    """Give the cache for a plan, and start asking what the keys need to know; ``asking`` is git at the root of the family, asked before."""
    keys = CacheKeyBuilder(plan=plan, store=store)
    keys.prepare(asking)
    return Cache(store=store, keys=keys)
