"""What a project promises for its distributions: the contract that wheels are verified against."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from wheelkit.matrix import Matrix, matrix_of
from wheelkit.verification.comparison.facts import Earlier

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from wheelkit.config import Config, Provider
    from wheelkit.matrix import Target
    from wheelkit.project.family import Family
    from wheelkit.project.kinds import Kind
    from wheelkit.project.read import Distribution


class Promise(Struct, frozen=True, kw_only=True):
    """What a distribution promises: cells, a size limit in bytes, dependencies (None: any), exceptions."""

    distribution: str
    kind: Kind
    matrix: Matrix
    max_size: int | None = None
    dependencies: tuple[str, ...] | None = None
    ignore: Mapping[str, str] = field(default_factory=dict)

    @property
    def native(self) -> bool:
        """Whether each target needs its own wheels; a pure or meta distribution has one wheel for all."""
        from wheelkit.project.kinds import Kind

        return self.kind is Kind.NATIVE

    @property
    def meta(self) -> bool:
        """Whether the wheels hold nothing but their dependencies."""
        from wheelkit.project.kinds import Kind

        return self.kind is Kind.META


class Contract(Struct, frozen=True, kw_only=True):
    """The promises of a whole project, by normalized distribution name; empty outside a project.

    ``exclude`` are the providers whose libraries must not be in a wheel, ``runners`` the configured runner
    labels by target pattern. ``native`` are the targets whose coverage is judged, None judges all.
    ``earlier`` are the releases to compare with, ``beside`` the files of the dist that is verified.
    ``unnamed`` is the promise of the one distribution whose name only its build can tell.
    """

    promises: Mapping[str, Promise] = field(default_factory=dict)
    exclude: tuple[Provider, ...] = ()
    runners: Mapping[str, str] = field(default_factory=dict)
    native: tuple[Target, ...] | None = None
    earlier: Earlier = Earlier()
    beside: tuple[Path, ...] = ()
    unnamed: Promise | None = None

    def promise(self, distribution: str) -> Promise | None:
        """Return the promise of a distribution, None for one that is not part of the project."""
        return self.promises.get(distribution)

    def for_dist(self, names: Collection[str]) -> Contract:
        """Return the contract for a dist of these distributions: the only unknown one is the unnamed one."""
        unknown = set(names) - self.promises.keys()
        if self.unnamed is None or len(unknown) != 1:
            return self
        (name,) = unknown
        promises = {**self.promises, name: replace(self.unnamed, distribution=name)}
        return replace(self, promises=promises, unnamed=None)


def contract_of(config: Config, family: Family) -> Contract:
    """Combine what a project's configuration and its distributions promise.

    Several distributions whose names only their builds can tell have none: their files look alike.
    """
    unnamed = [distribution for distribution in family.distributions if not distribution.stated]
    return Contract(
        promises={item.key: _promise(config, item) for item in family.distributions if item.stated},
        exclude=config.exclude,
        runners=config.runner,
        unnamed=_promise(config, unnamed[0]) if len(unnamed) == 1 else None,
    )


def _promise(config: Config, distribution: Distribution) -> Promise:
    settings = config.distribution.get(distribution.key)
    return Promise(
        distribution=distribution.key,
        kind=type(distribution.kind)(settings.kind) if settings and settings.kind else distribution.kind,
        matrix=matrix_of(config, distribution.requires_python),
        max_size=settings.max_size if settings else None,
        dependencies=settings.dependencies if settings else None,
        ignore=settings.ignore if settings else {},
    )
