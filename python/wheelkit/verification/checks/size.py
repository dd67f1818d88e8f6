"""Size: the project's budget and the index's limit, with the members that weigh most."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.text import plural
from wheelkit.text import size as shown
from wheelkit.verification.findings import finding
from wheelkit.wheel.library_names import plain_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import FileName, Wheel
    from wheelkit.wheel.model import Member


INDEX_LIMIT = 100 * 1024 * 1024
"""The default limit of PyPI for one file; it counts in powers of 1024."""

_NAMED = 3
# Below this share, debug sections and symbol tables are not worth a word.
_WORTH_STRIPPING = 0.2
_SMALL = 256 * 1024


def budget(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report a wheel above the project's own limit, or above the index's where the project sets none."""
    promise = contract.promise(wheel.distribution)
    limit = promise.max_size if promise else None
    if limit is not None and wheel.size > limit:
        what = f"it has {shown(wheel.size)}, over the project's limit of {shown(limit)}; {heaviest(wheel)}"
        yield finding("WK601", what=what, file=wheel.filename)
    elif limit is None and wheel.size > INDEX_LIMIT:
        what = f"it has {shown(wheel.size)}; PyPI takes files up to {INDEX_LIMIT >> 20} MiB by default; {heaviest(wheel)}"
        yield finding("WK602", what=what, file=wheel.filename)


def heaviest(wheel: Wheel) -> str:
    """Name the members that take most of the archive, where they were read."""
    if not wheel.members:
        return "its members were not looked at"
    biggest = sorted(wheel.members, key=lambda member: member.packed, reverse=True)[:_NAMED]
    return "most of it: " + ", ".join(f"{member.name} ({shown(member.packed)})" for member in biggest)


# Growth below this share or this many bytes is what releases do.
_WORTH_TELLING, _LITTLE = 0.1, 100_000


def growth(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report a wheel that is a good deal larger than the reference wheel for the same interpreters and systems."""
    before = next((one for one in contract.reference if same_cells(one, wheel)), None)
    if before is None:
        return
    more = wheel.size - before.size
    if more > _LITTLE and more > before.size * _WORTH_TELLING:
        what = f"it has {shown(wheel.size)}, {more / before.size:.0%} more than {before.filename}; {_grown(before, wheel)}"
        yield finding("WK604", what=what, file=wheel.filename)


def same_cells(one: Wheel, other: Wheel) -> bool:
    """Tell whether two wheels of a distribution are for the same interpreters, and the same systems in whatever version of them."""
    if one.name is None or other.name is None or one.distribution != other.distribution:
        return False
    return (one.name.pythons, one.name.abis, _systems(one.name)) == (
        other.name.pythons,
        other.name.abis,
        _systems(other.name),
    )


_VERSION = re.compile(r"^(manylinux|musllinux|macosx)(?:\d+|_\d+_\d+)_")


def _systems(name: FileName) -> frozenset[str]:
    """Name the platforms without the versions of their systems: ``manylinux_x86_64`` for manylinux2014 and manylinux_2_28 alike."""
    return frozenset(_VERSION.sub(r"\1_", platform) for platform in name.platforms)


def _grown(before: Wheel, after: Wheel) -> str:
    """Name the members that grew most; a grafted library keeps its name but for the hash."""
    old: dict[str, int] = {}
    for member in before.members:
        old[_lasting(member.name)] = old.get(_lasting(member.name), 0) + member.packed
    grown = ((member.packed - old.get(_lasting(member.name), 0), member) for member in after.members)
    most = sorted((item for item in grown if item[0] > 0), key=lambda item: item[0], reverse=True)[:_NAMED]
    words = (
        f"{member.name} ({'new, ' if _lasting(member.name) not in old else ''}+{shown(count)})"
        for count, member in most
    )
    return "most of it: " + ", ".join(words)


def _lasting(member: str) -> str:
    return f"{member.rpartition('/')[0]}/{plain_name(member)}"


# A copy of fewer bytes, or one that is a smaller part of the wheel, is not worth a word.
_COPY, _PART = 100_000, 0.05


def copies(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Note large files that are in the wheel more than once under several names: most often links that were packed as what they lead to."""
    alike: dict[str, list[Member]] = {}
    for member in wheel.members:
        if member.digest and member.size >= _COPY:
            alike.setdefault(member.digest, []).append(member)
    several = sorted((group for group in alike.values() if group[1:]), key=_wasted, reverse=True)
    wasted = sum(map(_wasted, several))
    if wasted >= _COPY and wasted >= wheel.size * _PART:
        names = " and ".join(member.name for member in several[0][:2])
        others = f" (and {plural(len(several[0]) - 2, 'other')})" if several[0][2:] else ""
        more = (
            f", and {plural(len(several) - 1, 'other file')} {'is' if not several[2:] else 'are'} there more than once, too"
            if several[1:]
            else ""
        )
        what = f"{shown(wasted)} of it are copies: {names}{others} are the same bytes{more}"
        yield finding("WK605", what=what, file=wheel.filename, member=several[0][0].name)


def _wasted(group: list[Member]) -> int:
    return sum(member.packed for member in group[1:])


def strippable(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Note binaries of which debug sections and symbol tables, which no user needs, are a good part."""
    sizes = {member.name: member.size for member in wheel.members}
    waste = {
        binary.member: sum(part.debug_bytes + part.symbol_bytes for part in binary.slices)
        for binary in wheel.binaries
    }
    heavy = [
        name
        for name, count in waste.items()
        if count > _SMALL and count > sizes.get(name, 0) * _WORTH_STRIPPING
    ]
    if heavy:
        worst = max(heavy, key=waste.__getitem__)
        others = f" and {plural(len(heavy) - 1, 'other')}" if len(heavy) > 1 else ""
        what = f"{shown(sum(waste[name] for name in heavy))} of {worst}{others} are debug sections and symbol tables"
        yield finding("WK603", what=what, file=wheel.filename, member=worst)
