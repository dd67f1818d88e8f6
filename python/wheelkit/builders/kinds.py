"""Kinds that first wheels have shown where the project's files show another: as errors, and in the cache."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.builders.cache.store import ValueKind
from wheelkit.errors import ProjectError
from wheelkit.machine.compilers import compiler_errors
from wheelkit.project.kinds import Kind

if TYPE_CHECKING:
    from wheelkit.builders.cache.store import Store
    from wheelkit.builders.units import FirstWheel
    from wheelkit.config import Config
    from wheelkit.project.family import Family
    from wheelkit.project.read import Distribution


class WrongKindError(ProjectError):
    """A wheel of another kind than its distribution; ``kind`` is that of the wheel, which is kept."""

    key: str
    kind: Kind
    wheel: FirstWheel | None = None


class LearntKinds(Struct, frozen=True, kw_only=True):
    """The kinds of distributions whose kind is not configured; without a ``store``, none are known."""

    config: Config
    store: Store | None = None

    def apply(self, family: Family) -> Family:
        """Return the family with the kinds that earlier builds have shown."""
        members = (replace(member, kind=self._load(member) or member.kind) for member in family.distributions)
        return replace(family, distributions=tuple(members))

    def learn(self, family: Family, error: WrongKindError) -> Family:
        """Return the family with the kind of a wheel, and save it; raise the error where that is no doubt.

        A configured kind is one that the wheel has to have, and a configured matrix promises native wheels.
        """
        member = family.members[error.key]
        promised = self.config.matrix.targets and error.kind is Kind.PURE
        if promised or not self._is_open(member):
            raise error
        if self.store is not None:
            self.store.save_value(ValueKind.ANSWER, _name(member), f"{member.kind} {error.kind}")
        changed = replace(member, kind=error.kind)
        members = (changed if other is member else other for other in family.distributions)
        return replace(family, distributions=tuple(members))

    def _load(self, member: Distribution) -> Kind | None:
        """Return the learnt kind, while the files show the same kind as then."""
        if self.store is None or not self._is_open(member):
            return None
        shown, _, learnt = (self.store.load_value(ValueKind.ANSWER, _name(member)) or "").partition(" ")
        with suppress(ValueError):
            return Kind(learnt) if shown == member.kind else None
        return None

    def _is_open(self, member: Distribution) -> bool:
        settings = self.config.distribution.get(member.key)
        return settings is None or settings.kind is None


def _name(member: Distribution) -> str:
    return sha256(f"kind\0{member.key}\0{member.source}".encode()).hexdigest()


def not_native_error(
    distribution: Distribution, wheel: str, output: str, first: FirstWheel | None = None
) -> ProjectError:
    """Return the error for a native distribution whose wheel is for every platform.

    The compiler's lines are shown, because builds may skip optional extensions that do not compile. Without
    them, the distribution may be pure.
    """
    lines = compiler_errors(output)
    error = (ProjectError if lines else WrongKindError)(
        f"{distribution.name} is treated as native, but its wheel contains no binary: {wheel}",
        detail=lines,
        hint="check what its build leaves out; or, if it is pure Python, set"
        f'  {setting(distribution)} kind = "pure"   then:  wheelkit build --pure',
    )
    if isinstance(error, WrongKindError):
        error.key, error.kind, error.wheel = distribution.key, Kind.PURE, first
    return error


def setting(distribution: Distribution) -> str:
    """Return the header of the distribution's table in pyproject.toml."""
    return f"[tool.wheelkit.distribution.{distribution.key}]"
