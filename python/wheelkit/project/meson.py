"""What a project's meson.build files state unconditionally, read as text without running Meson."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.inputs import read_text
from wheelkit.tar_archives import open_tar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Read = Callable[[str], str | None]

# A string, in which # begins no comment, or a comment up to the end of its line.
_STRING_OR_COMMENT = re.compile(r"(?P<string>'''.*?'''|'(?:\\.|[^'\\\n])*')|#[^\n]*", re.DOTALL)
_PROJECT = re.compile(r"\bproject\s*\((?P<body>(?:'[^'\n]*'|[^()']|\((?:'[^'\n]*'|[^()'])*\))*)\)", re.DOTALL)
VERSION_LITERAL = re.compile(r"\bversion\s*:\s*'(?P<version>[^']+)'")
VERSION_FILE = re.compile(r"\bversion\s*:\s*files\(\s*'(?P<file>[^']+)'\s*,?\s*\)")
VERSION_COMMAND = re.compile(r"\bversion\s*:\s*run_command\b")
_BLOCK = re.compile(r"^\s*(?P<word>if|elif|else|endif|foreach|endforeach)\b")
_SUBDIR = re.compile(r"\bsubdir\s*\(\s*'(?P<folder>[^']+)'\s*\)")
_LIMITED_API = re.compile(r"\blimited_api\s*:\s*'(?P<major>3)\.(?P<minor>\d+)'")


def blank_comments(text: str) -> str:
    """Replace comments by spaces, so that every character keeps its position."""
    return _STRING_OR_COMMENT.sub(lambda match: match["string"] or " " * len(match[0]), text)


def project_call(text: str) -> tuple[int, str] | None:
    """Return the position and text of the arguments of ``project()``, comments blanked, or None."""
    match = _PROJECT.search(blank_comments(text))
    return (match.start("body"), match["body"]) if match else None


def project_version(read: Read) -> str | None:
    """Return the version of ``project()`` in the root meson.build, or of the file that it names, or None."""
    call = project_call(read("meson.build") or "")
    if call is None:
        return None
    if match := VERSION_LITERAL.search(call[1]):
        return match["version"]
    match = VERSION_FILE.search(call[1])
    return (read(match["file"]) or "").strip() or None if match else None


def stable_abi_floor(source: Path) -> tuple[str, tuple[int, int]] | None:
    """Return the highest ``limited_api: '3.N'`` of a project as (file, (3, N)); None if there is none."""
    floors = [
        (name, (int(match["major"]), int(match["minor"])))
        for name, text in statements(source)
        for match in _LIMITED_API.finditer(text)
    ]
    return max(floors, key=lambda floor: floor[1], default=None)


def statements(source: Path) -> Iterator[tuple[str, str]]:
    """Yield the meson.build files of a folder or sdist, from the root through ``subdir()``.

    Each comes with its path and its unconditional statements; all other lines are blank, so line numbers
    stay.
    """
    read = _reader(source)
    folders = [""]
    seen: set[str] = set()
    while folders:
        folder = folders.pop(0)
        name = f"{folder}meson.build"
        text = None if name in seen else read(name)
        if text is None:
            continue
        seen.add(name)
        certain = unconditional(text)
        yield name, certain
        folders += [f"{folder}{match['folder']}/" for match in _SUBDIR.finditer(certain)]


def unconditional(text: str) -> str:
    """Blank comments and everything in ``if`` and ``foreach``, which only a configured build can decide."""
    depth = 0
    lines = []
    for line in blank_comments(text).split("\n"):
        match = _BLOCK.match(line)
        word = match["word"] if match else ""
        depth -= word.startswith("end")
        lines.append("" if depth > 0 or word else line)
        depth += word in {"if", "foreach"}
    return "\n".join(lines)


def _reader(source: Path) -> Read:
    """Return a function that reads files of a project folder or an sdist by their path in the project."""
    if source.is_dir():
        return lambda name: _text(source / name)
    if not source.is_file():
        return lambda _: None
    with open_tar(source) as archive:
        texts = {
            member.name.partition("/")[2]: text.decode("utf-8", errors="replace")
            for member in archive.members()
            if member.isfile() and member.name.endswith("/meson.build") and (text := archive.text(member))
        }
    return texts.get


def _text(path: Path) -> str | None:
    try:
        return read_text(path, errors="replace")
    except OSError:
        return None
