"""What the wheels are held against: what the project promised, for each of its distributions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from wheelkit.matrix import Matrix, matrix_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from wheelkit.config import Config, Provider
    from wheelkit.matrix import Target
    from wheelkit.project.family import Family
    from wheelkit.project.read import Distribution, Kind
    from wheelkit.wheel import Wheel


class Promise(Struct, frozen=True, kw_only=True):
    """What is owed for one distribution of the project: its cells, its size limit in bytes, and the findings it accepts.

    ``dependencies`` are the names that it may require at run time, None where nothing is promised.
    """

    distribution: str
    kind: Kind
    matrix: Matrix
    max_size: int | None = None
    dependencies: tuple[str, ...] | None = None
    ignore: Mapping[str, str] = field(default_factory=dict)

    @property
    def native(self) -> bool:
        """Whether wheels are owed per target; pure and meta distributions owe a single wheel for all."""
        return self.kind.value == "native"


class Contract(Struct, frozen=True, kw_only=True):
    """The whole project's promise, by normalised distribution name; empty outside a project.

    ``exclude`` holds the providers whose libraries must not be in a wheel, ``runners`` the configured labels by target pattern.
    ``native`` restricts the judgement of coverage to the targets that this machine builds, of which there can be several: manylinux and
    musllinux, win_amd64 and win32. Other targets' wheels are built elsewhere. None judges all.
    ``reference`` holds earlier wheels that the size of these is compared with. ``unnamed`` is what is owed for the one distribution whose
    name only its build can tell.
    """

    promises: Mapping[str, Promise] = field(default_factory=dict)
    exclude: tuple[Provider, ...] = ()
    runners: Mapping[str, str] = field(default_factory=dict)
    native: tuple[Target, ...] | None = None
    reference: tuple[Wheel, ...] = ()
    unnamed: Promise | None = None

    def promise(self, distribution: str) -> Promise | None:
        """Give what is owed for a distribution, None for one that the project does not know."""
        return self.promises.get(distribution)

    def for_dist(self, names: Collection[str]) -> Contract:
        """Give the contract for a dist folder with these distributions: the one that nobody knows is the one whose name was not known."""
        strangers = set(names) - self.promises.keys()
        if self.unnamed is None or len(strangers) != 1:
            return self
        (name,) = strangers
        return replace(
            self, promises={**self.promises, name: replace(self.unnamed, distribution=name)}, unnamed=None
        )


def contract_of(config: Config, family: Family) -> Contract:
    """Put together what a project's configuration and its distributions promise.

    Of several distributions whose names only their builds can tell none is held to anything: nobody knows whose a file is.
    """
    promises = {item.key: _promise(config, item) for item in family.distributions if item.stated}
    unnamed = [item for item in family.distributions if not item.stated]
    return Contract(
        promises=promises,
        exclude=config.exclude,
        runners=config.runner,
        unnamed=_promise(config, unnamed[0]) if len(unnamed) == 1 else None,
    )


def _promise(config: Config, item: Distribution) -> Promise:
    settings = config.distribution.get(item.key)
    return Promise(
        distribution=item.key,
        kind=type(item.kind)(settings.kind) if settings and settings.kind else item.kind,
        matrix=matrix_of(config, item.requires_python),
        max_size=settings.max_size if settings else None,
        dependencies=settings.dependencies if settings else None,
        ignore=settings.ignore if settings else {},
    )
