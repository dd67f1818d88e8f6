"""Bring wheelkit into a project that is there: the configuration that follows from what it already says."""

from __future__ import annotations

import re
import tomllib
from difflib import unified_diff
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.config import normalise
from wheelkit.config.load import OWN_FILE, PROJECT_FILE
from wheelkit.errors import OutputError, ProjectError, UsageError
from wheelkit.init import detect
from wheelkit.project import read
from wheelkit.project.read import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tomlkit import TOMLDocument
    from tomlkit.items import Table

    from wheelkit.project.read import Distribution

    Promise = Mapping[str, tuple[str, ...]]


def adopt(folder: Path) -> FileChange:
    """Compute the configuration for a project: added to its pyproject.toml, or a wheelkit.toml where there is none.

    Raises UsageError where wheelkit is configured already, ProjectError where the project cannot be read.
    """
    found = read.read(folder)
    if (folder / OWN_FILE).is_file():
        raise _configured(folder / OWN_FILE)
    classifiers = stated_classifiers(folder)
    promise = promise_of(found, classifiers)
    notes = (*(_notes(found, classifiers) if promise else ()), *_relatives(found, folder))
    return configuration(folder, promise, () if promise else (".",), notes=notes)


_NAME = re.compile(r"[\w.-]+")


def _relatives(found: Distribution, folder: Path) -> Iterator[str]:
    """Name the projects below this one that need it or that it needs: together they would be a family."""
    near = []
    for path in read.projects_below(folder):
        try:
            other = read.read(path)
        except ProjectError:
            continue
        named = {
            normalise(match[0])
            for text in (*other.dependencies, *found.dependencies)
            if (match := _NAME.match(text.strip()))
        }
        if named & {found.key, other.key}:
            near.append(path.relative_to(folder).as_posix())
    if near:
        members = ", ".join(f'"{name}"' for name in (".", *near))
        yield f"{', '.join(near)} and {found.name} are of one family; to release them together: distributions = [{members}]"


def configuration(
    folder: Path, promise: Promise, members: Sequence[str], notes: tuple[str, ...] = ()
) -> FileChange:
    """Write the configuration: at the end of the folder's pyproject.toml, or into a wheelkit.toml where there is none.

    Raises UsageError where wheelkit is configured there already.
    """
    path = folder / PROJECT_FILE
    if not path.is_file():
        return FileChange(path=folder / OWN_FILE, text=_own_file(promise, members), notes=notes)
    before = path.read_bytes()
    text = before.decode("utf-8")
    if "wheelkit" in tomllib.loads(text).get("tool", {}):
        raise _configured(path)
    edited = _joined(text, _tool_table(promise, members))
    if not _valid(edited):  # [tool] is written in a form that no header may extend
        return FileChange(path=folder / OWN_FILE, text=_own_file(promise, members), notes=notes)
    return FileChange(path=path, text=edited, before=before, notes=notes)


def _notes(found: Distribution, classifiers: Sequence[str]) -> tuple[str, ...]:
    """Say which systems are not promised, and why: classifiers are often older than the wheels."""
    without = " and ".join(detect.skipped_targets(found, classifiers))
    return (
        (
            f"the classifiers name no {without}, so no target of it is promised; add some to targets if you ship wheels for it",
        )
        if without
        else ()
    )


def _valid(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _configured(path: Path) -> UsageError:
    return UsageError(
        f"{path} configures wheelkit already, and nothing is ever overwritten",
        hint="wheelkit plan shows what it says",
    )


def promise_of(found: Distribution, classifiers: Sequence[str]) -> Promise:
    """Give the matrix of a native project; a pure one owes no target."""
    if found.kind is not Kind.NATIVE:
        return {}
    targets = detect.targets(found, classifiers)
    interpreters = detect.interpreters(found, classifiers, targets)
    if not targets or not interpreters:
        raise ProjectError(
            f"no wheel is left to promise for {found.name}: its settings for cibuildwheel and requires-python contradict each other",
            hint="write [tool.wheelkit.matrix] by hand: targets and interpreters",
        )
    return {"targets": tuple(map(str, targets)), "interpreters": tuple(map(str, interpreters))}


def _tool_table(promise: Promise, members: Sequence[str]) -> str:
    """Write ``[tool.wheelkit]``, to be put behind all that is there."""
    import tomlkit

    added = tomlkit.document()
    tool, wheelkit = tomlkit.table(is_super_table=True), tomlkit.table(is_super_table=not members)
    if members:
        wheelkit.append("distributions", list(members))
    if promise:
        wheelkit.append("matrix", _matrix(promise))
    tool.append("wheelkit", wheelkit)
    added.append("tool", tool)
    return tomlkit.dumps(added)


def _joined(text: str, added: str) -> str:
    """Put the new tables at the end, with the line ends that the file has."""
    ending = "\r\n" if "\r\n" in text else "\n"
    gap = "" if not text else ending if text.endswith("\n") else ending * 2
    return text + gap + added.replace("\n", ending)


def _matrix(promise: Promise) -> Table:
    import tomlkit

    table = tomlkit.table()
    for key, words in promise.items():
        table.append(key, list(words))
    return table


def _own_file(promise: Promise, members: Sequence[str]) -> str:
    import tomlkit

    document: TOMLDocument = tomlkit.document()
    if members:
        document.append("distributions", list(members))
    if promise:
        document.append("matrix", _matrix(promise))
    return tomlkit.dumps(document)


def stated_classifiers(folder: Path) -> list[str]:
    """Read the classifiers of a project, which has been read before."""
    path = folder / PROJECT_FILE
    stated = tomllib.loads(path.read_text(encoding="utf-8")).get("project") if path.is_file() else None
    value = stated.get("classifiers") if isinstance(stated, dict) else None
    return [str(one) for one in value] if isinstance(value, list) else []


class FileChange(Struct, frozen=True, kw_only=True):
    """A file as it will be, and the bytes that it holds now (None: it is new); ``notes`` say what of it was guessed."""

    path: Path
    text: str
    before: bytes | None = None
    notes: tuple[str, ...] = ()


def diff(change: FileChange, root: Path) -> str:
    """Show a change of a file that is there as a unified diff."""
    name = change.path.relative_to(root).as_posix()
    old = (change.before or b"").decode("utf-8").splitlines()
    return "\n".join(
        unified_diff(old, change.text.splitlines(), f"{name} (now)", f"{name} (then)", lineterm="")
    )


def write(changes: Iterable[FileChange]) -> None:
    """Write the files; one that was changed since it was read, or that appeared, is left alone and told by an OutputError."""
    for change in changes:
        try:
            change.path.parent.mkdir(parents=True, exist_ok=True)
            if change.before is None:
                with change.path.open("x", encoding="utf-8", newline="") as stream:
                    stream.write(change.text)
            elif change.path.read_bytes() == change.before:
                change.path.write_text(change.text, encoding="utf-8", newline="")
            else:
                raise OutputError(
                    f"{change.path} was changed in the meantime, and was left alone",
                    hint="run wheelkit init again",
                )
        except OSError as error:
            raise OutputError.of(error, change.path) from error
