"""The comparison of a release with an earlier one: what findings follow from, and every format shows."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator


ANY = "any"
"""The platform of all systems that only wheels for any system serve."""


class Change(StrEnum):
    """What the later release means for the users of one platform and interpreter."""

    KEPT = "kept"
    NEW = "new"
    GONE = "gone"
    EXCLUDED = "excluded"  # by Requires-Python: installers take the earlier release
    RAISED = "raised"  # older systems get no wheel any more
    PURE = "pure"  # a wheel for any system takes the place of a native one
    NATIVE = "native"  # and the other way round
    NONE = "none"  # neither release has a wheel, or this run cannot tell


class Served(Struct, frozen=True, kw_only=True):
    """The wheel that users get; ``oldest`` names the oldest system that gets one, such as ``glibc 2.28``.

    ``needs`` is what its binaries need, empty where they were not read.
    """

    file: str
    size: int
    oldest: str = ""
    needs: str = ""


class CellChange(Struct, frozen=True, kw_only=True):
    """One interpreter on one platform; with a ``fallback``, systems that lost their wheel get a pure one."""

    interpreter: str
    change: Change
    before: Served | None = None
    after: Served | None = None
    fallback: bool = False

    @property
    def growth(self) -> float | None:
        """The relative change of the size; None without two sizes that can be compared."""
        if self.before is None or self.after is None or not (self.before.size and self.after.size):
            return None
        return self.after.size / self.before.size - 1


class PlatformChange(Struct, frozen=True, kw_only=True):
    """One row: a platform as cibuildwheel names it (``manylinux_x86_64``), or ``any`` for all other systems.

    ``before`` and ``after`` are the bytes of all its wheels.
    """

    platform: str
    cells: tuple[CellChange, ...]
    before: int
    after: int


class ValueChange(Struct, frozen=True, kw_only=True):
    """One value before and after."""

    before: str
    after: str

    def __bool__(self) -> bool:
        """Return whether it changed."""
        return self.before != self.after


class SetChange(Struct, frozen=True, kw_only=True):
    """What was added, removed, and changed (before and after), each sorted."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[ValueChange, ...] = ()

    def __bool__(self) -> bool:
        """Return whether anything changed."""
        return bool(self.added or self.removed or self.changed)


class Counted(Struct, frozen=True, kw_only=True):
    """The number of wheels of a release, and their bytes."""

    wheels: int
    size: int


class Growth(Struct, frozen=True, kw_only=True):
    """The wheel that grew most, why if that is known, and how many others grew much."""

    before: Served
    after: Served
    why: str = ""
    others: int = 0


class Comparison(Struct, frozen=True, kw_only=True):
    """A release against an earlier one of ``origin``, an index or a path.

    ``excluded`` are the Pythons that only the earlier Requires-Python admits. What METADATA declares and what
    the wheels install is None where it was not read. ``unserved`` are wheels that no known interpreter
    installs, such as those for Python 2.
    """

    distribution: str
    version: str
    earlier: str
    origin: str
    sdist: bool
    rows: tuple[PlatformChange, ...]
    before: Counted
    after: Counted
    requires_python: ValueChange
    excluded: tuple[str, ...] = ()
    stable_abi: ValueChange
    requirements: SetChange | None = None
    extras: SetChange | None = None
    entry_points: SetChange | None = None
    modules: SetChange | None = None
    unserved: tuple[str, ...] = ()
    growth: Growth | None = None

    def name(self, platform: str) -> str:
        """Return the name of a platform in messages."""
        if platform != ANY:
            return platform
        return "other systems" if len(self.rows) > 1 else "any system"

    def cells(self) -> Iterator[tuple[PlatformChange, CellChange]]:
        """Yield every cell with its row."""
        return ((row, cell) for row in self.rows for cell in row.cells)
