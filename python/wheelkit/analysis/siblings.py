"""Libraries that a wheel leaves to a distribution that it requires: what in the wheel says so."""

from __future__ import annotations

import re
from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING

from wheelkit.analysis.claims import claims, claims_of
from wheelkit.analysis.installed import installed_path
from wheelkit.analysis.requirements import installed_requirements
from wheelkit.analysis.system_libraries import of_desktop, of_toolchain
from wheelkit.errors import WheelError
from wheelkit.fast_packaging import normalise
from wheelkit.wheel.archive import Archive
from wheelkit.wheel.library_names import plain_name
from wheelkit.wheel.names import parse_file_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from packaging.requirements import Requirement

    from wheelkit.wheel import Wheel


_OWN_FOLDER = r"(?:\$ORIGIN|\$\{ORIGIN\}|@loader_path)(?=/|$)"
_SEPARATORS = r"[-_.\s]+"
# Words in names of distributions and folders that tell nothing about a library.
_GENERIC = frozenset({
    "bin", "binary", "core", "cpp", "cpu", "cuda", "dev", "dist", "essentials", "gpu", "headers", "lib",
    "libs", "native", "packages", "py", "python", "python3", "runtime", "site", "src", "tools", "wheel",
})  # fmt: skip
_SHORTEST_WORD = 3


def sibling_of(wheel: Wheel, library: str, users: Iterable[str], beside: Iterable[Path] = ()) -> str | None:
    """Return the name of the required distribution that a library of another wheel is left to, if any.

    ``users`` are the binaries of the wheel that need the library, ``beside`` the files of the same dist. If
    these hold wheels of a required distribution for the same system, their members decide for it. Other
    evidence is a library of the distribution's name (``librmm.so`` beside librmm-cu12), a search path out of
    what the wheel holds into a folder of its name (``$ORIGIN/Qt6/lib`` beside PyQt6-Qt6), or a requirement
    on exactly the wheel's own version and with a word of its name, as the parts of one family have.
    """
    required = installed_requirements(wheel)
    if not required or library.startswith("/"):
        return None
    file = library.rpartition("/")[2]
    known = {item.name: names for item in required if (names := _libraries_in_dist(wheel, item, beside))}
    if (name := next((name for name, names in known.items() if file in names), None)) is not None:
        return name
    unknown = [item for item in required if item.name not in known]
    stem = plain_name(library).lower().partition(".so")[0].removesuffix(".dylib").removesuffix(".dll")
    by_name = (item.name for item in unknown if _names_library(_words(item.name), stem))
    if (name := next(by_name, None)) is not None or of_toolchain(library) or of_desktop(library):
        return name
    folders = frozenset(word for folder in _searched_elsewhere(wheel, set(users)) for word in _words(folder))
    own = _words(wheel.distribution)
    by_folder = [item.name for item in unknown if _words(item.name) & folders]
    family = [item.name for item in unknown if _words(item.name) & own and _pins_own_version(item, wheel)]
    return max(by_folder, key=lambda name: len(_words(name) & folders), default=next(iter(family), None))


def _libraries_in_dist(wheel: Wheel, requirement: Requirement, beside: Iterable[Path]) -> frozenset[str]:
    """Return the file names in the wheels of a required distribution that install where this wheel does."""
    wanted = normalise(requirement.name)
    own = {(claim.system, arch) for claim in claims(wheel) for arch in claim.archs}
    names: set[str] = set()
    for path in beside:
        try:
            name = parse_file_name(path.name)
            if name.key != wanted:
                continue
            places = {(claim.system, arch) for claim in claims_of(name.platforms) for arch in claim.archs}
            if name.any_platform or own & places:
                names.update(entry.name.rpartition("/")[2] for entry in Archive(path).entries)
        except (ValueError, WheelError):  # reported for that file
            continue
    return frozenset(names)


def _words(name: str) -> frozenset[str]:
    words = re.split(_SEPARATORS, name.lower().replace("/", "."))
    return frozenset(word for word in words if len(word) >= _SHORTEST_WORD and word not in _GENERIC)


def _names_library(words: frozenset[str], stem: str) -> bool:
    """Return whether a library's name begins with a word of a distribution's, with or without ``lib``."""
    plain = re.sub(_SEPARATORS, "", stem.removeprefix("lib"))
    bare = plain.rstrip("0123456789")
    short = {word.removeprefix("lib") or word for word in words}
    # "six" is no evidence for libsixel; "qt6" is for Qt6Core.dll.
    telling = tuple(word for word in short if len(word) > _SHORTEST_WORD or word[-1].isdigit())
    return bare in short or plain.startswith(telling)


def _pins_own_version(requirement: Requirement, wheel: Wheel) -> bool:
    """Return whether a requirement names the wheel's own release: ``==1.4.0`` or ``==1.4.*`` of 1.4.0."""
    own = wheel.version.partition("+")[0].split(".")
    for clause in requirement.specifier:
        version = clause.version.removesuffix(".*").split(".")
        if clause.operator == "==" and len(version) > 1 and own[: len(version)] == version:
            return True
    return False


def _searched_elsewhere(wheel: Wheel, users: set[str]) -> Iterator[str]:
    """Yield the folders below site-packages that users search and that are not this wheel's own.

    A folder is shared with others if no package of this wheel has it: the wheel holds no ``__init__.py`` at
    its top, as in parts of a namespace, or nothing in it at all. The folders of repair tools are its own.
    """
    held = {dirname(installed_path(binary.member)) for binary in wheel.binaries}
    packages = {top for member in wheel.members if (top := _package(installed_path(member.name)))}
    for binary, slice_ in wheel.slices():
        if binary.member not in users:
            continue
        own = dirname(installed_path(binary.member))
        for path in (part for rpath in slice_.rpaths for part in rpath.path.split(":")):
            start = re.match(_OWN_FOLDER, path)
            folder = normpath(join(own, path[start.end() :].lstrip("/"))) if start else ""
            graft = folder.endswith((".libs", ".dylibs"))
            if folder and not graft and (folder not in held or folder.partition("/")[0] not in packages):
                yield folder


def _package(path: str) -> str:
    top, _, rest = path.partition("/")
    return top if rest == "__init__.py" else ""
