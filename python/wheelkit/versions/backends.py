"""What each build backend takes a version from: its settings name a file, version control, or code that nobody can foresee."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wheelkit.config import normalise
from wheelkit.versions import text_files
from wheelkit.versions.bump import same_version
from wheelkit.versions.locks import cargo_manifest
from wheelkit.versions.model import FileFormat, Scheme, VersionLocation
from wheelkit.versions.toml_files import at, toml, toml_place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


# Build requirements that compute the version from version control.
_FROM_TAGS = frozenset(
    {
        "dunamai",
        "flit-scm",
        "hatch-vcs",
        "pbr",
        "poetry-dynamic-versioning",
        "setuptools-git-versioning",
        "setuptools-scm",
        "uv-dynamic-versioning",
        "vcs-versioning",
        "versioneer",
        "versioningit",
    }
)
_REQUIREMENT_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_TAGGED_SETUP = re.compile(
    r"\buse_scm_version\s*=\s*(?!False|None)|\bversioneer\.get_version\b|\bpbr\s*=\s*True"
)
_VERSIONEER = re.compile(r"^\[(?:versioneer|pbr)\]", re.MULTILINE)
# The regular expression that hatchling and scikit-build-core use where none is configured, by their documentation.
_ASSIGNED = r"(?i)^(?:__version__|VERSION)(?: ?: ?str)? *= *(['\"])v?(?P<value>.+?)\1"
_CFG_ATTR = re.compile(r"^version\s*[=:]\s*attr:\s*(?P<attr>[\w.]+)", re.MULTILINE)
_CFG_FILE = re.compile(r"^version\s*[=:]\s*file:\s*(?P<file>[^\s,]+)", re.MULTILINE)

Found = VersionLocation | Scheme


def stated(folder: Path, document: Mapping[str, Any]) -> Iterator[Found]:
    """Walk what the metadata and the backend's own settings say: places, and ``Scheme.TAGS`` where they leave it to version control."""
    path = folder / "pyproject.toml"
    for key in (("project", "version"), ("tool", "poetry", "version")):
        if isinstance(text := at(document, *key), str):
            yield toml_place(path, key, text)
    backend = str(at(document, "build-system", "build-backend") or "").split(":")[0]
    yield from _poetry(document)
    if backend == "maturin":
        yield from _cargo(folder, document)
    if backend == "mesonpy":
        yield from text_files.meson(folder)
    if backend.startswith("flit"):
        yield from _flit(folder, document)
    yield from _hatch(folder, document)
    yield from _pdm(folder, document)
    yield from _scikit_build(folder, document)
    yield from _setuptools(folder, document, backend)


def computed_from_tags(folder: Path, document: Mapping[str, Any]) -> bool:
    """Tell whether the project is built with something that asks version control, where no setting says so."""
    requires = at(document, "build-system", "requires")
    names = {
        normalise(match[1])
        for text in (requires if isinstance(requires, list) else ())
        if (match := _REQUIREMENT_NAME.match(str(text)))
    }
    setup_py, setup_cfg = (
        text_files.read(folder / "setup.py") or "",
        text_files.read(folder / "setup.cfg") or "",
    )
    return bool(names & _FROM_TAGS or _TAGGED_SETUP.search(setup_py) or _VERSIONEER.search(setup_cfg))


def _poetry(document: Mapping[str, Any]) -> Iterator[Found]:
    if at(document, "tool", "poetry-dynamic-versioning", "enable") is True:
        yield Scheme.TAGS


def _cargo(folder: Path, document: Mapping[str, Any]) -> Iterator[Found]:
    """Find the version of maturin's crate, which may be its workspace's; one that ``[project]`` overrules is no place."""
    path = cargo_manifest(folder, document)
    version = at(toml(path), "package", "version")
    fixed = at(document, "project", "version")
    if isinstance(version, str):
        if not isinstance(fixed, str) or same_version(version, fixed):
            yield toml_place(path, ("package", "version"), version, FileFormat.CARGO)
    elif at(version or {}, "workspace") is True:
        for parent in (path.parent, *path.parent.parents):
            if isinstance(shared := at(toml(parent / "Cargo.toml"), "workspace", "package", "version"), str):
                yield toml_place(
                    parent / "Cargo.toml", ("workspace", "package", "version"), shared, FileFormat.CARGO
                )
                return


def _flit(folder: Path, document: Mapping[str, Any]) -> Iterator[Found]:
    """Find the version of flit's module, which is named as the distribution where nothing else is said."""
    told = (("tool", "flit", "module", "name"), ("project", "name"), ("tool", "flit", "metadata", "module"))
    name = next((found for key in told if (found := at(document, *key))), None)
    dynamic = at(document, "project", "dynamic")
    if isinstance(name, str) and (not isinstance(dynamic, list) or "version" in dynamic):
        yield from _first(folder, _modules(name.replace("-", "_")), "__version__")


