"""The zip archive: every member is readable and safe to unpack, for installers of each kind."""

from __future__ import annotations

import re
import stat
from collections import Counter
from typing import TYPE_CHECKING
from unicodedata import category

from wheelkit.text import plural, shorten_list
from wheelkit.verification.findings import finding
from wheelkit.wheel.archive import expands_too_far
from wheelkit.wheel.zip_headers import UTF8

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Member, Wheel


# Reserved characters, a dot or space at the end, and devices ("Naming Files, Paths, and Namespaces", Win32).
_NOT_ON_WINDOWS = re.compile(
    r"""[<>:"|?*\x00-\x1f] | [. ](?:/|$) | (?:^|/)(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:\.[^/]*)?(?:/|$)""",
    re.IGNORECASE | re.VERBOSE,
)
# Nearly all names match this, and none of these has a problem.
_PLAIN_PATH = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.+ -]*/)*(?:[A-Za-z0-9_][A-Za-z0-9_.+ -]*/?)")
_CONTROLS = frozenset(map(chr, (*range(0x20), 0x7F)))
# What uv refuses in names (uv-extract, lib.rs): control and format characters, private use, surrogates. It
# also refuses unassigned characters, but which these are depends on the version of Unicode.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cs"})
_NONCHARACTER = 0xFFFE
# PATH_MAX and NAME_MAX of Linux, in bytes; other systems allow less.
_LONGEST_PATH, _LONGEST_NAME = 4096, 255
# pip creates folders by recursion, one call for each, and Python allows a thousand.
_DEEPEST = 900
# How many characters are shown from each end of an overlong name.
_SHOWN = 40
# What a member's name must not be, the worst first.
_PATH_PROBLEMS: tuple[tuple[Callable[[str], object], str], ...] = (
    (lambda name: not name, "is empty, and pip and uv refuse it"),
    (lambda name: "\0" in name, "contains a NUL byte: many programs cut it off there, and uv refuses it"),
    (
        lambda name: name.startswith(("/", "\\")) or (name[1:2] == ":" and name[:1].isalpha()),
        "is an absolute path: pip refuses it, and uv leaves it out",
    ),
    (
        lambda name: ".." in name.replace("\\", "/").split("/"),
        "leads out of the folder it is unpacked into: pip refuses it, and uv leaves it out",
    ),
    (lambda name: "\\" in name, "contains backslashes, which separate folders only on Windows"),
    (
        lambda name: not _CONTROLS.isdisjoint(name),
        "contains control characters, which uv and public indexes refuse",
    ),
    (
        lambda name: not name.isascii() and any(map(_is_refused, name)),
        "contains invisible or private characters, which uv refuses",
    ),
    (
        lambda name: len(name.encode()) > _LONGEST_PATH or max(map(_length, name.split("/"))) > _LONGEST_NAME,
        "is longer than file systems allow: pip and uv fail to write it",
    ),
    (lambda name: name.count("/") > _DEEPEST, "is in more folders in each other than pip can create"),
    (lambda name: not {"", "."}.isdisjoint(name.removesuffix("/").split("/")), "is not a normalized path"),
)
_SPECIAL_FILES = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "marked as a folder",
}


def members(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report members that cannot be read as the archive declares them, or that unpack to an absurd size."""
    for member in wheel.members:
        if member.problem:
            code = "WK114" if expands_too_far(member.size, member.packed) else "WK101"
            yield finding(code, f"{member.name} {member.problem}", member=member.name)


def headers(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report members whose headers uv refuses, or public indexes: each kind of problem once."""
    problems: dict[str, list[tuple[str, str]]] = {}
    for member in wheel.members:
        # The gravest only: a malformed extra field is the reason for different sizes as well.
        kinds = ("WK143", member.extra), ("WK115", member.header), ("WK141", member.descriptor)
        for code, problem in (*kinds, ("WK142", member.index)):
            if problem:
                problems.setdefault(code, []).append((member.name, problem))
                break
    for code, members_ in problems.items():
        name, problem = members_[0]
        others = plural(len(members_) - 1, "more file is alike", "more files are alike")
        what = f"{name} {problem}" + (f"; {others}" if len(members_) > 1 else "")
        yield finding(code, what, member=name)


def end(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report an end of the archive that uv refuses, or public indexes, and a comment."""
    if wheel.end.problem:
        yield finding("WK140", f"the end record {wheel.end.problem}")
    elif wheel.end.comment and not wheel.end.stray:
        size = plural(wheel.end.comment, "byte", "bytes")
        yield finding("WK144", f"the archive has a comment of {size}")
    if wheel.end.zeros:
        zeros = plural(wheel.end.zeros, "zero byte follows", "zero bytes follow")
        yield finding("WK142", f"{zeros} the end of the archive")
    folders = Counter(member.name for member in wheel.members if member.directory)
    repeated = [name for name, count in folders.items() if count > 1]
    if repeated:
        yield finding("WK142", f"the archive has entries twice: {shorten_list(repeated)}", member=repeated[0])


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
        if member.directory and (member.size or member.crc) and not member.header:
            has = f"{plural(member.size, 'byte')} of contents" if member.size else "a checksum"
            yield finding("WK113", f"{member.name} is a folder, but has {has}", member=member.name)


def dates(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report invalid timestamps, as zip archives get from times before 1980."""
    invalid = [member.name for member in wheel.members if not member.dated]
    if invalid:
        what = f"invalid date, with month or day zero: {shorten_list(invalid)}"
        yield finding("WK111", what, member=invalid[0])


def links(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report links, pipes and devices: installers write them as ordinary files."""
    for member in wheel.members:
        kind = None if member.directory else _SPECIAL_FILES.get(stat.S_IFMT(member.mode))
        if kind:
            yield finding("WK106", f"{member.name} is {kind}", member=member.name)


def paths(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report names that unpack outside the target folder, or twice."""
    for member in wheel.members:
        problem = _path_problem(member)
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


def _path_problem(member: Member) -> str:
    name = member.name
    if len(name) <= _LONGEST_NAME and _PLAIN_PATH.fullmatch(name):
        return ""
    problem = next((problem for applies, problem in _PATH_PROBLEMS if applies(name)), "")
    if not problem and not name.isascii() and not member.flags & UTF8:
        return "is not marked as UTF-8: pip garbles it, and uv and public indexes refuse it"
    return problem


def _is_refused(character: str) -> bool:
    return category(character) in _REFUSED_CATEGORIES or ord(character) & _NONCHARACTER == _NONCHARACTER


def _length(name: str) -> int:
    return len(name.encode())
