"""What changed between two wheels of one distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.wheel.library_names import plain_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheelkit.wheel.model import Member, Wheel


class MemberChange(Struct, frozen=True, kw_only=True):
    """Things that only the second wheel has, and that only the first one has, sorted."""

    added: tuple[str, ...]
    removed: tuple[str, ...]

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self.added or self.removed)


class SizeChange(Struct, frozen=True, kw_only=True):
    """One member whose bytes differ: its path in the second wheel, and its unpacked sizes before and after."""

    member: str
    before: int
    after: int


class WheelDifference(Struct, frozen=True, kw_only=True):
    """From the first wheel to the second; members are paired by path, without the version and the hash of grafted libraries."""

    tags: MemberChange
    needed: MemberChange
    symbol_versions: MemberChange
    requirements: MemberChange
    members: MemberChange
    changed: tuple[SizeChange, ...]
    unchanged: int


def diff_wheels(first: Wheel, second: Wheel) -> WheelDifference:
    """Compare two wheels, the second being the newer one."""
    old, new = _by_path(first), _by_path(second)
    both = [(old[path], new[path]) for path in sorted(old.keys() & new.keys())]
    resized = [
        SizeChange(member=b.name, before=a.size, after=b.size) for a, b in both if a.digest != b.digest
    ]
    return WheelDifference(
        tags=_change(map(str, first.tags), map(str, second.tags)),
        needed=_change(map(plain_name, first.needed), map(plain_name, second.needed)),
        symbol_versions=_change(_versions(first), _versions(second)),
        requirements=_change(first.metadata.all("Requires-Dist"), second.metadata.all("Requires-Dist")),
        members=MemberChange(
            added=tuple(sorted(new[path].name for path in new.keys() - old.keys())),
            removed=tuple(sorted(old[path].name for path in old.keys() - new.keys())),
        ),
        changed=tuple(sorted(resized, key=lambda one: abs(one.after - one.before), reverse=True)),
        unchanged=len(both) - len(resized),
    )


def _change(first: Iterable[str], second: Iterable[str]) -> MemberChange:
    old, new = set(first), set(second)
    return MemberChange(added=tuple(sorted(new - old)), removed=tuple(sorted(old - new)))


def _by_path(wheel: Wheel) -> Mapping[str, Member]:
    """Map the members by what of their paths lasts from one version to the next."""
    stem = wheel.dist_info.removesuffix(".dist-info")
    lasting = {}
    for member in wheel.members:
        folder, _, _ = member.name.removeprefix(stem).rpartition("/")
        lasting[f"{folder}/{plain_name(member.name)}"] = member
    return lasting


def _versions(wheel: Wheel) -> set[str]:
    return {
        f"{version.library} {version.version}"
        for _, part in wheel.slices()
        for version in part.versions
        if version.library not in wheel.held
    }
