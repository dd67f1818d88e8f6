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
from wheelkit.builders.cache.key import CacheKeyBuilder
from wheelkit.builders.cache.store import Store
from wheelkit.machine import folders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from wheelkit.builders.cache.entry import BuildRecord
    from wheelkit.builders.cache.store import CacheHit
    from wheelkit.builders.units import BuildUnit
    from wheelkit.machine.git import PendingStatus
    from wheelkit.plan import Plan
    from wheelkit.project.read import Distribution


_SHOWN_DIFFERENCES = 3
# Messages for a part that differs, by the first word of its name; {name} is the rest of the name.
_MESSAGES = {
    "variable": "{name} changed",
    "tool": "{name} changed",
    "settings": "{name} changed",
    "interpreter": "{name} changed",
    "image": "the image {name} changed",
    "sibling": "{name}, which it needs, changed",
    "compiler": "the compiler changed",
}
_DIGEST_LENGTH = 64


class Cache(Struct, kw_only=True):
    """The cache for the units of one plan."""

    store: Store
    keys: CacheKeyBuilder
    _edited: set[str] = field(default_factory=set)

    def find(self, unit: BuildUnit, siblings: Mapping[str, str]) -> tuple[CacheHit | None, KeyInputs]:
        """Look a unit up; return its build, or None, and the inputs of its key.

        ``siblings`` maps the family's wheels that its build needs to their digests.
        """
        inputs = self.keys.inputs(unit, siblings)
        return None if inputs.unknown else self.store.find(unit.label, inputs.key), inputs

    def sources_unchanged(self, distribution: Distribution) -> bool:
        """Return whether the sources are unchanged after the sdist was built; else builds are not saved.

        Files that git ignores do not count, because backends such as setuptools-scm write some.
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


def rebuild_reason(label: str, inputs: KeyInputs, store: Store) -> str:
    """Return in one line why the cache has no entry for these inputs."""
    if inputs.unknown:
        return inputs.unknown
    candidates = [tuple(_differences(entry, inputs, store)) for entry in store.latest(label)]
    if not candidates:
        return "never built before"
    differences = min(candidates, key=len)
    if not differences:
        return "its files are no longer in the cache"
    hidden = len(differences) - _SHOWN_DIFFERENCES
    more = f" and {hidden} more" if hidden > 0 else ""
    return ", ".join(differences[:_SHOWN_DIFFERENCES]) + more


def _differences(entry: CacheEntry, inputs: KeyInputs, store: Store) -> Iterator[str]:
    before, now = entry.parts, inputs.parts
    names = [name for name in dict.fromkeys((*now, *before)) if before.get(name) != now.get(name)]
    if "sources" in names:
        listing = store.listing(entry)
        yield from _file_changes(listing, inputs.files) if listing else ["its sources changed"]
    yield from dict.fromkeys(_part_change(name, before, now) for name in names if name != "sources")


def _file_changes(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    yield from (f"{name} changed" for name in now if name in before and before[name] != now[name])
    yield from (f"{name} is new" for name in now if name not in before)
    yield from (f"{name} is gone" for name in before if name not in now)


def _part_change(name: str, before: Mapping[str, str], now: Mapping[str, str]) -> str:
    kind, _, rest = name.partition(" ")
    if kind == "step":
        return f"the {rest.partition(' ')[2]} changed"
    old, new = before.get(name, ""), now.get(name, "")
    if kind == "tool" and all(version and len(version) < _DIGEST_LENGTH for version in (old, new)):
        return f"{rest} {new} instead of {old}"
    return _MESSAGES.get(kind, f"{name} changed").format(name=rest)


def open_store(note: Callable[[str], None], environ: Mapping[str, str] = os.environ) -> Store:
    """Open the user's cache. Raises UsageError for an invalid limit."""
    return Store(folder=folders.cache_folder(environ), limit=folders.cache_limit(environ), note=note)


def open_cache(plan: Plan, store: Store, status: PendingStatus | None = None) -> Cache:
    """Open the cache for a plan and start the queries that its keys need."""
    return Cache(store=store, keys=CacheKeyBuilder(plan, store, status))
