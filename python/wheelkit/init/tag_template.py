"""The template of a project's release tags, from the tags that it has."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct
from packaging.version import InvalidVersion, Version

from wheelkit.config import normalise
from wheelkit.versions.git import DEFAULT_TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterable


_TAG = re.compile(r"(?P<before>(?:.*?[^0-9.])??)(?P<version>[0-9][0-9A-Za-z.!+]*(?:[-_][a-z]+[0-9.]*)?)")
_NEWEST = 10


class TagScheme(Struct, frozen=True, kw_only=True):
    """The template of release tags, the newest tag, and a sentence if the tags have more than one form."""

    template: str = DEFAULT_TEMPLATE
    newest: str = ""
    note: str = ""


def tag_scheme(tags: Iterable[str], name: str) -> TagScheme:
    """Find the template of the newest release tags; those that carry the project's name come first."""
    releases = sorted(filter(None, map(_release, tags)), reverse=True, key=lambda release: release[0])
    named = [release for release in releases if normalise(name) in normalise(release[1])]
    others = [release for release in releases if not re.search("[A-Za-z]{2}", release[1])]
    chosen = (named or others or releases)[:_NEWEST]
    if not chosen:
        return TagScheme()
    newest = {before: tag for _, before, tag in reversed(chosen)}
    before = chosen[0][1]
    template = f"{before}{{version}}"
    counts = Counter(before for _, before, _ in chosen)
    if len(counts) == 1:
        return TagScheme(template=template, newest=chosen[0][2])
    forms = " and ".join(f"{one}{{version}} ({newest[one]})" for one in counts)
    note = f'the tags have {len(counts)} forms, {forms}; the newest decides: tag = "{template}"'
    return TagScheme(template=template, newest=chosen[0][2], note=note)


def _release(tag: str) -> tuple[Version, str, str] | None:
    """Return the version in a tag, what stands before it, and the tag; None for a tag without a version."""
    match = _TAG.fullmatch(tag)
    if match is None or "." not in match["version"]:
        return None
    before, number = match["before"], match["version"]
    try:
        return Version(number), before, tag
    except InvalidVersion:
        return None
