"""Components that files of an sdist name: Meson wraps, Cargo.lock, FetchContent, and vendored folders.

Only what a file says is taken: a version near a folder of vendored code may be that of something else.
"""

from __future__ import annotations

import re
import tarfile
import zlib
from configparser import ConfigParser, Error
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from msgspec.structs import replace

from wheelkit.inputs import toml_table
from wheelkit.limits import KB
from wheelkit.project.meson import VERSION_LITERAL, project_call
from wheelkit.sbom.cmake import read_cmake
from wheelkit.sbom.model import Component, version_of_tag
from wheelkit.tar_archives import open_tar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    Reader = Callable[[str, str], Iterator[Component]]


# Folders with code that wheels do not contain.
_ELSEWHERE = frozenset({"tests", "test", "docs", "doc", "examples", "benchmarks", "bench", "fuzz"})
_LARGEST_CMAKE = 256 * KB
_VERSION_AT_END = re.compile(r"-v?(\d[\w.]*)$")
_CRATES = "registry+https://github.com/rust-lang/crates.io-index"


def find_components(sdist: Path) -> tuple[Component, ...]:
    """Return the components that an sdist's files name; what cannot be read names none."""
    found: list[Component] = []
    try:
        with open_tar(sdist) as archive:
            for member in archive.members():
                name = member.name.partition("/")[2]
                reader = _reader(name, member.size) if member.isfile() else None
                if reader is not None and (text := archive.text(member)) is not None:
                    found += reader(name, text.decode("utf-8", "replace"))
    except (tarfile.TarError, OSError, EOFError, zlib.error):
        return ()
    wraps = {PurePosixPath(one.origin).stem for one in found if one.origin.endswith(".wrap")}
    return tuple(one for one in found if not (_is_subproject(one) and one.name in wraps))


def _is_subproject(component: Component) -> bool:
    return component.origin.endswith("/meson.build")


def _reader(name: str, size: int) -> Reader | None:
    path = PurePosixPath(name)
    if not _ELSEWHERE.isdisjoint(path.parts[:-1]):
        return None
    if size > _LARGEST_CMAKE and path.suffix != ".lock":
        return None
    return next((reader for pattern, reader in _READERS.items() if fnmatchcase(f"/{name}", pattern)), None)


def _wrap(name: str, text: str) -> Iterator[Component]:
    """Read a wrap file (mesonbuild.com, "Wrap dependency system manual")."""
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except Error:
        return
    kind = next((section for section in parser.sections() if section.startswith("wrap-")), "")
    if kind not in {"wrap-file", "wrap-git", "wrap-hg", "wrap-svn"}:
        return
    values = parser[kind]
    version = values.get("wrapdb_version", "").rpartition("-")[0]
    folder = _VERSION_AT_END.search(values.get("directory", ""))
    if not version and folder:
        version = folder[1]
    component = Component(name=PurePosixPath(name).stem, version=version, origin=name)
    if kind == "wrap-file":
        url, sha256 = values.get("source_url", ""), values.get("source_hash", "").lower()
        yield replace(component, url=url, sha256=sha256)
    else:
        url, revision = values.get("url", ""), values.get("revision", "")
        vcs = f"{kind.removeprefix('wrap-')}+{url}@{revision}"
        yield replace(component, version=version or version_of_tag(revision), vcs=vcs)


def _subproject(name: str, text: str) -> Iterator[Component]:
    """Read the meson.build of a subproject that is in the sdist itself."""
    *_, parent, folder, _ = ("", *PurePosixPath(name).parts)
    call = project_call(text) if parent == "subprojects" and folder != "packagefiles" else None
    if call is not None:
        version = VERSION_LITERAL.search(call[1])
        yield Component(name=folder, version=version["version"] if version else "", origin=name)


def _cargo(name: str, text: str) -> Iterator[Component]:
    try:
        packages = toml_table(text).get("package")
    except ValueError:
        return
    for package in packages if isinstance(packages, list) else ():
        crate, version, source = (str(package.get(key) or "") for key in ("name", "version", "source"))
        if source == _CRATES:
            digest = str(package.get("checksum") or "")
            purl = f"pkg:cargo/{crate}@{version.replace('+', '%2B')}"
            yield Component(name=crate, version=version, purl=purl, sha256=digest, origin=name)
        elif source.startswith("git+"):
            url, _, revision = source.removeprefix("git+").partition("#")
            vcs = f"git+{url.partition('?')[0]}@{revision}"
            yield Component(name=crate, version=version, vcs=vcs, origin=name)


def _chromium(name: str, text: str) -> Iterator[Component]:
    """Read README.chromium, with which Chromium's tree and its vendored copies describe a folder."""
    fields: Mapping[str, str] = dict(re.findall(r"^([A-Z][\w ]*):[ \t]*(\S.*?)[ \t]*$", text, re.MULTILINE))
    if "Name" in fields:
        version = fields.get("Version", "")
        yield Component(
            name=fields.get("Short Name", fields["Name"]),
            version=version if re.search(r"\d", version) and version.lower() != "n/a" else "",
            license=fields.get("License", ""),
            url=fields.get("URL", ""),
            origin=name,
        )


def _bill(name: str, text: str) -> Iterator[Component]:
    """Read an SBOM that vendored code brings with it."""
    from wheelkit.analysis.sboms import read_sbom

    for found in read_sbom(name, text.encode()).components:
        yield Component(name=found.name, version=found.version, purl=found.purl, cpe=found.cpe, origin=name)


_READERS: Mapping[str, Reader] = {
    "*/subprojects/*.wrap": _wrap,
    "*/subprojects/*/meson.build": _subproject,
    "*/Cargo.lock": _cargo,
    "*/CMakeLists.txt": read_cmake,
    "*.cmake": read_cmake,
    "*/README.chromium": _chromium,
    "*/bom.json": _bill,
    "*.cdx.json": _bill,
}
