"""What git knows of versions: tags by a distribution's template, the branch, and whether anything is uncommitted."""

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
    """Read the version out of a tag by its template; None where the tag is not of that form."""
    from packaging.version import InvalidVersion, Version

    before, _, after = template.partition("{version}")
    match = re.fullmatch(f"{re.escape(before)}(?P<version>.+){re.escape(after)}", tag)
    try:
        return str(Version(match["version"])) if match else None
    except InvalidVersion:
        return None


def tagged(folder: Path, template: str) -> TaggedVersion | None:
    """Compute the version that tags give a folder: the newest tag's, or a development version of the next patch after it.

    That is how setuptools-scm and hatch-vcs compute it as well, less the local part.
    """
    from packaging.version import Version

    repository = Repository(folder=folder)
    found = [
        (version, tag)
        for tag in repository.lines("tag", "--merged", "HEAD")
        if (version := version_in(tag, template))
    ]
    if not found:
        repository.require_trusted()
        return None
    version, tag = max(found, key=lambda pair: Version(pair[0]))
    commits = int(next(iter(repository.lines("rev-list", "--count", f"{tag}..HEAD")), "0"))
    changed = commits or any(repository.lines("status", "--porcelain", "--untracked-files=no"))
    computed = f"{bumped(version, BumpPart.PATCH)}.dev{commits}" if changed else version
    return TaggedVersion(tag=tag, version=computed, commits=commits)
