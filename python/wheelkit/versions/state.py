"""Reads the versions of a family and the requirements between its members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wheelkit.config import DistributionConfig, normalise
from wheelkit.project.files import ProjectFiles
from wheelkit.project.poetry import specifier
from wheelkit.project.requirements import requirement_name, stated_requirements
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
from wheelkit.versions.toml_files import read_toml, value_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from wheelkit.config import Config
    from wheelkit.project.family import Family
    from wheelkit.project.read import Distribution
    from wheelkit.project.requirements import StatedRequirement
    from wheelkit.versions.model import Key

# Lists of requirements in pyproject.toml, and tables of such lists.
_LISTS: tuple[tuple[str, ...], ...] = (
    ("project", "dependencies"),
    ("build-system", "requires"),
    ("tool", "uv", "dev-dependencies"),
)
_TABLES = (("project", "optional-dependencies"), ("dependency-groups",), ("tool", "pdm", "dev-dependencies"))


def read_versions(config: Config, family: Family) -> FamilyVersions:
    """Read the versions of a family and its ranges between siblings; ProjectError for unreadable files."""
    members = {distribution.key: _read_version(config, distribution) for distribution in family.distributions}
    requirements = (
        requirement
        for distribution in family.distributions
        for requirement in _requirements(distribution)
        if requirement.sibling in members and requirement.sibling != distribution.key
    )
    unique = tuple(dict.fromkeys(requirements))
    return FamilyVersions(root=config.root.resolve(), members=members, requirements=unique)


def settings(config: Config, key: str) -> DistributionConfig:
    """Return the configuration of one distribution; the defaults if it has none."""
    return config.distribution.get(key) or DistributionConfig()


def _read_version(config: Config, distribution: Distribution) -> VersionedDistribution:
    configured = settings(config, distribution.key)
    scheme, locations = find_locations(distribution, configured.version_files)
    template = configured.tag or DEFAULT_TEMPLATE
    tagged = version_from_tags(distribution.source, template) if scheme is Scheme.TAGS else None
    return VersionedDistribution(distribution=distribution, scheme=scheme, locations=locations, tagged=tagged)


def _requirements(distribution: Distribution) -> Iterator[FamilyRequirement]:
    """Yield all requirements in the files of a distribution, those on other projects included."""
    if not distribution.source.is_dir():
        return
    folder, path = distribution.source, distribution.source / "pyproject.toml"
    files = ProjectFiles(document=read_toml(path), read=lambda name: text_files.read(folder / name))
    for key, text in _listed_requirements(files.document):
        where = ".".join(map(str, key[:-1])) + f"[{key[-1]}]"
        location = VersionLocation(path=path, where=where, text=text, at=key)
        yield _requirement(distribution.key, location, published=key[0] == "project")
    for stated in stated_requirements(files):
        location = _location(folder, stated)
        if stated.poetry:
            yield _poetry_requirement(distribution.key, location, stated)
        else:
            yield _requirement(distribution.key, location, published=stated.published)


def _listed_requirements(document: Mapping[str, Any]) -> Iterator[tuple[Key, str]]:
    """Yield the requirements of the standard tables of pyproject.toml, with their keys."""
    lists = [*_LISTS]
    for table in _TABLES:
        names = value_at(document, *table)
        lists += [(*table, name) for name in names] if isinstance(names, dict) else []
    for key in lists:
        entries = value_at(document, *key)
        for index, text in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(text, str):
                yield (*key, index), text


def _location(folder: Path, stated: StatedRequirement) -> VersionLocation:
    at: Span | Key = ()
    if stated.key is not None:
        at = stated.key
    elif stated.start is not None:
        at = Span(start=stated.start, end=stated.start + len(stated.text))
    return VersionLocation(path=folder / stated.file, where=stated.where, text=stated.text, at=at)


def _requirement(dependent: str, location: VersionLocation, *, published: bool) -> FamilyRequirement:
    span = range_in(location.text)
    return FamilyRequirement(
        dependent=dependent,
        sibling=requirement_name(location.text),
        location=location,
        range=location.text[span.start : span.end] if span else "",
        span=span,
        published=published,
        editable=span is not None and location.at != (),
    )


def _poetry_requirement(
    dependent: str, location: VersionLocation, stated: StatedRequirement
) -> FamilyRequirement:
    has_range = stated.key is not None
    return FamilyRequirement(
        dependent=dependent,
        sibling=normalise(stated.name),
        location=location,
        range=stated.text if has_range else "",
        span=Span(start=0, end=len(stated.text)) if has_range else None,
        poetry=True,
        published=stated.published,
        editable=has_range and (stated.text.strip() == "*" or specifier(stated.text) is not None),
    )
