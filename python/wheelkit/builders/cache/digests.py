"""Digests of texts, files and folders."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from wheelkit.inputs import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator


_MAX_FILE_SIZE = 1 << 26


def canonical(document: object) -> bytes:
    """Return plain data as JSON in its only form."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def text_digest(text: str) -> str:
    """Return the sha256 of a text in hexadecimal; the text may contain surrogates, as file names do."""
    return sha256(text.encode(errors="surrogateescape")).hexdigest()


def path_digest(path: Path) -> str:
    """Digest a file's bytes, or the names, sizes and times of a folder's files; empty if it does not exist.

    Of a large file, such as a compiler of 100 MB, size and times are digested, as of those in folders. The
    system's folders are ignored, because the package manager's records describe them.
    """
    try:
        if path.is_file():
            if path.stat().st_size > _MAX_FILE_SIZE:
                return text_digest(file_stamp(path.resolve()))
            return sha256(read_bytes(path, most=None)).hexdigest()
        if path.is_dir() and not path.is_relative_to("/usr"):
            return text_digest("\n".join(_stamps(path)))
    except OSError:
        return "unreadable"
    return ""


def _stamps(folder: Path, depth: int = 3) -> Iterator[str]:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name == "__pycache__":
            continue  # programs write there when they run
        if entry.is_dir(follow_symlinks=False) and depth:
            yield from _stamps(Path(entry.path), depth - 1)
        else:
            status = entry.stat(follow_symlinks=False)
            yield f"{entry.path} {status.st_size} {status.st_mtime_ns}"


def file_stamp(path: Path) -> str:
    """Return a file's path, inode, size and times, which change with its content."""
    try:
        status = path.lstat()
    except OSError:
        return f"{path} gone"
    return f"{path} {status.st_ino} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"
