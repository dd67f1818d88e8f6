"""Checks a family for versions that disagree, ranges that exclude a sibling, and ambiguous tags."""

from __future__ import annotations

from itertools import combinations, product
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_version

from wheelkit.machine.git import Repository
from wheelkit.versions.bump import is_version
from wheelkit.versions.git import DEFAULT_TEMPLATE, version_in
from wheelkit.versions.model import Scheme, VersionProblem
from wheelkit.versions.ranges import admits, bounded, closed, moved, valid
from wheelkit.versions.state import settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from wheelkit.config import Config
    from wheelkit.versions.model import FamilyRequirement, FamilyVersions, VersionedDistribution


_SHOWN = 5
# ``VersionProblem.where`` of problems that are in no file.
GIT_TAGS = "git tags"
TEMPLATE = "tag"


def check(config: Config, state: FamilyVersions) -> tuple[VersionProblem, ...]:
    """Return all problems of versions, of ranges between siblings, and of configured tag templates."""
    templated = [key for key in state.members if settings(config, key).tag is not None]
    return (
        *(problem for member in state.members.values() for problem in _check_version(state, member)),
        *(problem for requirement in state.requirements for problem in _check_range(state, requirement)),
        *_check_tags(config, state),
        *ambiguous_tags(config, state, templated),
    )


def _check_version(state: FamilyVersions, member: VersionedDistribution) -> Iterator[VersionProblem]:
    name = member.distribution.name
    if member.scheme is Scheme.TAGS and member.tagged is None:
        what, fix = _no_tag(state, name)
        yield VersionProblem(distribution=name, where=GIT_TAGS, what=what, fix=fix)
    for location in member.locations:
        if not is_version(location.text):
            yield VersionProblem(
                distribution=name,
                where=state.describe(location),
                what=f'"{location.text}" is not a valid version (PEP 440)',
                fix=f"wheelkit version set 1.2.3 {name}",
            )
    by_version: dict[str, list[str]] = {}
    for location in member.locations:
        key = _canonical(location.text)
        by_version.setdefault(key, []).append(f"{location.text} in {state.describe(location)}")
    if len(by_version) > 1:
        stated = "; ".join(" and ".join(locations) for locations in by_version.values())
        fix = f"wheelkit version set {member.version} {name}"
        yield VersionProblem(
            distribution=name, where=stated, what=f"its versions disagree: {stated}", fix=fix
        )


def _no_tag(state: FamilyVersions, name: str) -> tuple[str, str]:
    """Return what is wrong where no version tag is seen, and how to fix it: a shallow clone may lack it."""
    what = "its version comes from git tags, but this commit and those before it have no version tag"
    if Repository(folder=state.root).shallow:
        what = "its version comes from git tags, and this shallow clone has none: older commits are missing"
        return what, "git fetch --unshallow --tags   (actions/checkout: fetch-depth: 0)"
    return what, f"wheelkit version tag {name} --as 0.1.0   (in CI: fetch the tags and the whole history)"


def _check_tags(config: Config, state: FamilyVersions) -> Iterator[VersionProblem]:
    """Yield tags on this commit that state another version than the files: an upload would refuse them.

    A tag that follows the releases, such as ``v1``, does not count beside the release's own.
    """
    tags = Repository(folder=state.root).tags_here()
    for key, member in state.members.items():
        template = settings(config, key).tag or DEFAULT_TEMPLATE
        tagged = {version: tag for tag in tags if (version := version_in(tag, template))}
        if member.scheme is not Scheme.FILES or not tagged or not member.version:
            continue
        if _canonical(member.version) not in tagged:
            version, tag = next(iter(tagged.items()))
            what = f"this commit has the tag {tag}, but the version is {member.version}"
            name = member.distribution.name
            other = "or delete the tag, if it is not public"
            fix = f"wheelkit version set {version} {name}   (and commit; {other})"
            yield VersionProblem(distribution=name, where=GIT_TAGS, what=what, fix=fix)


def _check_range(state: FamilyVersions, requirement: FamilyRequirement) -> Iterator[VersionProblem]:
    for what, fix in _range_problems(state, requirement):
        yield VersionProblem(
            distribution=state.members[requirement.dependent].distribution.name,
            where=state.describe(requirement.location),
            what=what,
            fix=fix,
        )


