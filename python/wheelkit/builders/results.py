"""The results of one build: files built now or found in the cache, by unit."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct, field

from wheelkit.builders import siblings
from wheelkit.builders.cache.entry import BuildRecord
from wheelkit.builders.cache.eviction import evict
from wheelkit.builders.units import UnitKind
from wheelkit.machine import git
from wheelkit.manifest import Manifest
from wheelkit.matrix import Candidate, pick
from wheelkit.plan.model import Builder
from wheelkit.text import plural, shorten_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from wheelkit.builders.cache.lookup import Cache
    from wheelkit.builders.cache.store import CacheHit, Store
    from wheelkit.builders.units import BuildUnit, FirstWheel
    from wheelkit.errors import WheelkitError
    from wheelkit.machine.git import Checkout
    from wheelkit.machine.progress import Progress
    from wheelkit.matrix import Interpreter
    from wheelkit.plan import NativeStep, Plan
    from wheelkit.project.read import Distribution


class BuiltWheel(Struct, frozen=True, kw_only=True):
    """A repaired wheel: the interpreters it supports and was tested on, the libraries grafted and excluded.

    ``compiler`` describes the compiler for the manifest; empty where the builder does not know it.
    ``originals`` maps grafted libraries to the files of this machine that they are copies of.
    """

    path: Path
    cells: tuple[str, ...]
    tested: tuple[str, ...] = ()
    grafted: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    compiler: str = ""
    originals: Mapping[str, Path] = field(default_factory=dict)

    @property
    def facts(self) -> dict[str, tuple[str, ...]]:
        """The facts about the wheel that its manifest contains."""
        return {name: getattr(self, name) for name in ("cells", "tested", "grafted", "excluded")}


class Failure(Struct, frozen=True, kw_only=True):
    """A build that failed: for which interpreters (empty: not for single ones), why, and what is left of it.

    ``wheel`` is a wheel that failed its test, ``log`` has all that was printed.
    """

    error: WheelkitError
    interpreters: tuple[str, ...] = ()
    wheel: Path | None = None
    log: Path | None = None


class StepResult(Struct, frozen=True, kw_only=True):
    """The wheels of one step that were built, repaired and tested, and the builds that failed."""

    wheels: tuple[BuiltWheel, ...] = ()
    failures: tuple[Failure, ...] = ()


def supported_interpreters(
    path: Path, step: NativeStep, interpreters: Iterable[Interpreter]
) -> tuple[str, ...]:
    """Return the tags of the interpreters whose installer would take the wheel on the step's target."""
    from wheelkit.wheel.names import parse_file_name

    candidate = Candidate(filename=path.name, tags=parse_file_name(path.name).tags)
    return tuple(
        interpreter.tag for interpreter in interpreters if pick([candidate], step.target, interpreter)
    )


class UnitResult(Struct, frozen=True, kw_only=True):
    """The files of one unit: new ones are at ``paths``, by name; the others are in the cache ``hit``.

    With ``failures``, the files are only those that could be built.
    """

    unit: BuildUnit
    record: BuildRecord
    checkout: Checkout
    paths: Mapping[str, Path] = field(default_factory=dict)
    hit: CacheHit | None = None
    failures: tuple[Failure, ...] = ()

    def manifest(self) -> Manifest:
        """Return the manifest, created now."""
        return Manifest(
            distribution=self.record.distribution,
            version=self.record.version,
            target=self.unit.target_name,
            builder=self.unit.builder_name,
            source=self.record.source,
            commit=self.checkout.commit,
            dirty=bool(self.checkout.changed),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            tools=self.record.tools,
            files=self.record.files,
            source_date_epoch=self.record.epoch,
        )

    def reused(self) -> Iterator[tuple[str, float, float]]:
        """Yield the name of each file from the cache, when it was built, and how long that took."""
        if self.hit is not None:
            seconds = self.record.seconds / len(self.record.files)
            for file in self.record.files:
                yield file.file, self.hit.entry.built, seconds

    def paths_in(self, folder: Path) -> dict[str, Path]:
        """Return the paths of the files by name; cached files are copied into ``folder`` first."""
        if self.hit is None:
            return dict(self.paths)
        for file in self.hit.files:
            file.copy_to(folder / file.name)
        return {file.name: folder / file.name for file in self.hit.files}


