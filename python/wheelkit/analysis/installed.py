"""Where installers put the files of a wheel, in which order, and what can be imported from there.

Known from the sources of pip 23.2 to 26.3 (operations/install/wheel.py, locations/_sysconfig.py) and of
uv 0.13 (uv-install-wheel, install.rs and wheel.rs), and compared with both in the integration tests.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.wheel.entry_points import parse_entry_points

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wheelkit.wheel import Member, Wheel


# The parts of a .data folder that are installed into site-packages.
_SITE_PACKAGES = frozenset({"purelib", "platlib"})
SCHEME_KEYS = ("data", "headers", "platlib", "purelib", "scripts")
"""The folders that installers know in a .data folder (binary distribution format, "The .data directory")."""
_MODULES = (".py", ".pyc", ".so", ".pyd")


class Installer(StrEnum):
    """The installers, which write in different orders."""

    PIP = "pip"
    UV = "uv"


class Origin(StrEnum):
    """Where an installed file comes from: the wheel's root, a part of its .data folder, or the installer."""

    ROOT = "root"
    DATA = "data"
    HEADERS = "headers"
    PLATLIB = "platlib"
    PURELIB = "purelib"
    SCRIPTS = "scripts"
    ENTRY_POINT = "entry point"
    INSTALLER = "installer"


class Environment(Struct, frozen=True, kw_only=True):
    """The folders of a virtual environment, relative to its root, for one version of CPython.

    There, purelib and platlib are one folder (sysconfig, scheme "venv"). ``headers`` is the parent of the
    folder that each distribution has for its headers.
    """

    site: str
    scripts: str
    headers: str
    python: str
    windows: bool = False

    def folder(self, origin: Origin, distribution: str) -> str:
        """Return the folder of files from the wheel's root or a part of .data, with its slash."""
        folders = {
            Origin.DATA: "",
            Origin.HEADERS: f"{self.headers}/{distribution}/",
            Origin.SCRIPTS: f"{self.scripts}/",
            Origin.ENTRY_POINT: f"{self.scripts}/",
        }
        return folders.get(origin, f"{self.site}/")


def posix_environment(python: str = "3.11") -> Environment:
    """Return the folders of a virtual environment on Linux and macOS."""
    site = f"lib/python{python}/site-packages"
    return Environment(site=site, scripts="bin", headers=f"include/site/python{python}", python=python)


def windows_environment(python: str = "3.11") -> Environment:
    """Return the folders of a virtual environment on Windows."""
    headers = f"Include/site/python{python}"
    return Environment(
        site="Lib/site-packages", scripts="Scripts", headers=headers, python=python, windows=True
    )


class InstalledFile(Struct, frozen=True, kw_only=True):
    """A file that an installer writes: its path in the environment, and the member that it is made from.

    ``member`` is empty for what the installer makes itself, such as scripts of entry points. The file of a
    later ``step`` replaces one of an earlier step; within a step, the order is not determined.
    """

    path: str
    member: str
    origin: Origin
    step: int


def installed_path(member: str) -> str:
    """Return a member's path below site-packages; that of other .data files is left as it is in the wheel."""
    if ".data/" not in member:
        return member
    top, _, rest = member.partition("/")
    scheme, _, path = rest.partition("/")
    return path if path and top.endswith(".data") and scheme in _SITE_PACKAGES else member


def data_folder(wheel: Wheel) -> str:
    """Return the name of the .data folder that all installers unpack."""
    return f"{wheel.dist_info.removesuffix('.dist-info')}.data"


def origin_of(wheel: Wheel, member: str, installer: Installer) -> tuple[Origin, str] | None:
    """Return where a member comes from and its path below there; None for one that is not unpacked.

    pip unpacks each folder whose name ends in .data, uv only the one that is named like the dist-info folder.
    """
    top, _, rest = member.partition("/")
    unpacked = top.endswith(".data") if installer is Installer.PIP else top == data_folder(wheel)
    if not unpacked:
        return Origin.ROOT, member
    key, _, path = rest.partition("/")
    return (Origin(key), path) if path and key in SCHEME_KEYS else None


def script_names(wheel: Wheel, environment: Environment, installer: Installer) -> Iterator[tuple[str, str]]:
    """Yield the entry points that scripts are made for, as installed: the name and its path.

    On Windows, each is an .exe file, without a .py at the end of its name (distlib, scripts.py). The names of
    pip itself get the version of the interpreter.
    """
    entries = parse_entry_points(wheel.entry_points) if wheel.entry_points else ()
    usable = [entry for entry in entries if not entry.problem]
    console = dict.fromkeys(entry.name for entry in usable if entry.group == "console_scripts")
    gui = dict.fromkeys(entry.name for entry in usable if entry.group == "gui_scripts")
    for name in (*_versioned(console, environment.python, installer), *gui):
        file = f"{name.removesuffix('.py')}.exe" if environment.windows else name
        yield name, f"{environment.scripts}/{file}"


