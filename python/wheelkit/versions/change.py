"""Changing versions: all places and ranges computed first, judged as they would be, and written all or not at all."""

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

from wheelkit.errors import CheckFailedError, OutputError, ProjectError, UsageError
from wheelkit.versions import text_files
from wheelkit.versions.bump import for_cargo, parse
from wheelkit.versions.model import FileFormat, Key, Scheme, Span
from wheelkit.versions.ranges import admits, moved, valid
from wheelkit.versions.state import settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wheelkit.config import Config
    from wheelkit.versions.model import (
        FamilyRequirement,
        FamilyVersions,
        VersionedDistribution,
        VersionLocation,
    )


class TextEdit(Struct, frozen=True, kw_only=True):
    """One text that is replaced by another at a place: ``old`` is the part of it that changes, ``new`` what that part becomes."""

    place: VersionLocation
    old: str
    new: str

    @property
    def whole(self) -> str:
        """The whole text of the place, afterwards."""
        return self.place.text.replace(self.old, self.new, 1)


class VersionMove(Struct, frozen=True, kw_only=True):
    """A range that followed: whose, of which sibling, from what to what."""

    need: FamilyRequirement
    new: str


class VersionChange(Struct, frozen=True, kw_only=True):
    """Everything that a new set of versions means: versions before and after, ranges that follow, and the files as they will be."""

    versions: Mapping[str, tuple[str, str]]
    moves: tuple[VersionMove, ...]
    files: Mapping[Path, tuple[str, str]]


def plan_change(config: Config, state: FamilyVersions, versions: Mapping[str, str]) -> VersionChange:
    """Compute what new versions of some members change, without writing anything.

    Raises UsageError for a version that wheelkit cannot edit, CheckFailedError where a dependent would not
    admit a new version, ProjectError where two members share a file and would get different versions.
    """
    for key, version in versions.items():
        _require_editable(state.members[key])
        parse(version)
    moves = tuple(
        _move(config, state, need, versions[need.sibling])
        for need in state.needs
        if need.sibling in versions and need.editable
    )
    _require_admitted(state, versions, moves)
    edits = [
        _version_edit(place, version)
        for key, version in versions.items()
        for place in state.members[key].places
    ]
    edits += [_range_edit(move) for move in moves if move.new != move.need.range]
    return VersionChange(
        versions={key: (state.members[key].version or "", version) for key, version in versions.items()},
        moves=tuple(move for move in moves if move.new != move.need.range),
        files=_files(edits),
    )


def require_agreement(state: FamilyVersions, keys: Iterable[str]) -> None:
    """Refuse to compute the next version of a member whose places state different ones: nobody knows which of them it follows."""
    from packaging.version import InvalidVersion, Version

    for key in keys:
        places = state.members[key].places
        try:
            agree = len({Version(place.text) for place in places}) <= 1
        except InvalidVersion:
            agree = True  # that it is no version is told by whoever computes with it
        if not agree:
            name = state.members[key].distribution.name
            raise CheckFailedError(
                f"{name} has two versions, so which is the next one is unclear; nothing was changed",
                detail="\n".join(
                    f"{place.text} in {state.shown(place.path)}, {place.where}" for place in places
                ),
                hint=f"say which it is first:  wheelkit version set {places[0].text} {name}",
            )


def _require_editable(member: VersionedDistribution) -> None:
    if member.editable:
        return
    name = member.distribution.name
    if member.scheme is Scheme.TAGS:
        hint = f"wheelkit version tag {name} --as VERSION"
        raise UsageError(f"the version of {name} comes from git tags, and no file holds it", hint=hint)
    raise UsageError(
        f"no file of {name} that wheelkit knows states its version", hint=_version_files_hint(member.key)
    )


def _version_files_hint(key: str) -> str:
    return f'say where it stands:  [tool.wheelkit.distribution.{key}] version-files = ["src/{key.replace("-", "_")}/__init__.py"]'


def _move(config: Config, state: FamilyVersions, need: FamilyRequirement, version: str) -> VersionMove:
    if not valid(need.range, poetry=need.poetry):
        where = f"{state.shown(need.place.path)}, {need.place.where}"
        raise ProjectError(
            f'{where}: "{need.range}" is no range of versions; nothing was changed',
            hint="mend it, then run it again",
        )
    policy = settings(config, need.sibling).range_policy or config.version.range_policy
    return VersionMove(need=need, new=moved(need.range, version, policy, poetry=need.poetry))


