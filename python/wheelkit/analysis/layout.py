"""Where installers put the files of a wheel, and what can be imported from there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.wheel import Wheel


# The parts of a .data folder that are installed into site-packages.
_SITE_PACKAGES = frozenset({"purelib", "platlib"})
_MODULES = (".py", ".pyc", ".so", ".pyd")


def installed_path(member: str) -> str:
    """Return a member's path below site-packages; that of other .data files is left as it is in the wheel."""
    top, _, rest = member.partition("/")
    scheme, _, path = rest.partition("/")
    return path if path and top.endswith(".data") and scheme in _SITE_PACKAGES else member


def top_level_names(wheel: Wheel) -> dict[str, str]:
    """Map the names of modules and folders at the top of site-packages to the first file or ``folder/``."""
    tops: dict[str, str] = {}
    for member in wheel.members:
        top, slash, _ = installed_path(member.name).partition("/")
        if slash or top.endswith((".py", ".so", ".pyd")):
            name = top if slash or top.startswith(".") else top.partition(".")[0]
            tops.setdefault(name, f"{top}{slash}")
    return tops


def importable_modules(wheel: Wheel) -> Iterator[str]:
    """Yield the dotted name of every module and package in the wheel."""
    for member in wheel.members:
        *folders, file = installed_path(member.name).split("/")
        stem = file.partition(".")[0]
        if file.endswith(_MODULES):
            yield ".".join(folders if stem == "__init__" else [*folders, stem])
