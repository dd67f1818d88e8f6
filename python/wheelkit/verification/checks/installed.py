"""What lies in an environment after the installation: two files on one path, and files of others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from unicodedata import normalize

from wheelkit.analysis.claims import claims
from wheelkit.analysis.installed import (
    Installer,
    Origin,
    data_folder,
    final_files,
    installed_files,
    posix_environment,
    script_names,
    windows_environment,
)
from wheelkit.analysis.refusals import is_reserved
from wheelkit.matrix import DESKTOP, System
from wheelkit.text import shorten_list
from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from wheelkit.analysis.installed import Environment, InstalledFile
    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Member, Wheel


# PATH_MAX of Linux.
_LONGEST_PATH = 4096
_INFO_FOLDERS = (".dist-info", ".egg-info")
# Written by installers (recording installed projects, direct URL origin); the last two by uv.
_INSTALLERS_FILES = ("INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json")
_SITE = r"(?:lib(?:64)?/python(?P<python>3\.\d+)t?|Lib)/(?:site|dist)-packages/"
_STANDARD_LIBRARY = r"(?:lib(?:64)?/python3\.\d+t?|Lib)/"
# What lies at the top of a virtual environment; a file cannot replace a folder, and installers refuse it.
_ENVIRONMENT = frozenset({"pyvenv.cfg", "bin", "scripts", "lib", "lib64", "include"})
# What venv and virtualenv write beside the interpreter.
_ACTIVATION = r"(?i)(?:de)?activate(?:_this\.py|\.(?:bat|csh|fish|nu|ps1|sh|xsh))?"
# What belongs to the installers, by the distribution that may bring it.
_TOPS: Mapping[str, str] = {
    "pip": "pip", "setuptools": "setuptools", "pkg_resources": "setuptools", "_distutils_hack": "setuptools",
    "distutils-precedence.pth": "setuptools", "wheel": "wheel",
}  # fmt: skip
_SCRIPTS = r"(?:(?P<pip>pip[\d.]*)|(?P<setuptools>easy_install(?:-[\d.]+)?)|(?P<wheel>wheel))(?:\.exe)?"
_CASELESS: Mapping[System, str] = {System.WINDOWS: "Windows", System.MACOS: "macOS"}
_CUSTOMIZATION = frozenset({"sitecustomize.py", "usercustomize.py", "sitecustomize", "usercustomize"})


def one_path(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report files that are installed to one path, on all or some systems, or to that of a folder."""
    if wheel.shallow:
        return
    systems = _systems(wheel)
    names = [member.name for member in wheel.members]
    inside = [member for member in wheel.members if ".data/" in member.name]
    root = [name for name in names if ".data/" not in name] if inside else ()
    if not inside:  # nothing else lands in site-packages
        yield from _same_but_for_case(((name, name) for name in names), systems)
        yield from _files_and_folders(names)
    if not inside and not wheel.entry_points:
        return
    seen: set[tuple[str, str]] = set()
    for environment in _environments(wheel, systems):
        # Scripts are elsewhere on Windows, and all other files in the same places.
        ignoring_case = frozenset({System.WINDOWS}) if environment.windows else systems
        for result in _judge(wheel, environment, inside, root, ignoring_case):
            if (result.code, result.member) not in seen:
                yield result
            seen.add((result.code, result.member))


def _judge(
    wheel: Wheel,
    environment: Environment,
    inside: Sequence[Member],
    root: Sequence[str],
    systems: frozenset[System],
) -> Iterator[Finding]:
    """Judge one kind of environment; ``inside`` are the members of .data, ``root`` the names of others."""
    site = f"{environment.site}/"
    moved = [
        (file.path.removeprefix(site), file.member)
        for file in installed_files(wheel, environment, Installer.PIP, inside)
        if file.origin is not Origin.INSTALLER
    ]
    paths = {path for path, _ in moved}
    rivals = [member for member in wheel.members if member.name in paths] if inside else ()
    yield from _overwritten(wheel, environment, [*rivals, *inside])
    yield from _same_but_for_case([*((name, name) for name in root), *moved], systems)
    yield from _files_and_folders([*root, *paths])


