"""Configure wheelkit in an existing project, from what the project already states."""

from __future__ import annotations

import re
from difflib import unified_diff
from typing import TYPE_CHECKING, Any

import tomlkit
from msgspec import Struct

from wheelkit.config import normalise
from wheelkit.config.load import OWN_FILE, PROJECT_FILE
from wheelkit.errors import OutputError, ProjectError, UsageError
from wheelkit.init import detect
from wheelkit.inputs import read_bytes, toml_table
from wheelkit.project import read
from wheelkit.project.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from wheelkit.project.read import Distribution

    Matrix = Mapping[str, tuple[str, ...]]


_NAME = re.compile(r"[\w.-]+")


class FileChange(Struct, frozen=True, kw_only=True):
    """A file with its new text.

    ``before`` holds its present bytes, None if it does not exist; ``notes`` say what is worth a look.
    """

    path: Path
    text: str
    before: bytes | None = None
    notes: tuple[str, ...] = ()


def adopt(folder: Path) -> FileChange:
    """Compute the configuration of a project: added to its pyproject.toml, or a wheelkit.toml if it has none.

    Raises UsageError if wheelkit is already configured, ProjectError if the project cannot be read.
    """
    project = read.read(folder)
    if (folder / OWN_FILE).is_file():
        raise _already_configured(folder / OWN_FILE)
    classifiers = read_classifiers(folder)
    matrix = matrix_of(project, classifiers)
    notes = [*(_skipped_note(project, classifiers) if matrix else ()), *_family_note(project, folder)]
    return configure(folder, matrix, () if matrix else (".",), notes=tuple(notes))


def _skipped_note(project: Distribution, classifiers: Sequence[str]) -> Iterator[str]:
    """Name the systems without targets: classifiers are often older than the wheels."""
    if skipped := " and ".join(detect.skipped_systems(project, classifiers)):
        yield f"no targets for {skipped}, which the classifiers do not name; add them if you ship its wheels"


def _family_note(project: Distribution, folder: Path) -> Iterator[str]:
    """Name the projects below this one that depend on it, or on which it depends."""
    relatives = []
    for path in read.projects_below(folder):
        try:
            other = read.read(path)
        except ProjectError:
            continue
        requirements = (*other.dependencies, *project.dependencies)
        names = {normalise(match[0]) for text in requirements if (match := _NAME.match(text.strip()))}
        if names & {project.key, other.key}:
            relatives.append(path.relative_to(folder).as_posix())
    if relatives:
        members = ", ".join(f'"{name}"' for name in (".", *relatives))
        family = f"{', '.join(relatives)} and {project.name} are a family"
        yield f"{family}; to release them together: distributions = [{members}]"


def configure(
    folder: Path, matrix: Matrix, members: Sequence[str], notes: tuple[str, ...] = ()
) -> FileChange:
    """Compute the file with a new configuration: pyproject.toml, or a wheelkit.toml if there is none.

    Raises UsageError if wheelkit is already configured in pyproject.toml.
    """
    table: dict[str, Any] = {"distributions": list(members)} if members else {}
    if matrix:
        table["matrix"] = {key: list(values) for key, values in matrix.items()}
    own_file = FileChange(path=folder / OWN_FILE, text=tomlkit.dumps(table), notes=notes)
    path = folder / PROJECT_FILE
    if not path.exists():
        return own_file
    before, text = _read(path)
    if "wheelkit" in toml_table(text).get("tool", {}):
        raise _already_configured(path)
    text = _append(text, tomlkit.dumps({"tool": {"wheelkit": table}}))
    try:
        toml_table(text)
    except ValueError:  # [tool] is an inline table, which no header may extend
        return own_file
    return FileChange(path=path, text=text, before=before, notes=notes)


def _read(path: Path) -> tuple[bytes, str]:
    """Return the bytes and the text of a pyproject.toml; raise ProjectError where it cannot be read."""
    try:
        data = read_bytes(path)
        text = data.decode("utf-8")
        toml_table(text)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ProjectError(
            f"{path} cannot be read: {reason}", hint="save it as valid TOML in UTF-8"
        ) from error
    return data, text


def _append(text: str, tables: str) -> str:
    """Append tables to a TOML text, with the line ends of the text."""
    newline = "\r\n" if "\r\n" in text else "\n"
    gap = "" if not text else newline if text.endswith("\n") else newline * 2
    return text + gap + tables.replace("\n", newline)


def _already_configured(path: Path) -> UsageError:
    return UsageError(
        f"{path} already configures wheelkit, and is never overwritten",
        hint="show what it configures: wheelkit plan",
    )


def matrix_of(project: Distribution, classifiers: Sequence[str]) -> Matrix:
    """Return the support matrix of a native project; a pure one has none."""
    if project.kind is not Kind.NATIVE:
        return {}
    targets = detect.targets(project, classifiers)
    interpreters = detect.interpreters(project, classifiers, targets)
    if not targets or not interpreters:
        raise ProjectError(
            f"no wheel is left for {project.name}: [tool.cibuildwheel] contradicts requires-python",
            hint="write targets and interpreters into [tool.wheelkit.matrix] by hand",
        )
    skip = detect.skipped(project, interpreters, targets)
    matrix = {"targets": tuple(map(str, targets)), "interpreters": tuple(map(str, interpreters))}
    return {**matrix, "skip": skip} if skip else matrix


def read_classifiers(folder: Path) -> list[str]:
    """Return the classifiers of a project whose pyproject.toml, if any, is valid TOML."""
    path = folder / PROJECT_FILE
    table = toml_table(_read(path)[1]).get("project") if path.exists() else None
    classifiers = table.get("classifiers") if isinstance(table, dict) else None
    return list(map(str, classifiers)) if isinstance(classifiers, list) else []


def diff(change: FileChange, root: Path) -> str:
    """Return a change as a unified diff."""
    name = change.path.relative_to(root).as_posix()
    before = (change.before or b"").decode("utf-8").splitlines()
    lines = unified_diff(before, change.text.splitlines(), f"{name} (now)", f"{name} (new)", lineterm="")
    return "\n".join(lines)


def write(changes: Iterable[FileChange]) -> None:
    """Write the files; raise OutputError at the first that has changed, or appeared, since it was read."""
    for change in changes:
        try:
            change.path.parent.mkdir(parents=True, exist_ok=True)
            if change.before is None:
                with change.path.open("x", encoding="utf-8", newline="") as stream:
                    stream.write(change.text)
            elif read_bytes(change.path) == change.before:
                change.path.write_text(change.text, encoding="utf-8", newline="")
            else:
                raise OutputError(
                    f"{change.path} was changed in the meantime and left unchanged",
                    hint="run wheelkit init again",
                )
        except OSError as error:
            raise OutputError.of(error, change.path) from error
