"""What a run builds: units, each what one builder makes of one distribution for one target, and the content of one manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.config import Config
    from wheelkit.plan import NativeStep, Plan
    from wheelkit.project.read import Distribution


SDIST_TARGET, PURE_TARGET = "sdist", "any"


class Selection(Struct, frozen=True, kw_only=True):
    """What of a plan is to be built: kinds of files, and of which distributions, by normalised name; all where none is named."""

    native: bool = True
    pure: bool = True
    sdist: bool = True
    names: frozenset[str] = frozenset()


class BuildUnit(Struct, frozen=True, kw_only=True):
    """One distribution for one target: a platform tag with the plan's steps for it, ``any`` for a pure wheel, ``sdist`` for the sdist."""

    distribution: Distribution
    target: str
    steps: tuple[NativeStep, ...] = ()

    @property
    def kind(self) -> str:
        """What comes out, as manifests name it."""
        return "sdist" if self.target == SDIST_TARGET else "wheel"

    @property
    def builder(self) -> str:
        """Who makes it, as manifests name it."""
        return self.steps[0].builder.value if self.steps else "pure"

    @property
    def makes(self) -> str:
        """Who makes it, sdists and pure wheels told apart."""
        return SDIST_TARGET if self.target == SDIST_TARGET else self.builder

    @property
    def label(self) -> str:
        """A name for people and folders."""
        return f"{self.distribution.key}-{self.target}"

    def within(self, selection: Selection) -> bool:
        """Tell whether the selection asks for it."""
        if selection.names and self.distribution.key not in selection.names:
            return False
        if self.kind == "sdist":
            return selection.sdist
        return selection.pure if self.target == PURE_TARGET else selection.native


def build_units(item: Distribution, plan: Plan) -> Iterator[BuildUnit]:
    """List all that can be made of a distribution here, the sdist first."""
    yield BuildUnit(distribution=item, target=SDIST_TARGET)
    if item not in plan.family.native:
        yield BuildUnit(distribution=item, target=PURE_TARGET)
    jobs = [job for job in plan.steps if job.distribution == item]
    for tag in dict.fromkeys(job.target.tag for job in jobs):
        yield BuildUnit(
            distribution=item, target=tag, steps=tuple(job for job in jobs if job.target.tag == tag)
        )


class BuildOrder(Struct, frozen=True, kw_only=True):
    """What is to be built: the plan, what of it, and the configuration that says what the result is held against."""

    plan: Plan
    selection: Selection
    config: Config
