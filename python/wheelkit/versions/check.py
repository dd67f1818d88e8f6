"""What is wrong with the versions of a family: places that disagree, ranges that the siblings' own versions do not satisfy."""

from __future__ import annotations

from itertools import combinations, islice, product
from typing import TYPE_CHECKING

from wheelkit.machine.git import Repository
from wheelkit.versions.git import DEFAULT_TEMPLATE, version_in
from wheelkit.versions.model import Scheme, VersionProblem
from wheelkit.versions.ranges import admits, bounded, closed, moved, valid
from wheelkit.versions.state import settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from wheelkit.config import Config
    from wheelkit.versions.model import FamilyRequirement, FamilyVersions, VersionedDistribution


_GLIMPSE = 5


def check(config: Config, state: FamilyVersions) -> tuple[VersionProblem, ...]:
    """Find every drift: in the versions, in the ranges between siblings, and between the templates of tags."""
    found = [problem for member in state.members.values() for problem in _member(state, member)]
    found += [problem for need in state.needs for problem in _need(state, need)]
    return (
        *found,
        *ambiguous(config, state, [key for key in state.members if settings(config, key).tag is not None]),
    )


def _member(state: FamilyVersions, member: VersionedDistribution) -> Iterator[VersionProblem]:
    name = member.distribution.name
    if member.scheme is Scheme.TAGS and member.tagged is None:
        yield VersionProblem(
            distribution=name,
            where="git tags",
            what="its version comes from git tags, and no tag below this commit holds one",
            fix="git fetch --unshallow --tags   (this clone is shallow)"
            if Repository(folder=state.root).shallow
            else f"wheelkit version tag {name} --as 0.1.0   (in CI: fetch the tags and the whole history)",
        )
    yield from _invalid(state, member)
    told: dict[str, list[str]] = {}
    for place in member.places:
        told.setdefault(_canonical(place.text), []).append(
            f"{place.text} in {state.shown(place.path)}, {place.where}"
        )
    if len(told) > 1:
        parts = "; ".join(" and ".join(places) for places in told.values())
        first = member.version
        yield VersionProblem(
            distribution=name,
            where=parts,
            what=f"its version is {parts}",
            fix=f"wheelkit version set {first} {name}",
        )


def _invalid(state: FamilyVersions, member: VersionedDistribution) -> Iterator[VersionProblem]:
    for place in member.places:
        if _canonical(place.text) == place.text and not _is_version(place.text):
            where = f"{state.shown(place.path)}, {place.where}"
            fix = f"wheelkit version set 1.2.3 {member.distribution.name}"
            yield VersionProblem(
                distribution=member.distribution.name,
                where=where,
                what=f'"{place.text}" is no version by PEP 440',
                fix=fix,
            )


def _need(state: FamilyVersions, need: FamilyRequirement) -> Iterator[VersionProblem]:
    dependent, sibling = state.members[need.dependent].distribution.name, state.members[need.sibling]
    where = f"{state.shown(need.place.path)}, {need.place.where}"
    version = sibling.version if sibling.version and _is_version(sibling.version) else None
    fix = f"write {_suggested(need, version)}"
    if need.span is None:
        if not need.published:
            return
        what = (
            f'"{_written(need)}" names a file or an address: indexes refuse that, and no version is promised'
        )
        yield VersionProblem(distribution=dependent, where=where, what=what, fix=fix)
        return
    if need.range and version and not admits(need.range, version, poetry=need.poetry):
        what = (
            f"it needs {sibling.distribution.name} {need.range}, and {sibling.distribution.name} is {version}"
        )
        follow = f"wheelkit version set {version} {sibling.distribution.name}   (the ranges follow)"
        yield VersionProblem(
            distribution=dependent,
            where=where,
            what=what,
            fix=follow if need.editable and sibling.editable else fix,
        )
    if need.published and not bounded(need.range, poetry=need.poetry):
        what = f'"{_written(need)}" has no upper bound: a later {sibling.distribution.name} that breaks it would be installed'
        yield VersionProblem(distribution=dependent, where=where, what=what, fix=fix)


