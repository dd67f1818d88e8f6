"""Every place in which a distribution states its version, as its backend and the configuration say, and as people are used to."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from wheelkit.config import normalise
from wheelkit.errors import ProjectError
from wheelkit.versions import texts
from wheelkit.versions.model import Place, Scheme

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from wheelkit.project import Distribution
    from wheelkit.versions.model import Key

# Build requirements that compute the version from version control.
_FROM_TAGS = frozenset(
    {"setuptools-scm", "hatch-vcs", "versioningit", "vcs-versioning", "poetry-dynamic-versioning", "dunamai", "versioneer"}
)
_REQUIREMENT_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_VERSION_FILES = ("VERSION", "VERSION.txt", "version.txt")
_MODULES = ("__init__.py", "__about__.py", "_version.py", "version.py")
_SOURCES = ("", "src", "python", "lib")


def find(item: Distribution, configured: Sequence[str] = ()) -> tuple[Scheme, tuple[Place, ...]]:
    """Find where a distribution's version comes from, and every place that states it.

    ``configured`` files stand beside what the metadata says, in place of the usual files, which are looked at otherwise. Raises
    ProjectError for a configured file that is not there or states no version.
    """
    folder = item.source
    if not folder.is_dir():
        return Scheme.BUILD, ()
    document = toml(folder / "pyproject.toml")
    stated = list(_stated(folder, document))
    if any(one == Scheme.TAGS.value for one in stated) or (not stated and _tagged(document)):
        return Scheme.TAGS, ()
    places = [one for one in stated if isinstance(one, Place)]
    places += [_configured(folder, name) for name in configured] if configured else _usual(folder, item)
    unique = {(one.path.resolve(), one.at): one for one in places}
    return (Scheme.FILES if unique else Scheme.BUILD), tuple(unique.values())


def toml(path: Path) -> dict[str, Any]:
    """Parse a TOML file; empty where there is none, ProjectError where it is none."""
    text = texts.read(path)
    try:
        return tomllib.loads(text or "")
    except (ValueError, RecursionError) as error:
        raise ProjectError(f"{path} is no valid TOML: {error}", hint="mend that line") from error


def at(document: Mapping[str, Any], *key: str) -> Any:  # noqa: ANN401 - whatever the file holds
    """Follow table names; None where one of them is missing."""
    value: Any = document
    for part in key:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _stated(folder: Path, document: Mapping[str, Any]) -> Iterator[Place | str]:
    """Walk what the metadata and the backend's own settings say; ``tags`` where they leave it to version control."""
    path = folder / "pyproject.toml"
    for key in (("project", "version"), ("tool", "poetry", "version")):
        if isinstance(text := at(document, *key), str):
            yield _toml_place(path, key, text)
    backend = str(at(document, "build-system", "build-backend") or "").split(":")[0]
    if backend == "maturin" and isinstance(text := at(toml(folder / "Cargo.toml"), "package", "version"), str):
        yield _toml_place(folder / "Cargo.toml", ("package", "version"), text)
    if backend == "mesonpy":
        yield from texts.meson(folder)
    yield from _hatch(folder, document)
    yield from _setuptools(folder, document, backend)


def _toml_place(path: Path, key: Key, text: str) -> Place:
    return Place(path=path, where=f"[{'.'.join(map(str, key[:-1]))}] {key[-1]}", text=text, at=key)


def _hatch(folder: Path, document: Mapping[str, Any]) -> Iterator[Place | str]:
    table = at(document, "tool", "hatch", "version")
    if isinstance(table, dict):
        if table.get("source") == "vcs":
            yield Scheme.TAGS.value
        elif isinstance(table.get("path"), str) and (place := texts.in_file(folder / table["path"])):
            yield place


def _setuptools(folder: Path, document: Mapping[str, Any], backend: str) -> Iterator[Place | str]:
    if at(document, "tool", "setuptools_scm") is not None:
        yield Scheme.TAGS.value
        return
    # A backend of the project's own, as a rule, wraps that of setuptools.
    if backend not in {"", "setuptools.build_meta"} and at(document, "build-system", "backend-path") is None:
        return
    table = at(document, "tool", "setuptools", "dynamic", "version")
    files = at(table, "file") if isinstance(table, dict) else None
    names = files if isinstance(files, list) else [files] if files else []
    if isinstance(table, dict) and isinstance(table.get("attr"), str):
        names += _modules_of(table["attr"])
    for name in (*names, "setup.cfg", "setup.py"):
        if place := texts.in_file(folder / str(name)):
            yield place


def _modules_of(attribute: str) -> Iterator[str]:
    """Name the files in which ``package.module.__version__`` can stand."""
    module = attribute.rpartition(".")[0].replace(".", "/")
    for source in _SOURCES:
        prefix = f"{source}/" if source else ""
        yield f"{prefix}{module}.py"
        yield f"{prefix}{module}/__init__.py"


def _tagged(document: Mapping[str, Any]) -> bool:
    requires = at(document, "build-system", "requires")
    names = {normalise(match[1]) for text in requires or () if (match := _REQUIREMENT_NAME.match(str(text)))}
    return bool(names & _FROM_TAGS)


def _configured(folder: Path, name: str) -> Place:
    path = folder / name
    if path.suffix == ".toml":
        document = toml(path)
        for key in (("project", "version"), ("package", "version"), ("tool", "poetry", "version"), ("version",)):
            if isinstance(text := at(document, *key), str):
                return _toml_place(path, key, text)
    elif place := texts.in_file(path):
        return place
    reason = "states no version that wheelkit can read" if path.is_file() else "does not exist"
    raise ProjectError(f"{path}, one of the version-files, {reason}", hint="mend it, or version-files in [tool.wheelkit.distribution]")


def _usual(folder: Path, item: Distribution) -> Iterator[Place]:
    """Look where people put a version: a VERSION file at the top, and the package of the distribution's own name."""
    package = item.key.replace("-", "_")
    modules = [f"{source}/{package}/{name}".lstrip("/") for source in _SOURCES for name in _MODULES]
    for name in (*_VERSION_FILES, *modules):
        if place := texts.in_file(folder / name):
            yield place
