"""What users of an earlier release lose: wheels, older systems, Pythons, extras, commands and modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.text import plural, shorten_list, size
from wheelkit.verification.comparison.model import Change
from wheelkit.verification.comparison.serve import platforms_of
from wheelkit.verification.findings import finding
from wheelkit.verification.model import Cover

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from wheelkit.verification.comparison.model import CellChange, Comparison, PlatformChange
    from wheelkit.verification.model import Finding, Row

    Cells = Sequence[tuple[PlatformChange, CellChange]]


_NAMED = 6


def losses(comparison: Comparison, rows: Iterable[Row] = ()) -> Iterator[Finding]:
    """Report what users lose; cells that are missing in ``rows`` of the matrix are reported there already."""
    reported = set(_missing(rows))
    cells = [
        (row, cell) for row, cell in comparison.cells() if (row.platform, cell.interpreter) not in reported
    ]
    yield from _gone(comparison, [one for one in cells if one[1].change is Change.GONE])
    raised = [one for one in cells if one[1].change is Change.RAISED]
    yield from _raised(comparison, [one for one in raised if not one[1].fallback])
    yield from _pure(
        comparison,
        [one for one in cells if one[1].change is Change.PURE],
        [one for one in raised if one[1].fallback],
    )
    yield from _excluded(comparison)
    yield from _grown(comparison)
    yield from _removed(comparison)


def _missing(rows: Iterable[Row]) -> Iterator[tuple[str, str]]:
    """Yield platform and interpreter of every cell that the matrix promises and no wheel covers."""
    for row in rows:
        for platform, _, _ in platforms_of(row.target) if row.judged else ():
            for cell in row.cells:
                if cell.cover in {Cover.SDIST, Cover.MISSING}:
                    yield platform, cell.interpreter


def _gone(comparison: Comparison, gone: Cells) -> Iterator[Finding]:
    """Report users who got a wheel and get none now: an error where they get no sdist either."""
    if gone:
        code = "WK805" if comparison.sdist else "WK806"
        lost = "; ".join(_places(comparison, gone))
        what = f"no wheel any more for {lost}{_stable_abi(comparison, gone)}; {_effect(comparison, 'there')}"
        yield finding(code, what, where=_only_platform(gone))


def _stable_abi(comparison: Comparison, gone: Cells) -> str:
    """Return the reason where the stable ABI began at these interpreters before, and begins later now."""
    change = comparison.stable_abi
    first = change.before.partition("-")[0]
    if change and change.after and any(cell.interpreter == first for _, cell in gone):
        return f" (the stable ABI wheels begin at {change.after}, and began at {change.before})"
    return ""


def _effect(comparison: Comparison, whose: str) -> str:
    if comparison.sdist:
        return f"users {whose} would build from the sdist"
    return f"users {whose} get {comparison.earlier} or nothing, as there is no sdist"


def _raised(comparison: Comparison, raised: Cells) -> Iterator[Finding]:
    if raised:
        what = f"{_steps(comparison, raised)}; {_effect(comparison, 'of older ones')}"
        yield finding("WK807", f"the oldest system is {what}", where=_only_platform(raised))


def _steps(comparison: Comparison, raised: Cells) -> str:
    """Name each step from one oldest system to another, with the platforms that take it."""
    steps: dict[tuple[str, str], list[tuple[PlatformChange, CellChange]]] = {}
    for row, cell in raised:
        if cell.before and cell.after:
            steps.setdefault((cell.before.oldest, cell.after.oldest), []).append((row, cell))
    return "; ".join(
        f"{after} instead of {before or 'any'} for {', '.join(_places(comparison, cells))}"
        for (before, after), cells in steps.items()
    )


def _pure(comparison: Comparison, pure: Cells, fallback: Cells) -> Iterator[Finding]:
    """Note users who get the wheel for any system where they got a native one."""
    effect = f"got a native wheel of {comparison.earlier}, and get the pure one now"
    if pure:
        where = _only_platform(pure)
        yield finding("WK809", f"users of {'; '.join(_places(comparison, pure))} {effect}", where=where)
    if fallback:
        where = _only_platform(fallback)
        what = f"the oldest system is {_steps(comparison, fallback)}; users of older ones {effect}"
        yield finding("WK809", what, where=where)


def _places(comparison: Comparison, cells: Cells) -> Iterator[str]:
    """Yield the platforms of cells, with the interpreters in parentheses unless they are all."""
    by_platform: dict[str, list[str]] = {}
    for row, cell in cells:
        by_platform.setdefault(row.platform, []).append(cell.interpreter)
    before = {row.platform: _served_before(row) for row in comparison.rows}
    groups: dict[tuple[str, ...], list[str]] = {}
    for platform, interpreters in by_platform.items():
        some = tuple(interpreters) if before[platform].difference(interpreters) else ()
        groups.setdefault(some, []).append(comparison.name(platform))
    for some, platforms in _widest_first(groups):
        names, pythons = shorten_list(platforms, _NAMED), shorten_list(some, _NAMED)
        everywhere = len(platforms) == sum(not names.isdisjoint(some) for names in before.values())
        yield pythons if everywhere else f"{names} ({pythons})" if some else names


def _served_before(row: PlatformChange) -> set[str]:
    """Return the interpreters of a row that still matter: not those that Requires-Python excludes now."""
    return {cell.interpreter for cell in row.cells if cell.before and cell.change is not Change.EXCLUDED}


def _widest_first(
    groups: Mapping[tuple[str, ...], Sequence[str]],
) -> Iterable[tuple[tuple[str, ...], Sequence[str]]]:
    return sorted(groups.items(), key=lambda group: (bool(group[0]), -len(group[0]) * len(group[1])))


def _only_platform(cells: Cells) -> str:
    names = {row.platform for row, _ in cells}
    return names.pop() if len(names) == 1 else ""


def _excluded(comparison: Comparison) -> Iterator[Finding]:
    change = comparison.requires_python
    if comparison.excluded:
        users = shorten_list(comparison.excluded, _NAMED)
        what = f"Requires-Python is {change.after}, and was {change.before or 'not set'}"
        yield finding("WK808", f"{what}; users of Python {users} stay on {comparison.earlier}")


def _grown(comparison: Comparison) -> Iterator[Finding]:
    growth = comparison.growth
    if growth is not None:
        before, after = growth.before, growth.after
        what = f"the wheel is {size(after.size)}, {after.size / before.size - 1:.0%} more than {before.file}"
        why = f"; largest growth: {growth.why}" if growth.why else ""
        others = f"; {plural(growth.others, 'other wheel')} grew by more than 10%" if growth.others else ""
        yield finding("WK604", what + why + others, file=after.file)


def _removed(comparison: Comparison) -> Iterator[Finding]:
    for code, change, one, many in (
        ("WK810", comparison.extras, "extra", "extras"),
        ("WK811", comparison.entry_points, "entry point", "entry points"),
        ("WK812", comparison.modules, "top-level module", "top-level modules"),
    ):
        if change is not None and change.removed:
            names = shorten_list(change.removed, _NAMED)
            noun, verb = (one, "is") if len(change.removed) == 1 else (many, "are")
            yield finding(code, f"{noun} of {comparison.earlier} that {verb} gone: {names}")
