"""The zip archive: every member is readable, safe to unpack, and as RECORD says."""

from __future__ import annotations

import re
import stat
from collections import Counter
from typing import TYPE_CHECKING

from wheelkit.text import plural, shorten_list
from wheelkit.verification.findings import finding
from wheelkit.wheel.archive import expands_too_far
from wheelkit.wheel.dist_info import RECORD_HASHES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Member, RecordRow, Wheel


# Files that RECORD need not list, or lists without a hash: itself and its signatures.
_UNRECORDED = ("RECORD", "RECORD.jws", "RECORD.p7s")
# Reserved characters, a dot or space at the end, and devices ("Naming Files, Paths, and Namespaces", Win32).
_NOT_ON_WINDOWS = re.compile(
    r"""[<>:"|?*\x00-\x1f] | [. ](?:/|$) | (?:^|/)(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:\.[^/]*)?(?:/|$)""",
    re.IGNORECASE | re.VERBOSE,
)
# Nearly all names match this, and none of these has a problem.
_PLAIN_PATH = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.+ -]*/)*(?:[A-Za-z0-9_][A-Za-z0-9_.+ -]*/?)")
_CONTROLS = frozenset(map(chr, (*range(0x20), 0x7F)))
# PATH_MAX and NAME_MAX of Linux; other systems allow less.
_LONGEST_PATH, _LONGEST_NAME = 4096, 255
# How many characters are shown from each end of an overlong name.
_SHOWN = 40
# What a member's name must not be, the worst first.
_PATH_PROBLEMS: tuple[tuple[Callable[[str], object], str], ...] = (
    (lambda name: not name, "is empty"),
    (lambda name: "\0" in name, "contains a NUL byte, where many programs cut it off"),
    (lambda name: name.startswith(("/", "\\")) or name[1:3] in {":/", ":\\"}, "is an absolute path"),
    (lambda name: ".." in name.replace("\\", "/").split("/"), "leads out of the folder it is unpacked into"),
    (lambda name: "\\" in name, "contains backslashes, which separate folders only on Windows"),
    (lambda name: not _CONTROLS.isdisjoint(name), "contains control characters"),
    (
        lambda name: len(name) > _LONGEST_PATH or max(map(len, name.split("/"))) > _LONGEST_NAME,
        "is longer than file systems allow",
    ),
    (lambda name: not {"", "."}.isdisjoint(name.removesuffix("/").split("/")), "is not a normalized path"),
)
_SPECIAL_FILES = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def members(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report members that cannot be read as the archive declares them, or that unpack to an absurd size."""
    for member in wheel.members:
        if member.problem:
            code = "WK114" if expands_too_far(member.size, member.packed) else "WK101"
            yield finding(code, f"{member.name} {member.problem}", member=member.name)


def headers(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report members whose local header differs from the central directory."""
    for member in wheel.members:
        if member.header:
            yield finding("WK115", f"{member.name} {member.header}", member=member.name)


def hidden(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report members that the central directory does not list."""
    if wheel.hidden:
        files = plural(wheel.hidden, "file in the archive is", "files in the archive are")
        yield finding("WK115", f"{files} not in its central directory")


def overlap(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report bytes of the archive that are part of two members."""
    if wheel.shared:
        bytes_ = plural(wheel.shared, "byte of the archive belongs", "bytes of the archive belong")
        yield finding("WK116", f"{bytes_} to two files")


def stray(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report bytes of the archive that are in no member, and folders with contents."""
    if wheel.stray:
        bytes_ = plural(wheel.stray, "byte of the archive belongs", "bytes of the archive belong")
        yield finding("WK113", f"{bytes_} to no file")
    for member in wheel.members:
        if member.directory and member.size:
            what = f"{member.name} is a folder, but has {plural(member.size, 'byte')} of contents"
            yield finding("WK113", what, member=member.name)


def dates(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report invalid timestamps, as zip archives get from times before 1980."""
    invalid = [member.name for member in wheel.members if not member.dated]
    if invalid:
        what = f"invalid date, with month or day zero: {shorten_list(invalid)}"
        yield finding("WK111", what, member=invalid[0])


def links(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report links, pipes and devices: installers write them as ordinary files."""
    for member in wheel.members:
        kind = _SPECIAL_FILES.get(stat.S_IFMT(member.mode))
        if kind:
            yield finding("WK106", f"{member.name} is {kind}", member=member.name)


def paths(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report names that unpack outside the target folder, or twice."""
    for member in wheel.members:
        problem = _path_problem(member.name)
        if problem:
            name = member.name
            shown = name if len(name) <= _LONGEST_NAME else f"{name[:_SHOWN]}...{name[-_SHOWN:]}"
            yield finding("WK103", f'"{shown}" {problem}', member=name)
    counts = Counter(member.name for member in wheel.members if not member.directory)
    for name, count in counts.items() if len(counts) < len(wheel.members) else ():
        if count > 1:
            yield finding("WK104", f"{name} is in the archive twice", member=name)


def windows_names(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report names that Windows does not allow, in wheels for Windows or for any platform."""
    platforms = wheel.name.platforms if wheel.name else ()
    if not any(platform == "any" or platform.startswith("win") for platform in platforms):
        return
    bad = [member.name for member in wheel.members if _NOT_ON_WINDOWS.search(member.name)]
    if bad:
        yield finding("WK117", f"not allowed as a file name on Windows: {shorten_list(bad)}", member=bad[0])


def _path_problem(name: str) -> str:
    if len(name) <= _LONGEST_NAME and _PLAIN_PATH.fullmatch(name):
        return ""
    return next((problem for applies, problem in _PATH_PROBLEMS if applies(name)), "")


def record(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report members that RECORD does not list or lists with other contents, and entries without a member."""
    if wheel.shallow:
        return
    if wheel.record is None:
        yield finding("WK107", f"{wheel.dist_info}/RECORD cannot be used: {wheel.record_problem}")
        return
    rows = {row.path: row for row in wheel.record}
    unhashed = {f"{wheel.dist_info}/{name}" for name in _UNRECORDED}
    files = {member.name: member for member in wheel.members if not member.directory}
    unlisted = [name for name in files if name not in rows and name not in unhashed]
    if unlisted:
        yield finding("WK108", f"RECORD does not list {shorten_list(unlisted)}", member=unlisted[0])
    absent = [name for name in rows if name not in files and name not in unhashed]
    if absent:
        yield finding("WK109", f"RECORD lists {shorten_list(absent)}, not in the archive", member=absent[0])
    repeated = [name for name, count in Counter(row.path for row in wheel.record).items() if count > 1]
    if repeated:
        yield finding("WK108", f"RECORD lists {shorten_list(repeated)} more than once", member=repeated[0])
    own_row = rows.get(f"{wheel.dist_info}/RECORD")
    if own_row is not None and own_row.digest:
        yield finding("WK102", "RECORD contains a hash of itself, which cannot be right", member=own_row.path)
    for name, member in files.items():
        row = rows.get(name)
        if row is not None and name not in unhashed and not member.problem:
            yield from _compare(member, row)


def _compare(member: Member, row: RecordRow) -> Iterator[Finding]:
    name, algorithm = member.name, row.digest.partition("=")[0]
    if not row.digest:
        yield finding("WK108", f"RECORD has no hash for {name}", member=name)
    elif algorithm not in RECORD_HASHES:
        what = f"RECORD hashes {name} with {algorithm}; only sha256 and stronger are allowed"
        yield finding("WK110", what, member=name)
    elif row.digest != member.digest:
        what = f"{name} has {_short(member.digest)}, but RECORD says {_short(row.digest)}"
        yield finding("WK102", what, member=name)
    if row.size is not None and row.size != member.size:
        yield finding("WK102", f"{name} has {member.size} bytes, but RECORD says {row.size}", member=name)


def _short(digest: str) -> str:
    algorithm, _, value = digest.partition("=")
    return f"{algorithm} {value[:8]}..."
