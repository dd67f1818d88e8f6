"""The versions of a family and what its members ask of each other, read from its files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wheelkit.config import DistributionConfig, normalise
from wheelkit.project.poetry import specifier
from wheelkit.project.requirements import stated_metadata
from wheelkit.versions import text_files
from wheelkit.versions.git import DEFAULT_TEMPLATE, version_from_tags
from wheelkit.versions.locations import find_locations
from wheelkit.versions.model import (
    FamilyRequirement,
    FamilyVersions,
    Scheme,
    Span,
    VersionedDistribution,
    VersionLocation,
)
from wheelkit.versions.ranges import range_in
from wheelkit.versions.toml_files import at, toml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wheelkit.config import Config
    from wheelkit.project.family import Family
    from wheelkit.project.read import Distribution
    from wheelkit.project.requirements import StatedMetadata
    from wheelkit.versions.model import Key


_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


def read_versions(config: Config, family: Family) -> FamilyVersions:
    """Read where every version stands and which ranges siblings ask for; raises ProjectError for files that cannot be read."""
    members = {item.key: _versioned(config, item) for item in family.distributions}
    needs = dict.fromkeys(need for item in family.distributions for need in _needs(item, members))
    return FamilyVersions(root=config.root.resolve(), members=members, needs=tuple(needs))


def settings(config: Config, key: str) -> DistributionConfig:
    """Give the configuration of one distribution, the defaults where it has none."""
    return config.distribution.get(key) or DistributionConfig()


def _versioned(config: Config, item: Distribution) -> VersionedDistribution:
    own = settings(config, item.key)
    scheme, places = find_locations(item, own.version_files)
    found = version_from_tags(item.source, own.tag or DEFAULT_TEMPLATE) if scheme is Scheme.TAGS else None
    return VersionedDistribution(distribution=item, scheme=scheme, places=places, tagged=found)


def _needs(item: Distribution, members: Mapping[str, VersionedDistribution]) -> Iterator[FamilyRequirement]:
    if not item.source.is_dir():
        return
    path = item.source / "pyproject.toml"
    document = toml(path)
    for key, text in _requirements(document):
        place = VersionLocation(path=path, where=_where(key), text=text, at=key)
        if (need := _need(item, place, members, published=key[0] == "project")) is not None:
            yield need
    for one in stated_metadata(document, lambda name: text_files.read(item.source / name)):
        if (need := _need_elsewhere(item, one, members)) is not None:
            yield need


def _need(
    item: Distribution,
    place: VersionLocation,
    members: Mapping[str, VersionedDistribution],
    *,
    published: bool,
) -> FamilyRequirement | None:
    match = _NAME.match(place.text)
    name = normalise(match[1]) if match else ""
    if name not in members or name == item.key:
        return None
    span = range_in(place.text)
    text = place.text[span.start : span.end] if span else ""
    return FamilyRequirement(
        dependent=item.key,
        sibling=name,
        place=place,
        range=text,
        span=span,
        published=published,
        editable=span is not None and place.at != (),
    )


def _need_elsewhere(
    item: Distribution, one: StatedMetadata, members: Mapping[str, VersionedDistribution]
) -> FamilyRequirement | None:
    """Read a need from outside ``[project]``; where it is not written in one piece, it can only be looked at."""
    end = (one.start or 0) + len(one.text)
    at = one.key if one.key is not None else () if one.start is None else Span(start=one.start, end=end)
    place = VersionLocation(path=item.source / one.file, where=one.where, text=one.text, at=at)
    if not one.poetry:
        return _need(item, place, members, published=one.published)
    name = normalise(one.name)
    if name not in members or name == item.key:
        return None
    span = Span(start=0, end=len(one.text)) if one.key is not None else None
    text = one.text if span else ""
    editable = span is not None and (text.strip() == "*" or specifier(text) is not None)
    return FamilyRequirement(
        dependent=item.key,
        sibling=name,
        place=place,
        range=text,
        span=span,
        poetry=True,
        published=one.published,
        editable=editable,
    )


def _requirements(document: Mapping[str, Any]) -> Iterator[tuple[Key, str]]:
    lists: list[Key] = [
        ("project", "dependencies"),
        ("build-system", "requires"),
        ("tool", "uv", "dev-dependencies"),
    ]
    for table in (
        ("project", "optional-dependencies"),
        ("dependency-groups",),
        ("tool", "pdm", "dev-dependencies"),
    ):
        names = at(document, *table)
        lists += [(*table, name) for name in names] if isinstance(names, dict) else []
    for key in lists:
        entries = at(document, *map(str, key))
        for index, text in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(text, str):
                yield (*key, index), text


def _where(key: Key) -> str:
    return ".".join(map(str, key[:-1])) + f"[{key[-1]}]"
