"""The archive itself: every member readable, safe to unpack, and as RECORD says."""

from __future__ import annotations

import re
import stat
from itertools import pairwise
from typing import TYPE_CHECKING

from wheelkit.text import plural, shorten_list
from wheelkit.verification.findings import finding
from wheelkit.wheel.archive import expansion_limit_message
from wheelkit.wheel.digests import HASHES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Member, RecordRow, Wheel


# Files that RECORD cannot hash or need not list: itself and its signatures.
_UNRECORDED = ("RECORD", "RECORD.jws", "RECORD.p7s")


def members(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report members whose contents cannot be read as the archive declares them, or that are made to fill a disk."""
    for member in wheel.members:
        if member.problem:
            code = "WK114" if expansion_limit_message(member.size, member.packed) else "WK101"
            yield finding(
                code, what=f"{member.name} {member.problem}", file=wheel.filename, member=member.name
            )


def headers(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report members of which the local header says other things than the central directory."""
    for member in wheel.members:
        if member.header:
            yield finding(
                "WK115", what=f"{member.name} {member.header}", file=wheel.filename, member=member.name
            )


def hidden(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report members that the central directory leaves out."""
    if wheel.hidden:
        what = f"{plural(wheel.hidden, 'member')} of the archive {'is' if wheel.hidden == 1 else 'are'} not in its central directory"
        yield finding("WK115", what=what, file=wheel.filename)


def overlap(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report bytes of the file that are part of two members."""
    if wheel.shared:
        yield finding(
            "WK116",
            what=f"{plural(wheel.shared, 'byte')} of the archive belong to two members",
            file=wheel.filename,
        )


def paths(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report member names that unpack to somewhere else, twice, or differently on another system."""
    for member in wheel.members:
        trouble = _path_trouble(member.name)
        if trouble:
            yield finding(
                "WK103",
                what=f'"{_short_name(member.name)}" {trouble}',
                file=wheel.filename,
                member=member.name,
            )
    for first, second in _collisions(wheel.members):
        if first == second:
            yield finding("WK104", what=f"{first} is in the archive twice", file=wheel.filename, member=first)
        else:
            systems = (
                "Windows and macOS"
                if first.casefold() != second.casefold() or first.isascii()
                else "macOS, some of them on Windows"
            )
            yield finding(
                "WK105",
                what=f"{first} and {second} are one file on {systems}",
                file=wheel.filename,
                member=second,
            )
    for name in _file_and_folder(wheel.members):
        yield finding(
            "WK118",
            what=f"{name} is a file, and other members lie in a folder of that name",
            file=wheel.filename,
            member=name,
        )


def windows_names(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report members of wheels for Windows, or for every platform, whose names Windows cannot have."""
    platforms = wheel.name.platforms if wheel.name else ()
    if not any(platform == "any" or platform.startswith("win") for platform in platforms):
        return
    bad = [member.name for member in wheel.members if _NOT_ON_WINDOWS.search(member.name)]
    if bad:
        yield finding(
            "WK117",
            what=f"Windows has no files named {shorten_list(bad)}",
            file=wheel.filename,
            member=bad[0],
        )


# Reserved characters, names that end in a dot or a space, and the names of devices, with or without an ending
# ("Naming Files, Paths, and Namespaces" of the Win32 documentation).
_NOT_ON_WINDOWS = re.compile(
    r"""[<>:"|?*\x00-\x1f] | [. ](?:/|$) | (?:^|/)(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:\.[^/]*)?(?:/|$)""",
    re.IGNORECASE | re.VERBOSE,
)


def _short_name(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[:_SHOWN]}...{name[-_SHOWN:]}"


_SHOWN = 40


def _path_trouble(name: str) -> str:
    if len(name) <= _LONGEST_NAME and _PLAIN_PATH.fullmatch(name):
        return ""
    return next((words for tells, words in _PATH_TROUBLES if tells(name)), "")


# What nearly all members are named like, and no trouble is: letters, digits and marks, and no part that begins with a dot.
_PLAIN_PATH = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.+ -]*/)*(?:[A-Za-z0-9_][A-Za-z0-9_.+ -]*/?)")
_CONTROLS = frozenset(map(chr, (*range(0x20), 0x7F)))
# PATH_MAX and NAME_MAX of Linux; other systems take less.
_LONGEST_PATH, _LONGEST_NAME = 4096, 255
# What a member's name must not be, the worst first.
_PATH_TROUBLES: tuple[tuple[Callable[[str], object], str], ...] = (
    (lambda name: not name, "is no name"),
    (lambda name: "\0" in name, "holds a NUL, at which many programs cut it off"),
    (lambda name: name.startswith(("/", "\\")) or name[1:3] in {":/", ":\\"}, "is an absolute path"),
    (
        lambda name: ".." in name.replace("\\", "/").split("/"),
        "leads out of the folder that it is unpacked into",
    ),
    (lambda name: "\\" in name, "is written with backslashes, which mean a folder on Windows only"),
    (lambda name: not _CONTROLS.isdisjoint(name), "holds control characters"),
    (
        lambda name: len(name) > _LONGEST_PATH or max(map(len, name.split("/"))) > _LONGEST_NAME,
        "is longer than systems take",
    ),
    (
        lambda name: not {"", "."}.isdisjoint(name.removesuffix("/").split("/")),
        "is another spelling of a path",
    ),
)


def _collisions(entries: Iterable[Member]) -> Iterator[tuple[str, str]]:
    seen: dict[str, str] = {}
    for member in entries:
        if not member.directory:
            first = seen.setdefault(_folded(member.name), member.name)
            if first is not member.name:
                yield first, member.name


def _folded(name: str) -> str:
    """Spell a name as file systems compare it that take no heed of case and of how accents are written."""
    if name.isascii():
        return name.lower()
    from unicodedata import normalize

    return normalize("NFC", normalize("NFC", name).casefold())


def _file_and_folder(entries: Iterable[Member]) -> Iterator[str]:
    """Walk the files below whose names other members lie.

    Once a NUL stands for each slash, what lies below a name follows it in the order. A path can have ten thousands of parts, so its
    parents are not looked for.
    """
    names = sorted({member.name.replace("/", "\0") for member in entries if "\0" not in member.name})
    for name, following in pairwise(names):
        if not name.endswith("\0") and following.startswith(f"{name}\0"):
            yield name.replace("\0", "/")


def links(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report symbolic links, and pipes and devices: installers write them as ordinary files."""
    for member in wheel.members:
        kind = stat.S_IFMT(member.mode)
        if kind == stat.S_IFLNK:
            yield finding(
                "WK106", what=f"{member.name} is a symbolic link", file=wheel.filename, member=member.name
            )
        elif kind in _SPECIAL:
            yield finding(
                "WK106", what=f"{member.name} is {_SPECIAL[kind]}", file=wheel.filename, member=member.name
            )


_SPECIAL = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def record(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report members that RECORD does not list, lists with other bytes, or that are not there."""
    if wheel.shallow:
        return
    if wheel.record is None:
        yield finding(
            "WK107",
            what=f"{wheel.dist_info}/RECORD cannot be used: {wheel.record_problem}",
            file=wheel.filename,
        )
        return
    rows = {row.path: row for row in wheel.record}
    unhashed = {f"{wheel.dist_info}/{name}" for name in _UNRECORDED}
    files = {member.name: member for member in wheel.members if not member.directory}
    unlisted = [name for name in files if name not in rows and name not in unhashed]
    if unlisted:
        yield finding(
            "WK108",
            what=f"RECORD does not list {shorten_list(unlisted)}",
            file=wheel.filename,
            member=unlisted[0],
        )
    absent = [path for path in rows if path not in files and path not in unhashed]
    if absent:
        yield finding(
            "WK109",
            what=f"RECORD lists {shorten_list(absent)}, which the archive does not hold",
            file=wheel.filename,
            member=absent[0],
        )
    twice = _twice(wheel.record)
    if twice:
        yield finding(
            "WK108",
            what=f"RECORD lists {shorten_list(twice)} more than once",
            file=wheel.filename,
            member=twice[0],
        )
    own = rows.get(f"{wheel.dist_info}/RECORD")
    if own is not None and own.digest:
        what = "RECORD gives a hash of itself, which no file can hold"
        yield finding("WK102", what=what, file=wheel.filename, member=own.path)
    for name, member in files.items():
        row = rows.get(name)
        if row is not None and name not in unhashed and not member.problem:
            yield from _row(wheel, member, row)


def _twice(rows: Iterable[RecordRow]) -> list[str]:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.path] = counts.get(row.path, 0) + 1
    return [path for path, count in counts.items() if count > 1]


def _row(wheel: Wheel, member: Member, row: RecordRow) -> Iterator[Finding]:
    algorithm = row.digest.partition("=")[0]
    if not row.digest:
        yield finding(
            "WK108", what=f"RECORD has no hash for {member.name}", file=wheel.filename, member=member.name
        )
    elif algorithm not in HASHES:
        what = f"RECORD hashes {member.name} with {algorithm}; only sha256 and stronger are allowed"
        yield finding("WK110", what=what, file=wheel.filename, member=member.name)
    elif row.digest != member.digest:
        what = f"{member.name} is not the file that RECORD hashed ({_short(member.digest)}, RECORD says {_short(row.digest)})"
        yield finding("WK102", what=what, file=wheel.filename, member=member.name)
    if row.size is not None and row.size != member.size:
        what = f"{member.name} has {member.size} bytes, RECORD says {row.size}"
        yield finding("WK102", what=what, file=wheel.filename, member=member.name)


def _short(digest: str) -> str:
    algorithm, _, value = digest.partition("=")
    return f"{algorithm} {value[:8]}..."


def dates(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report timestamps that are no day of the calendar, which is what zip archives make of times before 1980."""
    odd = [member.name for member in wheel.members if not member.dated]
    if odd:
        what = f"{shorten_list(odd)} {'has' if len(odd) == 1 else 'have'} a date with month or day zero"
        yield finding("WK111", what=what, file=wheel.filename, member=odd[0])


def stray(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report bytes of the file that are in no member."""
    if wheel.stray:
        yield finding(
            "WK113",
            what=f"{plural(wheel.stray, 'byte')} of the archive belong to no member",
            file=wheel.filename,
        )
    for member in wheel.members:
        if member.directory and member.size:
            what = f"{member.name} is a folder, yet has {plural(member.size, 'byte')} of contents"
            yield finding("WK113", what=what, file=wheel.filename, member=member.name)
