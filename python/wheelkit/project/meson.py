"""What a project's meson.build files say for certain, read as text: nothing is run, and what stands inside an ``if`` is not believed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Read = Callable[[str], str | None]


_TEXT = re.compile(r"(?P<string>'''.*?'''|'(?:\\.|[^'\\\n])*')|#[^\n]*", re.DOTALL)
_BLOCK = re.compile(r"^\s*(?P<word>if|elif|else|endif|foreach|endforeach)\b")
_SUBDIR = re.compile(r"\bsubdir\s*\(\s*'(?P<folder>[^']+)'\s*\)")
_LIMITED_API = re.compile(r"\blimited_api\s*:\s*'(?P<major>3)\.(?P<minor>\d+)'")


def stable_abi_floor(source: Path) -> tuple[str, tuple[int, int]] | None:
    """Find the highest ``limited_api: '3.N'`` of a project folder or sdist: the file that says it, and (3, N); None where none does."""
    found = [
        (name, (int(match["major"]), int(match["minor"])))
        for name, text in statements(source)
        for match in _LIMITED_API.finditer(text)
    ]
    return max(found, key=lambda one: one[1], default=None)


def statements(source: Path) -> Iterator[tuple[str, str]]:
    """Walk the meson.build files of a project folder or sdist from the root through ``subdir()``, each with its certain statements.

    Lines keep their numbers: what is left out is blank.
    """
    read = _reader(source)
    waiting = [""]
    seen: set[str] = set()
    while waiting:
        folder = waiting.pop(0)
        name = f"{folder}meson.build"
        text = None if name in seen else read(name)
        if text is None:
            continue
        seen.add(name)
        certain = unconditional(text)
        yield name, certain
        waiting += [f"{folder}{match['folder']}/" for match in _SUBDIR.finditer(certain)]


def unconditional(text: str) -> str:
    """Blank out comments and all that stands inside if and foreach; what depends on options only a configured build can tell."""
    code = _TEXT.sub(lambda found: found["string"] or "", text)
    depth = 0
    lines = []
    for line in code.split("\n"):
        match = _BLOCK.match(line)
        word = match["word"] if match else ""
        depth -= word.startswith("end")
        lines.append("" if depth > 0 or word else line)
        depth += word in {"if", "foreach"}
    return "\n".join(lines)


def _reader(source: Path) -> Read:
    """Read texts of a project folder, or of an sdist, by their path inside it."""
    if source.is_dir():
        return lambda name: _text(source / name)
    if not source.is_file():
        return lambda _: None
    import tarfile

    with tarfile.open(source, "r:gz") as archive:
        texts = {
            member.name.partition("/")[2]: stream.read().decode("utf-8", errors="replace")
            for member in archive
            if member.isfile()
            and member.name.endswith("/meson.build")
            and (stream := archive.extractfile(member))
        }
    return texts.get


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
