"""Why installers refuse to write the files of a wheel, although its archive and its metadata are valid.

Read in the sources of pip 23.2 to 26.3 and uv 0.13, and compared with both in the integration tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.analysis.installed import (
    SCHEME_KEYS,
    Installer,
    Origin,
    data_folder,
    installed_files,
    is_wrapper,
    origin_of,
    posix_environment,
    script_names,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit.analysis.installed import Environment
    from wheelkit.wheel import Wheel


# Scripts that uv reserves for the interpreter, with or without .py and .exe.
_RESERVED = frozenset({"python", "pythonw", "python3", "graalpy", "pypy", "pypy2", "pypy3"})


class Refusal(Struct, frozen=True, kw_only=True):
    """Why an installer refuses a wheel, and the member or entry point that is the reason."""

    reason: str
    member: str


def refusals(wheel: Wheel, environment: Environment, installer: Installer) -> Iterator[Refusal]:
    """Yield each reason for which an installer does not write the files of a wheel."""
    yield from _second_dist_info(wheel, installer)
    yield from data_refusals(wheel, installer)
    if installer is Installer.UV:
        yield from _reserved(wheel, environment)
    for path in blocked_paths(wheel, environment, installer):
        yield Refusal(reason=f"{path} is both a file and a folder", member=path)


def _second_dist_info(wheel: Wheel, installer: Installer) -> Iterator[Refusal]:
    for top, folder in dict.fromkeys(_tops(wheel)):
        if top.endswith(".dist-info") and top != wheel.dist_info and (folder or installer is Installer.PIP):
            yield Refusal(reason="there is more than one dist-info folder", member=top)


def _tops(wheel: Wheel) -> Iterator[tuple[str, bool]]:
    for member in wheel.members:
        top, slash, _ = member.name.partition("/")
        yield top, bool(slash)


def data_refusals(wheel: Wheel, installer: Installer) -> Iterator[Refusal]:
    """Yield the members of .data folders that an installer does not know how to place."""
    entry_points: frozenset[str] | None = None
    for member in wheel.members:
        name = member.name
        top, slash, rest = name.partition("/")
        if not top.endswith(".data") or (member.directory and installer is Installer.PIP):
            continue
        key, below, path = rest.partition("/")
        if installer is Installer.PIP:
            if not path or key not in SCHEME_KEYS:
                yield Refusal(reason=_unknown(key, path), member=name)
        elif top == data_folder(wheel) and slash:
            if (key and key not in SCHEME_KEYS) or (key and not below):
                yield Refusal(reason=_unknown(key, path), member=name)
            elif key == "scripts" and "/" in path:
                if entry_points is None:
                    entry_points = _entry_point_names(wheel)
                if not is_wrapper(path, entry_points, installer):
                    yield Refusal(reason="uv refuses folders in scripts", member=name)


def _unknown(key: str, path: str) -> str:
    if path:
        return f"installers only know {', '.join(SCHEME_KEYS)}"
    return f"{key} is a file, where a folder is expected" if key else "pip takes it for a .data folder"


def _entry_point_names(wheel: Wheel) -> frozenset[str]:
    return frozenset(name for name, _ in script_names(wheel, posix_environment(), Installer.UV))


def _reserved(wheel: Wheel, environment: Environment) -> Iterator[Refusal]:
    for name, _ in script_names(wheel, environment, Installer.UV):
        if is_reserved(name):
            yield Refusal(reason=f"{name} is the name of an interpreter", member=name)
    for file in installed_files(wheel, environment, Installer.UV):
        folder, _, name = file.path.rpartition("/")
        beside = file.origin in {Origin.SCRIPTS, Origin.DATA} and folder == environment.scripts
        if beside and is_reserved(name.lower().removesuffix(".exe")):
            yield Refusal(reason=f"{name} is the name of an interpreter", member=file.member)


def is_reserved(script: str) -> bool:
    """Return whether a script has the name of an interpreter: python, python3.14t, pypy3."""
    name = script.lower().removesuffix(".py")
    for prefix in ("python3.", "pythonw3."):
        minor = name.removeprefix(prefix)
        if minor != name and (minor.isdigit() or (minor.endswith("t") and minor[:-1].isdigit())):
            return prefix == "python3." or minor.endswith("t")
    return name in _RESERVED


def blocked_paths(wheel: Wheel, environment: Environment, installer: Installer) -> Iterator[str]:
    """Yield the installed paths that are a file of one member and a folder of another."""
    files = {file.path for file in installed_files(wheel, environment, installer)}
    folders = {folder for path in files for folder in _parents(path)}
    yield from sorted(files & folders)
    if installer is Installer.UV:
        yield from sorted(set(_empty_folders(wheel, environment)) & files)


def _parents(path: str) -> Iterator[str]:
    place = path.find("/")
    while place >= 0:
        yield path[:place]
        place = path.find("/", place + 1)


def _empty_folders(wheel: Wheel, environment: Environment) -> Iterable[str]:
    """Yield the installed paths of folder entries, which only uv creates."""
    for member in wheel.members:
        place = origin_of(wheel, member.name, Installer.UV) if member.directory else None
        if place is not None:
            yield f"{environment.folder(place[0], wheel.distribution)}{place[1].rstrip('/')}"
