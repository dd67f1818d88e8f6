"""Versions from git tags, by a distribution's tag template."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from wheelkit.machine.git import Repository
from wheelkit.versions.bump import BumpPart, bumped
from wheelkit.versions.model import TaggedVersion

if TYPE_CHECKING:
    from pathlib import Path


DEFAULT_TEMPLATE = "v{version}"
# What is proposed where there is no tag yet.
FIRST_VERSION = "0.1.0"


def version_in(tag: str, template: str) -> str | None:
    """Return the version in a tag; None if the tag does not match the template."""
    before, _, after = template.partition("{version}")
    match = re.fullmatch(f"{re.escape(before)}(?P<version>.+){re.escape(after)}", tag)
    try:
        return str(Version(match["version"])) if match else None
    except InvalidVersion:
        return None


def next_version(
    tagged: TaggedVersion | None, repository: Repository, template: str, part: BumpPart = BumpPart.PATCH
) -> str:
    """Return the next version for which there is no tag; what a pre-release prepares comes before others."""
    if tagged is None:
        version = FIRST_VERSION
    else:
        current = version_in(tagged.tag, template) or FIRST_VERSION
        version = bumped(current, part)
    while repository.commit_of(template.replace("{version}", version)):
        version = bumped(version, BumpPart.PATCH if part is BumpPart.FINAL else part)
    return version


def version_from_tags(folder: Path, template: str) -> TaggedVersion | None:
    """Return the newest tag's version, or after further changes a development version of the next patch.

    setuptools-scm and hatch-vcs compute the same, with a local part in addition. Raises ProjectError if git
    refuses to read the folder.
    """
    repository = Repository(folder=folder)
    tagged = [(version, tag) for tag in repository.tags() if (version := version_in(tag, template))]
    if not tagged:
        repository.require_trusted()
        return None
    version, tag = max(tagged, key=lambda pair: Version(pair[0]))
    commits = repository.commits_since(tag)
    if commits or repository.modified:
        version = f"{bumped(version, BumpPart.PATCH)}.dev{commits}"
    return TaggedVersion(tag=tag, version=version, commits=commits)