def _overwritten(wheel: Wheel, environment: Environment, members: Sequence[Member]) -> Iterator[Finding]:
    """Report members on one path, as one finding; dist-info files that .data replaces are another one."""
    by_path: dict[str, list[InstalledFile]] = {}
    for file in installed_files(wheel, environment, Installer.PIP, members):
        if file.origin is not Origin.INSTALLER:
            by_path.setdefault(file.path, []).append(file)
    twice = {path: group for path, group in by_path.items() if _differ(group)}
    info = f"{environment.site}/{wheel.dist_info}/"
    paths = [path for path in twice if not path.startswith(info)]
    digests = {member.name: member.digest for member in wheel.members}
    same = [path for path in paths if _equal(twice[path], digests)]
    if same:
        what = f"installed twice, with the same contents: {shorten_list(_sources(twice[same[0]]))}"
        others = f", and {len(same) - 1} more files" if len(same) > 1 else ""
        yield finding("WK229", f"{what}{others}", member=twice[same[0]][-1].member)
    different = [path for path in paths if path not in same]
    if different:
        path = different[0]
        kept = _kept(wheel, environment, members, path)
        more = f"; so are {len(different) - 1} more" if len(different) > 1 else ""
        place = path.removeprefix(f"{environment.site}/")
        what = f"{' and '.join(_sources(twice[path]))} are installed to {place}{kept}{more}"
        yield finding("WK221", what, member=twice[path][-1].member)


def _differ(group: Sequence[InstalledFile]) -> bool:
    """Return whether files come from several members, or scripts from several entry points."""
    return len(group) > 1 and (len({file.member for file in group}) > 1 or not group[0].member)


def _equal(group: Iterable[InstalledFile], digests: Mapping[str, str]) -> bool:
    contents = {digests.get(file.member, "") for file in group}
    return len(contents) == 1 and "" not in contents


def _sources(group: Iterable[InstalledFile]) -> list[str]:
    return [file.member or f"an entry point {file.path.rpartition('/')[2]}" for file in group]


def _kept(wheel: Wheel, environment: Environment, members: Sequence[Member], path: str) -> str:
    """Say which file is there at the end: the same one for both installers, or another one."""
    kept = {
        installer: _sources(
            final_files(installed_files(wheel, environment, installer, members)).get(path, ())
        )
        for installer in Installer
    }
    pip, uv = kept[Installer.PIP], kept[Installer.UV]
    if pip == uv:
        return f", and {' or '.join(pip)} is kept"
    return f": pip keeps {' or '.join(pip)}, uv {' or '.join(uv)}"


def _same_but_for_case(paths: Iterable[tuple[str, str]], systems: frozenset[System]) -> Iterator[Finding]:
    """Report paths, with their members, that are one on systems that ignore case or the form of accents."""
    if systems.isdisjoint(_CASELESS):
        return
    seen: dict[str, tuple[str, str]] = {}
    for path, member in paths:
        if path.endswith("/"):
            continue
        first, first_member = seen.setdefault(_folded(path), (path, member))
        if first == path:
            continue
        # Windows ignores case, letter by letter; macOS also ignores how accents and ligatures are composed.
        alike = _CASELESS if first.lower() == path.lower() else {System.MACOS: "macOS"}
        where = " and ".join(name for system, name in alike.items() if system in systems)
        if not where:
            continue
        what = f"{first_member or first} and {member or path} are one file on {where}"
        yield finding("WK105", what, member=member)


def _folded(name: str) -> str:
    """Return a name as file systems compare it that ignore case and the composition of accents."""
    return name.lower() if name.isascii() else normalize("NFC", normalize("NFC", name).casefold())


def _files_and_folders(paths: Sequence[str]) -> Iterator[Finding]:
    """Report files that others are below; folders end in a slash."""
    files = {path for path in paths if not path.endswith("/")}
    folders = {path.rpartition("/")[0] for path in paths if len(path) <= _LONGEST_PATH}
    blocked = {file for folder in folders for file in _with_parents(folder) if file in files}
    for file in sorted(blocked):
        what = f"{file} is a file, but the wheel also has files below {file}/"
        yield finding("WK118", what, member=file)


def _with_parents(folder: str) -> Iterator[str]:
    place = len(folder)
    while place > 0:
        yield folder[:place]
        place = folder.rfind("/", 0, place)


def _systems(wheel: Wheel) -> frozenset[System]:
    """Return the systems that a wheel can be installed on; with an invalid name, all."""
    if wheel.name is None or wheel.name.any_platform:
        return frozenset(DESKTOP)
    return frozenset(claim.system for claim in claims(wheel))


def _environments(wheel: Wheel, systems: frozenset[System]) -> Iterator[Environment]:
    """Yield an environment for each kind of system, of the Python that files of .data name, if they do."""
    inside = f"{data_folder(wheel)}/data/"
    below = (member.name.removeprefix(inside) for member in wheel.members if member.name.startswith(inside))
    python = next(
        (match["python"] for path in below if (match := re.match(_SITE, path)) and match["python"]), "3.11"
    )
    if systems != {System.WINDOWS}:
        yield posix_environment(python)
    if System.WINDOWS in systems:
        yield windows_environment(python)


