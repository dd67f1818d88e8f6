"""The support matrix: targets by interpreters, less the cells that are not promised."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.matrix.builds import build_identifier, offered_interpreters, selects_cell
from wheelkit.matrix.interpreters import Interpreter, default_interpreters
from wheelkit.matrix.targets import COMMON_TARGETS, Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from wheelkit.config import Config, MatrixOverride


class Absence(StrEnum):
    """Why a cell between a promised target and a promised interpreter is not promised itself."""

    SKIPPED = "skipped"
    OVERRIDDEN = "overridden"
    NOT_BUILT = "not built"  # by cibuildwheel


class AbsentCell(Struct, frozen=True, kw_only=True):
    """A cell that is not promised, and the selector that says so; empty if cibuildwheel does not build it."""

    target: str
    interpreter: str
    why: Absence
    selector: str = ""


class Matrix(Struct, frozen=True, kw_only=True):
    """The promised cells: every target with every interpreter, but for the ``absent`` ones.

    ``targets`` and ``interpreters`` are those with a promised cell. ``declared`` is false if the project only
    has the default. ``unused`` are the patterns of ``skip`` that match no cell.
    """

    targets: tuple[Target, ...]
    interpreters: tuple[Interpreter, ...]
    declared: bool
    absent: tuple[AbsentCell, ...] = ()
    unused: tuple[str, ...] = ()

    def interpreters_on(self, target: Target) -> tuple[Interpreter, ...]:
        """Return the interpreters that are promised on a target; none on another target."""
        if target not in self.targets:
            return ()
        absent = {cell.interpreter for cell in self.absent if cell.target == target.tag}
        return tuple(interpreter for interpreter in self.interpreters if interpreter.tag not in absent)

    def identifiers(self) -> Iterator[str]:
        """Yield cibuildwheel's name of each promised cell; two targets may have a name in common."""
        for target in self.targets:
            yield from (build_identifier(interpreter, target) for interpreter in self.interpreters_on(target))


def matrix_of(config: Config, requires_python: str | None) -> Matrix:
    """Return the support matrix of a validated configuration and a distribution's ``requires-python``."""
    settings = config.matrix
    targets = tuple(map(Target.parse, settings.targets or COMMON_TARGETS))
    if settings.interpreters is None:
        interpreters = default_interpreters(requires_python)
    else:
        interpreters = tuple(map(Interpreter.parse, settings.interpreters))
    wanted = {target: _Wanted(target, interpreters, settings.override) for target in targets}
    columns = _columns(interpreters, wanted.values())
    skip = _Skip(settings.skip)
    absent = tuple(cell for row in wanted.values() for cell in row.absent(columns, skip))
    holes = {(cell.target, cell.interpreter) for cell in absent}
    promised = [
        (target, interpreter)
        for target in targets
        for interpreter in columns
        if (target.tag, interpreter.tag) not in holes
    ]
    return Matrix(
        targets=tuple(dict.fromkeys(target for target, _ in promised)),
        interpreters=tuple(column for column in columns if any(column == one for _, one in promised)),
        declared=settings.targets is not None,
        absent=absent,
        unused=tuple(skip.unused),
    )


class _Skip:
    """The patterns of ``skip``, and those of them that have matched no cell so far."""

    def __init__(self, selectors: Iterable[str]) -> None:
        self._patterns = [pattern for selector in selectors for pattern in selector.split()]
        self.unused = dict.fromkeys(self._patterns)

    def matching(self, interpreter: Interpreter, target: Target) -> str:
        """Return the first pattern that matches a cell, or an empty string."""
        matching = [pattern for pattern in self._patterns if selects_cell(pattern, interpreter, target)]
        for pattern in matching:
            self.unused.pop(pattern, None)
        return matching[0] if matching else ""


class _Wanted:
    """The interpreters that a target has after the overrides; the last one that matches a cell decides."""

    def __init__(
        self, target: Target, interpreters: Iterable[Interpreter], overrides: Iterable[MatrixOverride]
    ) -> None:
        self.target = target
        self.interpreters = tuple(interpreters)
        self.overridden: dict[Interpreter, str] = {}
        for override in overrides:
            self._apply(override)

    def _apply(self, override: MatrixOverride) -> None:
        replaced = [one for one in self.interpreters if selects_cell(override.select, one, self.target)]
        if not replaced:
            return
        kept = [one for one in self.interpreters if one not in replaced]
        self.interpreters = tuple(dict.fromkeys([*kept, *map(Interpreter.parse, override.interpreters)]))
        self.overridden |= dict.fromkeys(replaced, override.select)

    def absent(self, columns: Iterable[Interpreter], skip: _Skip) -> Iterator[AbsentCell]:
        """Yield the cells of this target's row that are not promised."""
        offered = offered_interpreters(self.target)
        for interpreter in columns:
            why, selector = None, ""
            if interpreter not in self.interpreters:
                why, selector = Absence.OVERRIDDEN, self.overridden.get(interpreter, "")
            elif selector := skip.matching(interpreter, self.target):
                why = Absence.SKIPPED
            elif offered and interpreter.tag not in offered:
                why = Absence.NOT_BUILT
            if why is not None:
                yield AbsentCell(
                    target=self.target.tag, interpreter=interpreter.tag, why=why, selector=selector
                )


def _columns(interpreters: Sequence[Interpreter], wanted: Iterable[_Wanted]) -> tuple[Interpreter, ...]:
    """Return all interpreters of all targets: in the order written, those of overrides last."""
    return tuple(dict.fromkeys([*interpreters, *(one for row in wanted for one in row.interpreters)]))
