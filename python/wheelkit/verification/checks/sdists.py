"""Sdists: named and laid out as installers expect, complete enough to build, and with the same metadata as the wheels."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from wheelkit.fast_packaging import normalise
from wheelkit.text import shorten_list
from wheelkit.verification.checks.names import same_version
from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.verification.release import Release
    from wheelkit.wheel import Headers, Sdist


_SUFFIX = ".tar.gz"
# Since this version an sdist's fields are those of every wheel, unless it lists them as Dynamic (PEP 643).
_RELIABLE = (2, 2)
_COMPARED = ("Requires-Python", "Requires-Dist", "Provides-Extra")
# What each backend cannot build without, at the top of the sdist.
_NEEDED: Mapping[str, str] = {
    "mesonpy": "meson.build",
    "scikit_build_core.build": "CMakeLists.txt",
    "maturin": "Cargo.toml",
}


def file_name(sdist: Sdist, _: Contract) -> Iterator[Finding]:
    """Report a file name that PKG-INFO contradicts, or that is not spelled as PEP 625 wants it."""
    name, _dash, version = sdist.filename.removesuffix(_SUFFIX).rpartition("-")
    if normalise(name) != sdist.distribution or not same_version(version, sdist.version):
        what = f"PKG-INFO says {sdist.distribution} {sdist.version}, the file name {name} {version}"
        yield finding("WK204", what=what, file=sdist.filename)
        return
    wanted = f"{sdist.distribution.replace('-', '_')}-{_normal(sdist.version)}{_SUFFIX}"
    if sdist.filename != wanted:
        yield finding(
            "WK202", what="the file name is not normalised", fix=f"it should be {wanted}", file=sdist.filename
        )


def _normal(version: str) -> str:
    from packaging.version import InvalidVersion, Version

    try:
        return str(Version(version))
    except InvalidVersion:
        return version


def paths(sdist: Sdist, _: Contract) -> Iterator[Finding]:
    """Report files outside of the one folder that an sdist has, and links that lead nowhere safe."""
    outside = sorted(
        name
        for name in sdist.names
        if not sdist.folder or not name.startswith(f"{sdist.folder}/") or ".." in name.split("/")
    )
    if outside:
        where = f"in {sdist.folder}/" if sdist.folder else "in one folder"
        yield finding(
            "WK712",
            what=f"{shorten_list(outside)} {'does' if len(outside) == 1 else 'do'} not lie {where}",
            file=sdist.filename,
        )
    if sdist.links:
        yield finding(
            "WK714",
            what=f"{shorten_list(sdist.links)} {'is a link that leads' if len(sdist.links) == 1 else 'are links that lead'} out of it",
            file=sdist.filename,
        )


def complete(sdist: Sdist, _: Contract) -> Iterator[Finding]:
    """Report files that a build from the sdist asks for and that it does not hold."""
    below = {name.removeprefix(f"{sdist.folder}/") for name in sdist.names}
    if not below & {"pyproject.toml", "setup.py"}:
        yield finding("WK713", what="it holds neither pyproject.toml nor setup.py", file=sdist.filename)
        return
    project = _pyproject(sdist)
    if project is None:
        yield finding("WK713", what="its pyproject.toml is no valid TOML", file=sdist.filename)
        return
    for path, asker in _asked(project, sdist):
        if path not in below and not any(name.startswith(f"{path.rstrip('/')}/") for name in below):
            yield finding(
                "WK713", what=f"it does not hold {path}, which {asker} asks for", file=sdist.filename
            )


def _pyproject(sdist: Sdist) -> dict[str, Any] | None:
    try:
        return tomllib.loads(sdist.texts.get("pyproject.toml", ""))
    except (ValueError, RecursionError):
        return None


def _asked(project: Mapping[str, Any], sdist: Sdist) -> Iterator[tuple[str, str]]:
    """Walk the paths that the build configuration names, each with who asks for it; what is no text is the backend's to refuse."""
    build, stated = _table(project, "build-system"), _table(project, "project")
    backend = str(build.get("build-backend", "")).partition(":")[0]
    manifest = (
        _table(_table(project, "tool"), "maturin").get("manifest-path") if backend == "maturin" else None
    )
    if backend in _NEEDED:
        yield manifest if isinstance(manifest, str) else _NEEDED[backend], f"the build backend {backend}"
    readme = stated.get("readme")
    file = readme.get("file") if isinstance(readme, dict) else readme
    if isinstance(file, str):
        yield file.removeprefix("./"), "[project] readme"
    licence = stated.get("license")
    if isinstance(licence, dict) and isinstance(licence.get("file"), str):
        yield licence["file"].removeprefix("./"), "[project] license"
    yield from _meson_folders(sdist.texts)


_COMMENT = re.compile(r"#.*")
_SUBDIR = re.compile(r"\bsubdir\s*\(\s*'(?P<folder>[^'@]+)'")
# A folder that is entered only under a condition may be left out on purpose.
_CONDITION = re.compile(r"^\s*(?:if|foreach)\b", re.MULTILINE)


def _meson_folders(texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Walk the meson.build files of the folders that each other one enters, from the top on."""
    waiting = ["meson.build"]
    while waiting:
        path = waiting.pop()
        text = texts.get(path)
        if text is None:
            continue
        plain = _COMMENT.sub("", text)
        certain = _CONDITION.split(plain, maxsplit=1)[0]
        for match in _SUBDIR.finditer(certain):
            inner = f"{path.removesuffix('meson.build')}{match['folder'].strip('/')}/meson.build"
            yield inner, path
            waiting.append(inner)


def _table(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def same_metadata(release: Release, _: Contract) -> Iterator[Finding]:
    """Report fields in which a wheel differs from the sdist that it should come from, where the sdist calls them fixed (PEP 643)."""
    for sdist in release.sdists:
        if not _reliable(sdist.metadata):
            continue
        free = {name.lower() for name in sdist.metadata.all("Dynamic")}
        for field in _COMPARED:
            wanted = _values(sdist.metadata, field)
            odd = (
                []
                if field.lower() in free
                else [one for one in release.wheels if _values(one.metadata, field) != wanted]
            )
            if odd:
                what = f"{field} of {shorten_list(one.filename for one in odd)} differs from that of {sdist.filename}"
                yield finding("WK704", what=what, file=odd[0].filename)


def _reliable(metadata: Headers) -> bool:
    parts = metadata.get("Metadata-Version").split(".")
    return all(part.isdigit() for part in parts) and tuple(map(int, parts)) >= _RELIABLE


def _values(metadata: Headers, field: str) -> list[str]:
    return sorted("".join(value.split()).lower() for value in metadata.all(field))