def _versioned(names: Iterable[str], python: str, installer: Installer) -> Iterator[str]:
    """Yield the names of scripts with those of pip and easy_install for the interpreter's version."""
    kept = list(names)
    if installer is Installer.UV:
        kept = [name for name in kept if not (name.startswith("pip3.") and name[5:].isdigit())]
        yield from [*kept, f"pip{python}"] if "pip3" in kept else kept
        return
    for name, versioned in (("pip", ("pip3", f"pip{python}")), ("easy_install", (f"easy_install-{python}",))):
        if name in kept:
            rest = [other for other in kept if not _is_versioned(other, name)]
            kept = [name, *versioned, *rest]
    yield from kept


def _is_versioned(name: str, base: str) -> bool:
    ending = name.removeprefix(base).removeprefix("-")
    return name == base or (name.startswith(base) and ending.replace(".", "", 1).isdigit())


def installed_files(
    wheel: Wheel, environment: Environment, installer: Installer, members: Iterable[Member] | None = None
) -> tuple[InstalledFile, ...]:
    """Return the files that an installer writes, in its order; those that it refuses are left out.

    With ``members``, only these of the wheel and what the installer adds are placed.

    pip writes root, .data without scripts, scripts, and entry points, each in the order of the archive. uv
    writes root, entry points, and the parts of .data in the order of the file system. Both write their own
    files last, and no script of .data that is named like an entry point.
    """
    return tuple(_written(wheel, environment, installer, wheel.members if members is None else members))


def _written(
    wheel: Wheel, environment: Environment, installer: Installer, members: Iterable[Member]
) -> Iterator[InstalledFile]:
    scripts = tuple(script_names(wheel, environment, installer))
    named = frozenset(name for name, _ in scripts)
    root: list[tuple[Origin, str, str]] = []
    parts: list[tuple[Origin, str, str]] = []
    loose: list[tuple[Origin, str, str]] = []
    for member in members:
        place = None if member.directory else origin_of(wheel, member.name, installer)
        if place is None or (place[0] is Origin.SCRIPTS and is_wrapper(place[1], named, installer)):
            continue
        group = root if place[0] is Origin.ROOT else loose if place[0] is Origin.SCRIPTS else parts
        group.append((*place, member.name))
    generated = [(Origin.ENTRY_POINT, path, "") for _, path in scripts]
    info = f"{wheel.dist_info}/"
    own = [(Origin.INSTALLER, f"{info}{file}", "") for file in ("INSTALLER", "REQUESTED", "RECORD")]
    if installer is Installer.PIP:
        order = [[item] for item in (*root, *parts, *loose, *generated, *own)]
    else:
        order = [root, generated, [*parts, *loose], own]
    for step, items in enumerate(order):
        for origin, below, source in items:
            path = _installed_below(environment, origin, wheel.distribution, below)
            yield InstalledFile(path=path, member=source, origin=origin, step=step)


def _installed_below(environment: Environment, origin: Origin, distribution: str, path: str) -> str:
    if origin is Origin.ENTRY_POINT:
        return path
    if origin is Origin.DATA and path.startswith("lib64/") and not environment.windows:
        return f"lib/{path.removeprefix('lib64/')}"  # a link to lib
    return f"{environment.folder(origin, distribution)}{path}"


def is_wrapper(path: str, entry_points: frozenset[str], installer: Installer) -> bool:
    """Return whether a script of .data is skipped because an entry point has its name.

    pip looks at the name of the file in any folder, uv at what lies directly in scripts, be it a folder.
    """
    name = path.rpartition("/")[2] if installer is Installer.PIP else path.partition("/")[0]
    tail = name.lower() if installer is Installer.PIP else name
    ending = next((ending for ending in (".exe", "-script.py", ".pya") if tail.endswith(ending)), "")
    return (name[: -len(ending)] if ending else name) in entry_points


def final_files(files: Iterable[InstalledFile]) -> Mapping[str, tuple[InstalledFile, ...]]:
    """Return what lies at each path at the end; more than one file means that the order is not determined."""
    final: dict[str, tuple[InstalledFile, ...]] = {}
    for file in files:
        before = final.get(file.path, ())
        same = before if before and before[0].step == file.step else ()
        final[file.path] = (*same, file)
    return final


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
