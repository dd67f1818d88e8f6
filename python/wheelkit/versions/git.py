"""Versions from git tags, by a distribution's tag template."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.machine.git import Repository
from wheelkit.versions.bump import BumpPart, bumped
from wheelkit.versions.model import TaggedVersion

if TYPE_CHECKING:
    from pathlib import Path


DEFAULT_TEMPLATE = "v{version}"


def version_in(tag: str, template: str) -> str | None:
    """Return the version in a tag; None if the tag does not match the template."""
    from packaging.version import InvalidVersion, Version

    before, _, after = template.partition("{version}")
    match = re.fullmatch(f"{re.escape(before)}(?P<version>.+){re.escape(after)}", tag)
    try:
        return str(Version(match["version"])) if match else None
    except InvalidVersion:
        return None


def version_from_tags(folder: Path, template: str) -> TaggedVersion | None:
    """Return the version of a folder: the newest tag's, or after further changes a development version of the next patch.

    setuptools-scm and hatch-vcs compute the same, with a local part in addition. Raises ProjectError if git
    refuses to read the folder.
    """
    from packaging.version import Version

    repository = Repository(folder=folder)
    tagged = [(version, tag) for tag in repository.tags() if (version := version_in(tag, template))]
    if not tagged:
        repository.require_trusted()
        return None
    version, tag = max(tagged, key=lambda pair: Version(pair[0]))
    commits = repository.commits_since(tag)
    computed = (
        f"{bumped(version, BumpPart.PATCH)}.dev{commits}" if commits or repository.modified else version
    )
    return TaggedVersion(tag=tag, version=computed, commits=commits)