def _suggested(need: FamilyRequirement, version: str | None) -> str:
    known = version or "1.0.0"
    if need.span is None or not valid(need.range, poetry=need.poetry):
        return f'"{moved("", known)}"' if need.poetry else f'"{need.sibling}{moved("", known)}"'
    open_end = not bounded(need.range, poetry=need.poetry) and (
        version is None or admits(need.range, version, poetry=need.poetry)
    )
    new = (
        closed(need.range, known, poetry=need.poetry)
        if open_end
        else moved(need.range, known, poetry=need.poetry)
    )
    head, tail = need.place.text[: need.span.start], need.place.text[need.span.end :]
    return f'"{head if need.range else head.rstrip()}{new}{tail}"'


def _written(need: FamilyRequirement) -> str:
    """Show a requirement as it is written; poetry's with the name that stands before it."""
    return f"{need.sibling} = {need.place.text}" if need.poetry else need.place.text.strip()


def ambiguous(config: Config, state: FamilyVersions, keys: Iterable[str]) -> Iterator[VersionProblem]:
    """Find templates by which one tag could mean two of the distributions; one template for all is fine while their versions are one."""
    groups: dict[str, list[str]] = {}
    for key in sorted(keys):
        groups.setdefault(settings(config, key).tag or DEFAULT_TEMPLATE, []).append(key)
    for template, names in groups.items():
        versions = {
            _canonical(version) if (version := state.members[name].version) else None for name in names
        }
        if len(names) > 1 and (None in versions or len(versions) > 1):
            yield _shared(state, template, names)
    each = {
        template: {state.members[name].version: name for name in reversed(names)}.values()
        for template, names in groups.items()
    }
    for one, other in combinations(groups, 2):
        members = product(each[one], each[other])
        samples = (
            (a, b, _confused((one, state.members[a].version), (other, state.members[b].version)))
            for a, b in members
        )
        for a, b, sample in islice(((a, b, sample) for a, b, sample in samples if sample), 1):
            what = f'the tag "{sample}" can mean {a} ("{one}") and {b} ("{other}")'
            yield VersionProblem(distribution=a, where="tag", what=what, fix=_tag_fix(b))


def _shared(state: FamilyVersions, template: str, names: Sequence[str]) -> VersionProblem:
    told = [f"{name} {state.members[name].version or '(of unknown version)'}" for name in names]
    told = told if len(told) <= _GLIMPSE else [*told[: _GLIMPSE - 1], f"{len(told) - _GLIMPSE + 1} more"]
    pair = len(names) == 2  # noqa: PLR2004 - of two, people say both
    what = f'{", ".join(told[:-1])} and {told[-1]} are {"both" if pair else "all"} tagged "{template}"'
    fix = _tag_fix(names[1]) + ("" if pair else "   (and so on: each its own)")
    return VersionProblem(distribution=names[0], where="tag", what=what, fix=fix)


def _tag_fix(name: str) -> str:
    return f'[tool.wheelkit.distribution.{name}] tag = "{name}-v{{version}}"'


def _confused(one: tuple[str, str | None], other: tuple[str, str | None]) -> str:
    """Give a tag of one template, with the version that goes with it, from which the other reads a version too; else nothing."""
    for (template, own), (against, _) in ((one, other), (other, one)):
        for version in (*([own] if own else []), "1.2.3", "1.0rc1"):
            tag = template.replace("{version}", version)
            if version_in(tag, against) is not None:
                return tag
    return ""


def _is_version(text: str) -> bool:
    from packaging.version import InvalidVersion, Version

    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def _canonical(text: str) -> str:
    """Write a version in its one form; what is none stays as it is."""
    from packaging.version import Version

    return str(Version(text)) if _is_version(text) else text
