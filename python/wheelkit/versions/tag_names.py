"""The distributions that a release tag names, by their tag templates and versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from wheelkit.errors import UsageError
from wheelkit.text import lines_of, shorten_list
from wheelkit.versions.git import DEFAULT_TEMPLATE, version_in
from wheelkit.versions.state import settings

if TYPE_CHECKING:
    from wheelkit.config import Config
    from wheelkit.project.family import Family
    from wheelkit.project.read import Distribution


def members_of_tag(config: Config, family: Family, tag: str) -> tuple[str, ...]:
    """Return the keys of the distributions whose release a tag is; raises UsageError where it is none.

    A distribution whose version only its build can tell has that of the tag.
    """
    named = [
        (member, version)
        for member in family.distributions
        if (version := version_in(tag, _template(config, member))) is not None
    ]
    if not named:
        templates = dict.fromkeys(_template(config, member) for member in family.distributions)
        raise UsageError(
            f"--tag {tag}: no distribution of the family has such tags",
            hint=f"tags are written as {shorten_list(templates)};  wheelkit version show  lists the versions",
        )
    found = tuple(
        member.key for member, version in named if member.version is None or _same(member.version, version)
    )
    if not found:
        raise UsageError(
            f"--tag {tag}: that is not the version of any distribution in this checkout",
            detail=lines_of(f"{member.name} is {member.version}" for member, _ in named),
            hint=f"check out the tagged commit:  git checkout {tag}",
        )
    return found


def _template(config: Config, member: Distribution) -> str:
    return settings(config, member.key).tag or DEFAULT_TEMPLATE


def _same(stated: str, tagged: str) -> bool:
    try:
        return Version(stated) == Version(tagged)
    except ValueError:
        return stated == tagged
