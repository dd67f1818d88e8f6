"""Bring wheelkit into a project that is there: the configuration that follows from what it already says."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from wheelkit import project
from wheelkit.config.load import OWN_FILE, PROJECT_FILE
from wheelkit.errors import ProjectError, UsageError
from wheelkit.init import guess
from wheelkit.init.changes import Change
from wheelkit.project import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tomlkit import TOMLDocument
    from tomlkit.items import Table

    from wheelkit.project import Distribution

    Promise = Mapping[str, tuple[str, ...]]


def adopt(folder: Path) -> Change:
    """Compute the configuration for a project: added to its pyproject.toml, or a wheelkit.toml where there is none.

    Raises UsageError where wheelkit is configured already, ProjectError where the project cannot be read.
    """
    found = project.read(folder)
    if (folder / OWN_FILE).is_file():
        raise _configured(folder / OWN_FILE)
    path = folder / PROJECT_FILE
    if not path.is_file():
        return Change(path=folder / OWN_FILE, text=_own_file(_promise(found, ())))
    before = path.read_bytes()
    text = before.decode("utf-8")
    promise = _promise(found, _classifiers(_parsed(path, text)))
    edited = _joined(text, _tool_table(promise))
    if not _valid(edited):  # [tool] is written in a form that no header may extend
        return Change(path=folder / OWN_FILE, text=_own_file(promise))
    return Change(path=path, text=edited, before=before)


def _parsed(path: Path, text: str) -> dict[str, Any]:
    document = tomllib.loads(text)  # project.read() has read it before
    if "wheelkit" in document.get("tool", {}):
        raise _configured(path)
    return document


def _valid(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _configured(path: Path) -> UsageError:
    return UsageError(f"{path} configures wheelkit already, and nothing is ever overwritten", hint="wheelkit plan shows what it says")


def _promise(found: Distribution, classifiers: Sequence[str]) -> Promise:
    """Give the matrix of a native project; a pure one owes no target."""
    if found.kind is not Kind.NATIVE:
        return {}
    targets = guess.targets(found, classifiers)
    interpreters = guess.interpreters(found, classifiers, targets)
    if not targets or not interpreters:
        raise ProjectError(
            f"no wheel is left to promise for {found.name}: its settings for cibuildwheel and requires-python contradict each other",
            hint="write [tool.wheelkit.matrix] by hand: targets and interpreters",
        )
    return {"targets": tuple(map(str, targets)), "interpreters": tuple(map(str, interpreters))}


def _tool_table(promise: Promise) -> str:
    """Write ``[tool.wheelkit]``, to be put behind all that is there."""
    import tomlkit

    added = tomlkit.document()
    tool, wheelkit = tomlkit.table(is_super_table=True), tomlkit.table(is_super_table=bool(promise))
    if promise:
        wheelkit.append("matrix", _matrix(promise))
    else:
        wheelkit.append("distributions", ["."])
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


def _own_file(promise: Promise) -> str:
    import tomlkit

    document: TOMLDocument = tomlkit.document()
    if promise:
        document.append("matrix", _matrix(promise))
    else:
        document.append("distributions", ["."])
    return tomlkit.dumps(document)


def _classifiers(document: Mapping[str, Any]) -> list[str]:
    stated = document.get("project")
    value = stated.get("classifiers") if isinstance(stated, dict) else None
    return [str(one) for one in value] if isinstance(value, list) else []
