"""Changes versions: all edits are computed and checked first, then all files are written, or none."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from packaging.utils import canonicalize_version

from wheelkit.errors import CheckFailedError, OutputError, ProjectError, UsageError
from wheelkit.machine.git import Repository
from wheelkit.machine.process import tool_error
from wheelkit.machine.signals import deferred
from wheelkit.text import shorten_list
from wheelkit.versions import text_files
from wheelkit.versions.bump import for_cargo, is_version, parse
from wheelkit.versions.git import DEFAULT_TEMPLATE, next_version
from wheelkit.versions.model import FileFormat, Key, Scheme, Span
from wheelkit.versions.ranges import admits, moved, valid
from wheelkit.versions.state import settings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from wheelkit.config import Config
    from wheelkit.versions.model import (
        FamilyRequirement,
        FamilyVersions,
        VersionedDistribution,
        VersionLocation,
    )


class TextEdit(Struct, frozen=True, kw_only=True):
    """The replacement of a part of a location's text: ``old`` becomes ``new``."""

    location: VersionLocation
    old: str
    new: str

    @property
    def text(self) -> str:
        """The whole text of the location after the edit."""
        return self.location.text.replace(self.old, self.new, 1)


class VersionMove(Struct, frozen=True, kw_only=True):
    """A range that follows the version of a sibling."""

    requirement: FamilyRequirement
    new: str


class VersionChange(Struct, frozen=True, kw_only=True):
    """The effect of new versions: versions before and after, moved ranges, and files before and after."""

    versions: Mapping[str, tuple[str, str]]
    moves: tuple[VersionMove, ...]
    files: Mapping[Path, tuple[str, str]]


def plan_change(
    config: Config, state: FamilyVersions, versions: Mapping[str, str], given_to_build: Collection[str] = ()
) -> VersionChange:
    """Compute the effect of new versions of some members, without writing anything.

    A build is told the versions of those in ``given_to_build``, which no file states.

    Raises UsageError for a version that wheelkit cannot edit, CheckFailedError if a dependent would not allow
    a new version, ProjectError for an invalid range, and if two members share a file but not the version.
    """
    for key, version in versions.items():
        if key not in given_to_build:
            _require_editable(config, state.members[key])
        parse(version)
    moves = [
        _move(config, state, requirement, versions[requirement.sibling])
        for requirement in state.requirements
        if requirement.sibling in versions and requirement.editable
    ]
    _require_allowed(state, versions, moves)
    moves = [move for move in moves if move.new != move.requirement.range]
    edits = [
        _version_edit(location, version)
        for key, version in versions.items()
        for location in state.members[key].locations
    ]
    return VersionChange(
        versions={key: (state.members[key].version or "", version) for key, version in versions.items()},
        moves=tuple(moves),
        files=_apply_edits([*edits, *map(_range_edit, moves)]),
    )


def require_agreement(state: FamilyVersions, keys: Iterable[str]) -> None:
    """Raise CheckFailedError if a member states different versions, so that the next one is unclear."""
    for key in keys:
        locations = state.members[key].locations
        texts = filter(is_version, (location.text for location in locations))
        if len(set(map(canonicalize_version, texts))) <= 1:
            continue
        name = state.members[key].distribution.name
        stated = (f"{location.text} in {state.describe(location)}" for location in locations)
        raise CheckFailedError(
            f"the files of {name} state different versions, so the next one is unclear; nothing was changed",
            detail="\n".join(stated),
            hint=f"set the right one first:  wheelkit version set {_valid_version(locations)} {name}",
        )


def _valid_version(locations: Sequence[VersionLocation]) -> str:
    return next(location.text for location in locations if is_version(location.text))


def _require_editable(config: Config, member: VersionedDistribution) -> None:
    if member.editable:
        return
    name = member.distribution.name
    if member.scheme is Scheme.TAGS:
        template = settings(config, member.key).tag or DEFAULT_TEMPLATE
        version = next_version(member.tagged, Repository(folder=config.root), template)
        raise UsageError(
            f"the version of {name} comes from git tags, so no file can be edited",
            hint=f"wheelkit version tag {name} --as {version}",
        )
    module = f"src/{member.key.replace('-', '_')}/__init__.py"
    raise UsageError(
        f"wheelkit found no file that states the version of {name}",
        hint=f'name the file:  {config.table("distribution", member.key)} version-files = ["{module}"]',
    )


def _move(config: Config, state: FamilyVersions, requirement: FamilyRequirement, version: str) -> VersionMove:
    if not valid(requirement.range, poetry=requirement.poetry):
        where = state.describe(requirement.location)
        raise ProjectError(
            f'{where}: "{requirement.range}" is not a valid version range; nothing was changed',
            hint="fix it and run the command again",
        )
    policy = settings(config, requirement.sibling).range_policy or config.version.range_policy
    new = moved(requirement.range, version, policy, poetry=requirement.poetry)
    return VersionMove(requirement=requirement, new=new)


def _require_allowed(
    state: FamilyVersions, versions: Mapping[str, str], moves: Iterable[VersionMove]
) -> None:
    """Raise CheckFailedError if a range, moved or not, excludes the new version of its sibling."""
    ranges = {move.requirement: move.new for move in moves}
    refusals = []
    for requirement in state.requirements:
        version = versions.get(requirement.sibling)
        text = ranges.get(requirement, requirement.range)
        if version is not None and text and not admits(text, version, poetry=requirement.poetry):
            name = state.members[requirement.dependent].distribution.name
            where = state.describe(requirement.location)
            refusals.append(
                f"{name} needs {requirement.sibling} {requirement.range}, not {version}   ({where})"
            )
    if refusals:
        raise CheckFailedError(
            "a dependent does not allow the new version, and its range cannot follow; nothing was changed",
            detail="\n".join(refusals),
            hint="change that range by hand, or choose a version that it allows",
        )


