"""The words for a comparison with an earlier release, which every format of the report uses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.text import plural, shorten_list, size
from wheelkit.verification.comparison.model import Change, SetChange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from wheelkit.verification.comparison.model import (
        CellChange,
        Comparison,
        Counted,
        PlatformChange,
    )


_NAMED = 6
_NUMBERS = re.compile(r"\d+")
_OF_EXTRA = re.compile(r";.*\bextra\b")
# Sizes that differ by less are shown as equal, those that differ by more as a factor.
_EQUAL, _FACTOR = 0.005, 9.995
_WORDS = {
    Change.NEW: "new",
    Change.GONE: "gone",
    Change.EXCLUDED: "stay",
    Change.PURE: "pure",
    Change.NATIVE: "native",
    Change.NONE: "",
}


def title(comparison: Comparison) -> str:
    """Return what is compared: ``demo 2.0 against 1.0 (pypi)``."""
    place = f" ({comparison.origin})" if comparison.origin else ""
    return f"{comparison.distribution} {comparison.version} against {comparison.earlier}{place}"


def cell_word(cell: CellChange) -> str:
    """Return what happened to a cell: ``new``, ``gone``, or by how much its wheel grew, ``=`` for nothing."""
    if cell.change in _WORDS:
        return _WORDS[cell.change]
    growth = cell.growth
    if growth is None:
        return "kept"
    if growth > _FACTOR:
        return f"x{growth + 1:.0f}"
    return "=" if abs(growth) < _EQUAL else f"{growth:+.0%}"


def oldest(row: PlatformChange) -> str:
    """Return the oldest system of a row's wheels: ``glibc 2.28, was 2.17``; a range for several.

    It has changed only if it has for users who got a native wheel before and get one now.
    """
    kept = [cell for cell in row.cells if cell.change in {Change.KEPT, Change.RAISED}]
    before, after = _before(kept), _after(kept)
    if before != after:
        was = before.partition(" ")[2] if after else before
        return f"{after or 'any'}, was {was or 'any'}"
    now = _after(row.cells)
    served = any(cell.after for cell in row.cells)
    return now if served or not _before(row.cells) else f"was {_before(row.cells)}"


def _before(cells: Iterable[CellChange]) -> str:
    return _range(cell.before.oldest for cell in cells if cell.before)


def _after(cells: Iterable[CellChange]) -> str:
    return _range(cell.after.oldest for cell in cells if cell.after)


def _range(systems: Iterable[str]) -> str:
    """Join the names of systems of one kind: ``glibc 2.17`` and ``glibc 2.28`` to ``glibc 2.17-2.28``."""
    names = sorted(set(systems) - {""}, key=lambda name: [int(number) for number in _NUMBERS.findall(name)])
    if len(names) < 2:  # noqa: PLR2004 - a range has two ends
        return "".join(names)
    return f"{names[0]}-{names[-1].partition(' ')[2]}"


def row_size(row: PlatformChange) -> str:
    """Return the size of all wheels of a row: ``65 MB, was 61 MB``."""
    before, after = (size(count) if count else "" for count in (row.before, row.after))
    return _was(after, before)


def _was(after: str, before: str) -> str:
    if before == after or not before:
        return after
    return f"{after}, was {before}" if after else f"was {before}"


def facts(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """Yield what changed besides the wheels of single platforms, as names and texts."""
    yield "wheels", _was(_counted(comparison.after), _counted(comparison.before))
    python, stable = comparison.requires_python, comparison.stable_abi
    if python:
        users = f"users of Python {shorten_list(comparison.excluded, _NAMED)}"
        stay = f"; {users} stay on {comparison.earlier}"
        values = f"{python.after or 'not set'}, was {python.before or 'not set'}"
        yield "Requires-Python", values + (stay if comparison.excluded else "")
    if stable:
        yield "stable ABI", f"{stable.after or 'none'}, was {stable.before or 'none'}"
    if changed := list(_needs(comparison)):
        yield "binaries need", shorten_list(changed, _NAMED)
    if comparison.requirements:
        yield "requirements", _requirements(comparison.requirements)
    for name, change in (
        ("extras", comparison.extras),
        ("entry points", comparison.entry_points),
        ("modules", comparison.modules),
    ):
        if change:
            yield name, _set_change(change)
    if comparison.unserved:
        pythons = sorted({name.split("-")[-3] for name in comparison.unserved})
        wheels = plural(len(comparison.unserved), "wheel")
        yield "not compared", f"{wheels} for other interpreters: {shorten_list(pythons, _NAMED)}"
    if unread := [*_unread(comparison)]:
        yield "not compared", f"{', '.join(unread)}: the files were not read (--deep)"


def _needs(comparison: Comparison) -> Iterator[str]:
    """Yield the platforms whose binaries need something else than before, whatever the tags promise."""
    for row in comparison.rows:
        both = [(cell.before.needs, cell.after.needs) for cell in row.cells if cell.before and cell.after]
        for before, after in dict.fromkeys(pair for pair in both if all(pair) and pair[0] != pair[1]):
            yield f"{comparison.name(row.platform)} {after} (was {before})"


def _counted(counted: Counted) -> str:
    return f"{counted.wheels} ({size(counted.size)})" if counted.size else str(counted.wheels)


def _requirements(change: SetChange) -> str:
    """Name the requirements that everybody gets, and count those of extras."""
    own, of_extras = _only(change, lambda text: not _OF_EXTRA.search(text)), _only(change, _OF_EXTRA.search)
    numbers = {"new": of_extras.added, "gone": of_extras.removed, "changed": of_extras.changed}
    counts = ", ".join(f"{len(names)} {word}" for word, names in numbers.items() if names)
    return "; ".join(filter(None, [_set_change(own), f"of extras: {counts}" if counts else ""]))


def _only(change: SetChange, wanted: Callable[[str], object]) -> SetChange:
    return SetChange(
        added=tuple(filter(wanted, change.added)),
        removed=tuple(filter(wanted, change.removed)),
        changed=tuple(value for value in change.changed if wanted(value.after)),
    )


def _set_change(change: SetChange) -> str:
    changed = [f"{value.after} (was {value.before})" for value in change.changed]
    parts = {"new": change.added, "gone": change.removed, "changed": changed}
    return "; ".join(f"{word}: {shorten_list(names, _NAMED)}" for word, names in parts.items() if names)


def _unread(comparison: Comparison) -> Iterator[str]:
    if comparison.requirements is None:
        yield from ("requirements", "extras")
    if comparison.modules is None:
        yield from ("entry points", "modules")