def _require_admitted(
    state: FamilyVersions, versions: Mapping[str, str], moves: Iterable[VersionMove]
) -> None:
    new = {move.need: move.new for move in moves}
    lines = []
    for need in state.needs:
        version = versions.get(need.sibling)
        text = new.get(need, need.range)
        if version is not None and text and not admits(text, version, poetry=need.poetry):
            name = state.members[need.dependent].distribution.name
            lines.append(
                f"{name} needs {need.sibling} {need.range}, not {version}   ({state.shown(need.place.path)}, {need.place.where})"
            )
    if lines:
        raise CheckFailedError(
            "a dependent does not allow the new version, and its range cannot follow; nothing was changed",
            detail="\n".join(lines),
            hint="change that range by hand, or choose a version that it admits",
        )


def _version_edit(place: VersionLocation, version: str) -> TextEdit:
    return TextEdit(
        place=place, old=place.text, new=for_cargo(version) if place.form is FileFormat.CARGO else version
    )


def _range_edit(move: VersionMove) -> TextEdit:
    """Replace the range alone: escapes in the rest of the requirement stay as they are written."""
    need = move.need
    if need.range:
        return TextEdit(place=need.place, old=need.range, new=move.new)
    head = need.place.text[: need.span.start if need.span else None].rstrip()
    return TextEdit(place=need.place, old=head, new=head + move.new)


def _files(edits: Sequence[TextEdit]) -> dict[Path, tuple[str, str]]:
    by_file: dict[Path, dict[Span | Key, TextEdit]] = {}
    for edit in edits:
        same = by_file.setdefault(edit.place.path.resolve(), {}).setdefault(edit.place.at, edit)
        if same.new != edit.new:
            raise ProjectError(
                f"{edit.place.path} holds the version of two distributions, which would become {same.new} and {edit.new}",
                hint="give all of them one version, or each a file of its own",
            )
    files = {path: _edited(path, tuple(changes.values())) for path, changes in by_file.items()}
    return {path: pair for path, pair in files.items() if pair[0] != pair[1]}


def _edited(path: Path, edits: Sequence[TextEdit]) -> tuple[str, str]:
    before = text_files.read(path) or ""
    if path.suffix == ".toml":
        return before, _edited_toml(path, before, edits)
    after = before
    spans = [(edit.place.at, edit.whole) for edit in edits if isinstance(edit.place.at, Span)]
    for span, new in sorted(spans, key=lambda pair: -pair[0].start):
        after = after[: span.start] + new + after[span.end :]
    return before, after


def _edited_toml(path: Path, text: str, edits: Sequence[TextEdit]) -> str:
    """Replace parts of strings in a TOML file, with every other byte left as it is.

    Of all places where the old text stands, the right one is that whose change makes the document the wanted
    one. (tomlkit finds places by itself, but writes some layouts anew: it drops blanks in inline tables.)
    """
    for edit in edits:
        wanted = tomllib.loads(text)
        *parents, last = edit.place.at if isinstance(edit.place.at, tuple) else ()
        table: Any = wanted
        for part in parents:
            table = table[part]
        table[last] = edit.whole
        tries = (
            text[: one.start()] + edit.new + text[one.end() :]
            for one in re.finditer(re.escape(edit.old), text)
        )
        found = next((one for one in tries if _parses_to(one, wanted)), None)
        if found is None:
            where = f"{path}, {edit.place.where}"
            raise ProjectError(
                f"{where} is written with escapes; nothing was changed",
                hint=f'write it as "{edit.place.text}", or change it by hand',
            )
        text = found
    return text


def _parses_to(text: str, wanted: Mapping[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == wanted
    except ValueError:
        return False


def write(change: VersionChange) -> None:
    """Write all files or none: each beside its place first, then all renamed; a failure puts back what was renamed.

    Raises CheckFailedError where a file changed since it was read, OutputError where one cannot be written.
    """
    staged: dict[Path, Path] = {}
    try:
        for path, (before, after) in change.files.items():
            if text_files.read(path) != before:
                raise CheckFailedError(
                    f"{path} changed while it was being edited; nothing was written",
                    hint="run the command again",
                )
            staged[path] = _staged(path, after)
        _swap(staged, change.files)
    except OSError as error:
        raise OutputError.of(error, error.filename or "a file") from error
    finally:
        for copy in staged.values():
            copy.unlink(missing_ok=True)


def _staged(path: Path, text: str) -> Path:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    copy = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text_files.encoded(text))
            stream.flush()
            os.fsync(stream.fileno())
        shutil.copymode(path, copy)
    except BaseException:
        copy.unlink(missing_ok=True)
        raise
    return copy


def _swap(staged: Mapping[Path, Path], files: Mapping[Path, tuple[str, str]]) -> None:
    done: list[Path] = []
    try:
        for path, copy in staged.items():
            copy.replace(path)
            done.append(path)
    except BaseException:
        with contextlib.suppress(OSError):
            for path in done:
                path.write_bytes(text_files.encoded(files[path][0]))
        raise
