"""Compare two releases: the wheels that users get, and what METADATA declares and wheels install."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.fast_packaging import admits, normalise, parse_requirement
from wheelkit.matrix import LATEST_PATCH, NEWEST_CPYTHON_MINOR, Interpreter, admits_python
from wheelkit.text import dotted
from wheelkit.verification.comparison.growth import largest_growth
from wheelkit.verification.comparison.model import (
    ANY,
    CellChange,
    Change,
    Comparison,
    Counted,
    PlatformChange,
    Served,
    SetChange,
    ValueChange,
)
from wheelkit.verification.comparison.serve import (
    interpreters,
    platform_order,
    services,
    stable_floors,
    system_version,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from wheelkit.verification.comparison.facts import Contents, Declared, ReleaseFacts, WheelFacts
    from wheelkit.verification.comparison.serve import Service

    WheelPair = tuple[WheelFacts, WheelFacts]


class _Pair(Struct, frozen=True, kw_only=True):
    """Both releases with what users get of each, by platform and interpreter."""

    before: ReleaseFacts
    after: ReleaseFacts
    columns: tuple[Interpreter, ...]
    old: Mapping[str, Mapping[str, Service]]
    new: Mapping[str, Mapping[str, Service]]

    @property
    def platforms(self) -> tuple[str, ...]:
        return tuple(sorted({*self.old, *self.new}, key=platform_order))

    def services(self, platform: str, interpreter: Interpreter) -> tuple[Service | None, Service | None]:
        """Return what users get of each release; pure wheels serve platforms that have none of their own."""
        old, new = (
            served.get(platform, served.get(ANY, {})).get(interpreter.tag) for served in (self.old, self.new)
        )
        return old, new

    def common(self) -> tuple[WheelPair, ...]:
        """Return the pairs of wheels that users of one platform and interpreter get of both releases."""
        cells = product(self.platforms, self.columns)
        served = (self.services(platform, interpreter) for platform, interpreter in cells)
        pairs = [(old.wheel, new.wheel) for old, new in served if old and new]
        return tuple({(old.filename, new.filename): (old, new) for old, new in pairs}.values())


def compare(
    before: ReleaseFacts, after: ReleaseFacts, judges: Callable[[str], bool] = lambda _platform: True
) -> Comparison:
    """Compare a release with an earlier one; only where ``judges`` a platform, an absent wheel is a loss."""
    pair = _pair(before, after)
    used = [interpreter for interpreter in pair.columns if _used(pair, interpreter)]
    rows = (_row(pair, platform, used, judges) for platform in pair.platforms)
    common = pair.common()
    declared = _declared(pair, common)
    return Comparison(
        distribution=after.distribution,
        version=after.version,
        earlier=before.version,
        origin=before.origin,
        sdist=after.sdist,
        rows=tuple(row for row in rows if any(cell.change is not Change.NONE for cell in row.cells)),
        before=_counted(before),
        after=_counted(after),
        requires_python=_requires_python(before.requires_python, after.requires_python),
        excluded=_excluded(before.requires_python, after.requires_python),
        stable_abi=ValueChange(
            before=", ".join(stable_floors(before)), after=", ".join(stable_floors(after))
        ),
        requirements=declared and _requirements(*declared),
        extras=declared and _changes(*(map(normalise, side.extras) for side in declared)),
        entry_points=_installed(common, lambda contents: contents.entry_points),
        modules=_installed(common, lambda contents: contents.modules),
        unserved=_unserved(pair),
        growth=largest_growth(common),
    )


def representatives(before: ReleaseFacts, after: ReleaseFacts) -> tuple[str, str] | None:
    """Return the file names of two wheels whose METADATA can be compared: those that the same users get."""
    common = _pair(before, after).common()
    return (common[0][0].filename, common[0][1].filename) if common else None


def _pair(before: ReleaseFacts, after: ReleaseFacts) -> _Pair:
    columns = interpreters((before, after))
    return _Pair(
        before=before,
        after=after,
        columns=columns,
        old=services(before.wheels, columns),
        new=services(after.wheels, columns),
    )


def _used(pair: _Pair, interpreter: Interpreter) -> bool:
    return any(any(pair.services(platform, interpreter)) for platform in pair.platforms)


def _counted(release: ReleaseFacts) -> Counted:
    return Counted(wheels=len(release.wheels), size=sum(wheel.size for wheel in release.wheels))


def _row(
    pair: _Pair, platform: str, columns: Iterable[Interpreter], judges: Callable[[str], bool]
) -> PlatformChange:
    cells = tuple(_cell(pair, platform, interpreter, judged=judges(platform)) for interpreter in columns)
    return PlatformChange(
        platform=platform,
        cells=cells,
        before=_bytes(cell.before for cell in cells),
        after=_bytes(cell.after for cell in cells),
    )


def _bytes(served: Iterable[Served | None]) -> int:
    return sum({wheel.file: wheel.size for wheel in served if wheel}.values())


def _cell(pair: _Pair, platform: str, interpreter: Interpreter, *, judged: bool) -> CellChange:
    before, after = pair.services(platform, interpreter)
    change = Change.NONE
    if before and after:
        change = _change(before, after)
    elif after:
        change = Change.NEW
    elif before and judged:
        excluded = not admits_python(pair.after.requires_python or None, interpreter)
        change = Change.EXCLUDED if excluded else Change.GONE
    return CellChange(
        interpreter=interpreter.tag,
        change=change,
        before=_served(before, platform) if change is not Change.NONE else None,
        after=_served(after, platform),
        fallback=after is not None and after.fallback,
    )


def _change(before: Service, after: Service) -> Change:
    if after.pure != before.pure:
        return Change.PURE if after.pure else Change.NATIVE
    return Change.RAISED if after.oldest > before.oldest else Change.KEPT


def _served(service: Service | None, platform: str) -> Served | None:
    if service is None:
        return None
    wheel, contents = service.wheel, service.wheel.contents
    return Served(
        file=wheel.filename,
        size=wheel.size,
        oldest="" if service.pure else system_version(platform, service.oldest),
        needs=contents.needs.get(platform, "") if contents else "",
    )


def _requires_python(before: str, after: str) -> ValueChange:
    """Compare two values of Requires-Python; the order of the clauses and blanks are no change."""
    clauses = [sorted(part.replace(" ", "") for part in text.split(",")) for text in (before, after)]
    return ValueChange(before=after if clauses[0] == clauses[1] else before, after=after)


def _excluded(before: str, after: str) -> tuple[str, ...]:
    """Return the Pythons that only the earlier Requires-Python admits, such as ``3.9``."""
    if before == after:
        return ()
    return tuple(_excluded_pythons(before, after))


def _excluded_pythons(before: str, after: str) -> Iterator[str]:
    for series in ((2, 7), *((3, minor) for minor in range(NEWEST_CPYTHON_MINOR + 1))):
        kept = _admitted(after, series)
        if _admitted(before, series) - kept:
            yield f"some releases of {dotted(series)}" if kept else dotted(series)


def _admitted(required: str, series: tuple[int, int]) -> set[int]:
    """Return the patch releases that installers accept; they ignore a value that they cannot parse."""
    try:
        return {patch for patch in range(LATEST_PATCH + 1) if admits(required, (*series, patch))}
    except ValueError:
        return set(range(LATEST_PATCH + 1))


def _declared(pair: _Pair, common: Iterable[WheelPair]) -> tuple[Declared, Declared] | None:
    """Return what METADATA of both releases declares: of wheels that the same users get, if there are any."""
    for old, new in common:
        if old.declared and new.declared:
            return old.declared, new.declared
    sides = [
        next((wheel.declared for wheel in release.wheels if wheel.declared), None)
        for release in (pair.before, pair.after)
    ]
    return (sides[0], sides[1]) if sides[0] and sides[1] else None


def _requirements(before: Declared, after: Declared) -> SetChange:
    """Compare requirements; one whose name and marker stay is changed, not removed and added."""
    old, new = _by_subject(before.requirements), _by_subject(after.requirements)
    changes = _changes(
        (text for subject, text in old.items() if subject not in new),
        (text for subject, text in new.items() if subject not in old),
    )
    changed = (
        ValueChange(before=old[subject], after=new[subject])
        for subject in sorted(old.keys() & new.keys())
        if old[subject] != new[subject]
    )
    return SetChange(added=changes.added, removed=changes.removed, changed=tuple(changed))


def _by_subject(lines: Iterable[str]) -> dict[tuple[str, str, str], str]:
    """Map requirements, in one spelling, by name, extras and marker; by themselves where they are invalid."""
    requirements: dict[tuple[str, str, str], str] = {}
    for line in lines:
        try:
            parsed = parse_requirement(line)
        except ValueError:
            requirements[line, "", ""] = line
            continue
        subject = normalise(parsed.name), ",".join(sorted(parsed.extras)), str(parsed.marker or "")
        # Several lines with one subject, such as ">=1" and "<2", are one requirement.
        both = requirements.get(subject)
        requirements[subject] = f"{both}, {parsed}" if both else str(parsed)
    return requirements


def _changes(before: Iterable[str], after: Iterable[str]) -> SetChange:
    old, new = set(before), set(after)
    return SetChange(added=tuple(sorted(new - old)), removed=tuple(sorted(old - new)))


def _installed(common: Iterable[WheelPair], names: Callable[[Contents], frozenset[str]]) -> SetChange | None:
    """Compare what the same users get of both releases; what only some of them lose is no change."""
    read = [(old.contents, new.contents) for old, new in common]
    known = [(names(old), names(new)) for old, new in read if old is not None and new is not None]
    if not known:
        return None
    old_names, new_names = (frozenset[str]().union(*side) for side in zip(*known, strict=True))
    return _changes(old_names, new_names)


def _unserved(pair: _Pair) -> tuple[str, ...]:
    """Return the wheels that no platform and interpreter of the comparison gets."""
    sides = (pair.old, pair.new)
    used = {service.wheel.filename for side in sides for row in side.values() for service in row.values()}
    fits = [services([wheel], pair.columns) for wheel in _wheels(pair, used)]
    return tuple(
        wheel.filename
        for wheel, fitting in zip(_wheels(pair, used), fits, strict=True)
        if not any(fitting.values())
    )


def _wheels(pair: _Pair, used: set[str]) -> Sequence[WheelFacts]:
    wheels = (*pair.before.wheels, *pair.after.wheels)
    return [wheel for wheel in wheels if wheel.filename not in used]
