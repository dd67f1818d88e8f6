"""Read sdists: the names of their files, PKG-INFO, and the files that say what a build needs."""

from __future__ import annotations

import posixpath
import tarfile
import zlib
from typing import TYPE_CHECKING

from wheelkit.errors import ProjectError
from wheelkit.fast_packaging import normalise
from wheelkit.inputs import open_file
from wheelkit.wheel.dist_info import parse_headers
from wheelkit.wheel.model import Sdist

if TYPE_CHECKING:
    from pathlib import Path


_SUFFIX = ".tar.gz"
_TEXTS = ("pyproject.toml", "PKG-INFO", "meson.build")
# Build files of the largest projects stay below 1 MB.
_LARGEST_TEXT = 4 * 1024 * 1024
_DAMAGE = (tarfile.TarError, OSError, EOFError, zlib.error, ValueError)


def read_sdist(path: Path) -> Sdist:
    """Read an sdist in one pass; raise ProjectError where it cannot be read as one."""
    try:
        names, links, texts, sparse = _contents(path)
    except _DAMAGE as error:
        message = f"{path} cannot be read as an sdist: {error}"
        raise ProjectError(message, hint="build or download it again") from error
    top = _top(names)
    if f"{top}PKG-INFO" not in texts:
        message = f"{path} has no PKG-INFO, so it is not an sdist"
        raise ProjectError(message, hint="build one with: python -m build --sdist")
    headers = parse_headers(texts[f"{top}PKG-INFO"])
    stem_name, _, stem_version = path.name.removesuffix(_SUFFIX).rpartition("-")
    decoded = {name.removeprefix(top): text.decode("utf-8", "replace") for name, text in texts.items()}
    return Sdist(
        path=path,
        size=path.stat().st_size,
        distribution=normalise(headers.get("Name", stem_name)),
        version=headers.get("Version", stem_version),
        requires_python=headers.get("Requires-Python") or None,
        metadata=headers,
        folder=top.rstrip("/"),
        names=frozenset(names),
        links=tuple(links),
        texts=decoded,
        metadata_text=texts[f"{top}PKG-INFO"],
        sparse=tuple(sparse),
    )


def _contents(path: Path) -> tuple[list[str], list[str], dict[str, bytes], list[str]]:
    """Return the names of files, of links that lead out, the texts by name, and the names of sparse files."""
    names: list[str] = []
    links: list[str] = []
    sparse: list[str] = []
    texts: dict[str, bytes] = {}
    with open_file(path) as file, tarfile.open(fileobj=file, mode="r:gz") as archive:
        for member in archive:
            if (member.issym() or member.islnk()) and _leads_out(member):
                links.append(member.name)
            if not member.isdir():
                names.append(member.name)
            if member.issparse():
                sparse.append(member.name)
            if member.isfile() and member.size <= _LARGEST_TEXT and member.name.rpartition("/")[2] in _TEXTS:
                stream = archive.extractfile(member)
                texts[member.name] = stream.read() if stream is not None else b""
    return names, links, texts, sparse


def _leads_out(member: tarfile.TarInfo) -> bool:
    """Return whether a link leaves the archive's top folder; hard links are relative to the root."""
    if member.linkname.startswith("/"):
        return True
    start = posixpath.dirname(member.name) if member.issym() else ""
    target = posixpath.normpath(posixpath.join(start, member.linkname))
    return target.partition("/")[0] != member.name.partition("/")[0]


def _top(names: list[str]) -> str:
    """Return the folder of the PKG-INFO that is nearest to the top, with its slash."""
    paths = [name for name in names if name.rpartition("/")[2] == "PKG-INFO"]
    return min(paths, key=lambda name: name.count("/"), default="PKG-INFO").removesuffix("PKG-INFO")
