"""Sdists: names and layout as installers expect, all files for a build, and the metadata of the wheels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wheelkit.fast_packaging import normalise
from wheelkit.inputs import numbers, toml_table
from wheelkit.text import shorten_list
from wheelkit.verification.checks.metadata import COMPARED_FIELDS
from wheelkit.verification.checks.names import same_version
from wheelkit.verification.findings import finding
from wheelkit.wheel.model import EntryKind
from wheelkit.wheel.names import parse_version

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from wheelkit.project.backends import Backend
    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.verification.release import Release
    from wheelkit.wheel import Headers, Sdist


_SUFFIX = ".tar.gz"
# Since this metadata version an sdist's fields hold for every wheel, unless listed as Dynamic (PEP 643).
_RELIABLE = (2, 2)
_SUBDIR = r"\bsubdir\s*\(\s*'(?P<folder>[^'@]+)'"
# A folder that is entered under a condition may be left out on purpose.
_CONDITION = r"(?m)^\s*(?:if|foreach)\b"


def file_name(sdist: Sdist, _: Contract) -> Iterator[Finding]:
    """Report a file name that PKG-INFO contradicts, or that is not normalized (PEP 625)."""
    name, _dash, version = sdist.filename.removesuffix(_SUFFIX).rpartition("-")
    if normalise(name) != sdist.distribution or not same_version(version, sdist.version):
        what = f"PKG-INFO says {sdist.distribution} {sdist.version}, but the file name says {name} {version}"
        yield finding("WK204", what)
        return
    version = str(parse_version(sdist.version) or sdist.version)
    normalized = f"{sdist.distribution.replace('-', '_')}-{version}{_SUFFIX}"
    if sdist.filename != normalized:
        yield finding("WK202", f"the file name is not normalized; it has to be {normalized}")


def paths(sdist: Sdist, _: Contract) -> Iterator[Finding]:
    """Report files outside the sdist's one folder, and a folder that is not at the top."""
    top = f"{sdist.folder}/"
    inside = (name for name in sdist.names if name.startswith(top) and ".." not in name.split("/"))
    outside = sdist.names.difference(inside if sdist.folder else ())
    folders = {entry.name.rstrip("/") for entry in sdist.entries if entry.kind is EntryKind.FOLDER}
    outside |= {folder for folder in folders - {sdist.folder} if not f"{folder}/".startswith(top)}
    above = {sdist.folder[:place] for place, sign in enumerate(sdist.folder) if sign == "/"}
    outside -= above
    if outside:
        where = f"outside {top}" if sdist.folder else "not in one folder"
        yield finding("WK712", f"files {where}: {shorten_list(sorted(outside))}")
    elif above - {"."}:
        yield finding("WK712", f"all files are in {top}, and pip and uv look in {min(above)}/")


def complete(sdist: Sdist, _: Contract) -> Iterator[Finding]:
    """Report files that a build from the sdist needs and the sdist lacks."""
    files = {name.removeprefix(f"{sdist.folder}/") for name in sdist.names}
    if files.isdisjoint({"pyproject.toml", "setup.py"}):
        yield finding("WK713", "the sdist has neither pyproject.toml nor setup.py")
        return
    try:
        project = toml_table(sdist.texts.get("pyproject.toml", ""))
    except ValueError:
        yield finding("WK713", "its pyproject.toml is not valid TOML")
        return
    from wheelkit.project.backends import find_backend

    backend = find_backend(str(_table(project, "build-system").get("build-backend", "")).partition(":")[0])
    for path, reason in (*_build_files(project, backend), *_meson_folders(sdist.texts)):
        if not _holds(files, path):
            yield finding("WK713", f"the sdist lacks {path}, which {reason} needs")
    for path, reason in _text_files(project):
        if not _holds(files, path):
            what = f"the sdist lacks {path}, which {reason} needs"
            yield finding("WK753" if backend.builds_without_texts else "WK713", what)


def _holds(files: Collection[str], path: str) -> bool:
    return path in files or any(name.startswith(f"{path.rstrip('/')}/") for name in files)


def _build_files(project: Mapping[str, Any], backend: Backend) -> Iterator[tuple[str, str]]:
    """Yield the file that the backend builds from, with what needs it."""
    if backend.build_file:
        manifest = _table(_table(project, "tool"), backend.table).get("manifest-path")  # of maturin
        yield (
            manifest if isinstance(manifest, str) else backend.build_file,
            f"the build backend {backend.modules[0]}",
        )


def _text_files(project: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the files that the metadata is read from, each with what needs it."""
    metadata = _table(project, "project")
    readme, license_ = metadata.get("readme"), metadata.get("license")
    for field, file in (
        ("readme", readme.get("file") if isinstance(readme, dict) else readme),
        ("license", license_.get("file") if isinstance(license_, dict) else None),
    ):
        if isinstance(file, str):
            yield file.removeprefix("./"), f"[project] {field}"


def _table(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def _meson_folders(texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the meson.build of each folder that another one enters, with the one that enters it."""
    from wheelkit.project.meson import blank_comments

    waiting = ["meson.build"]
    while waiting:
        path = waiting.pop()
        unconditional = re.split(_CONDITION, blank_comments(texts.get(path, "")), maxsplit=1)[0]
        for match in re.finditer(_SUBDIR, unconditional):
            entered = f"{path.removesuffix('meson.build')}{match['folder'].strip('/')}/meson.build"
            yield entered, path
            waiting.append(entered)


def same_metadata(release: Release, _: Contract) -> Iterator[Finding]:
    """Report fields that a wheel changes although its sdist declares them fixed (PEP 643)."""
    for sdist in release.sdists:
        if not _reliable(sdist.metadata):
            continue
        dynamic = {name.lower() for name in sdist.metadata.all("Dynamic")}
        for field in COMPARED_FIELDS:
            fixed = _values(sdist.metadata, field)
            odd = [wheel.filename for wheel in release.wheels if _values(wheel.metadata, field) != fixed]
            if odd and field.lower() not in dynamic:
                what = f"{field} of {shorten_list(odd)} differs from that of {sdist.filename}"
                yield finding("WK704", what, file=odd[0])


def _reliable(metadata: Headers) -> bool:
    return (numbers(metadata.get("Metadata-Version")) or ()) >= _RELIABLE


def _values(metadata: Headers, field: str) -> list[str]:
    return sorted("".join(value.split()).lower() for value in metadata.all(field))
