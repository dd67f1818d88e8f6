"""Checks a family for versions that disagree, ranges that exclude a sibling, and ambiguous tags."""

from __future__ import annotations

from itertools import combinations, product
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_version

from wheelkit.machine.git import Repository
from wheelkit.versions.bump import is_version
from wheelkit.versions.git import DEFAULT_TEMPLATE, FIRST_VERSION, version_in
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
# The finding by which a project accepts ranges without an upper bound.
_OPEN_RANGE = "WK717"


def check(config: Config, state: FamilyVersions) -> tuple[VersionProblem, ...]:
    """Return all problems of versions, of ranges between siblings, and of tag templates."""
    return (
        *(problem for member in state.members.values() for problem in _check_version(state, member)),
        *(
            problem
            for requirement in state.requirements
            for problem in _check_range(config, state, requirement)
        ),
        *_check_tags(config, state),
        *_ambiguous_tags(config, state),
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
        valid_ones = (location.text for location in member.locations if is_version(location.text))
        fix = f"wheelkit version set {next(valid_ones, '1.2.3')} {name}"
        yield VersionProblem(
            distribution=name, where=stated, what=f"its versions disagree: {stated}", fix=fix
        )


def _no_tag(state: FamilyVersions, name: str) -> tuple[str, str]:
    """Return what is wrong where no version tag is seen, and how to fix it: a shallow clone may lack it."""
    what = "its version comes from git tags, but this commit and those before it have no version tag"
    if Repository(folder=state.root).shallow:
        what = "its version comes from git tags, and this shallow clone has none: older commits are missing"
        return what, "git fetch --unshallow --tags\nin CI, with actions/checkout:  fetch-depth: 0"
    fix = f"wheelkit version tag {name} --as {FIRST_VERSION}"
    return what, f"{fix}\nin CI: fetch the tags and the whole history"


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
            fix = (
                f"wheelkit version set {version} {name} --commit\n"
                f"or, if the tag is not public, delete it:  git tag --delete {tag}"
            )
            yield VersionProblem(distribution=name, where=GIT_TAGS, what=what, fix=fix)


def _check_range(
    config: Config, state: FamilyVersions, requirement: FamilyRequirement
) -> Iterator[VersionProblem]:
    for what, fix in _range_problems(config, state, requirement):
        yield VersionProblem(
            distribution=state.members[requirement.dependent].distribution.name,
            where=state.describe(requirement.location),
            what=what,
            fix=fix,
        )


def _range_problems(
    config: Config, state: FamilyVersions, requirement: FamilyRequirement
) -> Iterator[tuple[str, str]]:
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
    accepted = _OPEN_RANGE in settings(config, requirement.dependent).ignore
    if requirement.published and not accepted and not bounded(text, poetry=poetry):
        table = config.table("distribution", requirement.dependent, "ignore")
        accept = f'or accept it:  {table} {_OPEN_RANGE} = "the reason"'
        what = f'"{written}" has no upper bound: a later {name} that breaks it would be installed'
        yield what, f"{fix}\n{accept}"


def _suggestion(requirement: FamilyRequirement, version: str | None) -> str:
    """Return the requirement, in quotes, with an upper bound, so that it allows the sibling's version."""
    text, poetry, span = requirement.range, requirement.poetry, requirement.span
    known = version or "1.0.0"
    if span is None or not valid(text, poetry=poetry):
        return f'"{"" if poetry else requirement.sibling}{closed("", known)}"'
    only_open = not bounded(text, poetry=poetry) and (version is None or admits(text, version, poetry=poetry))
    new = text if only_open else moved(text, known, poetry=poetry)
    if not bounded(new, poetry=poetry):
        new = closed(new, known, poetry=poetry)
    head, tail = requirement.location.text[: span.start], requirement.location.text[span.end :]
    return f'"{head if text else head.rstrip()}{new}{tail}"'


def _ambiguous_tags(config: Config, state: FamilyVersions) -> Iterator[VersionProblem]:
    """Yield tag templates for which one tag could mean two distributions.

    Distributions with the same version may share a template, and so may those whose version is the tag's.
    """
    groups: dict[str, list[str]] = {}
    for key in sorted(state.members):
        groups.setdefault(settings(config, key).tag or DEFAULT_TEMPLATE, []).append(key)
    for template, names in groups.items():
        own = [name for name in names if state.members[name].scheme is not Scheme.TAGS]
        versions = {_canonical(state.members[name].version or "") for name in own}
        if len(own) > 1 and ("" in versions or len(versions) > 1):
            yield _shared_template(config, state, template, own)
    for first, second in combinations(groups, 2):
        for key, other in product(_by_version(state, groups[first]), _by_version(state, groups[second])):
            pairs = ((first, state.members[key].version), (second, state.members[other].version))
            if tag := _ambiguous_tag(*pairs):
                what = f'the tag "{tag}" can mean {key} ("{first}") and {other} ("{second}")'
                yield VersionProblem(
                    distribution=state.name(key),
                    where=TEMPLATE,
                    what=what,
                    fix=_template_for(config, other),
                    others=(state.name(other),),
                )
                break


def _by_version(state: FamilyVersions, names: Sequence[str]) -> Iterable[str]:
    """Return the first distribution of each version."""
    return {state.members[name].version: name for name in reversed(names)}.values()


def _shared_template(
    config: Config, state: FamilyVersions, template: str, names: Sequence[str]
) -> VersionProblem:
    shown = [f"{name} {state.members[name].version or '(of unknown version)'}" for name in names]
    if len(shown) > _SHOWN:
        shown[_SHOWN - 1 :] = [f"{len(shown) - _SHOWN + 1} more"]
    pair = len(names) == 2  # noqa: PLR2004 - "both", not "all"
    what = f'{", ".join(shown[:-1])} and {shown[-1]} are {"both" if pair else "all"} tagged "{template}"'
    fixes = [_template_for(config, name) for name in names[1:]]
    if len(fixes) > _SHOWN:
        fixes[_SHOWN:] = [f"and so for {len(fixes) - _SHOWN} more"]
    owner, *others = map(state.name, names)
    fix = "\n".join(fixes)
    return VersionProblem(distribution=owner, where=TEMPLATE, what=what, fix=fix, others=tuple(others))


def _template_for(config: Config, name: str) -> str:
    return f'{config.table("distribution", name)} tag = "{name}-v{{version}}"'


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
