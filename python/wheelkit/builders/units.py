"""Build units: what one builder makes of one distribution for one target, described by one manifest."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from wheelkit.config import Config
    from wheelkit.matrix import Target
    from wheelkit.plan import Builder, NativeStep, Plan
    from wheelkit.project.read import Distribution


class UnitKind(StrEnum):
    """The kind of file that a unit yields."""

    SDIST = "sdist"
    PURE = "pure"
    NATIVE = "native"


class BuildUnit(Struct, frozen=True, kw_only=True):
    """One distribution's sdist, its pure wheel, or its native wheels for one target.

    A native unit has the plan's steps for its target, the others have none. ``part`` names what a part of a
    native unit promises.
    """

    distribution: Distribution
    kind: UnitKind
    steps: tuple[NativeStep, ...] = ()
    part: str = ""

    @property
    def target(self) -> Target | None:
        """The target of a native unit."""
        return self.steps[0].target if self.steps else None

    @property
    def builder(self) -> Builder | None:
        """The builder of a native unit."""
        return self.steps[0].builder if self.steps else None

    @property
    def target_name(self) -> str:
        """The target as manifests spell it: a platform tag, ``any`` (pure wheel) or ``sdist``."""
        if self.target is not None:
            return self.target.tag
        return "sdist" if self.kind is UnitKind.SDIST else "any"

    @property
    def builder_name(self) -> str:
        """The builder as manifests spell it; ``pure`` for sdists and pure wheels."""
        return self.builder.value if self.builder else "pure"

    @property
    def label(self) -> str:
        """A unique name, usable as a folder name."""
        part = f"-{self.part}" if self.part else ""
        return f"{self.distribution.key}-{self.target_name}{part}"


class Selection(Struct, frozen=True, kw_only=True):
    """The kinds of units to build, and of which distributions (normalised names; empty means all)."""

    native: bool = True
    pure: bool = True
    sdist: bool = True
    names: frozenset[str] = frozenset()

    def includes(self, unit: BuildUnit) -> bool:
        """Return whether the unit is selected."""
        kinds = {UnitKind.SDIST: self.sdist, UnitKind.PURE: self.pure, UnitKind.NATIVE: self.native}
        return kinds[unit.kind] and (not self.names or unit.distribution.key in self.names)


class FirstWheel(Struct, frozen=True, kw_only=True):
    """The first wheel of a distribution, which shows its kind, and the sdist from which it is built."""

    path: Path
    sdist: Path


class BuildOrder(Struct, frozen=True, kw_only=True):
    """What to build: the plan, what is selected of it, and the configuration to verify the result against.

    ``first_wheels`` are wheels that are built already, by distribution: those from which kinds were learnt.
    With ``fail_fast``, nothing more is begun after the first failure.
    """

    plan: Plan
    selection: Selection
    config: Config
    first_wheels: Mapping[str, FirstWheel] = field(default_factory=dict)
    fail_fast: bool = False


def build_units(distribution: Distribution, plan: Plan) -> Iterator[BuildUnit]:
    """Yield every unit of a distribution that can be built on this machine, the sdist first."""
    yield BuildUnit(distribution=distribution, kind=UnitKind.SDIST)
    if distribution not in plan.family.native:
        yield BuildUnit(distribution=distribution, kind=UnitKind.PURE)
    steps_by_target: dict[str, list[NativeStep]] = {}
    for step in plan.steps:
        if step.distribution == distribution:
            steps_by_target.setdefault(step.target.tag, []).append(step)
    for steps in steps_by_target.values():
        yield BuildUnit(distribution=distribution, kind=UnitKind.NATIVE, steps=tuple(steps))
