"""Modules that are never imported, since Python finds another one of the same name first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.analysis.installed import installed_path
from wheelkit.text import shorten_list
from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Wheel


_MODULES = (".py", ".so", ".pyd", ".pyc")


def modules(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report modules beside a package of their name, and packages without __init__ beside such a module.

    In one folder Python takes a package with an ``__init__`` first, then a module, then a package without
    (CPython, importlib/_bootstrap_external.py, FileFinder.find_spec). An extension module beside its Python
    source is left out: the source is for interpreters without the extension.
    """
    stems: dict[str, str] = {}
    folders: dict[str, str] = {}
    for member in wheel.members:
        if member.name.endswith(_MODULES):
            path = installed_path(member.name)
            folder, slash, file = path.rpartition("/")
            stem = file.partition(".")[0]
            stems.setdefault(f"{folder}{slash}{stem}", member.name)
            if slash:
                package = folders.get(folder)
                if package is None or stem == "__init__":
                    folders[folder] = member.name
    hidden = list(_hidden(stems, folders))
    if hidden:
        what = "; ".join(f"{module} is hidden by {by}" for module, by in hidden[:1])
        others = f"; also {shorten_list([module for module, _ in hidden[1:]])}" if hidden[1:] else ""
        yield finding("WK228", f"{what}{others}", member=hidden[0][0])


def _hidden(stems: dict[str, str], folders: dict[str, str]) -> Iterable[tuple[str, str]]:
    for folder, inside in folders.items():
        module = stems.get(folder)
        if module is None or not all(part.isidentifier() for part in folder.split("/")):
            continue
        package = inside.rpartition("/")[2].startswith("__init__.")
        yield (module, inside) if package else (inside, module)
