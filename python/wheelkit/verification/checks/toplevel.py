"""What a wheel installs at the top of site-packages, and its .dist-info and .data folders."""

from __future__ import annotations

import sys
from keyword import iskeyword
from typing import TYPE_CHECKING

from wheelkit.analysis.installed import Installer, data_folder, installed_path, top_level_names
from wheelkit.analysis.refusals import data_refusals
from wheelkit.fast_packaging import normalise
from wheelkit.text import shorten_list
from wheelkit.verification.checks.metadata import may_admit
from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Wheel


# What many projects have at the top of their checkout or of an installation of their libraries, so that one
# installation overwrites another.
_CHECKOUT_NAMES = frozenset({
    ".eggs", ".nox", ".tox", ".venv", "__init__", "benchmark", "benchmarks", "bin", "build", "conftest",
    "data", "dist", "doc", "docs", "etc", "example", "examples", "htmlcov", "include", "lib", "lib64", "libs",
    "man", "node_modules", "noxfile", "scripts", "script", "setup", "share", "src", "static", "test", "tests",
    "tools", "venv",
})  # fmt: skip
# Modules that only some of the interpreters from 3.11 to 3.15 have (What's New in Python, PEP 594).
_NOT_IN_EVERY_PYTHON = frozenset({
    "aifc", "annotationlib", "asynchat", "asyncore", "audioop", "cgi", "cgitb", "chunk", "compression",
    "crypt", "distutils", "imghdr", "imp", "lib2to3", "mailcap", "msilib", "nis", "nntplib", "ossaudiodev",
    "pipes", "profiling", "smtpd", "sndhdr", "spwd", "sunau", "telnetlib", "uu", "xdrlib",
})  # fmt: skip
_SUPPORTED_MINORS = range(11, 16)
_DIST_INFO, _DATA = ".dist-info", ".data"


def names(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report top-level names that other distributions or the standard library use, except the wheel's own."""
    tops = top_level_names(wheel)
    own = normalise(wheel.distribution).replace("-", "_")
    shared = [top for name, top in tops.items() if name in _CHECKOUT_NAMES and name != own]
    if shared:
        what = f"top-level names that other distributions also use: {shorten_list(shared)}"
        yield finding("WK217", what, member=shared[0])
    shadowed = [top for name, top in tops.items() if _in_standard_library(name)]
    required = wheel.metadata.get("Requires-Python")
    # A backport excludes every interpreter that has the module.
    if shadowed and any(may_admit(required, minor, patch=0) for minor in _SUPPORTED_MINORS):
        what = f"shadowed by standard library modules of the same name: {shorten_list(shadowed)}"
        yield finding("WK217", what, fix="rename it, or move it into the package", member=shadowed[0])


def _in_standard_library(name: str) -> bool:
    return name in sys.stdlib_module_names and not name.startswith("_") and name not in _NOT_IN_EVERY_PYTHON


def unimportable(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report top-level packages whose name is no identifier, most often one with hyphens."""
    paths = (installed_path(member.name).split("/") for member in wheel.members)
    for name in dict.fromkeys(folder for folder, *inside in paths if inside == ["__init__.py"]):
        if (iskeyword(name) or not name.isidentifier()) and not name.endswith("-stubs"):  # PEP 561
            problem = "a Python keyword" if iskeyword(name) else "not a valid Python name"
            what = f"the package {name}/ cannot be imported: {name} is {problem}"
            yield finding("WK220", what, member=f"{name}/__init__.py")


def nothing(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report a wheel with no file besides its metadata, unless it exists for its dependencies alone."""
    inside = f"{wheel.dist_info}/"
    if wheel.shallow or any(not one.directory and not one.name.startswith(inside) for one in wheel.members):
        return
    promise = contract.promise(wheel.distribution)
    if not wheel.metadata.all("Requires-Dist") or (promise is not None and not promise.meta):
        yield finding("WK218", "the wheel contains no module, script or data file")


def compiled(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report bytecode next to its source; some projects ship bytecode alone, on purpose."""
    files = {member.name for member in wheel.members}
    bytecode = sorted(name for name in files if name.endswith(".pyc") and _source(name) in files)
    if bytecode:
        what = f"bytecode whose source is also in the wheel: {shorten_list(bytecode)}"
        yield finding("WK219", what, member=bytecode[0])


def _source(name: str) -> str:
    """Return the source of a compiled file: ``a/b.py`` for ``a/__pycache__/b.cpython-312.pyc`` (PEP 3147)."""
    folder, _, file = name.rpartition("/")
    parent = folder.removesuffix("__pycache__")
    return f"{parent}{file.partition('.')[0]}.py" if parent != folder else name[:-1]


def dist_info(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report more than one ``.dist-info`` folder; pip also counts files of such a name."""
    folders = _tops(wheel, _DIST_INFO)
    if len(folders) > 1:
        what = f"the wheel has {len(folders)} .dist-info folders: {shorten_list(folders)}"
        yield finding("WK209", what, member=folders[0])


def data(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report ``.data`` folders with another name than the wheel's, and what an installer does not unpack."""
    folders = _tops(wheel, _DATA)
    expected = data_folder(wheel)
    installers = Installer if folders else ()
    refused = [refusal for installer in installers for refusal in data_refusals(wheel, installer)]
    for folder in folders:
        inside = [refusal for refusal in refused if refusal.member.partition("/")[0] == folder]
        if folder != expected and not (inside and inside[0].member == folder):
            reason = "only some installers unpack a .data folder of another name"
            what = f"{folder} should be {expected}: {reason}"
            yield finding("WK210", what, fix=f"name it {expected}", member=folder)
        elif inside:
            members = dict.fromkeys(refusal.member for refusal in inside)
            what = f"{shorten_list(members)}: {inside[0].reason}"
            yield finding("WK210", what, member=inside[0].member)


def _tops(wheel: Wheel, suffix: str) -> list[str]:
    """Return the files and folders at the top whose name ends so; other spellings of it in folders only."""
    tops = dict.fromkeys(member.name.partition("/")[:2] for member in wheel.members)
    ends = (top for top, slash in tops if top.endswith(suffix) or (slash and top.lower().endswith(suffix)))
    return list(dict.fromkeys(ends))