def _hatch(folder: Path, document: Mapping[str, Any]) -> Iterator[Found]:
    table = at(document, "tool", "hatch", "version")
    if not isinstance(table, dict):
        return
    if table.get("source") == "vcs":
        yield Scheme.TAGS
    elif isinstance(table.get("path"), str) and table.get("source") != "code":
        yield from _by_pattern(folder / table["path"], table.get("pattern"))


def _pdm(folder: Path, document: Mapping[str, Any]) -> Iterator[Found]:
    table = at(document, "tool", "pdm", "version")
    if not isinstance(table, dict):
        return
    if table.get("source") == "scm" or table.get("use_scm") is True:
        yield Scheme.TAGS
    elif isinstance(name := table.get("path") or table.get("from"), str):
        yield from _by_pattern(folder / name, None)


def _scikit_build(folder: Path, document: Mapping[str, Any]) -> Iterator[Found]:
    table = at(document, "tool", "scikit-build", "metadata", "version")
    if not isinstance(table, dict):
        return
    provider = str(table.get("provider", ""))
    if provider.endswith(".setuptools_scm"):
        yield Scheme.TAGS
    elif provider.endswith(".regex") and isinstance(table.get("input"), str) and "result" not in table:
        yield from _by_pattern(folder / table["input"], table.get("regex", _ASSIGNED))


def _by_pattern(path: Path, pattern: object) -> Iterator[VersionLocation]:
    """Find the version as the backend does, by a regular expression with a group ``version`` or ``value``; else as people write it."""
    place = text_files.by_pattern(path, pattern) if isinstance(pattern, str) else text_files.in_file(path)
    if place is not None:
        yield place


def _setuptools(folder: Path, document: Mapping[str, Any], backend: str) -> Iterator[Found]:
    if at(document, "tool", "setuptools_scm") is not None or at(document, "tool", "versioneer") is not None:
        yield Scheme.TAGS
        return
    # A backend of the project's own, as a rule, wraps that of setuptools.
    if backend not in {"", "setuptools.build_meta"} and at(document, "build-system", "backend-path") is None:
        return
    cfg = text_files.read(folder / "setup.cfg") or ""
    table = at(document, "tool", "setuptools", "dynamic", "version")
    table = table if isinstance(table, dict) else {}
    files = table.get("file")
    named = files if isinstance(files, list) else [files] if files else []
    named += [found["file"] for found in _CFG_FILE.finditer(cfg)]
    attributes = [table["attr"]] if isinstance(table.get("attr"), str) else []
    attributes += [found["attr"] for found in _CFG_ATTR.finditer(cfg)]
    for name in named:
        if place := text_files.in_file(folder / str(name)):
            yield place
    for attribute in attributes:
        module, _, variable = attribute.rpartition(".")
        yield from _first(folder, _modules(module), variable)
    for name in ("setup.cfg", "setup.py"):
        if place := text_files.in_file(folder / name):
            yield place
    if not at(document, "project", "version"):
        yield from _named_by_setup(folder)


def _named_by_setup(folder: Path) -> Iterator[VersionLocation]:
    """Look at the files that setup.py names, where it states no version itself: it reads one of them.

    Those whose name speaks of a version are taken all; else the first that states one, whatever it is called.
    """
    text = text_files.read(folder / "setup.py") or ""
    if not text or text_files.in_file(folder / "setup.py") is not None:
        return
    found = [(name, place) for name in _files_in(text) if (place := text_files.in_file(folder / name))]
    telling = [place for name, place in found if re.search("version", name, re.IGNORECASE)]
    yield from telling or [place for name, place in found if not name.endswith(".txt")][:1]


# A path in one string, or in several with commas between, as os.path.join takes it.
_NAMED = re.compile(r"(?:[\"'][\w.-]+[\"']\s*,\s*)*[\"'](?:[\w./-]+\.(?:py|txt|h)|VERSION)[\"']")


def _files_in(text: str) -> Iterator[str]:
    """Name the files that setup.py speaks of: each path as it is written, and with the folders that stand before it."""
    named: dict[str, None] = {}
    for found in _NAMED.finditer(text):
        words = [word.strip(" \t\r\n\"'") for word in found[0].split(",")]
        named |= dict.fromkeys("/".join(words[first:]) for first in reversed(range(len(words))))
    return iter(name for name in named if name != "setup.py" and not name.startswith("/"))


def _modules(module: str) -> Iterator[str]:
    """Name the files in which a module can lie."""
    module = module.replace(".", "/")
    for source in text_files.SOURCES:
        yield f"{source}{module}.py"
        yield f"{source}{module}/__init__.py"


def _first(folder: Path, names: Iterator[str], variable: str) -> Iterator[VersionLocation]:
    for path in (folder / name for name in names):
        if place := text_files.in_file(path, variable) or text_files.in_file(path):
            yield place
            return
