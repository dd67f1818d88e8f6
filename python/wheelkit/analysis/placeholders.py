"""Files that Git left in place of others: pointers of Git LFS, and links that became small text files."""

from __future__ import annotations

import re
from posixpath import basename, dirname, join, normpath, splitext
from typing import TYPE_CHECKING

from wheelkit.wheel.members import GIT_LFS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelkit.wheel import Wheel


_UPWARDS = rb"(?:\.\./)+[\w.+@-]+(?:/[\w.+@-]+)*/?"


def placeholders(wheel: Wheel) -> Mapping[str, str]:
    """Return the members that are placeholders, each with what it is.

    Git for Windows, and zip files of a checkout, hold the target of a link as text. The path of another file
    of the wheel is taken for such a link only if both are files of one kind.
    """
    small = [member for member in wheel.members if member.head and not member.name.endswith(".pth")]
    if not small:
        return {}
    files = {member.name for member in wheel.members}
    found = {}
    for member in small:
        if member.head.startswith(GIT_LFS):
            found[member.name] = "is a pointer of Git LFS"
        elif not member.head.startswith(b"#!") and (target := _target(member.name, member.head, files)):
            found[member.name] = f"holds only the path of a link, {target}"
    return found


def _target(name: str, text: bytes, files: set[str]) -> str:
    try:
        path = text.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    if re.fullmatch(_UPWARDS, text):
        return path
    if path.startswith("/"):
        return path if _of_one_kind(name, path) else ""
    target = normpath(join(dirname(name), path))
    return path if target in files and target != name and _of_one_kind(name, target) else ""


def _of_one_kind(name: str, target: str) -> bool:
    """Return whether two files have one suffix, or one is the other with a version behind (libdemo.so.1)."""
    first, second = basename(name), basename(target)
    return (
        splitext(first)[1] == splitext(second)[1] != "" or first == second or second.startswith(f"{first}.")
    )