def _range_problems(state: FamilyVersions, requirement: FamilyRequirement) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a requirement on a sibling, and how to fix it."""
    sibling = state.members[requirement.sibling]
    name, text, poetry = sibling.distribution.name, requirement.range, requirement.poetry
    version = sibling.version if sibling.version and is_version(sibling.version) else None
    written = (
        f"{requirement.sibling} = {requirement.location.text}"
        if poetry
        else requirement.location.text.strip()
    )
    fix = f"write {_suggestion(requirement, version)}"
    if requirement.span is None:
        if requirement.published:
            yield f'"{written}" is a direct reference: indexes reject it, and it states no version', fix
        return
    if text and version and not admits(text, version, poetry=poetry):
        movable = requirement.editable and sibling.editable
        follow = f"wheelkit version set {version} {name}   (the ranges follow)"
        yield f"it needs {name} {text}, but {name} is {version}", follow if movable else fix
    if requirement.published and not bounded(text, poetry=poetry):
        yield f'"{written}" has no upper bound: a later {name} that breaks it would be installed', fix


def _suggestion(requirement: FamilyRequirement, version: str | None) -> str:
    """Return the requirement, in quotes, with an upper bound, so that it allows the sibling's version."""
    text, poetry, span = requirement.range, requirement.poetry, requirement.span
    known = version or "1.0.0"
    if span is None or not valid(text, poetry=poetry):
        return f'"{"" if poetry else requirement.sibling}{moved("", known)}"'
    only_open = not bounded(text, poetry=poetry) and (version is None or admits(text, version, poetry=poetry))
    new = closed(text, known, poetry=poetry) if only_open else moved(text, known, poetry=poetry)
    head, tail = requirement.location.text[: span.start], requirement.location.text[span.end :]
    return f'"{head if text else head.rstrip()}{new}{tail}"'


def ambiguous_tags(config: Config, state: FamilyVersions, keys: Iterable[str]) -> Iterator[VersionProblem]:
    """Yield tag templates for which one tag could mean two distributions.

    Distributions with the same version may share a template.
    """
    groups: dict[str, list[str]] = {}
    for key in sorted(keys):
        groups.setdefault(settings(config, key).tag or DEFAULT_TEMPLATE, []).append(key)
    for template, names in groups.items():
        versions = {_canonical(state.members[name].version or "") for name in names}
        if len(names) > 1 and ("" in versions or len(versions) > 1):
            yield _shared_template(state, template, names)
    for first, second in combinations(groups, 2):
        for key, other in product(_by_version(state, groups[first]), _by_version(state, groups[second])):
            pairs = ((first, state.members[key].version), (second, state.members[other].version))
            if tag := _ambiguous_tag(*pairs):
                what = f'the tag "{tag}" can mean {key} ("{first}") and {other} ("{second}")'
                yield VersionProblem(distribution=key, where=TEMPLATE, what=what, fix=_template_for(other))
                break


def _by_version(state: FamilyVersions, names: Sequence[str]) -> Iterable[str]:
    """Return the first distribution of each version."""
    return {state.members[name].version: name for name in reversed(names)}.values()


def _shared_template(state: FamilyVersions, template: str, names: Sequence[str]) -> VersionProblem:
    shown = [f"{name} {state.members[name].version or '(of unknown version)'}" for name in names]
    if len(shown) > _SHOWN:
        shown[_SHOWN - 1 :] = [f"{len(shown) - _SHOWN + 1} more"]
    pair = len(names) == 2  # noqa: PLR2004 - "both", not "all"
    what = f'{", ".join(shown[:-1])} and {shown[-1]} are {"both" if pair else "all"} tagged "{template}"'
    fix = _template_for(names[1]) + ("" if pair else "   (and one for each of the others)")
    return VersionProblem(distribution=names[0], where=TEMPLATE, what=what, fix=fix)


def _template_for(name: str) -> str:
    return f'[tool.wheelkit.distribution.{name}] tag = "{name}-v{{version}}"'


def _ambiguous_tag(first: tuple[str, str | None], second: tuple[str, str | None]) -> str:
    """Return a tag by one template from which the other reads a version too; empty if there is none."""
    for (template, version), (other, _) in ((first, second), (second, first)):
        for sample in (*([version] if version else []), "1.2.3", "1.0rc1"):
            tag = template.replace("{version}", sample)
            if version_in(tag, other) is not None:
                return tag
    return ""


def _canonical(text: str) -> str:
    """Return the normal form of a version; an invalid one as it is."""
    return canonicalize_version(text, strip_trailing_zero=False)
