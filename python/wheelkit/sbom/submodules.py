"""Git submodules as components: their commits are in the checkout only, not in the sdist."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from wheelkit.machine.git import Repository
from wheelkit.sbom.model import Component, version_of_tag

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path


_GITLINK = re.compile(r"160000 commit ([0-9a-f]{40,64})\t(.+)")
_SETTING = re.compile(r"submodule\.(.+)\.(path|url) (.+)")


def submodules(folder: Path, packed: Collection[str]) -> Iterator[Component]:
    """Yield the submodules of a project's folder; ``packed`` are the files of its sdist.

    A submodule of which the sdist has no file cannot be in a wheel. The version is that of a tag on the
    commit, where the submodule is checked out.
    """
    top = Repository(folder=folder)
    links = [match for line in top.lines("ls-tree", "-r", "HEAD", ".") if (match := _GITLINK.match(line))]
    urls = _urls(top) if links else {}
    for link in links:
        commit, path = link[1], link[2]
        if any(name.startswith(f"{path}/") for name in packed):
            tag = Repository(folder=folder / path).line("describe", "--tags", "--exact-match", commit)
            yield Component(
                name=PurePosixPath(path).name,
                version=version_of_tag(tag),
                vcs=f"git+{urls[path]}@{commit}" if path in urls else "",
                origin=".gitmodules",
            )


def _urls(repository: Repository) -> dict[str, str]:
    """Map the paths of submodules below the repository's folder to their URLs."""
    top = repository.line("rev-parse", "--show-toplevel")
    prefix = repository.line("rev-parse", "--show-prefix")
    values: dict[str, dict[str, str]] = {}
    for line in repository.lines("config", "--file", f"{top}/.gitmodules", "--get-regexp", r"^submodule\."):
        if match := _SETTING.match(line):
            values.setdefault(match[1], {})[match[2]] = match[3]
    return {
        one["path"].removeprefix(prefix): one["url"]
        for one in values.values()
        if {"path", "url"} <= one.keys()
    }
