"""What a wheel puts at the top of site-packages, which it shares with every other distribution and, by name, with the standard library."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from wheelkit.fast_packaging import admits, normalise
from wheelkit.text import shorten_list
from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Wheel


# Folders and files of a project's checkout, which many projects have, so that one installation overwrites the other.
_OF_CHECKOUTS = frozenset({
    ".eggs", ".nox", ".tox", ".venv", "__init__", "build", "conftest", "data", "dist", "doc", "docs", "example", "examples",
    "htmlcov", "man", "node_modules", "noxfile", "script", "scripts", "setup", "share", "src", "static", "test", "tests", "venv",
})  # fmt: skip
# Modules that only some of the interpreters from 3.11 to 3.15 have (What's New in Python, PEP 594): of those nobody can say who is first.
_NOT_EVERYWHERE = frozenset({
    "aifc", "annotationlib", "asynchat", "asyncore", "audioop", "cgi", "cgitb", "chunk", "compression", "crypt", "distutils",
    "imghdr", "imp", "lib2to3", "mailcap", "msilib", "nis", "nntplib", "ossaudiodev", "pipes", "profiling", "smtpd", "sndhdr", "spwd",
    "sunau", "telnetlib", "uu", "xdrlib",
})  # fmt: skip
_SCHEMES = frozenset({"purelib", "platlib"})
_SUPPORTED = tuple((3, minor, 0) for minor in range(11, 16))


def names(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report tops that other distributions have as well, unless it is the distribution's own name, and modules that nobody can import."""
    tops = _tops(wheel)
    own = normalise(wheel.distribution).replace("-", "_")
    shared = [top for name, top in tops.items() if name in _OF_CHECKOUTS and name != own]
    if shared:
        lie = "lies" if len(shared) == 1 else "lie"
        what = (
            f"{shorten_list(shared)} {lie} at the top of site-packages, where other distributions put theirs"
        )
        yield finding("WK217", what=what, file=wheel.filename, member=shared[0])
    hidden = [top for name, top in tops.items() if _of_python(name)]
    if hidden and _for_supported(wheel):
        named = "has the name of a module" if len(hidden) == 1 else "have names of modules"
        what = f"{shorten_list(hidden)} {named} of Python itself, which is found first"
        yield finding(
            "WK217",
            what=what,
            fix="rename it, or move it into the package",
            file=wheel.filename,
            member=hidden[0],
        )


def unimportable(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report packages at the top whose name no import statement can spell: mostly the distribution's name where the package's was meant."""
    from keyword import iskeyword

    packages = dict.fromkeys(folder for folder, *inside in _paths(wheel) if inside == ["__init__.py"])
    for name in packages:
        if (iskeyword(name) or not name.isidentifier()) and not name.endswith("-stubs"):  # PEP 561
            why = "a word of Python's own" if iskeyword(name) else "no name in Python"
            what = f"{name}/ holds a package, and {name} is {why}: import {name} is a syntax error"
            yield finding("WK220", what=what, file=wheel.filename, member=f"{name}/__init__.py")


def _paths(wheel: Wheel) -> Iterator[list[str]]:
    """Give the parts of every path as it is installed below site-packages."""
    for member in wheel.members:
        path = member.name.split("/")
        yield path[2:] if path[2:] and path[0].endswith(".data") and path[1] in _SCHEMES else path


def _tops(wheel: Wheel) -> dict[str, str]:
    """Map what is imported from the top of site-packages, or lies there as a folder, to the first file or folder of that name."""
    tops: dict[str, str] = {}
    for path in _paths(wheel):
        if path[1:] or path[0].endswith((".py", ".so", ".pyd")):
            folder, *inside = path
            name = folder if inside or folder.startswith(".") else folder.partition(".")[0]
            tops.setdefault(name, f"{folder}/" if inside else folder)
    return tops


def _of_python(name: str) -> bool:
    return name in sys.stdlib_module_names and not name.startswith("_") and name not in _NOT_EVERYWHERE


def _for_supported(wheel: Wheel) -> bool:
    """Tell whether an interpreter that has all these modules may get the wheel: a backport keeps such interpreters out."""
    try:
        return any(admits(wheel.metadata.get("Requires-Python"), version) for version in _SUPPORTED)
    except ValueError:
        return True  # the metadata check reports it


_META = "meta"


def nothing(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report a wheel without any file beside its metadata, unless what it requires is all that it is for."""
    if wheel.shallow or any(
        not one.directory and not one.name.startswith(f"{wheel.dist_info}/") for one in wheel.members
    ):
        return
    promise = contract.promise(wheel.distribution)
    meta = bool(wheel.metadata.all("Requires-Dist")) and (promise is None or promise.kind.value == _META)
    if not meta:
        yield finding(
            "WK218",
            what="it installs nothing: there is no module, no script and no data file in it",
            file=wheel.filename,
        )


def compiled(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report bytecode beside the source that it was made from; bytecode alone is how some projects ship."""
    names = {one.name for one in wheel.members}
    left = [name for name in names if name.endswith(".pyc") and _source(name) in names]
    if left:
        what = f"{shorten_list(sorted(left))} {'is' if len(left) == 1 else 'are'} compiled from sources that are in the wheel too"
        yield finding("WK219", what=what, file=wheel.filename, member=min(left))


def _source(name: str) -> str:
    """Name the source of a compiled file: ``a/__pycache__/b.cpython-312.opt-1.pyc`` is of ``a/b.py`` (PEP 3147)."""
    folder, _, file = name.rpartition("/")
    parent = folder.removesuffix("__pycache__")
    return f"{parent}{file.partition('.')[0]}.py" if parent != folder else name[:-1]


_DIST_INFO, _DATA = ".dist-info", ".data"
# The keys of an installation scheme that a wheel may fill (binary distribution format, "The .data directory").
_SCHEME = frozenset({"purelib", "platlib", "headers", "scripts", "data"})


def dist_info(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report more than one ``.dist-info`` folder: installers refuse the wheel, or take either."""
    folders = _folders_ending_in(wheel, _DIST_INFO)
    if len(folders) > 1:
        yield finding(
            "WK209",
            what=f"it has {len(folders)} dist-info folders: {shorten_list(folders)}",
            file=wheel.filename,
            member=folders[0],
        )


def data(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report a ``.data`` folder of another name than the wheel's, and folders in it that no installation scheme has."""
    wanted = wheel.dist_info.removesuffix(_DIST_INFO) + _DATA
    for folder in _folders_ending_in(wheel, _DATA):
        if folder != wanted:
            what = f"{folder} is not named like {wheel.dist_info}; some installers spread it, others leave it where it is"
            yield finding("WK210", what=what, fix=f"name it {wanted}", file=wheel.filename, member=folder)
            continue
        inside = (
            member.name.removeprefix(f"{folder}/")
            for member in wheel.members
            if member.name.startswith(f"{folder}/")
        )
        parts = dict.fromkeys(name.partition("/")[0] for name in inside if name)
        unknown = [part for part in parts if part not in _SCHEME]
        if unknown:
            what = (
                f"{folder} holds {shorten_list(unknown)}; installers know {', '.join(sorted(_SCHEME))} only"
            )
            yield finding("WK210", what=what, file=wheel.filename, member=folder)


def _folders_ending_in(wheel: Wheel, suffix: str) -> list[str]:
    tops = (member.name.partition("/") for member in wheel.members)
    return list(dict.fromkeys(top for top, slash, _ in tops if slash and top.lower().endswith(suffix)))
