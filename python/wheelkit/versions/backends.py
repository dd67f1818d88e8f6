"""Find the versions that the build backends of a project read, from the settings that ``project.backends`` describes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wheelkit.config import normalise
from wheelkit.project.backends import ProjectFiles, VersionForm, VersionSource, version_sources
from wheelkit.versions import text_files
from wheelkit.versions.bump import same_version
from wheelkit.versions.locks import cargo_manifest
from wheelkit.versions.model import FileFormat, Scheme, VersionLocation
from wheelkit.versions.toml_files import at, toml, toml_place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    StatedVersion = VersionLocation | Scheme

# Build requirements that compute the version from version control.
_TAG_REQUIREMENTS = frozenset({
    "dunamai", "flit-scm", "hatch-vcs", "pbr", "poetry-dynamic-versioning", "setuptools-git-versioning", "setuptools-scm",
    "uv-dynamic-versioning", "vcs-versioning", "versioneer", "versioningit",
})  # fmt: skip
_REQUIREMENT_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_TAGGED_SETUP = re.compile(
    r"\buse_scm_version\s*=\s*(?!False|None)|\bversioneer\.get_version\b|\bpbr\s*=\s*True"
)
_VERSIONEER = re.compile(r"^\[(?:versioneer|pbr)\]", re.MULTILINE)


def stated(folder: Path, document: Mapping[str, Any]) -> Iterator[StatedVersion]:
    """Yield the versions that the metadata and the backends' settings name, or ``Scheme.TAGS`` for version control."""
    path = folder / "pyproject.toml"
    for key in (("project", "version"), ("tool", "poetry", "version")):
        if isinstance(text := at(document, *key), str):
            yield toml_place(path, key, text)
    files = ProjectFiles(document=document, read=lambda name: text_files.read(folder / name))
    for source in version_sources(files):
        if source.from_tags:
            yield Scheme.TAGS
        elif source.form is VersionForm.MESON:
            yield from text_files.meson(folder)
        elif source.form is VersionForm.CARGO:
            yield from _cargo(folder, document)
        elif source.form is VersionForm.NAMED_IN_SETUP:
            yield from _named_by_setup(folder)
        else:
            yield from _first(folder, source)


def _first(folder: Path, source: VersionSource) -> Iterator[VersionLocation]:
    """Yield the version of the first file of a source that states one."""
    for path in (folder / name for name in source.files):
        if source.pattern:
            location = text_files.by_pattern(path, source.pattern)
        else:
            location = text_files.in_file(path, source.variable) or text_files.in_file(path)
        if location is not None:
            yield location
            return


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
    return bool(names & _TAG_REQUIREMENTS or _TAGGED_SETUP.search(setup_py) or _VERSIONEER.search(setup_cfg))


def _cargo(folder: Path, document: Mapping[str, Any]) -> Iterator[StatedVersion]:
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
