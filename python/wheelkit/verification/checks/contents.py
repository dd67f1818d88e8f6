"""Files that are not what their names say, that nobody wants to ship, or that cannot be run."""

from __future__ import annotations

import re
import stat
from typing import TYPE_CHECKING

from wheelkit.analysis.claims import claims, system_of
from wheelkit.analysis.leftovers import leftover_files, private_files
from wheelkit.analysis.placeholders import placeholders
from wheelkit.matrix import System
from wheelkit.text import shorten_list
from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Sdist, Wheel


_CODE = r"(?i)\.(?:pyi?|pyd|dll|dylib|exe|so(?:\.[\d.]+)?)$|\.data/(?:scripts|data/bin)/"
# Where commands land beside the interpreter; only in the first do installers look at them.
_SCRIPTS, _BIN = ".data/scripts/", ".data/data/bin/"
# Installers write this where the path of the interpreter is long, and so do their own copies.
_LONG_PATH = rb"""#! ?/bin/sh\r?\n'''exec' ["']?(?P<path>/[^"'\s]+)"""
# What a path in the first line leads to on other machines: env finds the program, and these are everywhere.
_COMMON = r"#!\s*(?:/usr)?/bin/(?:env|sh|bash|dash|ksh|zsh|awk|sed|perl|tclsh|true|false)(?:\s|$)"
_SYSTEM_PYTHON = r"#!\s*/usr/bin/python[\d.]*(?:\s|$)"
_EXECUTABLE = 0o111
_LIBRARY = re.compile(r"\.(?:so|dylib)(?:\.|$)")


def placeholder(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report files that Git left in place of others."""
    found = placeholders(wheel)
    for code, is_code in (("WK122", True), ("WK123", False)):
        names = [name for name in found if (re.search(_CODE, name) is not None) is is_code]
        if names:
            others = f"; so are {shorten_list(names[1:])}" if len(names) > 1 else ""
            yield finding(code, f"{names[0]} {found[names[0]]}{others}", member=names[0])


def leftovers(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report files of desktops, editors and tools, and those of version control and credentials."""
    yield from _leftovers([member.name for member in wheel.members])


def sdist_leftovers(sdist: Sdist, _: Contract) -> Iterator[Finding]:
    """Report the same files in an sdist."""
    yield from _leftovers(sorted(sdist.names))


def _leftovers(names: list[str]) -> Iterator[Finding]:
    unwanted = leftover_files(names)
    if unwanted:
        yield finding("WK120", f"left behind by other programs: {shorten_list(unwanted)}", member=unwanted[0])
    private = private_files(names)
    if private:
        what = f"files of version control or credentials: {shorten_list(private)}"
        yield finding("WK121", what, member=private[0])


def first_line(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report scripts of .data whose first line names a program that other machines do not have.

    Installers replace a first line only if it begins with ``#!python`` (binary distribution format).
    """
    if not _on_posix(wheel):
        return
    problems: dict[str, str] = {}
    for member in wheel.members:
        if not member.head.startswith(b"#!") or not _is_command(member.name):
            continue
        line = member.head.partition(b"\n")[0].decode("utf-8", "replace")
        if problem := _line_problem(line, replaced=_SCRIPTS in member.name):
            problems[member.name] = f"begins with {line.rstrip()}, {problem}"
        elif match := re.match(_LONG_PATH, member.head):
            problems[member.name] = f"runs {match['path'].decode('utf-8', 'replace')} of the build machine"
    if problems:
        names = list(problems)
        others = f"; also {shorten_list(names[1:])}" if len(names) > 1 else ""
        yield finding("WK124", f"{names[0]} {problems[names[0]]}{others}", member=names[0])


def _is_command(name: str) -> bool:
    return _SCRIPTS in name or _BIN in name


def _line_problem(line: str, *, replaced: bool) -> str:
    if line.startswith("#!python"):
        return "" if replaced else "which installers replace only in .data/scripts"
    if line.endswith("\r"):
        return "and ends in a carriage return, which Linux and macOS take for a part of the name"
    if re.match(_SYSTEM_PYTHON, line):
        return "the system's Python, which does not have the package"
    return "" if re.match(_COMMON, line) else "a path of the build machine"


def mode(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report scripts and programs that are not executable once installed.

    pip makes only those files executable that the archive marks as regular and executable (unpacking.py); uv
    makes all of .data/scripts executable.
    """
    if not _on_posix(wheel):
        return
    programs = _programs(wheel)
    plain = [
        member
        for member in wheel.members
        if (member.name in programs or _is_command(member.name)) and not _executable(member.mode)
    ]
    scripts = [one.name for one in plain if _is_command(one.name) and (one.head or one.name in programs)]
    if scripts:
        yield finding(
            "WK125", f"not executable where pip installs it: {shorten_list(scripts)}", member=scripts[0]
        )
    others = [one.name for one in plain if not _is_command(one.name)]
    if others:
        yield finding("WK126", f"programs that are not executable: {shorten_list(others)}", member=others[0])


def _on_posix(wheel: Wheel) -> bool:
    """Return whether a wheel can be installed where files have a mode and scripts a first line."""
    if wheel.name is None or wheel.name.any_platform:
        return True
    return any(claim.system is not System.WINDOWS for claim in claims(wheel))


def _executable(mode: int) -> bool:
    return bool(mode & _EXECUTABLE) and stat.S_ISREG(mode)


def _programs(wheel: Wheel) -> frozenset[str]:
    """Return the native programs for Linux and macOS; a library that is also one ends in .so."""
    return frozenset(
        binary.member
        for binary in wheel.binaries
        if system_of(binary) in {System.LINUX, System.MACOS}
        and not _LIBRARY.search(binary.name)
        and any(slice_.kind == "executable" or slice_.interpreter for slice_ in binary.slices)
    )
