"""A new project or family from the shipped templates, with a core that builds, a matrix, and its workflows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit import data
from wheelkit.config import normalise
from wheelkit.errors import UsageError
from wheelkit.init.adopt import FileChange
from wheelkit.matrix import COMMON_TARGETS, default_interpreters

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path


_FLOOR = ">=3.11"
_SUFFIX = ".in"
# What people often write before they start; the project gets along with theirs.
_WELCOME = frozenset({"README.md", ".gitignore"})
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def is_project(folder: Path) -> bool:
    """Tell whether a folder holds a project already."""
    return any((folder / name).is_file() for name in ("pyproject.toml", "setup.py", "wheelkit.toml"))


def name_of(folder: Path, told: str | None) -> str:
    """Give the new distribution's name: the one that was told, else the folder's, normalised.

    Raises UsageError where it is none that Python can import, too.
    """
    name = normalise(told or folder.name)
    if not _NAME.fullmatch(name):
        raise UsageError(
            f'"{told or folder.name}" is no name for a distribution that Python can import',
            hint="wheelkit init --name NAME",
        )
    return name


def create(folder: Path, name: str, *, family: bool) -> tuple[FileChange, ...]:
    """Compute the files of a new project, or of a family of three; raise UsageError where one of them is there already."""
    values = _values(name)
    found = list(_family(values) if family else _project(values))
    taken = [path for path, _ in found if (folder / path).exists() and path not in _WELCOME]
    if taken:
        raise UsageError(
            f"{folder} holds {taken[0]} already, and nothing is ever overwritten",
            hint="start in an empty folder",
        )
    return tuple(
        FileChange(path=folder / path, text=text) for path, text in found if not (folder / path).exists()
    )


def _values(name: str) -> Mapping[str, str]:
    interpreters = default_interpreters(_FLOOR)
    return {
        "name": name,
        "module": name.replace("-", "_"),
        "targets": ", ".join(f'"{target}"' for target in COMMON_TARGETS),
        "interpreters": ", ".join(f'"{one}"' for one in interpreters),
    }


def _project(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    matrix = _filled(_templates() / "native" / f"matrix.toml{_SUFFIX}", values)
    for path, text in _folder("native", values):
        if path != "matrix.toml":
            yield path, text + matrix if path == "pyproject.toml" else text


def _family(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield from _folder("family", values)
    yield from (
        (f"core/{path}", text)
        for path, text in _folder("native", values)
        if path not in {"matrix.toml", ".gitignore"}
    )


def _templates() -> Path:
    return data.FOLDER / "templates"


def _folder(name: str, values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for parts, file in _walk(_templates() / name):
        path = "/".join(parts).removesuffix(_SUFFIX).replace("MODULE", values["module"])
        yield (".gitignore" if path == "gitignore" else path), _filled(file, values)


def _walk(folder: Path, parts: tuple[str, ...] = ()) -> Iterable[tuple[tuple[str, ...], Path]]:
    for item in sorted(folder.iterdir(), key=lambda one: one.name):
        if item.is_dir():
            yield from _walk(item, (*parts, item.name))
        elif item.name.endswith(_SUFFIX):
            yield (*parts, item.name), item


def _filled(file: Path, values: Mapping[str, str]) -> str:
    text = file.read_text(encoding="utf-8")
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text
