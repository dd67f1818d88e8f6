"""Sources that a build names outside of the project's folder, where no sdist can hold them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from wheelkit.inputs import read_text, resolved
from wheelkit.project.files import NOT_CODE

if TYPE_CHECKING:
    from collections.abc import Iterator

_BUILD_FILES = frozenset({"meson.build", "CMakeLists.txt", "setup.py", "pyproject.toml", "Cargo.toml"})
_UPWARDS = re.compile(r"(?:\.\./)+[\w][\w./+-]*")
_SOURCES = (".c", ".cc", ".cpp", ".cxx", ".m", ".mm", ".cu", ".pyx", ".rs", ".f", ".f90")
_HEADERS = (".h", ".hh", ".hpp", ".hxx", ".inc", ".pxd")
_MOST = 500


def outside_files(folder: Path, top: Path) -> tuple[str, ...]:
    """Return the files that build files name outside of a folder and below ``top``, relative to the folder.

    With a source or a folder of headers come the headers beside it.
    """
    folder, top = resolved(folder), resolved(top)
    found: dict[str, None] = {}
    for file in _build_files(folder):
        try:
            text = read_text(file)
        except (OSError, UnicodeDecodeError):
            continue
        for match in _UPWARDS.finditer(text):
            path = resolved(file.parent / match[0])
            if path.is_relative_to(top) and not path.is_relative_to(folder):
                names = (Path(os.path.relpath(one, folder)).as_posix() for one in _with_headers(path))
                found |= dict.fromkeys(names)
    return tuple(found)[:_MOST]


def _build_files(folder: Path) -> Iterator[Path]:
    """Yield the build files of a project, those in its folders of tests and the like left out."""
    for path, folders, names in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if name not in NOT_CODE and not name.startswith(".") and not Path(path, name, ".git").exists()
        )
        yield from (Path(path, name) for name in sorted(names) if name in _BUILD_FILES)


def _with_headers(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (one for one in sorted(path.iterdir()) if one.suffix in _HEADERS and one.is_file())
    elif path.is_file() and path.suffix in _SOURCES:
        yield path
        yield from _with_headers(path.parent)
    elif path.is_file() and path.suffix in _HEADERS:
        yield path
