"""Files that Python reads or runs at each start: .pth files (site, "site-packages")."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.analysis.installed import installed_path
from wheelkit.text import shorten_list
from wheelkit.verification.findings import finding
from wheelkit.wheel.members import LARGEST_PTH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Member, Wheel


# Also upwards, from site-packages into the folder of an environment.
_ELSEWHERE = r"/|[A-Za-z]:[\\/]|\\\\|~|\.\.[\\/]"
# What setuptools, meson-python, scikit-build-core, hatchling and pdm install instead of an editable project.
_EDITABLE = (
    r"__editable__.*\.(?:pth|py)|__editable___\w+_finder\.py|_editable_impl_\w+\.(?:pth|py)"
    r"|_\w+_editable(?:_loader)?\.(?:pth|py)|.+\.egg-link|easy-install\.pth"
)


def editable(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report what is left of an editable installation: it leads to a folder of the build machine."""
    problems: dict[str, str] = {}
    for member in wheel.members:
        path = installed_path(member.name) if ".data/" in member.name else member.name
        if "/" not in path and (problem := _editable(member, path)):
            problems[member.name] = problem
    if problems:
        name = next(iter(problems))
        others = [other for other in problems if other != name]
        more = f"; also {shorten_list(others)}" if others else ""
        yield finding("WK128", f"{name} {problems[name]}{more}", member=name)


def _editable(member: Member, path: str) -> str:
    if path.endswith(".pth"):
        paths = [line for line in _lines(member) if re.match(_ELSEWHERE, line)]
        if paths:
            return f"adds {shorten_list(paths)} to the module search path"
    return "is part of an editable installation" if re.fullmatch(_EDITABLE, path) else ""


def _lines(member: Member) -> list[str]:
    """Return the lines of a .pth file that add a folder."""
    text = member.head.decode("utf-8-sig", "replace")
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith(("#", "import ", "import\t"))]


def executed(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report .pth files whose lines run code at each start of Python, and those that Python cannot read."""
    running, unreadable = [], []
    for member in wheel.members:
        if not member.name.endswith(".pth") or "/" in installed_path(member.name):
            continue
        if not _readable(member.head):
            unreadable.append(member.name)
        elif any(line.startswith((b"import ", b"import\t")) for line in member.head.splitlines()):
            running.append(member.name)
    if unreadable:
        what = f"not text in UTF-8, so Python cannot start with it: {shorten_list(unreadable)}"
        yield finding("WK129", what, member=unreadable[0])
    if running:
        what = f"runs code each time that Python starts: {shorten_list(running)}"
        yield finding("WK127", what, member=running[0])


def _readable(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        # The text may be cut in the middle of a character.
        return error.reason == "unexpected end of data" and len(text) == LARGEST_PTH
    return True
