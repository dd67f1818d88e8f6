"""Read sdists: the names of their files, PKG-INFO, and the files that say what a build needs."""

from __future__ import annotations

import tarfile
import zlib
from typing import TYPE_CHECKING

from wheelkit import limits
from wheelkit.errors import ProjectError
from wheelkit.fast_packaging import normalise
from wheelkit.tar_archives import ExcessError, open_tar
from wheelkit.wheel.dist_info import excessive_headers, parse_headers
from wheelkit.wheel.model import EntryKind, Sdist, SdistEntry
from wheelkit.wheel.tar_format import read_format

if TYPE_CHECKING:
    from pathlib import Path

    from wheelkit.tar_archives import OpenTar


_SUFFIX = ".tar.gz"
_TEXTS = ("pyproject.toml", "PKG-INFO", "meson.build")
_KINDS = {
    **dict.fromkeys((*tarfile.REGULAR_TYPES, tarfile.GNUTYPE_SPARSE), EntryKind.FILE),
    tarfile.DIRTYPE: EntryKind.FOLDER,
    tarfile.SYMTYPE: EntryKind.LINK,
    tarfile.LNKTYPE: EntryKind.HARD_LINK,
}
_DAMAGE = (tarfile.TarError, OSError, EOFError, zlib.error, ValueError)


def read_sdist(path: Path) -> Sdist:
    """Read an sdist in one pass; raise ProjectError where it cannot be read as one."""
    try:
        entries, texts, sparse = _contents(path)
        form = read_format(path)
    except _DAMAGE as error:
        message = f"{path} cannot be read as an sdist: {error}"
        raise ProjectError(message, hint="build or download it again") from error
    names = [entry.name for entry in entries if entry.kind is not EntryKind.FOLDER]
    top = _top(names)
    if f"{top}PKG-INFO" not in texts:
        message = f"{path} has no PKG-INFO, so it is not an sdist"
        raise ProjectError(message, hint="build one with: python -m build --sdist")
    if problem := excessive_headers(texts[f"{top}PKG-INFO"]):
        message = f"{path} cannot be read as an sdist: its PKG-INFO has {problem}"
        raise ProjectError(message, hint="build it again with a current build backend")
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
        entries=tuple(entries),
        form=form,
        texts=decoded,
        metadata_text=texts[f"{top}PKG-INFO"],
        sparse=tuple(sparse),
    )


def _contents(path: Path) -> tuple[list[SdistEntry], dict[str, bytes], list[str]]:
    """Return all members, the texts by name, and the names of sparse files."""
    entries: list[SdistEntry] = []
    sparse: list[str] = []
    texts: dict[str, bytes] = {}
    with open_tar(path) as archive:
        for member in archive.members():
            entries.append(_entry(member))
            if member.issparse():
                sparse.append(member.name)
            if member.name.rpartition("/")[2] in _TEXTS:
                texts[member.name] = _text(archive, member)
    return entries, texts, sparse


def _text(archive: OpenTar, member: tarfile.TarInfo) -> bytes:
    text = archive.text(member)
    if text is None and member.size > limits.SDIST_TEXT:
        raise ExcessError(f"{member.name} has {member.size} bytes")
    return text or b""


def _entry(member: tarfile.TarInfo) -> SdistEntry:
    # tarfile takes members of unknown types for files; installers refuse them.
    kind = _KINDS.get(member.type, EntryKind.SPECIAL)
    target = member.linkname if kind in {EntryKind.LINK, EntryKind.HARD_LINK} else ""
    return SdistEntry(name=member.name, kind=kind, target=target)


def _top(names: list[str]) -> str:
    """Return the folder of the PKG-INFO that is nearest to the top, with its slash."""
    paths = [name for name in names if name.rpartition("/")[2] == "PKG-INFO"]
    return min(paths, key=lambda name: name.count("/"), default="PKG-INFO").removesuffix("PKG-INFO")