class Results(Struct, kw_only=True):
    """The results of one build so far, and the cache that provides others. Thread-safe.

    ``first_wheels`` holds, by distribution, the wheels from which their kinds were learnt. ``failed`` are
    units that failed, in whole or in part, and ``skipped`` distributions with the sibling that they lack.
    """

    plan: Plan
    cache: Cache | None
    progress: Progress
    first_wheels: Mapping[str, FirstWheel] = field(default_factory=dict)
    failed: list[UnitResult] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    _by_label: dict[str, UnitResult] = field(default_factory=dict)
    _checkouts: dict[str, Checkout] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __iter__(self) -> Iterator[UnitResult]:
        """Iterate over all results."""
        return iter(tuple(self._by_label.values()))

    @property
    def store(self) -> Store | None:
        """The cache's store."""
        return self.cache.store if self.cache else None

    def look_up(self, unit: BuildUnit) -> UnitResult | None:
        """Return the result of a unit, from the cache if need be; None if the unit has to be built."""
        with self._lock:
            if unit.label not in self._by_label and self.cache is not None:
                hit, _ = self.cache.find(unit, self.sibling_digests(unit))
                if hit is not None:
                    self.add_cached(unit, hit)
            return self._by_label.get(unit.label)

    def add(self, results: Iterable[UnitResult]) -> None:
        """Add results of new builds; those with failures are apart, for others cannot build on them."""
        with self._lock:
            for result in results:
                if result.failures:
                    self.failed.append(result)
                else:
                    self._by_label[result.unit.label] = result

    def failure(self, unit: BuildUnit, error: WheelkitError) -> UnitResult:
        """Return the result of a unit of which nothing was built."""
        distribution = unit.distribution
        record = BuildRecord(
            distribution=distribution.key,
            version=distribution.version or "",
            source="",
            tools={},
            files=(),
            seconds=0.0,
        )
        failures = (Failure(error=error, log=getattr(error, "log", None)),)
        checkout = self.checkout(distribution)
        return UnitResult(unit=unit, record=record, checkout=checkout, failures=failures)

    def failed_names(self) -> set[str]:
        """Return the distributions that failed or were skipped, by normalised name."""
        with self._lock:
            return {result.unit.distribution.key for result in self.failed} | self.skipped.keys()

    def find_part(self, part: BuildUnit) -> UnitResult | None:
        """Return a part of a unit from the cache."""
        with self._lock:
            hit = self.cache.find(part, self.sibling_digests(part))[0] if self.cache is not None else None
            if hit is None:
                return None
            checkout = self.checkout(part.distribution)
            return UnitResult(unit=part, record=hit.entry, checkout=checkout, hit=hit)

    def add_cached(self, unit: BuildUnit, hit: CacheHit) -> None:
        """Add a unit found in the cache."""
        checkout = self.checkout(unit.distribution)
        self.add([UnitResult(unit=unit, record=hit.entry, checkout=checkout, hit=hit)])

    def sibling_wheels(self, distribution: Distribution) -> Iterator[UnitResult]:
        """Yield the sibling wheels that building and testing a distribution may need."""
        needed = siblings.needed(distribution, self.plan.family)
        for result in self:
            unit = result.unit
            usable = unit.kind is not UnitKind.SDIST and unit.builder is not Builder.CROSS
            if usable and unit.distribution.key in needed:
                yield result

    def sibling_digests(self, unit: BuildUnit) -> dict[str, str]:
        """Return the sha256 of the sibling wheels that a unit's build or tests may install, by file name."""
        return {
            file.file: file.sha256
            for result in self.sibling_wheels(unit.distribution)
            if unit.target is None or result.unit.target in {unit.target, None}
            for file in result.record.files
        }

    def sources_unchanged(self, distribution: Distribution) -> bool:
        """Return, once the sdist is built, whether the sources are still those of the cache key."""
        with self._lock:
            return self.cache is None or self.cache.sources_unchanged(distribution)

    def save_built(self, results: Sequence[UnitResult]) -> None:
        """Save newly built results in the cache."""
        built = [result for result in results if result.hit is None]
        if self.cache is None or not built:
            return
        for result in built:
            self.cache.save(result.unit, result.record, result.paths, self.sibling_digests(result.unit))
        evict(self.cache.store)

    def checkout(self, distribution: Distribution) -> Checkout:
        """Return the state of version control for the manifest; uncommitted changes are reported once."""
        with self._lock:
            if distribution.key not in self._checkouts:
                checkout = self._detect_checkout(distribution)
                self._report(checkout)
                self._checkouts[distribution.key] = checkout
            return self._checkouts[distribution.key]

    def _detect_checkout(self, distribution: Distribution) -> Checkout:
        if distribution.from_sdist:
            return git.Checkout()
        status = git.Repository(folder=distribution.source).start_status
        tree = self.cache.keys.tree(distribution) if self.cache else status().wait()
        return tree.checkout(distribution.source, self.plan.out)

    def _report(self, checkout: Checkout) -> None:
        command = checkout.trust_command
        if command and all(known.trust_command != command for known in self._checkouts.values()):
            self.progress.note(f"{git.UNTRUSTED}; publish will refuse it. If you trust it:  {command}")
        if checkout.changed:
            changes = plural(len(checkout.changed), "uncommitted change")
            names = shorten_list(checkout.changed)
            self.progress.note(f"built with {changes} ({names}); publish will refuse it")
