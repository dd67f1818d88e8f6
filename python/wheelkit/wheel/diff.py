"""Compare two wheels of one distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.wheel.library_names import plain_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheelkit.wheel.model import Member, Wheel


class Change(Struct, frozen=True, kw_only=True):
    """What only the second wheel has, and what only the first one has, sorted."""

    added: tuple[str, ...]
    removed: tuple[str, ...]

    def __bool__(self) -> bool:
        """Return whether anything was added or removed."""
        return bool(self.added or self.removed)


class SizeChange(Struct, frozen=True, kw_only=True):
    """A member that differs: its path in the second wheel, and its unpacked bytes before and after."""

    member: str
    before: int
    after: int


class WheelDifference(Struct, frozen=True, kw_only=True):
    """What changed between two wheels; members are paired by path, less version and hashes of libraries."""

    tags: Change
    needed: Change
    symbol_versions: Change
    requirements: Change
    members: Change
    changed: tuple[SizeChange, ...]
    unchanged: int


def diff_wheels(first: Wheel, second: Wheel) -> WheelDifference:
    """Compare two wheels, the second being the newer one."""
    old, new = _by_path(first), _by_path(second)
    both = sorted(old.keys() & new.keys())
    pairs = [(old[path], new[path]) for path in both if old[path].digest != new[path].digest]
    changed = [SizeChange(member=after.name, before=before.size, after=after.size) for before, after in pairs]
    return WheelDifference(
        tags=_change(map(str, first.tags), map(str, second.tags)),
        needed=_change(map(plain_name, first.needed), map(plain_name, second.needed)),
        symbol_versions=_change(_versions(first), _versions(second)),
        requirements=_change(first.metadata.all("Requires-Dist"), second.metadata.all("Requires-Dist")),
        members=Change(
            added=tuple(sorted(new[path].name for path in new.keys() - old.keys())),
            removed=tuple(sorted(old[path].name for path in old.keys() - new.keys())),
        ),
        changed=tuple(sorted(changed, key=lambda change: abs(change.after - change.before), reverse=True)),
        unchanged=len(both) - len(changed),
    )


def _change(first: Iterable[str], second: Iterable[str]) -> Change:
    old, new = set(first), set(second)
    return Change(added=tuple(sorted(new - old)), removed=tuple(sorted(old - new)))


def _by_path(wheel: Wheel) -> Mapping[str, Member]:
    return {lasting_path(wheel, member): member for member in wheel.members}


def lasting_path(wheel: Wheel, member: Member) -> str:
    """Return the part of a member's path that stays from one version to the next.

    It is without the version in .dist-info and .data, and the hash of a grafted library.
    """
    stem = wheel.dist_info.removesuffix(".dist-info")
    folder, slash, _ = member.name.removeprefix(stem).rpartition("/")
    return f"{folder}{slash}{plain_name(member.name)}"


def _versions(wheel: Wheel) -> set[str]:
    return {
        f"{version.library} {version.version}"
        for _, slice_ in wheel.slices()
        for version in slice_.versions
        if version.library not in wheel.held
    }
