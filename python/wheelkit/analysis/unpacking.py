"""How pip and uv unpack an sdist: what they refuse, and what ends up elsewhere than its name says.

pip takes the top folder off every path and applies tarfile's data filter (utils/unpacking.py); uv unpacks
below the top folder with rules of its own (astral's archive-trait, src/extract.rs and src/name.rs).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.wheel.model import EntryKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit.wheel.model import SdistEntry


_LONGEST_NAME = 255
_CONTROLS = frozenset(map(chr, (*range(0x20), 0x7F)))
# Links in links that a path may lead through; loops have no end.
_MOST_LINKS = 40
_OUT = "leads out of the sdist"
_SPECIAL = "is a device, a pipe or of an unknown type, and pip and uv refuse it"


class UnpackProblem(Struct, frozen=True, kw_only=True):
    """Why installers refuse an entry or unpack it differently: its name, and what completes "NAME ..."."""

    name: str
    reason: str


def name_problems(entries: Iterable[SdistEntry]) -> Iterator[UnpackProblem]:
    """Yield the entries whose names pip or uv refuses."""
    for entry in entries:
        reason = _name_problem(entry)
        if reason:
            yield UnpackProblem(name=entry.name, reason=reason)


def _name_problem(entry: SdistEntry) -> str:
    rows = (
        (not _is_utf8(entry.name), "is not UTF-8, and pip and uv refuse it"),
        (
            _has_long_part(entry.name),
            f"is longer than {_LONGEST_NAME} bytes, and pip and uv fail to write it",
        ),
        (not _CONTROLS.isdisjoint(entry.name), "contains control characters, and uv refuses it"),
        (":" in entry.name, "contains a colon, and uv refuses it"),
        ("\\" in entry.name, "contains backslashes, and uv refuses it"),
        (entry.name != entry.name.strip(" "), "begins or ends with a blank, and uv refuses it"),
        (
            entry.name.endswith("/") and entry.kind is not EntryKind.FOLDER,
            "is a file with a slash at the end, and uv refuses it",
        ),
    )
    return next((reason for applies, reason in rows if applies), "")


def _is_utf8(name: str) -> bool:
    # tarfile reads other bytes as lone surrogates.
    return not any("\ud800" <= sign <= "\udfff" for sign in name)


def _has_long_part(name: str) -> bool:
    return any(len(part.encode("utf-8", "surrogateescape")) > _LONGEST_NAME for part in name.split("/"))


def special_files(entries: Iterable[SdistEntry]) -> Iterator[UnpackProblem]:
    """Yield devices and pipes, which pip and uv refuse, and files where others need a folder."""
    files: set[str] = set()
    folders: set[str] = set()
    for entry in entries:
        name = entry.name.rstrip("/")
        if entry.kind is EntryKind.SPECIAL:
            yield UnpackProblem(name=name, reason=_SPECIAL)
        blocked = next((parent for parent in _parents(name) if parent in files), "")
        if blocked:
            reason = f"is below {blocked}, which is a file: pip and uv refuse it"
            yield UnpackProblem(name=name, reason=reason)
        if entry.kind is EntryKind.FOLDER:
            folders.add(name)
        elif name in folders:
            yield UnpackProblem(name=name, reason="is a folder and a file, and pip refuses it")
        elif entry.kind is not EntryKind.LINK:
            files.add(name)
        folders.update(_parents(name))


def link_problems(entries: Iterable[SdistEntry], top: str) -> Iterator[UnpackProblem]:
    """Yield the links that pip or uv refuses, and files that are unpacked through links."""
    links: dict[str, str] = {}
    files: set[str] = set()
    for entry in entries:
        name = entry.name.rstrip("/")
        through = next((parent for parent in _parents(name) if parent in links), "")
        reason = f"is unpacked through the link {through}, and uv refuses it" if through else ""
        if entry.kind is EntryKind.LINK:
            links[name] = entry.target
            reason = _link_problem(name, links, top) or reason
        elif entry.kind is EntryKind.HARD_LINK:
            reason = _hard_link_problem(entry.target, links, files, top) or reason
            files.add(name)
        elif entry.kind is EntryKind.FILE:
            if name in links:
                reason = f"replaces a link to {links[name]}: pip writes to that file, and uv to its own"
            files.add(name)
        if reason:
            yield UnpackProblem(name=name, reason=reason)


def _link_problem(name: str, links: dict[str, str], top: str) -> str:
    target = links[name]
    if not target:
        return "is a link to nothing, and uv refuses it"
    place = _resolve(name, links)
    if place is None:
        return "is a link that leads back to itself, and uv refuses it"
    # pip unpacks without the top folder, so a link must not even pass above it.
    if target.startswith("/") or not _is_inside(place, top) or _passes_above(name, target):
        return f"is a link to {target}, which {_OUT}: pip refuses it, and uv if it leaves the folder above"
    parts = [part for part in target.split("/") if part not in {"", "."}]
    if ".." in parts and any(part != ".." for part in parts[: len(parts) - parts[::-1].index("..")]):
        return f"is a link to {target}, with '..' behind a folder, and uv refuses it"
    return ""


def _hard_link_problem(target: str, links: dict[str, str], files: set[str], top: str) -> str:
    place = target.rstrip("/")
    if target.startswith("/") or ".." in target.split("/") or not _is_inside(place, top):
        return f"is a hard link to {target}, which {_OUT}: pip and uv refuse it"
    if place in links:
        return f"is a hard link to the link {target}, and uv refuses it"
    return "" if place in files else f"is a hard link to {target}, which is no file before it: uv refuses it"


def _is_inside(place: str, top: str) -> bool:
    return place == top or place.startswith(f"{top}/")


def _passes_above(name: str, target: str) -> bool:
    """Return whether a link climbs above the top folder on its way, if only to come back."""
    depth = name.count("/") - 1
    for part in target.split("/"):
        if part not in {"", "."}:
            depth += -1 if part == ".." else 1
        if depth < 0:
            return True
    return False


def _resolve(name: str, links: dict[str, str]) -> str | None:
    """Follow links to the path that a name means; None for loops, and ``..`` at the front for the outside."""
    waiting, done = name.split("/")[::-1], list[str]()
    followed = 0
    while waiting:
        part = waiting.pop()
        if part in {"", "."}:
            continue
        if part == "..":
            if done and done[-1] != "..":
                done.pop()
            else:
                done.append(part)
            continue
        done.append(part)
        target = links.get("/".join(done))
        if target is None:
            continue
        followed += 1
        if followed > _MOST_LINKS:
            return None
        done.pop()
        if target.startswith("/"):
            return target
        waiting += target.split("/")[::-1]
    return "/".join(done)


def _parents(name: str) -> Iterator[str]:
    place = name.find("/")
    while place >= 0:
        yield name[:place]
        place = name.find("/", place + 1)
