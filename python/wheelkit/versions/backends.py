"""Locations of the versions that build backends read, by the settings in ``project.backends``."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from wheelkit.project.backends import VersionForm, VersionSource, version_sources
from wheelkit.project.files import ProjectFiles
from wheelkit.project.requirements import requirement_name
from wheelkit.versions import text_files
from wheelkit.versions.bump import same_version
from wheelkit.versions.locks import cargo_manifest
from wheelkit.versions.model import FileFormat, Scheme, VersionLocation
from wheelkit.versions.toml_files import first_version, read_toml, toml_location, value_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# Build requirements that compute the version from version control.
_TAG_REQUIREMENTS = frozenset({
    "dunamai", "flit-scm", "hatch-vcs", "pbr", "poetry-dynamic-versioning", "setuptools-git-versioning",
    "setuptools-scm", "uv-dynamic-versioning", "vcs-versioning", "versioneer", "versioningit",
})  # fmt: skip
_TAGGED_SETUP = re.compile(
    r"\buse_scm_version\s*=\s*(?!False|None)|\bversioneer\.get_version\b|\bpbr\s*=\s*True"
)
_TAGGED_CFG = re.compile(r"^\[(?:versioneer|pbr)\]", re.MULTILINE)
# A path in one string, or in several with commas between them, as os.path.join takes it.
_PATH = re.compile(r"(?:[\"'][\w.-]+[\"']\s*,\s*)*[\"'](?:[\w./-]+\.(?:py|txt|h)|VERSION)[\"']")


def stated_versions(folder: Path, document: Mapping[str, Any]) -> Iterator[VersionLocation | Scheme]:
    """Yield the versions that metadata and backends' settings name, ``Scheme.TAGS`` for version control."""
    path = folder / "pyproject.toml"
    for key in (("project", "version"), ("tool", "poetry", "version")):
        if isinstance(text := value_at(document, *key), str):
            yield toml_location(path, key, text)
    files = ProjectFiles(document=document, read=lambda name: text_files.read(folder / name))
    for source in version_sources(files):
        if source.from_tags:
            yield Scheme.TAGS
        elif source.form is VersionForm.MESON:
            yield from text_files.meson_version(folder)
        elif source.form is VersionForm.CARGO:
            yield from _cargo_version(folder, document)
        elif source.form is VersionForm.NAMED_IN_SETUP:
            yield from _named_in_setup(folder)
        else:
            yield from _first_stated(folder, source)


def computed_from_tags(folder: Path, document: Mapping[str, Any]) -> bool:
    """Return whether the build uses a tool that asks version control, though no setting says so."""
    requires = value_at(document, "build-system", "requires")
    names = {requirement_name(str(text)) for text in (requires if isinstance(requires, list) else ())}
    setup_py = text_files.read(folder / "setup.py") or ""
    setup_cfg = text_files.read(folder / "setup.cfg") or ""
    return bool(names & _TAG_REQUIREMENTS or _TAGGED_SETUP.search(setup_py) or _TAGGED_CFG.search(setup_cfg))


def _first_stated(folder: Path, source: VersionSource) -> Iterator[VersionLocation]:
    """Yield the version of the first file of a source that states one."""
    for path in (folder / name for name in source.files):
        if source.pattern:
            location = text_files.version_by_pattern(path, source.pattern)
        else:
            location = text_files.version_in(path, source.variable) or text_files.version_in(path)
        if location is not None:
            yield location
            return


def _cargo_version(folder: Path, document: Mapping[str, Any]) -> Iterator[VersionLocation]:
    """Yield the version of maturin's crate or of its workspace, unless ``[project]`` overrides it."""
    path = cargo_manifest(folder, document)
    version = value_at(read_toml(path), "package", "version")
    fixed = value_at(document, "project", "version")
    if isinstance(version, str):
        if not isinstance(fixed, str) or same_version(version, fixed):
            yield toml_location(path, ("package", "version"), version, FileFormat.CARGO)
    elif value_at(version or {}, "workspace") is True:
        key = ("workspace", "package", "version")
        parents = (path.parent, *path.parent.parents)
        shared = (first_version(parent / "Cargo.toml", key, form=FileFormat.CARGO) for parent in parents)
        yield from islice(filter(None, shared), 1)


def _named_in_setup(folder: Path) -> Iterator[VersionLocation]:
    """Yield versions in the files that setup.py names, if it states no version itself.

    All files with "version" in their name count; without one, the first other file that states a version.
    """
    text = text_files.read(folder / "setup.py") or ""
    if not text or text_files.version_in(folder / "setup.py") is not None:
        return
    versions = {name: text_files.version_in(folder / name) for name in _named_files(text)}
    locations = {name: location for name, location in versions.items() if location is not None}
    by_name = [location for name, location in locations.items() if "version" in name.lower()]
    yield from by_name or [location for name, location in locations.items() if not name.endswith(".txt")][:1]


def _named_files(text: str) -> Iterator[str]:
    """Yield the files that setup.py names, each alone and with the folders before it."""
    names: dict[str, None] = {}
    for match in _PATH.finditer(text):
        words = [word.strip(" \t\r\n\"'") for word in match[0].split(",")]
        names |= dict.fromkeys("/".join(words[first:]) for first in reversed(range(len(words))))
    return (name for name in names if name != "setup.py" and not name.startswith("/"))