def own_metadata(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report files that .data installs into a dist-info folder, and those that only installers write."""
    site = [(name, path) for name, origin, path in _from_data(wheel) if origin is Origin.ROOT]
    replaced = [name for name, path in site if _top(path).lower().endswith(_INFO_FOLDERS)]
    if replaced:
        what = f"installed into a dist-info folder from .data: {shorten_list(replaced)}"
        yield finding("WK222", what, member=replaced[0])
    own = {f"{wheel.dist_info}/{name}" for name in _INSTALLERS_FILES}
    written = [member.name for member in wheel.members if member.name in own]
    if written:
        yield finding("WK223", f"written by installers only: {shorten_list(written)}", member=written[0])


def one_python(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report files of .data that land in the site-packages of one Python version, in wheels for others."""
    inside = f"{data_folder(wheel)}/data/"
    found: dict[str, list[str]] = {}
    for member in wheel.members:
        match = re.match(_SITE, member.name.removeprefix(inside)) if member.name.startswith(inside) else None
        if match and match["python"] and not member.directory:
            found.setdefault(match["python"], []).append(member.name)
    for python, names in found.items():
        tag = f"cp{python.replace('.', '')}"
        if wheel.name is None or wheel.name.pythons != (tag,) or wheel.name.stable:
            what = f"installed for Python {python} on Linux and macOS only: {shorten_list(names)}"
            yield finding("WK130", what, member=names[0])


def _from_data(wheel: Wheel) -> Iterator[tuple[str, Origin, str]]:
    """Yield the files of .data: name, part of .data, and path below it, or below site-packages."""
    folder = f"{data_folder(wheel)}/"
    for member in wheel.members:
        if not member.name.startswith(folder) or member.directory:
            continue
        key, _, path = member.name.removeprefix(folder).partition("/")
        if key in {"purelib", "platlib"}:
            yield member.name, Origin.ROOT, path
        elif key == "data" and (match := re.match(_SITE, path)):
            yield member.name, Origin.ROOT, path[match.end() :]
        elif key in {"data", "scripts", "headers"}:
            yield member.name, Origin(key), path


def _top(path: str) -> str:
    return path.partition("/")[0]


def lost_scripts(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report scripts of .data that are not installed, since an entry point has their name."""
    folder = f"{data_folder(wheel)}/scripts/"
    scripts = [member for member in wheel.members if member.name.startswith(folder)]
    if not scripts or not wheel.entry_points:
        return
    files = installed_files(wheel, posix_environment(), Installer.PIP, scripts)
    kept = {file.member for file in files}
    lost = [member.name for member in scripts if member.name not in kept and not member.directory]
    if lost:
        what = f"not installed, since an entry point has the same name: {shorten_list(lost)}"
        yield finding("WK224", what, member=lost[0])


def others_files(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report files that replace those of the environment, of the installers, or of Python."""
    if wheel.shallow:
        return
    replaced: dict[str, dict[str, None]] = {"WK225": {}, "WK226": {}}
    for name, origin, path in (*_at_the_top(wheel), *_from_data(wheel), *_entry_points(wheel)):
        code = _owner_code(wheel.distribution, origin, path)
        if code:
            replaced[code][_top(path) if name == path else name] = None
    for code, what in (
        ("WK225", "replaces files of the environment"),
        ("WK226", "files that belong to Python or to its installers"),
    ):
        if names := list(replaced[code]):
            yield finding(code, f"{what}: {shorten_list(names)}", member=names[0])


def _owner_code(distribution: str, origin: Origin, path: str) -> str:
    """Return the code of the finding about a file that belongs to others; empty for all other files."""
    if origin is Origin.ROOT:
        owner = _TOPS.get(_top(path), distribution)
        return "WK226" if owner != distribution or _top(path) in _CUSTOMIZATION else ""
    script = _script(origin, path)
    if is_reserved(script.lower().removesuffix(".exe")) or re.fullmatch(_ACTIVATION, script):
        return "WK225"
    if origin is Origin.DATA and path.lower() in _ENVIRONMENT:
        return "WK225"
    match = re.fullmatch(_SCRIPTS, script.lower())
    foreign = match is not None and match.lastgroup != distribution
    library = origin is Origin.DATA and re.match(_STANDARD_LIBRARY, path)
    return "WK226" if foreign or library else ""


def _at_the_top(wheel: Wheel) -> Iterator[tuple[str, Origin, str]]:
    """Yield the members of the root whose first folder or file belongs to others."""
    reserved = _CUSTOMIZATION.union(_TOPS)
    for member in wheel.members:
        if _top(member.name) in reserved:
            yield member.name, Origin.ROOT, member.name


def _entry_points(wheel: Wheel) -> Iterator[tuple[str, Origin, str]]:
    for name, _ in script_names(wheel, posix_environment(), Installer.PIP):
        yield f"entry point {name}", Origin.SCRIPTS, name


def _script(origin: Origin, path: str) -> str:
    """Return the name of a file that is installed beside the interpreter; empty for others."""
    folder, slash, name = path.partition("/")
    if origin is Origin.SCRIPTS:
        return "" if slash else path
    return name if folder in {"bin", "Scripts"} and "/" not in name else ""
