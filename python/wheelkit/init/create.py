"""A new project or family from the shipped templates: a native core that builds, and a support matrix."""

from __future__ import annotations

import re
from keyword import iskeyword
from typing import TYPE_CHECKING

from wheelkit import data
from wheelkit.config import normalise
from wheelkit.errors import UsageError
from wheelkit.init.adopt import FileChange
from wheelkit.matrix import COMMON_TARGETS, default_interpreters

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


_REQUIRES_PYTHON = ">=3.11"
_SUFFIX = ".in"
# Files that people often create first; the project uses theirs.
_KEPT = frozenset({"README.md", ".gitignore"})
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def is_project(folder: Path) -> bool:
    """Return whether a folder already contains a project."""
    return any((folder / name).is_file() for name in ("pyproject.toml", "setup.py", "wheelkit.toml"))


def name_of(folder: Path, name: str | None) -> str:
    """Return the normalised name of a new distribution: ``name``, or the folder's own.

    Raises UsageError unless it makes a module name, too.
    """
    normalised = normalise(name or folder.name)
    if not _NAME.fullmatch(normalised) or iskeyword(normalised):
        raise UsageError(
            f'"{name or folder.name}" is not a valid name for a distribution and its module',
            hint="wheelkit init --name NAME",
        )
    return normalised


def create(folder: Path, name: str, *, family: bool) -> tuple[FileChange, ...]:
    """Compute the files of a new project, or of a family of three; raise UsageError if one of them exists."""
    values = {
        "name": name,
        "module": name.replace("-", "_"),
        "targets": ", ".join(f'"{target}"' for target in COMMON_TARGETS),
        "interpreters": ", ".join(f'"{tag}"' for tag in default_interpreters(_REQUIRES_PYTHON)),
    }
    files = {folder / path: text for path, text in (_family(values) if family else _project(values))}
    existing = [path.relative_to(folder).as_posix() for path in files if path.exists()]
    if conflicts := [path for path in existing if path not in _KEPT]:
        raise UsageError(
            f"{folder} already contains {conflicts[0]}, which is never overwritten",
            hint="start in an empty folder",
        )
    return tuple(FileChange(path=path, text=text) for path, text in files.items() if not path.exists())


def _project(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    files = dict(_template("native", values))
    matrix = files.pop("matrix.toml")
    files["pyproject.toml"] += matrix
    yield from files.items()


def _family(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield from _template("family", values)
    for path, text in _template("native", values):
        if path not in {"matrix.toml", ".gitignore"}:
            yield f"core/{path}", text


def _template(name: str, values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the path and text of each file of a template, with the values filled in."""
    root = data.FOLDER / "templates" / name
    for file in sorted(root.rglob(f"*{_SUFFIX}")):
        path = file.relative_to(root).as_posix().removesuffix(_SUFFIX).replace("MODULE", values["module"])
        text = file.read_text(encoding="utf-8")
        for key, value in values.items():
            text = text.replace(f"@{key}@", value)
        yield ".gitignore" if path == "gitignore" else path, text
