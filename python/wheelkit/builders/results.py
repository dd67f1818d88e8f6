"""What is known of one unit that is built, now or before: enough to prove it, to deliver it, and to write its manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit import manifest
from wheelkit.matrix import Candidate, pick
from wheelkit.wheel.names import parse_file_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from wheelkit.builders.cache.store import CacheHit
    from wheelkit.builders.units import BuildUnit
    from wheelkit.machine.git import Checkout
    from wheelkit.matrix import Interpreter
    from wheelkit.plan import NativeStep


class UnitResult(Struct, frozen=True, kw_only=True):
    """The files of one unit with their facts. Those that were built now have ``paths`` by name, those from the cache a ``hit``.

    ``distribution`` is the name as the sdist states it, ``source`` the sha256 of the sdist that they come from.
    """

    unit: BuildUnit
    distribution: str
    version: str
    source: str
    checkout: Checkout
    tools: Mapping[str, str]
    files: tuple[manifest.BuiltFile, ...]
    paths: Mapping[str, Path]
    hit: CacheHit | None = None
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    def record(self) -> manifest.Manifest:
        """Write the manifest: what was made, from what, of which commit, now."""
        from datetime import UTC, datetime

        return manifest.Manifest(
            distribution=self.distribution,
            version=self.version,
            target=self.unit.target,
            builder=self.unit.builder,
            source=self.source,
            commit=self.checkout.commit,
            dirty=bool(self.checkout.changed),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            tools=self.tools,
            files=self.files,
        )

    def lying_in(self, folder: Path) -> dict[str, Path]:
        """Give the files by name, those of the cache copied to a folder first."""
        if self.hit is None:
            return dict(self.paths)
        for one in self.hit.files:
            one.copy_to(folder / one.name)
        return {one.name: folder / one.name for one in self.hit.files}


class BuiltWheel(Struct, frozen=True, kw_only=True):
    """One repaired wheel: the interpreters that it serves and was tested on, the libraries copied in and those left out.

    ``compiler`` says in words for the manifest what compiled it, empty where the builder's own name says it.
    """

    path: Path
    cells: tuple[str, ...]
    tested: tuple[str, ...] = ()
    grafted: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    compiler: str = ""


def supported_interpreters(
    path: Path, job: NativeStep, interpreters: Sequence[Interpreter]
) -> tuple[str, ...]:
    """Name the interpreters on which an installer would take the wheel for the step's target."""
    name = parse_file_name(path.name)
    candidate = Candidate(filename=path.name, tags=name.tags)
    return tuple(one.tag for one in interpreters if pick([candidate], job.target, one))
