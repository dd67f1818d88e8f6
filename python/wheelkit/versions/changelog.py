"""The section of a version in a changelog, in Markdown or reStructuredText."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec import Struct
from packaging.version import InvalidVersion, Version

from wheelkit.errors import ProjectError
from wheelkit.inputs import read_text
from wheelkit.machine.git import Repository
from wheelkit.versions.bump import is_version
from wheelkit.versions.git import DEFAULT_TEMPLATE, version_in
from wheelkit.versions.state import settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from wheelkit.config import Config
    from wheelkit.versions.model import FamilyVersions


# The names by which changelogs go, in the order of preference; any case, with or without a suffix.
_NAMES = ("changelog", "changes", "history", "news", "release-notes", "release_notes", "releases")
_SUFFIXES = frozenset({"", ".md", ".rst", ".txt", ".markdown"})
_FOLDERS = (".", "docs", "doc")
_ATX = re.compile(r"(?P<marks>#{1,6})[ \t]+(?P<title>\S.*)")
_UNDERLINE = re.compile(r"(?P<mark>[=\-~^*+#'\"`.:_])(?P=mark){2,}\s*")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_TOKEN = re.compile(r"(?<![\w.])v?(?P<version>\d[\w.!+-]*\w|\d)")
_DEFINITION = re.compile(r"\[(?P<label>[^\]]+)\]:\s+\S+.*")


class Heading(Struct, frozen=True, kw_only=True):
    """A heading: the index of its first line, that of the first line of its text, its rank and its title."""

    start: int
    body: int
    rank: str
    title: str


class ReleaseNotes(Struct, frozen=True, kw_only=True):
    """The section of a version for the distributions that have it; ``text`` is None where there is none."""

    changelog: Path | None
    version: str
    distributions: tuple[str, ...]
    text: str | None


def release_notes(config: Config, state: FamilyVersions, keys: Iterable[str]) -> tuple[ReleaseNotes, ...]:
    """Find the notes of distributions: in the changelog of their own folder, else in that of the project.

    Distributions with the same changelog and version share them. A version that only the build knows is
    taken from a tag on this commit.
    """
    tags = Repository(folder=state.root).tags_here()
    groups: dict[tuple[Path | None, str], list[str]] = {}
    for key in keys:
        member = state.members[key]
        changelog = find_changelog([member.distribution.source, state.root])
        version = member.version or _tagged(tags, settings(config, key).tag or DEFAULT_TEMPLATE)
        groups.setdefault((changelog, version), []).append(member.distribution.name)
    return tuple(
        ReleaseNotes(
            changelog=changelog,
            version=version,
            distributions=tuple(names),
            text=section(_read(changelog), version) if changelog and is_version(version) else None,
        )
        for (changelog, version), names in groups.items()
    )


def _tagged(tags: Iterable[str], template: str) -> str:
    """Return the newest version in the tags, in its longest spelling; empty if there is none."""
    versions = [version for tag in tags if (version := version_in(tag, template))]
    return max(versions, key=lambda version: (Version(version), len(version)), default="")


def find_changelog(folders: Iterable[Path]) -> Path | None:
    """Return the changelog in the first folder that has one."""
    for folder in (folder / name for folder in folders for name in _FOLDERS):
        files = sorted(path for path in folder.iterdir() if _is_changelog(path)) if folder.is_dir() else []
        if files:
            return min(files, key=lambda path: _NAMES.index(path.stem.lower()))
    return None


def section(text: str, version: str) -> str | None:
    """Return the text below the heading of a version, without blank lines around it; None without a heading.

    Versions are compared as such (PEP 440), so that ``v1.0`` in a heading is 1.0.0. The section ends at the
    next heading of the same rank or a higher one. Definitions of links that it uses are added.
    """
    lines = text.splitlines()
    headings = list(_headings(lines))
    ranks = list(dict.fromkeys(heading.rank for heading in headings))
    for position, heading in enumerate(headings):
        if not _names(heading.title, version):
            continue
        ends = (
            later.start
            for later in headings[position + 1 :]
            if _depth(later.rank, ranks) <= _depth(heading.rank, ranks)
        )
        return _body(lines, heading.body, next(ends, len(lines)))
    return None


def _read(path: Path) -> str:
    try:
        return read_text(path)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ProjectError(f"{path} cannot be read: {reason}", hint="fix it, or save it as UTF-8") from error


def _is_changelog(path: Path) -> bool:
    return path.stem.lower() in _NAMES and path.suffix.lower() in _SUFFIXES and path.is_file()


def _headings(lines: Sequence[str]) -> Iterator[Heading]:
    """Yield headings of both formats, outside of fenced code."""
    fenced = False
    for index, (line, following) in enumerate(pairwise([*lines, ""])):
        fenced ^= _FENCE.match(line) is not None
        if fenced:
            continue
        if match := _ATX.fullmatch(line):
            yield Heading(start=index, body=index + 1, rank=match["marks"], title=match["title"])
        elif (under := _UNDERLINE.fullmatch(following)) and line.strip() and not _UNDERLINE.fullmatch(line):
            over = index > 0 and lines[index - 1].rstrip() == following.rstrip()
            yield Heading(start=index - over, body=index + 2, rank=under["mark"] * (1 + over), title=line)


def _depth(rank: str, ranks: Sequence[str]) -> int:
    """Return how deep a heading is: by the number of signs in Markdown, else by the order of first use."""
    return len(rank) if rank.startswith("#") else ranks.index(rank)


def _names(title: str, version: str) -> bool:
    wanted = Version(version)
    for match in _TOKEN.finditer(title):
        try:
            if Version(match["version"]) == wanted:
                return True
        except InvalidVersion:
            continue
    return False


def _body(lines: Sequence[str], start: int, end: int) -> str:
    text = [line for line in lines[start:end] if not _DEFINITION.fullmatch(line)]
    body = "\n".join(text).strip("\n")
    matches = filter(None, map(_DEFINITION.fullmatch, lines))
    definitions = [match[0] for match in matches if f"[{match['label']}]" in body]
    return "\n".join([body, "", *definitions]) if definitions else body