def _version_edit(location: VersionLocation, version: str) -> TextEdit:
    new = for_cargo(version) if location.form is FileFormat.CARGO else version
    return TextEdit(location=location, old=location.text, new=new)


def _range_edit(move: VersionMove) -> TextEdit:
    """Return the edit of the range alone, so that escapes in the rest of the requirement stay."""
    requirement, location = move.requirement, move.requirement.location
    if requirement.range:
        return TextEdit(location=location, old=requirement.range, new=move.new)
    head = location.text[: requirement.span.start if requirement.span else None].rstrip()
    return TextEdit(location=location, old=head, new=head + move.new)


def _apply_edits(edits: Iterable[TextEdit]) -> dict[Path, tuple[str, str]]:
    """Return the files that the edits change, each with its text before and after."""
    by_file: dict[Path, dict[Span | Key, TextEdit]] = {}
    for edit in edits:
        path = edit.location.path
        other = by_file.setdefault(path.resolve(), {}).setdefault(edit.location.at, edit)
        if other.new != edit.new:
            raise ProjectError(
                f"{path} holds the version of two distributions, which would differ: {other.new}, {edit.new}",
                hint="give them the same version, or each its own file",
            )
    files = {path: _edit_file(path, tuple(edits.values())) for path, edits in by_file.items()}
    return {path: (before, after) for path, (before, after) in files.items() if before != after}


def _edit_file(path: Path, edits: Sequence[TextEdit]) -> tuple[str, str]:
    before = text_files.read(path) or ""
    if path.suffix == ".toml":
        return before, _edit_toml(path, before, edits)
    after = before
    spans = [(edit.location.at, edit.text) for edit in edits if isinstance(edit.location.at, Span)]
    for span, new in sorted(spans, key=lambda pair: -pair[0].start):
        after = after[: span.start] + new + after[span.end :]
    return before, after


def _edit_toml(path: Path, text: str, edits: Sequence[TextEdit]) -> str:
    """Replace parts of strings in a TOML file and keep every other byte.

    Of all occurrences of the old text, the right one is that whose replacement changes just this value of the
    document. (tomlkit finds values itself, but rewrites some layouts: it drops blanks in inline tables.)
    """
    for edit in edits:
        expected = tomllib.loads(text)
        *parents, last = edit.location.at if isinstance(edit.location.at, tuple) else ()
        table: Any = expected
        for part in parents:
            table = table[part]
        table[last] = edit.text
        candidates = (
            text[: match.start()] + edit.new + text[match.end() :]
            for match in re.finditer(re.escape(edit.old), text)
        )
        edited = next((candidate for candidate in candidates if _parses_to(candidate, expected)), None)
        if edited is None:
            raise ProjectError(
                f"{path}, {edit.location.where} is written with escapes; nothing was changed",
                hint=f'write it as "{edit.location.text}", or change it by hand',
            )
        text = edited
    return text


def _parses_to(text: str, document: Mapping[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == document
    except ValueError:
        return False


def write(change: VersionChange) -> None:
    """Write all files or none: as temporary files first, then by renaming; a failure restores all.

    Raises CheckFailedError if a file changed since it was read, OutputError if one cannot be written.
    """
    staged: dict[Path, Path] = {}
    try:
        for path, (before, after) in change.files.items():
            if text_files.read(path) != before:
                raise CheckFailedError(
                    f"{path} changed while it was being edited; nothing was written",
                    hint="run the command again",
                )
            staged[path] = _stage(path, after)
        with deferred():
            _replace_all(staged, change.files)
    except OSError as error:
        raise OutputError.of(error, error.filename or "a file") from error
    finally:
        for copy in staged.values():
            copy.unlink(missing_ok=True)


def commit(state: FamilyVersions, change: VersionChange) -> None:
    """Commit the files of a change, and no others; raises ToolFailedError with what git or a hook said."""
    repository = Repository(folder=state.root)
    names = [f"{state.name(key)} {new}" for key, (_, new) in change.versions.items()]
    files = list(map(str, change.files))
    for words in (
        ("add", "--", *files),
        ("commit", "--message", f"Release {shorten_list(names)}", "--only", "--", *files),
    ):
        done = repository.run(*words)
        if done.returncode != 0:
            error = tool_error(done, f"git {words[0]}")
            error.hint = "\n".join(filter(None, ("the files are changed, and not committed", error.hint)))
            raise error


def _stage(path: Path, text: str) -> Path:
    """Write a text beside a file, with its mode, and return the new file."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    copy = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text_files.encode(text))
            stream.flush()
            os.fsync(stream.fileno())
        shutil.copymode(path, copy)
    except BaseException:
        copy.unlink(missing_ok=True)
        raise
    return copy


def _replace_all(staged: Mapping[Path, Path], files: Mapping[Path, tuple[str, str]]) -> None:
    replaced: list[Path] = []
    try:
        for path, copy in staged.items():
            copy.replace(path)
            replaced.append(path)
    except BaseException:
        with contextlib.suppress(OSError):
            for path in replaced:
                path.write_bytes(text_files.encode(files[path][0]))
        raise
